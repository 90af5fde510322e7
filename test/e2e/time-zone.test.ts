import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { audit } from '../../services/cli/audit/audit.ts';
import { clickhouseClient } from '../../services/clickhouse/client.ts';
import { type MeshProcess, startMeshProcess, temporaryFolder } from '../fixtures/mesh-process.ts';

const HOUR = 3_600_000;

/** An event each half hour, of two days around a time: of four users a click, and a conversion by its last click. */
function eventsAround(time: string) {
  const middle = Date.parse(time);
  return Array.from({ length: 96 }, (_, i) => {
    const of = {
      event_id: `${time} ${i}`,
      user_id: `user ${i % 4}`,
      source: 'web',
      timestamp: middle + (i - 48) * (HOUR / 2),
    };
    return i % 8 < 4
      ? { event_type: 'click', ...of, ad_id: 'ad', campaign_id: `camp-${i % 3}` }
      : { event_type: 'conversion', ...of, type: 'buy', value: 1 + i };
  });
}

async function send(mesh: MeshProcess, events: readonly object[]): Promise<void> {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(`${mesh.url}/api/v1/events`, { method: 'POST', headers, body: JSON.stringify(events) });
  expect(await response.json()).toMatchObject({ accepted: events.length });
}

async function clean(mesh: MeshProcess): Promise<void> {
  const results = await audit({ url: mesh.url, timeout: 30 });
  expect(results.filter(({ differing, limited }) => differing > 0 || Object.keys(limited).length > 0)).toEqual([]);
}

/** Clicks and revenue by day: as the mesh answers, and as ClickHouse sums up the events by what it knows of zones. */
async function byDay(mesh: MeshProcess, zone: string) {
  const response = await fetch(`${mesh.url}/api/v1/stats?start_date=2025-01-01&end_date=2025-12-31&unattributed=true`);
  const { data, unattributed, time_zone } = (await response.json()) as Record<'data' | 'unattributed', Row[]> & {
    time_zone?: string;
  };
  const sums = new Map<string, [number, number]>();
  for (const { date, clicks = 0, revenue } of [...data, ...unattributed]) {
    const before = sums.get(date) ?? [0, 0];
    sums.set(date, [before[0] + clicks, before[1] + revenue]);
  }
  const { clickhouse_url } = (await (await fetch(`${mesh.url}/status`)).json()) as { clickhouse_url: string };
  const client = clickhouseClient(clickhouse_url);
  const query = `
    SELECT toString(toDate(timestamp, {zone:String})) AS day, countIf(event_type = 'click') AS clicks,
      sumIf(value_micros, event_type = 'conversion') / 1e6 AS revenue
    FROM events_distributed FINAL GROUP BY day ORDER BY day`;
  const result = await client.query({ query, query_params: { zone }, format: 'JSONEachRow' });
  const rows = await result.json<{ day: string; clicks: string; revenue: number }>();
  await client.close();
  const recounted = rows.map(({ day, clicks, revenue }) => [day, [Number(clicks), revenue]]);
  return { answered: [...sums].sort(), recounted, time_zone };
}

interface Row {
  date: string;
  clicks?: number;
  revenue: number;
}

test.each([
  ['America/New_York', 9],
  ['Asia/Kolkata', 8],
])(
  'days are those of %s, as ClickHouse recounts them, and stay so',
  async (zone, days) => {
    const folder = temporaryFolder();
    onTestFinished(() => folder[Symbol.dispose]());
    const data = join(folder.path, 'data');
    const settings = { REPORT_TIME_ZONE: zone, ROLLUPS: 'day:campaign_id,ad_id; hour:campaign_id; hour:ad_id' };
    const first = await startMeshProcess(data, settings);
    onTestFinished(() => first.kill());
    // New York's offset changes on two of them.
    for (const time of ['2025-03-09T07:00:00Z', '2025-11-02T06:00:00Z', '2025-06-10T18:30:00Z']) {
      await send(first, eventsAround(time));
    }
    await clean(first);
    const before = await byDay(first, zone);
    expect(before.time_zone).toBe(zone);
    expect(before.answered).toEqual(before.recounted);
    expect(before.answered).toHaveLength(days);
    const byAd = await fetch(
      `${first.url}/api/v1/stats?start_date=2025-03-01&end_date=2025-03-31&by=ad_id&interval=hourly`,
    );
    expect(((await byAd.json()) as { time_zone?: string; data: Row[] }).data[0]!.date).toBe('2025-03-08T07:00Z');
    await first.stop();

    // Neither another setting nor the loss of the state changes them.
    for (const other of ['UTC', 'Europe/Berlin']) {
      await expect(startMeshProcess(data, { REPORT_TIME_ZONE: other })).rejects.toThrow(
        `start with REPORT_TIME_ZONE=${zone}`,
      );
    }
    rmSync(join(data, 'state'), { recursive: true });
    await expect(startMeshProcess(data)).rejects.toThrow(`start with REPORT_TIME_ZONE=${zone}`);
    const second = await startMeshProcess(data, settings);
    onTestFinished(() => second.kill());
    await clean(second);
    expect(await byDay(second, zone)).toEqual(before);
  },
  120_000,
);
