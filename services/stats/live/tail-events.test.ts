import { create } from '@bufbuild/protobuf';
import type { ClickHouseClient } from '@clickhouse/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { TailEventsRequestSchema, type TailEventsResponse } from '../../../gen/ts/clickmesh/v1/reports_pb.js';
import { startTestClickHouse, type TestClickHouse } from '../../../test/fixtures/clickhouse.ts';
import { parseTail, type Tail, tailLook } from './tail-events.ts';

let server: TestClickHouse;
let client: ClickHouseClient;

beforeAll(async () => {
  server = await startTestClickHouse();
  client = server.client;
});

afterAll(() => server.close());

const { signal } = new AbortController();
const id = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;

interface Row {
  type: string;
  n: number;
  partition?: number;
  offset: number;
  /** Seconds before now that it arrived. */
  ago?: number;
  campaign?: string;
}

async function arrive(...rows: Row[]): Promise<void> {
  const now = Date.now();
  const values = rows.map(({ type, n, partition = 0, offset, ago = 0, campaign = '' }) => ({
    ...{ event_type: type, event_id: id(n), user_id: `user-${n}`, campaign_id: campaign, source: 'google' },
    ...{ timestamp: 1_700_000_000, _partition: partition, _offset: offset, _append_time: now - ago * 1000 },
  }));
  await client.insert({ table: 'events_distributed', values, format: 'JSONEachRow' });
}

/** The ids told, by their numbers, oldest first, and what became of them. */
function told(answer: TailEventsResponse | undefined): string[] {
  return answer?.events.map(({ eventId, outcome }) => `${Number(eventId.slice(-12))} ${outcome}`) ?? [];
}

const parsed = (request: object) => parseTail(create(TailEventsRequestSchema, request));
const look = (request = {}) => tailLook(client, parsed(request) as Tail, 'last_click');

test('what arrived is told once, in its order, however late a partition comes, and what is old is not', async () => {
  const tail = look();
  await arrive(
    { type: 'click', n: 1, offset: 7, ago: 10 },
    { type: 'click', n: 2, offset: 8, ago: 5 },
    { type: 'click', n: 3, offset: 2, ago: 600 },
  );
  expect(told(await tail.next(signal))).toEqual(['1 counted', '2 counted']);
  expect(await tail.next(signal)).toBeUndefined();
  // As old as what was told, but of another partition, which ClickHouse reads later.
  await arrive({ type: 'click', n: 4, partition: 1, offset: 0, ago: 8 }, { type: 'verdict', n: 5, offset: 9 });
  const next = await tail.next(signal);
  expect(told(next)).toEqual(['4 counted', '5 counted']);
  expect(next!.seconds.map(({ clicks, verdicts }) => [clicks, verdicts])).toEqual([
    [1n, 0n],
    [0n, 1n],
  ]);
});

test('a conversion is pending until its decision comes, then told again', async () => {
  const tail = look({ eventTypes: ['conversion'] });
  await tail.next(signal);
  await arrive({ type: 'conversion', n: 11, offset: 20 }, { type: 'conversion', n: 12, offset: 21 });
  expect(told(await tail.next(signal))).toEqual(['11 pending', '12 pending']);
  expect(await tail.next(signal)).toBeUndefined();
  const click = { click_id: id(1), ad_id: 'ad', campaign_id: 'camp', source: 'google', click_time: 1 };
  const decision = { conversion_type: 'purchase', conversion_time: 1_700_000_000, models: ['linear', 'last_click'] };
  await client.insert({
    table: 'conversion_decisions',
    format: 'JSONEachRow',
    values: [
      {
        ...{ ...decision, conversion_id: id(11), user_id: 'user-11', attributed: 1 },
        considered: [
          { ...click, campaign_id: 'older', credits_micros: [500_000, 0], reasons: [1, 2] },
          { ...click, credits_micros: [500_000, 1_000_000], reasons: [1, 1] },
        ],
      },
      { ...decision, conversion_id: id(12), user_id: 'user-12', attributed: 0, considered: [] },
    ],
  });
  const decided = await tail.next(signal);
  expect(told(decided)).toEqual(['11 attributed', '12 unattributed']);
  expect(decided!.events[0]!.creditedCampaignId).toBe('camp');
});

test('of more than 200 the newest are told, and how many more there were, by the filters', async () => {
  const tail = look({ filters: [{ dimension: 'campaign_id', values: ['a'] }] });
  await tail.next(signal);
  const rows = Array.from({ length: 500 }, (_, i) => ({
    ...{ type: 'click', n: 1000 + i, offset: 100 + i, campaign: i % 2 === 0 ? 'a' : 'b' },
  }));
  await arrive(...rows);
  const answer = (await tail.next(signal))!;
  expect([answer.events.length, answer.skipped]).toEqual([200, 50n]);
  expect(answer.events.at(-1)!.eventId).toBe(id(1498));
  const clicks = answer.seconds.map((second) => second.clicks);
  expect(clicks).toEqual([500n]);
});

test('answers that were not taken become one of at most 200 events, each event once', async () => {
  const tail = look({ eventTypes: ['click'] });
  const before = (await tail.next(signal))!;
  await arrive({ type: 'click', n: 1498, offset: 700 }, { type: 'click', n: 3000, offset: 701 });
  const next = (await tail.next(signal))!;
  const both = tail.merge(before, next);
  expect(both.events.length).toBe(200);
  expect(both.skipped).toBe(before.skipped + 1n);
  expect(new Set(both.events.map(({ eventId }) => eventId)).size).toBe(200);
});

test.each([
  [{ eventTypes: ['clik'] }, 'event_types'],
  [{ filters: [{ dimension: 'user_id', values: ['a'] }] }, 'filters'],
  [{ filters: [{ dimension: 'source', values: [] }] }, 'filters'],
  [{ userId: 'a\0' }, 'user_id'],
])('%j is refused with its field', (request, field) => {
  expect(parsed(request)).toMatchObject({ field });
});
