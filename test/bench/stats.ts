import { setTimeout as sleep } from 'node:timers/promises';
import type { ClickHouseClient } from '@clickhouse/client';
import { clickhouseClient } from '../../services/clickhouse/client.ts';
import type { MeshProcess } from '../fixtures/mesh-process.ts';
import { percentile } from './load.ts';
import type { Figure, Scenario } from './scenario.ts';

interface Size {
  campaigns: number;
  /** Of the log, and of the table's rows. */
  partitions: number;
  /** Of conversions; each adds a row to that of the clicks. */
  conversionTypes: string[];
  queries: number;
}

const DAYS = 30;
const SOURCES = 5;
const WARM_UP = 3;
/** Each takes seconds. */
const UNMERGED = { queries: 5, warmUp: 1 };
const QUERIES = [
  { name: 'all campaigns, daily', parameters: '' },
  { name: 'one campaign, daily', parameters: '&campaign_id=camp-1' },
  { name: 'all campaigns, monthly', parameters: '&interval=monthly' },
];

export const stats: Scenario<MeshProcess>[] = [
  scenario('stats', {
    campaigns: 209,
    partitions: 8,
    conversionTypes: ['purchase', 'signup', 'install'],
    queries: 100,
  }),
  scenario('stats-month', { campaigns: 1000, partitions: 16, conversionTypes: ['purchase', 'signup'], queries: 100 }),
];

function scenario(name: string, size: Size): Scenario<MeshProcess> {
  const rows = (DAYS * size.campaigns * SOURCES * size.partitions * (1 + size.conversionTypes.length)).toLocaleString(
    'en-US',
  );
  return {
    name,
    method:
      `GetStats by REST over ${rows} rows of daily_stats (${DAYS} days x ${size.campaigns} campaigns x ${SOURCES} sources x ` +
      `(clicks + ${size.conversionTypes.length} conversion types) x ${size.partitions} partitions), ${size.queries} times one ` +
      'after the other, over all 30 days; until the answer is read to its end. Merged: as ClickHouse leaves them within a ' +
      `minute. Unmerged: in the parts that a bulk load leaves, one for each partition, merges stopped; ${UNMERGED.queries} times.`,
    run: (mesh, quick) => runStats(mesh, quick ? { ...size, campaigns: 2, queries: 3 } : size, quick),
  };
}

async function runStats(mesh: MeshProcess, size: Size, quick: boolean): Promise<Figure[]> {
  await using client = await clickhouseOf(mesh);
  await client.command({ query: 'SYSTEM STOP MERGES daily_stats_local' });
  await fill(client, size);
  const unmerged = await timeQueries(mesh, size, { parts: 'unmerged', ...UNMERGED });
  await client.command({ query: 'SYSTEM START MERGES daily_stats_local' });
  if (!quick) await waitUntilMerged(client);
  return [...unmerged, ...(await timeQueries(mesh, size, { parts: 'merged', queries: size.queries, warmUp: WARM_UP }))];
}

async function timeQueries(
  mesh: MeshProcess,
  { campaigns, partitions }: Size,
  { parts, queries, warmUp }: { parts: string; queries: number; warmUp: number },
): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const { name, parameters } of QUERIES) {
    const query = `${mesh.url}/api/v1/stats?start_date=2025-06-01&end_date=2025-06-30${parameters}`;
    const counted = parameters.includes('campaign_id') ? 1 : campaigns;
    const latencies = await time(query, { queries, warmUp }, counted * DAYS * SOURCES * partitions);
    figures.push(
      { name: `${name}, ${parts}: p50`, value: percentile(latencies, 0.5), unit: 'ms' },
      { name: `${name}, ${parts}: p99`, value: percentile(latencies, 0.99), unit: 'ms' },
    );
  }
  return figures;
}

async function fill(client: ClickHouseClient, { campaigns, partitions, conversionTypes }: Size): Promise<void> {
  for (let partition = 0; partition < partitions; partition++) {
    await client.command({
      query: `INSERT INTO daily_stats
        (day, campaign_id, source, conversion_type, model, partition, clicks, conversions_micros, revenue_micros, version)
        SELECT toDate32('2025-06-01') + d, 'camp-' || toString(c), 'source-' || toString(s), type,
          if(type = '', '', 'last_click'), {partition:UInt32}, if(type = '', 1, 0),
          if(type = '', 0, 1000000), if(type = '', 0, 19990000), 1
        FROM (SELECT number % ${DAYS} AS d, intDiv(number, ${DAYS}) % ${SOURCES} AS s,
          intDiv(number, ${DAYS * SOURCES}) AS c, arrayJoin({types:Array(String)}) AS type
          FROM numbers(${campaigns * DAYS * SOURCES}))`,
      query_params: { partition, types: ['', ...conversionTypes] },
    });
  }
}

export async function waitUntilMerged(client: ClickHouseClient, table = 'daily_stats_local'): Promise<void> {
  const query = `SELECT count() AS parts FROM system.parts WHERE active AND database = 'default' AND table = '${table}'`;
  for (;;) {
    const [row] = await (await client.query({ query, format: 'JSONEachRow' })).json<{ parts: string }>();
    if (Number(row!.parts) === 1) return;
    await sleep(500);
  }
}

/** @param timeoutMs how long ClickHouse may say nothing */
export async function clickhouseOf(mesh: MeshProcess, timeoutMs?: number) {
  const status = (await (await fetch(`${mesh.url}/status`)).json()) as { clickhouse_url: string };
  return clickhouseClient(status.clickhouse_url, undefined, undefined, timeoutMs);
}

/** Latencies in ms, ascending. Throws unless the answer counts so many clicks. */
export async function time(
  query: string,
  times: { queries: number; warmUp: number },
  clicks: number,
): Promise<number[]> {
  for (let i = 0; i < times.warmUp; i++) await read(query);
  const latencies: number[] = [];
  let body = '';
  for (let i = 0; i < times.queries; i++) {
    const asked = performance.now();
    body = await read(query);
    latencies.push(performance.now() - asked);
  }
  const { data, totals } = JSON.parse(body) as { data?: { clicks: number }[]; totals?: { clicks: number } };
  const counted = (data ?? [totals!]).reduce((sum, row) => sum + row.clicks, 0);
  if (counted !== clicks) throw new Error(`${query} counts ${counted} clicks and should count ${clicks}`);
  return latencies.sort((a, b) => a - b);
}

async function read(query: string): Promise<string> {
  const response = await fetch(query);
  const body = await response.text();
  if (!response.ok) throw new Error(`${query} answered ${response.status}: ${body}`);
  return body;
}
