import { type Client, Code, ConnectError } from '@connectrpc/connect';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ListedConflict } from '../../../gen/ts/clickmesh/v1/reports_pb.js';
import type { StatsService } from '../../../gen/ts/clickmesh/v1/stats_service_pb.js';
import { startTestClickHouse, type TestClickHouse } from '../../../test/fixtures/clickhouse.ts';
import { getRequest, statsClient } from '../../../test/fixtures/stats.ts';
import { statsHttp } from '../routes.ts';

const idOf = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
/** A whole minute, as what arrived 90 days ago is forgotten. */
const MINUTE = Math.floor(Date.now() / 60_000 - 60) * 60_000;

let server: TestClickHouse;
let stats: Client<typeof StatsService>;

/** Rows of a table: event type and number, user, what it says, offset, and second of its arrival. */
function rows(text: string, offset: string): Record<string, unknown>[] {
  return text
    .trim()
    .split('\n')
    .map((line) => {
      const [event_type, n, user_id, content, at, second] = line.trim().split(/ +/);
      const says = Object.fromEntries(content!.split(',').map((pair) => pair.split('=')));
      const timestamp = clickhouseTime(MINUTE);
      const _append_time = clickhouseTime(MINUTE + Number(second) * 1000);
      return { event_type, event_id: idOf(Number(n)), user_id, timestamp, ...says, [offset]: at, _append_time };
    });
}

function clickhouseTime(time: number): string {
  return new Date(time).toISOString().replace('T', ' ').slice(0, -1);
}

beforeAll(async () => {
  server = await startTestClickHouse();
  const kept = `
    click      1 ann ad_id=ad,campaign_id=red,source=web        3  1
    click      1 bob ad_id=ad,campaign_id=red,source=web        4  1
    conversion 1 ann conversion_type=buy,value_micros=5,source=web 5 1
    adjustment 2 ann target_id=${idOf(1)},kind=refund,value_micros=1 6 1`;
  const notKept = `
    click      1 ann ad_id=ad,campaign_id=blue,source=web       7  2
    click      1 ann ad_id=ad,campaign_id=blue,source=web       7  2
    click      1 ann ad_id=ad,campaign_id=green,source=app      8  3
    conversion 1 ann conversion_type=buy,value_micros=6,source=web 9 3
    adjustment 2 ann target_id=${idOf(1)},kind=restate,value_micros=1 10 4
    verdict    9 bob target_id=${idOf(1)},kind=invalid          11 5`;
  const { client } = server;
  await client.insert({ table: 'events_local', values: rows(kept, '_offset'), format: 'JSONEachRow' });
  await client.insert({ table: 'event_conflicts', values: rows(notKept, 'version'), format: 'JSONEachRow' });
  stats = statsClient({ client, models: ['last_click'], rollups: [] });
});
afterAll(() => server.close());

/** What a conflict says, and after / what was kept. */
function told({ notKept, kept, arrivalTime }: ListedConflict): string {
  const says = (event: typeof kept) => {
    if (event === undefined) return '?';
    const { campaignId, source, conversionType, valueMicros, targetId, kind, version } = event;
    const content = [campaignId, source, conversionType, valueMicros || '', targetId && 'of', kind, `@${version}`];
    return content.filter(Boolean).join(' ');
  };
  const second = new Date(Number(arrivalTime)).getUTCSeconds();
  return `${second}: ${notKept!.eventType} ${Number(notKept!.eventId.slice(-2))} ${notKept!.userId} ${says(notKept)} / ${says(kept)}`;
}

const ALL = [
  '5: verdict 9 bob of invalid @11 / ?',
  '4: adjustment 2 ann 1 of restate @10 / 1 of refund @6',
  '3: conversion 1 ann buy 6 @9 / buy 5 @5',
  '3: click 1 ann green app @8 / red web @3',
  '2: click 1 ann blue web @7 / red web @3',
];

test.each([
  [{}, ALL],
  [{ userId: 'ann' }, ALL.slice(1)],
  [{ eventType: 'click' }, ALL.slice(3)],
  [{ eventType: 'conversion', userId: 'bob' }, []],
  // In another spelling.
  [{ eventId: `{${idOf(2).toUpperCase()}}` }, ALL.slice(1, 2)],
])('%j', async (request, expected) => {
  const { conflicts, total, nextPageToken } = await stats.listConflicts(request);
  expect(conflicts.map(told)).toEqual(expected);
  expect([total, nextPageToken]).toEqual([BigInt(expected.length), '']);
  for (const { notKept, kept } of conflicts) {
    expect(notKept!.timestamp).toBe(BigInt(MINUTE));
    if (kept !== undefined) expect(kept).toMatchObject({ eventId: notKept!.eventId, userId: notKept!.userId });
  }
});

test('GET /api/v1/conflicts', async () => {
  const routes = statsHttp({ client: server.client, models: ['last_click'], rollups: [] });
  const route = routes.find(({ path }) => path === '/api/v1/conflicts')!;
  const get = async (query: string) => {
    const request = getRequest(query);
    const { status, body } = await route.handle(request);
    return { status, body: JSON.parse(String(body)) };
  };
  expect(await get('user_id=ann&event_type=conversion')).toMatchObject({
    status: 200,
    body: {
      conflicts: [{ not_kept: { value: 0.000006, user_id: 'ann' }, kept: { value: 0.000005 } }],
      ...{ total: 1, next_page_token: '' },
    },
  });
  expect(await get('user_id=bob')).toMatchObject({ body: { conflicts: [{ kept: null }] } });
  expect(await get('event_type=x')).toMatchObject({ status: 400, body: { error: { field: 'event_type' } } });
});

test.each([1, 2, 3])('pages of %i have each once, and a token is good for its request', async (limit) => {
  const seen: string[] = [];
  let pageToken = '';
  do {
    const page = await stats.listConflicts({ limit, pageToken });
    expect(page.total).toBe(5n);
    seen.push(...page.conflicts.map(told));
    pageToken = page.nextPageToken;
    if (pageToken !== '') {
      await expect(stats.listConflicts({ limit: 4, pageToken })).rejects.toThrow('page_token is of another request');
    }
  } while (pageToken !== '');
  expect(seen).toEqual(ALL);
});

test.each([
  [{ limit: 1001 }, 'limit must be in [1, 1000]: it is 1001'],
  [{ eventType: 'clicks' }, 'event_type "clicks" is unknown. Known are click, conversion, adjustment, verdict'],
  [{ userId: 'a\0' }, 'user_id has NUL'],
  [{ pageToken: 'x' }, 'page_token is none that was given out'],
])('%j is refused', async (request, message) => {
  const error = ConnectError.from(await stats.listConflicts(request).catch((error) => error));
  expect([error.code, error.rawMessage]).toEqual([Code.InvalidArgument, expect.stringContaining(message)]);
});
