import { setTimeout as sleep } from 'node:timers/promises';
import type { ClickHouseClient } from '@clickhouse/client';
import { clickhouseClient } from '../../services/shared/clickhouse/client.ts';
import type { MeshProcess } from '../fixtures/mesh-process.ts';
import { percentile } from './load.ts';
import type { Figure, Scenario } from './scenario.ts';

/** Each day, campaign and source has a row of clicks and three of conversions in every partition of the log. */
const ROWS_PER_CAMPAIGN = 30 * 5 * (1 + 3) * 8;
const FULL = { campaigns: 209, queries: 100 };
const QUICK: typeof FULL = { campaigns: 2, queries: 3 };

const QUERIES = [
  { name: 'all campaigns, daily', parameters: '' },
  { name: 'one campaign, daily', parameters: '&campaign_id=camp-1' },
  { name: 'all campaigns, monthly', parameters: '&interval=monthly' },
];
const WARM_UP = 3;

export const stats: Scenario = {
  name: 'stats',
  method:
    `GetStats by REST over ${(FULL.campaigns * ROWS_PER_CAMPAIGN).toLocaleString('en-US')} rows of daily_stats ` +
    `(30 days x ${FULL.campaigns} campaigns x 5 sources x (clicks + 3 conversion types) x 8 partitions), ${FULL.queries} ` +
    'times one after the other, over all 30 days; until the answer is read to its end. In 8 parts: as a bulk load ' +
    'leaves them, merges stopped. In 1 part: after ClickHouse has merged them, within a minute.',
  run: (mesh, quick) => runStats(mesh, quick ? QUICK : FULL),
};

async function runStats(mesh: MeshProcess, size: typeof FULL): Promise<Figure[]> {
  await using client = await clickhouseOf(mesh);
  await client.command({ query: 'SYSTEM STOP MERGES daily_stats_local' });
  await fill(client, size.campaigns);
  const unmerged = await timeQueries(mesh, size, 'in 8 parts');
  await client.command({ query: 'SYSTEM START MERGES daily_stats_local' });
  if (size === FULL) await waitUntilMerged(client);
  return [...unmerged, ...(await timeQueries(mesh, size, 'in 1 part'))];
}

async function timeQueries(mesh: MeshProcess, size: typeof FULL, parts: string): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const { name, parameters } of QUERIES) {
    const query = `${mesh.url}/api/v1/stats?start_date=2025-06-01&end_date=2025-06-30${parameters}`;
    const campaigns = parameters.includes('campaign_id') ? 1 : size.campaigns;
    const { rows, latencies } = await time(query, size.queries, campaigns * 30 * 5 * 8);
    const what = `${name} (${rows.toLocaleString('en-US')} rows), ${parts}`;
    figures.push(
      { name: `${what}: p50`, value: percentile(latencies, 0.5), unit: 'ms' },
      { name: `${what}: p99`, value: percentile(latencies, 0.99), unit: 'ms', floor: { atMost: 200 } },
    );
  }
  return figures;
}

async function fill(client: ClickHouseClient, campaigns: number): Promise<void> {
  for (let partition = 0; partition < 8; partition++) {
    await client.command({
      query: `INSERT INTO daily_stats
        SELECT toDate32('2025-06-01') + d, 'camp-' || toString(c), 'source-' || toString(s), type,
          if(type = '', '', 'last_click'), ${partition}, if(type = '', 1, 0),
          if(type = '', 0, 1000000), if(type = '', 0, 19990000), 1
        FROM (SELECT number % 30 AS d, intDiv(number, 30) % 5 AS s, intDiv(number, 150) AS c,
          arrayJoin(['', 'purchase', 'signup', 'install']) AS type FROM numbers(${campaigns * 150}))`,
    });
  }
}

async function waitUntilMerged(client: ClickHouseClient): Promise<void> {
  const query = `SELECT count() AS parts FROM system.parts WHERE active AND database = 'default' AND table = 'daily_stats_local'`;
  for (;;) {
    const [row] = await (await client.query({ query, format: 'JSONEachRow' })).json<{ parts: string }>();
    if (Number(row!.parts) === 1) return;
    await sleep(500);
  }
}

async function clickhouseOf(mesh: MeshProcess) {
  const status = (await (await fetch(`${mesh.url}/status`)).json()) as { clickhouse_url: string };
  return clickhouseClient(status.clickhouse_url);
}

/** Latencies in ms, ascending. Throws unless the answer counts so many clicks. */
async function time(query: string, times: number, clicks: number): Promise<{ rows: number; latencies: number[] }> {
  for (let i = 0; i < WARM_UP; i++) await read(query);
  const latencies: number[] = [];
  let body = '';
  for (let i = 0; i < times; i++) {
    const asked = performance.now();
    body = await read(query);
    latencies.push(performance.now() - asked);
  }
  const { data } = JSON.parse(body) as { data: { clicks: number }[] };
  const counted = data.reduce((sum, row) => sum + row.clicks, 0);
  if (counted !== clicks) throw new Error(`${query} counts ${counted} clicks and should count ${clicks}`);
  return { rows: data.length, latencies: latencies.sort((a, b) => a - b) };
}

async function read(query: string): Promise<string> {
  const response = await fetch(query);
  const body = await response.text();
  if (!response.ok) throw new Error(`${query} answered ${response.status}: ${body}`);
  return body;
}
