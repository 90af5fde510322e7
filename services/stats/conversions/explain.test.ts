import { create } from '@bufbuild/protobuf';
import type { ClickHouseClient } from '@clickhouse/client';
import { type Client, Code } from '@connectrpc/connect';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { CandidateReason, CorrectionEffect } from '../../../gen/ts/clickmesh/v1/attribution_pb.js';
import { ExplainConversionRequestSchema, type StatsService } from '../../../gen/ts/clickmesh/v1/stats_service_pb.js';
import { startTestClickHouse, type TestClickHouse } from '../../../test/fixtures/clickhouse.ts';
import { statsClient } from '../../../test/fixtures/stats.ts';
import { storedEventId } from '../../contract/event-id.ts';
import { DAY_MS } from '../../contract/limits.ts';
import { type LogRecord, OffsetOutOfRange } from '../../log/event-log.ts';
import { explainConversion } from './explain.ts';

const CONVERSION = '11111111-1111-4111-8111-111111111111';
const TIME = Date.UTC(2023, 2, 15, 10);

let server: TestClickHouse;
let client: ClickHouseClient;
let stats: Client<typeof StatsService>;

beforeAll(async () => {
  server = await startTestClickHouse();
  client = server.client;
  stats = statsClient({ client, models: ['last_click'], rollups: [] });
});

afterAll(() => server.close());

async function insert(table: string, values: unknown[]): Promise<void> {
  await client.insert({ table, values, format: 'JSONEachRow' });
}

function uuid(n: number): string {
  return `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
}

function decision(userId: string, version: number, candidates: unknown[]) {
  const time = { conversion_time: new Date(TIME).toISOString().slice(0, -1), lookback_ms: DAY_MS };
  const what = { conversion_type: 'purchase', value_micros: '19990000', attributed: candidates.length > 0 };
  const considered = { models: ['last_click'], considered: candidates };
  return { conversion_id: CONVERSION, user_id: userId, ...time, ...what, ...considered, version };
}

function click(n: number, userId: string, at: number) {
  const event = { event_type: 'click', event_id: uuid(n), user_id: userId, _offset: n };
  return { ...event, campaign_id: `camp-${n}`, source: 'facebook', timestamp: new Date(at).toISOString().slice(0, -1) };
}

test('the last decision, and the clicks that were near', async () => {
  const lost = { click_id: uuid(1), click_time: String(TIME - 2000), credits_micros: ['0'], reasons: [2] };
  const won = { click_id: uuid(2), click_time: String(TIME - 1000), credits_micros: ['1000000'], reasons: [1] };
  await insert('conversion_decisions', [decision('user-1', 5, [lost]), decision('user-1', 8, [won, lost])]);
  await insert('events_local', [
    click(1, 'user-1', TIME - 2000),
    click(2, 'user-1', TIME - 1000),
    click(3, 'user-1', TIME + 1),
    click(4, 'user-1', TIME - DAY_MS),
    click(5, 'user-1', TIME - DAY_MS - 1),
    click(6, 'user-2', TIME),
  ]);
  const { decision: decided, nearMisses } = await stats.explainConversion({ conversionId: CONVERSION });
  expect(decided).toMatchObject({
    conversionId: CONVERSION,
    userId: 'user-1',
    conversionTime: BigInt(TIME),
    valueMicros: 19_990_000n,
    attributed: true,
    version: 8n,
    models: ['last_click'],
    candidates: [
      {
        ...{ clickId: uuid(2), clickTime: BigInt(TIME - 1000) },
        ...{ creditsMicros: [1_000_000n], reasons: [CandidateReason.CREDITED] },
      },
      { clickId: uuid(1), creditsMicros: [0n], reasons: [CandidateReason.OLDER_THAN_WINNER] },
    ],
  });
  expect(nearMisses.map(({ clickId, clickTime, reason }) => [clickId, clickTime, reason])).toEqual([
    [uuid(3), BigInt(TIME + 1), 'after_conversion'],
    [uuid(4), BigInt(TIME - DAY_MS), 'no_longer_kept'],
    [uuid(5), BigInt(TIME - DAY_MS - 1), 'before_lookback_window'],
  ]);
});

test('a decision of 0.1.0, which named clicks under each model, names each once', async () => {
  const named = (n: number, model: string, credit_micros: number, reason: string) => {
    return { click_id: uuid(n), ad_id: `ad-${n}`, click_time: String(TIME - n), model, credit_micros, reason };
  };
  const candidates = [
    named(5, 'last_click', 1_000_000, 'credited'),
    named(6, 'last_click', 0, 'older_than_winner'),
    named(5, 'linear', 500_000, 'credited'),
    named(7, 'linear', 500_000, 'credited'),
  ];
  const { models: _, considered: __, ...as010 } = decision('user-5', 1, []);
  await insert('conversion_decisions', [{ ...as010, candidates }]);
  const { decision: decided } = await stats.explainConversion({ conversionId: CONVERSION, userId: 'user-5' });
  const { CREDITED, OLDER_THAN_WINNER, UNSPECIFIED } = CandidateReason;
  expect(decided).toMatchObject({
    models: ['last_click', 'linear'],
    candidatesByModel: [],
    candidates: [
      { clickId: uuid(5), adId: 'ad-5', creditsMicros: [1_000_000n, 500_000n], reasons: [CREDITED, CREDITED] },
      { clickId: uuid(6), adId: 'ad-6', creditsMicros: [0n, 0n], reasons: [OLDER_THAN_WINNER, UNSPECIFIED] },
      { clickId: uuid(7), adId: 'ad-7', creditsMicros: [0n, 500_000n], reasons: [UNSPECIFIED, CREDITED] },
    ],
  });
});

function correction(n: number, event_type: string, kind: string, target: number | string, at: number) {
  const target_id = typeof target === 'string' ? target : uuid(target);
  const event = { event_type, event_id: uuid(n), user_id: 'user-6', kind, target_id, _partition: 6, _offset: n };
  const times = {
    timestamp: new Date(TIME + at).toISOString().slice(0, -1),
    _append_time: new Date(TIME).toISOString(),
  };
  return { ...event, ...times, value_micros: kind === 'refund' ? '5000000' : '0', reason: `of ${n}` };
}

test('every adjustment and every verdict, with what it does now', async () => {
  const named = (n: number, reason: CandidateReason) => {
    return { click_id: uuid(n), click_time: String(TIME - n), credits_micros: ['0'], reasons: [reason] };
  };
  const { CREDITED, INVALID } = CandidateReason;
  const { APPLIED, EXCEEDED, SUPERSEDED, TOO_LATE, UNSPECIFIED } = CorrectionEffect;
  const refund = { kind: 'refund', value_micros: '5000000' };
  await insert('conversion_decisions', [
    {
      ...decision('user-6', 200, [named(301, CREDITED), named(302, INVALID), named(303, CREDITED)]),
      ...{ adjusted_micros: '5000000', refunds_micros: '5000000', cause_id: uuid(312), cause_type: 'adjustment' },
      corrections: [
        { ...refund, event_id: uuid(311), timestamp: String(TIME + 1), effect: APPLIED },
        { ...refund, event_id: uuid(312), timestamp: String(TIME + 2), effect: EXCEEDED },
      ],
    },
  ]);
  await insert('attribution_progress', [{ partition: 6, records: 400, version: 398 }]);
  await insert('events_local', [
    correction(311, 'adjustment', 'refund', CONVERSION, 1),
    correction(312, 'adjustment', 'refund', CONVERSION, 2),
    // Folded, and in no decision.
    correction(313, 'adjustment', 'retract', CONVERSION, 3),
    // Not folded.
    correction(399, 'adjustment', 'retract', CONVERSION, 4),
    // Folded just now: what it changed may be on its way.
    { ...correction(314, 'adjustment', 'retract', CONVERSION, 5), _append_time: new Date().toISOString() },
    correction(321, 'verdict', 'valid', 302, 10),
    correction(322, 'verdict', 'invalid', 302, 11),
    correction(323, 'verdict', 'valid', 301, 12),
    correction(324, 'verdict', 'invalid', 303, 13),
    // Of others: a click that is no candidate, and an adjustment and a verdict on what only has the same id.
    correction(331, 'verdict', 'invalid', 304, 14),
    correction(332, 'adjustment', 'retract', 301, 15),
    correction(333, 'verdict', 'invalid', CONVERSION, 16),
    { ...correction(334, 'adjustment', 'retract', CONVERSION, 17), user_id: 'user-7' },
  ]);
  const explained = await stats.explainConversion({ conversionId: CONVERSION, userId: 'user-6' });
  expect(explained.decision).toMatchObject({ causeId: uuid(312), causeType: 'adjustment', refundsMicros: 5_000_000n });
  expect(explained.netValueMicros).toBe(14_990_000n);
  expect(explained.corrections.map(({ eventId, effect }) => [eventId, CorrectionEffect[effect]])).toEqual(
    [
      [311, APPLIED],
      [312, EXCEEDED],
      [313, TOO_LATE],
      [399, UNSPECIFIED],
      [314, UNSPECIFIED],
      [321, SUPERSEDED],
      [322, APPLIED],
      [323, APPLIED],
      [324, TOO_LATE],
    ].map(([n, effect]) => [uuid(n!), CorrectionEffect[effect!]]),
  );
  expect(explained.corrections[0]).toMatchObject({
    ...{ eventType: 'adjustment', kind: 'refund', clickId: '', valueMicros: 5_000_000n, reason: 'of 311' },
    timestamp: BigInt(TIME + 1),
  });
  expect(explained.corrections[6]).toMatchObject({ eventType: 'verdict', kind: 'invalid', clickId: uuid(302) });
  expect(explained).toMatchObject({
    attributed: true,
    summary: expect.stringMatching(/^credited, but what last_click/),
  });
  const changes = explained.corrections.map((each) => [each.valueBeforeMicros, each.valueAfterMicros]);
  const after = [14_990_000n, 14_990_000n];
  expect(changes).toEqual([
    [19_990_000n, 14_990_000n],
    after,
    after,
    after,
    after,
    ...Array(4).fill([undefined, undefined]),
  ]);
  expect(explained.corrections[0]!.text).toBe('refunded 5: 19.99 → 14.99');
});

test('under one model, only what that made of it is told', async () => {
  const named = (n: number, credits_micros: string[], reasons: number[]) => {
    return { click_id: uuid(n), campaign_id: `camp-${n}`, click_time: String(TIME - n), credits_micros, reasons };
  };
  const considered = [named(401, ['1000000', '500000'], [1, 1]), named(402, ['0', '500000'], [2, 1])];
  const models = ['last_click', 'linear'];
  await insert('conversion_decisions', [{ ...decision('user-8', 1, considered), models }]);
  const explain = (model: string) => stats.explainConversion({ conversionId: CONVERSION, userId: 'user-8', model });
  const linear = await explain('linear');
  expect(linear.decision).toMatchObject({
    models: ['linear'],
    candidates: [{ creditsMicros: [500_000n] }, { creditsMicros: [500_000n], reasons: [CandidateReason.CREDITED] }],
  });
  expect(linear.summary).toContain('under linear');
  expect((await explain('')).decision!.models).toEqual(models);
  expect((await explain('')).summary).toBe('credited to campaign camp-401: the last of 2 clicks in the 24 h before');
  const message = 'model "lineal" is unknown. Known are last_click, linear';
  await expect(explain('lineal')).rejects.toMatchObject({ code: Code.InvalidArgument, rawMessage: message });
});

test('a decision of 0.1.0 is listed, and has a path, as one that names each click once', async () => {
  const named = (n: number, model: string, credit_micros: number) => {
    const ids = { click_id: uuid(n), ad_id: `ad-${n}`, campaign_id: `camp-${n}`, source: 'web' };
    return { ...ids, click_time: String(TIME - n * 1000), model, credit_micros, reason: '' };
  };
  const candidates = [
    named(6, 'last_click', 0),
    named(5, 'last_click', 1_000_000),
    named(5, 'linear', 500_000),
    named(6, 'linear', 500_000),
  ];
  const { models: _, considered: __, ...as010 } = decision('user-9', 1, candidates);
  await insert('conversion_decisions', [{ ...as010, candidates, conversion_type: 'of 0.1.0' }]);
  const filters = [{ dimension: 'conversion_type', values: ['of 0.1.0'] }];
  const request = { startDate: '2023-03-15', endDate: '2023-03-15', filters };
  const of6 = [...filters, { dimension: 'campaign_id', values: ['camp-6'] }];
  expect(await stats.listConversions({ ...request, model: 'last_click', filters: of6 })).toMatchObject({ total: 0n });
  const listed = await stats.listConversions({ ...request, model: 'linear', filters: of6 });
  expect(listed).toMatchObject({
    total: 1n,
    conversions: [
      { clickId: uuid(5), adId: 'ad-5', lagMs: 5000n, touches: 2, creditMicros: 500_000n, correctedBy: [] },
    ],
  });
  const { paths } = await stats.topPaths(request);
  expect(paths).toMatchObject([{ steps: ['camp-6', 'camp-5'], medianLagMs: 6000n, medianLastLagMs: 5000n }]);
  expect(await stats.pathLength(request)).toMatchObject({ buckets: [{ touches: 2, conversions: 1n }] });
});

test('of many near misses the 20 nearest, newest first', async () => {
  await insert('conversion_decisions', [decision('user-3', 1, [])]);
  await insert(
    'events_local',
    Array.from({ length: 30 }, (_, n) => click(100 + n, 'user-3', TIME + 1 + n)),
  );
  const { nearMisses } = await stats.explainConversion({ conversionId: CONVERSION, userId: 'user-3' });
  expect(nearMisses.map(({ clickTime }) => Number(clickTime) - TIME)).toEqual(
    Array.from({ length: 20 }, (_, n) => 20 - n),
  );
});

test('two users under one event_id: the request must say which', async () => {
  await insert('conversion_decisions', [decision('user-1', 1, []), decision('user-2', 1, [])]);
  const both = stats.explainConversion({ conversionId: CONVERSION });
  await expect(both).rejects.toMatchObject({ code: Code.InvalidArgument, rawMessage: /^user_id / });
  const { decision: decided } = await stats.explainConversion({ conversionId: CONVERSION, userId: 'user-2' });
  expect(decided?.userId).toBe('user-2');
});

test('the clicks that arrived after it, and the trace that it was sent in, while the log has it', async () => {
  const conversion_id = storedEventId('order-late');
  const named = (n: number) => ({
    click_id: uuid(n),
    click_time: String(TIME - n),
    credits_micros: ['0'],
    reasons: [2],
  });
  await insert('conversion_decisions', [
    { ...decision('user-8', 60, [named(49), named(51), named(52)]), conversion_id },
  ]);
  const arrived = (ms: number) => ({ _partition: 3, _append_time: new Date(TIME + ms).toISOString().slice(0, -1) });
  const conversion = { event_type: 'conversion', event_id: conversion_id, user_id: 'user-8', _offset: 50 };
  await insert('events_local', [
    { ...conversion, conversion_type: 'purchase', timestamp: new Date(TIME).toISOString().slice(0, -1), ...arrived(0) },
    ...[49, 51, 52, 53].map((n) => ({ ...click(n, 'user-8', TIME - n), ...arrived((n - 50) * 60_000) })),
  ]);
  const { lateClicks, traceId } = await stats.explainConversion({ conversionId: 'order-late' });
  expect(lateClicks.map(({ clickId, text }) => [clickId, text])).toEqual([
    [uuid(51), 'arrived 1 min after the conversion'],
    [uuid(52), 'arrived 2 min after the conversion'],
  ]);
  expect(traceId).toBe('');
  const trace = '0af7651916cd43dd8448eb211c80319c';
  const request = create(ExplainConversionRequestSchema, { conversionId: 'order-late' });
  const read = (headers: Record<string, string>, offset: number) => {
    const record = { partition: 3, offset, headers } as LogRecord;
    return explainConversion({ client, log: { read: async () => [record] } }, request);
  };
  const traced = { traceparent: `00-${trace}-b7ad6b7169203331-01` };
  expect(await read(traced, 50)).toMatchObject({ traceId: trace });
  expect(await read({}, 50)).toMatchObject({ traceId: '' });
  // The record that was asked for is gone.
  expect(await read(traced, 51)).toMatchObject({ traceId: '' });
  const gone = { read: () => Promise.reject(new OffsetOutOfRange('gone')) };
  expect(await explainConversion({ client, log: gone }, request)).toMatchObject({ traceId: '' });
});

test('a conversion is found by its event_id as it was sent, and has the metadata it was sent with', async () => {
  const conversion_id = storedEventId('order-1001');
  await insert('conversion_decisions', [{ ...decision('user-4', 1, []), conversion_id }]);
  const metadata = { shop: 'Zürich', 'a"b': '' };
  const event = { event_type: 'conversion', event_id: conversion_id, user_id: 'user-4', metadata };
  await insert('events_local', [
    { ...event, conversion_type: 'purchase', timestamp: new Date(TIME).toISOString().slice(0, -1) },
    { ...click(1, 'user-4', TIME + 1), event_id: conversion_id, metadata: { shop: 'of the click' } },
  ]);
  const spelled = conversion_id.toUpperCase().replaceAll('-', '');
  for (const conversionId of ['order-1001', conversion_id, spelled, `{${conversion_id}}`]) {
    expect(await stats.explainConversion({ conversionId })).toMatchObject({
      decision: { conversionId: conversion_id },
      metadata,
    });
  }
});

test.each([
  ['missing', '', Code.InvalidArgument, 'conversion_id is required'],
  ['too long', 'x'.repeat(129), Code.InvalidArgument, 'conversion_id must have at most 128 bytes of UTF-8: it has 129'],
  [
    'no text of an event',
    'a\0',
    Code.InvalidArgument,
    'conversion_id has NUL or half of a surrogate pair, which no event has',
  ],
  ['not known', 'order-999', Code.NotFound, 'no decision on a conversion order-999 is known'],
])('a conversion_id that is %s', async (_, conversionId, code, rawMessage) => {
  await expect(stats.explainConversion({ conversionId })).rejects.toMatchObject({ code, rawMessage });
});
