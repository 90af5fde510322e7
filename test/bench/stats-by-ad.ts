import type { ClickHouseClient } from '@clickhouse/client';
import type { MeshProcess } from '../fixtures/mesh-process.ts';
import { percentile } from './load.ts';
import type { Figure, Scenario } from './scenario.ts';
import { clickhouseOf, time, waitUntilMerged } from './stats.ts';

const DAYS = 30;
const ADS_PER_CAMPAIGN = 10;
/** Of the log, and of the table's rows. */
const PARTITIONS = 8;
const WARM_UP = 3;
/** A conversion under each in every fourth row. */
const MODELS = ['last_click', 'first_click', 'linear', 'time_decay', 'position_based'];
const SIZE = { campaigns: 1000, queries: 100 };
const QUICK = { campaigns: 2, queries: 3 };

const ROWS = (SIZE.campaigns * ADS_PER_CAMPAIGN * DAYS * PARTITIONS).toLocaleString('en-US');

export const statsByAd: Scenario<MeshProcess> = {
  name: 'stats-by-ad',
  method:
    `GetStats by REST of a month by ad, over ${ROWS} rows of rollup_stats (${DAYS} days x ${SIZE.campaigns} campaigns x ` +
    `${ADS_PER_CAMPAIGN} ads x ${PARTITIONS} partitions, a fourth of them with conversions under ${MODELS.length} models), ` +
    `merged, ${SIZE.queries} times one after the other; until the answer is read to its end. RunReport by REST of the same ` +
    'rows, under two models, the first 1,000 by revenue, with totals; also compared with the month before, of which there is ' +
    'nothing.',
  run: (mesh, quick) => run(mesh, quick ? QUICK : SIZE, quick),
};

async function run(mesh: MeshProcess, { campaigns, queries }: typeof SIZE, quick: boolean): Promise<Figure[]> {
  await using client = await clickhouseOf(mesh);
  await fill(client, campaigns);
  if (!quick) await waitUntilMerged(client, 'rollup_stats_local');
  const figures: Figure[] = [];
  for (const [name, parameters, counted] of [
    ['one campaign', '&campaign_id=camp-1', 1],
    ['all campaigns', '', campaigns],
  ] as const) {
    const query = `${mesh.url}/api/v1/stats?start_date=2025-06-01&end_date=2025-06-30&interval=monthly&by=ad_id${parameters}`;
    const clicks = counted * ADS_PER_CAMPAIGN * DAYS * PARTITIONS;
    const latencies = await time(query, { queries, warmUp: WARM_UP }, clicks);
    figures.push(
      { name: `${name}: p50`, value: percentile(latencies, 0.5), unit: 'ms' },
      { name: `${name}: p99`, value: percentile(latencies, 0.99), unit: 'ms' },
    );
  }
  for (const [name, parameters] of [
    ['RunReport', ''],
    ['RunReport compared', '&compare=previous_period'],
  ] as const) {
    const asked = 'interval=month&group_by=campaign_id,ad_id&models=last_click,linear&order_by=-revenue';
    const query = `${mesh.url}/api/v1/report?start_date=2025-06-01&end_date=2025-06-30&${asked}${parameters}`;
    const latencies = await time(query, { queries, warmUp: WARM_UP }, campaigns * ADS_PER_CAMPAIGN * DAYS * PARTITIONS);
    figures.push(
      { name: `${name}: p50`, value: percentile(latencies, 0.5), unit: 'ms' },
      { name: `${name}: p99`, value: percentile(latencies, 0.99), unit: 'ms' },
    );
  }
  return figures;
}

async function fill(client: ClickHouseClient, campaigns: number): Promise<void> {
  for (let partition = 0; partition < PARTITIONS; partition++) {
    await client.command({
      query: `INSERT INTO rollup_stats (rollup, day, dimension_1, dimension_2, partition, clicks, models,
          conversions_micros, revenue_micros, retracted_micros, adjusted_micros, refunds_micros, version)
        SELECT 'day:campaign_id,ad_id', toDate32('2025-06-01') + number % ${DAYS},
          'camp-' || toString(intDiv(number, ${DAYS * ADS_PER_CAMPAIGN})), 'ad-' || toString(intDiv(number, ${DAYS})),
          {partition:UInt32}, 1, if(number % 4 = 0, {models:Array(String)}, []) AS m, arrayMap(x -> 1000000, m),
          arrayMap(x -> 19990000, m), arrayMap(x -> 0, m), arrayMap(x -> 0, m), arrayMap(x -> 0, m), 1
        FROM numbers(${campaigns * ADS_PER_CAMPAIGN * DAYS})`,
      query_params: { partition, models: MODELS },
    });
  }
}
