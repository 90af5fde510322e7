import { once } from 'node:events';
import type { ClickHouseClient } from '@clickhouse/client';
import { Code } from '@connectrpc/connect';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { WatchReportResponse } from '../../../gen/ts/clickmesh/v1/reports_pb.js';
import type { WatchStatsResponse } from '../../../gen/ts/clickmesh/v1/stats_service_pb.js';
import { startTestClickHouse, type TestClickHouse } from '../../../test/fixtures/clickhouse.ts';
import { getRequest, statsClient } from '../../../test/fixtures/stats.ts';
import { liveHttp } from './routes.ts';

let server: TestClickHouse;
let client: ClickHouseClient;
/** Queries of daily_stats. */
let looks = 0;

beforeAll(async () => {
  server = await startTestClickHouse();
  client = server.client;
  const { query } = client;
  client.query = ((request: { query: string }) => {
    if (request.query.includes('daily_stats')) looks++;
    return query.call(client, request);
  }) as typeof query;
});

afterAll(() => server.close());

const stats = () => statsClient({ client, models: ['last_click'], rollups: [] });
const DAY = { startDate: '2024-01-01', endDate: '2024-01-01' };

async function count(clicks: number): Promise<void> {
  const row = { day: '2024-01-01', campaign_id: 'camp-1', source: 'facebook', clicks, version: clicks };
  await client.insert({ table: 'daily_stats', values: [row], format: 'JSONEachRow' });
}

const clicksOf = ({ stats }: WatchStatsResponse) => stats?.data[0]?.clicks;

/** What is watched. */
const DISTINCT = [DAY, { ...DAY, source: 'facebook' }, { ...DAY, campaignId: 'camp-1' }];

test('200 who watch cost one query a look for each distinct report, and all see the change', async () => {
  await count(1);
  const stop = new AbortController();
  const watchers = Array.from({ length: 200 }, (_, i) =>
    stats()
      .watchStats({ query: DISTINCT[i % DISTINCT.length]!, periodMs: 200 }, { signal: stop.signal })
      [Symbol.asyncIterator](),
  );
  const firsts = await Promise.all(watchers.map((each) => each.next()));
  expect(firsts.map(({ value }) => clicksOf(value))).toEqual(Array(200).fill(1n));
  const before = looks;
  const began = performance.now();
  await count(2);
  const nexts = await Promise.all(watchers.map((each) => each.next()));
  expect(nexts.map(({ value }) => clicksOf(value))).toEqual(Array(200).fill(2n));
  // Of each watcher's own there would be 200 in each 200 ms.
  expect(looks - before).toBeLessThanOrEqual(DISTINCT.length * (2 + (performance.now() - began) / 200));
  stop.abort();
});

test('who comes with a cursor gets what has changed since, only', async () => {
  const first = await stats().watchStats({ query: DAY, periodMs: 200 })[Symbol.asyncIterator]().next();
  const { cursor } = first.value as WatchStatsResponse;
  const again = stats().watchStats({ query: DAY, periodMs: 200, cursor })[Symbol.asyncIterator]();
  const next = again.next();
  await count(3);
  expect(clicksOf((await next).value)).toBe(3n);
});

test('WatchReport sends a report when it changed, and by a cursor only what changed since', async () => {
  const query = { ...DAY, groupBy: ['campaign_id'] };
  const watch = (cursor?: string) => stats().watchReport({ query, periodMs: 200, cursor })[Symbol.asyncIterator]();
  const first = watch();
  const one = (await first.next()).value as WatchReportResponse;
  expect(one.report!.rows.map(({ clicks }) => clicks)).toEqual([3n]);
  await count(4);
  const changed = (await first.next()).value as WatchReportResponse;
  expect([changed.report!.totals!.clicks, changed.report!.rows[0]!.clicks]).toEqual([4n, 4n]);
  expect(changed.cursor).not.toBe(one.cursor);
  const again = watch(changed.cursor);
  const same = (await again.next()).value as WatchReportResponse;
  expect([same.report, same.cursor]).toEqual([undefined, changed.cursor]);
  await count(5);
  expect(((await again.next()).value as WatchReportResponse).report!.totals!.clicks).toBe(5n);
});

test('WatchReport as server-sent events: the JSON of GET /api/v1/report, and refused as that refuses', async () => {
  const route = liveHttp({ client, models: ['last_click'], rollups: [] }).find(({ path }) => /report/.test(path))!;
  const request = getRequest();
  const query = 'start_date=2024-01-01&end_date=2024-01-01&interval=none';
  const { stream } = await route.handle({ ...request, query, headers: {} });
  const [text] = (await once(stream!, 'data')) as [Buffer];
  const [, id, data] = /^event: report\nid: (\S+)\ndata: (.*)\n\n$/.exec(String(text))!;
  expect(JSON.parse(data!)).toMatchObject({ rows: [{ clicks: 5 }], stamp: { time_zone: 'UTC' } });
  stream!.destroy();
  const { stream: resumed } = await route.handle({ ...request, query, headers: { 'last-event-id': id } });
  const [next] = (await once(resumed!, 'data')) as [Buffer];
  expect(String(next)).toMatch(/^event: heartbeat\n/);
  resumed!.destroy();
  expect(await route.handle({ ...request, query: `${query}&group_by=x`, headers: {} })).toMatchObject({ status: 400 });
});

test('a report by server-sent events is made once to begin with, and no more when the caller has left', async () => {
  // Who watches since the tests before is looking on.
  const query = vi.fn(client.query.bind(client));
  const watched = Object.create(client, { query: { value: query } }) as ClickHouseClient;
  const made = () => query.mock.calls.filter(([{ query }]) => query.includes('daily_stats')).length;
  const route = liveHttp({ client: watched, models: ['last_click'], rollups: [] }).find(({ path }) =>
    /report/.test(path),
  )!;
  const request = getRequest('start_date=2024-01-01&end_date=2024-01-01&interval=week');
  for (const _ of ['first', 'who comes when nobody watches any more']) {
    const before = made();
    const { stream } = await route.handle(request);
    expect(made() - before).toBe(1);
    // It has not been read.
    stream!.destroy();
    await once(stream!, 'close');
  }
});

test.each([/report/, /tail/])('server-sent events of %s end when the server is closing', async (path) => {
  const route = liveHttp({ client, models: ['last_click'], rollups: [] }).find((each) => path.test(each.path))!;
  const query = route.path.includes('report') ? 'start_date=2024-01-01&end_date=2024-01-01' : '';
  const request = getRequest(query);
  const closing = new AbortController();
  const { stream } = await route.handle(request, closing.signal);
  stream!.resume();
  closing.abort();
  await once(stream!, 'end');
});

test('TailEvents as server-sent events: each answer is one, until the caller leaves', async () => {
  const route = liveHttp({ client, models: ['last_click'], rollups: [] }).find(({ path }) => /tail/.test(path));
  const request = getRequest();
  const { stream, headers } = await route!.handle({ ...request, query: 'event_types=click' });
  expect(headers['content-type']).toBe('text/event-stream');
  const event = { event_type: 'click', event_id: '00000000-0000-4000-8000-000000000001', user_id: 'user-1' };
  const row = { ...event, campaign_id: 'a\nb', source: 's', timestamp: 1, _append_time: Date.now(), _offset: 1 };
  await client.insert({ table: 'events_distributed', values: [row], format: 'JSONEachRow' });
  const [text] = (await once(stream!, 'data')) as [Buffer];
  expect(String(text)).toMatch(/^data: \{.*"campaignId":"a\\nb".*\}\n\n$/);
  stream!.destroy();
  await once(stream!, 'close');
  expect(await route!.handle({ ...request, query: 'event_type=click' })).toMatchObject({ status: 400 });
});

test('invalid_argument: a type of event that there is none of', async () => {
  const first = stats()
    .tailEvents({ eventTypes: ['clik'] })
    [Symbol.asyncIterator]()
    .next();
  await expect(first).rejects.toMatchObject({ code: Code.InvalidArgument, rawMessage: /^event_types / });
});
