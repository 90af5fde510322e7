import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { create, type DescMessage, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { type ClickHouseClient, ClickHouseLogLevel, createClient } from '@clickhouse/client';
import pino from 'pino';
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import {
  AttributedConversionSchema,
  CandidateReason,
  ConversionDecisionSchema,
  CorrectionEffect,
  DailyStatsSchema,
  PartitionProgressSchema,
  RollupStatsSchema,
} from '../../gen/ts/clickmesh/v1/attribution_pb.js';
import { type AdjustmentSchema, EventSchema, type VerdictSchema } from '../../gen/ts/clickmesh/v1/event_pb.js';
import { type MemoryLog, memoryLog } from '../../test/fixtures/memory-log.ts';
import { createRandom } from '../cli/generate/random.ts';
import { NOT_INSERTED, TOPICS, type Topic } from '../contract/topics.ts';
import { type EmbeddedClickHouse, startEmbeddedClickHouse } from './embedded/server.ts';
import { migrate } from './migrate.ts';
import { type Sink, startSink } from './sink.ts';

const logger = pino({ level: 'silent' });
const CLICK_TIME = Date.UTC(2023, 2, 15, 10);

let dir: string;
let server: EmbeddedClickHouse;
let client: ClickHouseClient;
let log: MemoryLog;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'sink-'));
  server = await startEmbeddedClickHouse({ dir, logger });
});

afterAll(async () => {
  await server.close();
  rmSync(dir, { recursive: true });
});

beforeEach(async () => {
  const database = `test_${randomUUID().replaceAll('-', '')}`;
  const silent = { log: { level: ClickHouseLogLevel.OFF } };
  const root = createClient({ url: server.url, ...silent });
  await root.command({ query: `CREATE DATABASE ${database}` });
  await root.close();
  client = createClient({ url: server.url, database, ...silent });
  const mine = client;
  onTestFinished(() => mine.close());
  await migrate(client, {});
  log = memoryLog(4, () => CLICK_TIME);
});

function start(): Sink {
  const sink = startSink(log, client, logger);
  sink.failed.catch(() => {});
  onTestFinished(() => sink.close());
  return sink;
}

/** Waits until the sink has inserted all that the log holds. */
async function caughtUp(sink: Sink): Promise<void> {
  const topics = TOPICS.filter((topic) => !NOT_INSERTED.includes(topic));
  const behind = async () => {
    for (const topic of topics) {
      const ranges = await log.offsets(topic);
      if (ranges.some(({ end }, partition) => sink.positions()[topic][partition] !== end)) return true;
    }
    return false;
  };
  while (await behind()) await sleep(20);
}

async function rows<Row>(query: string): Promise<Row[]> {
  const settings = { output_format_json_quote_64bit_integers: 0 as const };
  const result = await client.query({ query, format: 'JSONEachRow', clickhouse_settings: settings });
  return result.json<Row>();
}

async function publish<Desc extends DescMessage>(
  topic: Topic,
  schema: Desc,
  messages: MessageInitShape<Desc>[],
): Promise<void> {
  const record = (message: MessageInitShape<Desc>) => toBinary(schema, create(schema, message));
  await log.append(messages.map((message) => ({ topic, key: 'key', partition: 1, value: record(message) })));
}

function click(eventId: string, more: { userId?: string; adId?: string; timestamp?: bigint } = {}) {
  const value = { userId: 'user-1', adId: 'ad-1', campaignId: 'camp-1', source: 'facebook', ...more };
  const metadata = { browser: 'Chrome' };
  return { event: { case: 'click' as const, value: { timestamp: BigInt(CLICK_TIME), metadata, ...value, eventId } } };
}

function conversion(eventId: string) {
  const value = { eventId, userId: 'user-1', type: 'purchase', source: 'ios_app', valueMicros: 19_990_000n };
  return { event: { case: 'conversion' as const, value: { ...value, timestamp: BigInt(CLICK_TIME + 1) } } };
}

/** What the columns of corrections hold on other events. */
const NO_TARGET = { target_id: '00000000-0000-0000-0000-000000000000', kind: '', reason: '' };

test('clicks and conversions become rows that say where they came from', async () => {
  const [clickId, conversionId] = [randomUUID(), randomUUID()];
  await publish('raw-events', EventSchema, [click(clickId), conversion(conversionId)]);
  await caughtUp(start());
  expect(await rows('SELECT * FROM events_distributed FINAL ORDER BY event_type')).toEqual([
    {
      event_type: 'click',
      event_id: clickId,
      user_id: 'user-1',
      ad_id: 'ad-1',
      campaign_id: 'camp-1',
      source: 'facebook',
      conversion_type: '',
      value_micros: 0,
      timestamp: '2023-03-15 10:00:00.000',
      metadata: { browser: 'Chrome' },
      ...NO_TARGET,
      _partition: 1,
      _offset: 0,
      _append_time: '2023-03-15 10:00:00.000',
    },
    {
      event_type: 'conversion',
      event_id: conversionId,
      user_id: 'user-1',
      ad_id: '',
      campaign_id: '',
      source: 'ios_app',
      conversion_type: 'purchase',
      value_micros: 19_990_000,
      timestamp: '2023-03-15 10:00:00.001',
      metadata: {},
      ...NO_TARGET,
      _partition: 1,
      _offset: 1,
      _append_time: '2023-03-15 10:00:00.000',
    },
  ]);
});

test('adjustments and verdicts become rows that say what they correct, and how', async () => {
  const [conversionId, clickId] = [randomUUID(), randomUUID()];
  const common = { userId: 'user-1', timestamp: BigInt(CLICK_TIME) };
  const adjustment = (fields: MessageInitShape<typeof AdjustmentSchema>) => ({
    event: { case: 'adjustment' as const, value: { eventId: randomUUID(), ...common, conversionId, ...fields } },
  });
  const verdict = (fields: MessageInitShape<typeof VerdictSchema>) => ({
    event: { case: 'verdict' as const, value: { eventId: randomUUID(), ...common, clickId, ...fields } },
  });
  await publish('raw-events', EventSchema, [
    adjustment({ kind: 'refund', valueMicros: 5_000_000n, reason: 'damaged' }),
    adjustment({ kind: 'restate', valueMicros: 0n }),
    adjustment({ kind: 'retract' }),
    verdict({ valid: false, reason: 'bot' }),
    verdict({ valid: true }),
  ]);
  await caughtUp(start());
  const columns = 'event_type, user_id, target_id, kind, value_micros, reason, source, conversion_type';
  const [empty, ann] = [{ source: '', conversion_type: '' }, { user_id: 'user-1' }];
  const ofConversion = { event_type: 'adjustment', ...ann, target_id: conversionId, ...empty };
  const ofClick = { event_type: 'verdict', ...ann, target_id: clickId, ...empty };
  expect(await rows(`SELECT ${columns} FROM events_distributed FINAL ORDER BY _offset`)).toEqual([
    { ...ofConversion, kind: 'refund', value_micros: 5_000_000, reason: 'damaged' },
    { ...ofConversion, kind: 'restate', value_micros: 0, reason: '' },
    { ...ofConversion, kind: 'retract', value_micros: 0, reason: '' },
    { ...ofClick, kind: 'invalid', value_micros: 0, reason: 'bot' },
    { ...ofClick, kind: 'valid', value_micros: 0, reason: '' },
  ]);
});

test('of two events under one event_id the first in the log stays, in whichever order they are inserted', async () => {
  const eventId = randomUUID();
  await publish('raw-events', EventSchema, [click(eventId, { adId: 'first' })]);
  const sink = start();
  await caughtUp(sink);
  await publish('raw-events', EventSchema, [click(eventId, { adId: 'second' })]);
  await caughtUp(sink);
  expect(await rows('SELECT ad_id FROM events_distributed FINAL')).toEqual([{ ad_id: 'first' }]);
});

test('what attribution publishes becomes rows', async () => {
  const [conversionId, clickId, eventId] = [randomUUID(), randomUUID(), randomUUID()];
  const click = { clickId, adId: 'ad-1', campaignId: 'camp-1', source: 'facebook', clickTime: BigInt(CLICK_TIME) };
  const reasons = [CandidateReason.CREDITED, CandidateReason.OLDER_THAN_WINNER];
  const of = { userId: 'user-1', conversionType: 'purchase', conversionTime: BigInt(CLICK_TIME) };
  const refund = { eventId, kind: 'refund', valueMicros: 5n, timestamp: BigInt(CLICK_TIME + 1) };
  await publish('conversion-decisions', ConversionDecisionSchema, [
    {
      ...{ ...of, conversionId, attributed: true, version: 7n, models: ['last_click', 'linear'] },
      candidates: [{ ...click, creditsMicros: [1_000_000n, 0n], reasons }],
      ...{ candidatesLeftOut: 3, truncated: true, adjustedMicros: 5n, refundsMicros: 5n, retracted: true },
      corrections: [{ ...refund, effect: CorrectionEffect.APPLIED }],
      ...{ correctionsLeftOut: 2, causeId: eventId, causeType: 'adjustment' },
    },
    // As 0.1.0 wrote it.
    {
      ...{ ...of, conversionId: clickId, attributed: true, version: 8n },
      candidatesByModel: [{ ...click, model: 'linear', creditMicros: 1_000_000n, reason: 'credited' }],
    },
  ]);
  await publish('daily-stats', DailyStatsSchema, [
    { day: 19_431, campaignId: 'camp-1', source: 'facebook', partition: 1, clicks: 3n, version: 7n },
    { day: 19_431, campaignId: 'camp-1', source: 'facebook', partition: 1, clicks: 2n, version: 5n },
  ]);
  const values = { rollup: 'hour:campaign_id,ad_id', values: ['camp-1', 'ad-1'] };
  const models = [
    { model: '', conversionsMicros: 3n },
    {
      model: 'linear',
      revenueMicros: -1n,
      revenueHigh: 20,
      retractedMicros: 4n,
      adjustedMicros: 5n,
      refundsMicros: 6n,
    },
  ];
  await publish('rollup-stats', RollupStatsSchema, [
    { ...values, period: 19_431 * 24 + 10, partition: 1, models, version: 7n },
    { ...values, period: 19_431 * 24 + 10, partition: 1, clicks: 2n, version: 5n },
    { rollup: 'week:campaign_id', values: ['camp-1'], period: 19_431, version: 7n },
  ]);
  await publish('attribution-progress', PartitionProgressSchema, [
    { partition: 1, records: 8n, clicks: 3n, watermark: BigInt(CLICK_TIME), version: 7n, tooLate: 2n, exceeded: 1n },
  ]);
  await caughtUp(start());
  const decisions = 'SELECT * EXCEPT(conversion_time) FROM conversion_decisions FINAL ORDER BY version';
  const named = { click_id: clickId, ad_id: 'ad-1', campaign_id: 'camp-1', source: 'facebook', click_time: CLICK_TIME };
  const nothing = { ...NO_CORRECTIONS, candidates_left_out: 0, truncated: 0, corrections: [], corrections_left_out: 0 };
  expect(await rows(decisions)).toMatchObject([
    {
      ...{ candidates: [], models: ['last_click', 'linear'], candidates_left_out: 3, truncated: 1 },
      considered: [{ ...named, credits_micros: [1_000_000, 0], reasons: [1, 2] }],
      ...{ adjusted_micros: 5, refunds_micros: 5, retracted: 1, corrections_left_out: 2 },
      corrections: [{ event_id: eventId, kind: 'refund', value_micros: 5, timestamp: CLICK_TIME + 1, effect: 1 }],
      ...{ cause_id: eventId, cause_type: 'adjustment' },
    },
    {
      ...{ ...nothing, retracted: 0, models: [], considered: [] },
      candidates: [{ ...named, model: 'linear', credit_micros: 1_000_000, reason: 'credited' }],
    },
  ]);
  expect(await rows('SELECT day, campaign_id, clicks FROM daily_stats FINAL')).toEqual([
    { day: '2023-03-15', campaign_id: 'camp-1', clicks: 3 },
  ]);
  const key = 'rollup, day, hour, dimension_1, dimension_2, dimension_3';
  const sums = `models, conversions_micros, arrayMap(x -> toString(x), revenue_micros) AS revenue, retracted_micros,
    arrayMap(x -> toString(x), adjusted_micros) AS adjusted, arrayMap(x -> toString(x), refunds_micros) AS refunds`;
  expect(await rows(`SELECT ${key}, ${sums} FROM rollup_stats FINAL`)).toEqual([
    {
      ...{ rollup: 'hour:campaign_id,ad_id', day: '2023-03-15', hour: 10 },
      ...{ dimension_1: 'camp-1', dimension_2: 'ad-1', dimension_3: '' },
      ...{ models: ['', 'linear'], conversions_micros: [3, 0], revenue: ['0', '19999999999999999999'] },
      ...{ retracted_micros: [0, 4], adjusted: ['0', '5'], refunds: ['0', '6'] },
    },
  ]);
  expect(await rows("SELECT error FROM ingest_errors FINAL WHERE topic = 'rollup-stats'")).toEqual([
    { error: 'rollup is neither by day nor by hour' },
  ]);
  const progress = 'SELECT records, watermark, adjustments, too_late, exceeded FROM attribution_progress FINAL';
  expect(await rows(progress)).toEqual([
    { records: 8, watermark: '2023-03-15 10:00:00.000', adjustments: 0, too_late: 2, exceeded: 1 },
  ]);
});

const NO_CORRECTIONS = {
  ...{ adjusted_micros: 0, refunds_micros: 0 },
  ...{ cause_id: '00000000-0000-0000-0000-000000000000', cause_type: '' },
};

test('what clicks have of a conversion becomes rows, and so does a credit of 0.1.0', async () => {
  const [early, late] = [randomUUID(), randomUUID()];
  const { models: _, clicks, ...of } = attributed('camp-1', 4n, early, 7n);
  const before = { ...of, ...clicks[0]!, model: 'linear', creditMicros: 1_000_000n, valueMicros: 7n };
  const adjusted = { ...clicks[0]!, clickId: late, adjustedMicros: [0n, -5n], refundsMicros: [0n, 4n] };
  await publish('attributed-events', AttributedConversionSchema, [
    { ...attributed('camp-1', 4n, late, 0n), clicks: [adjusted], conversionRetracted: true },
    { ...before, adjustedMicros: 0n, refundsMicros: 0n },
  ]);
  await caughtUp(start());
  const credited = { user_id: 'user-1', ad_id: 'ad-1', campaign_id: 'camp-1', credit_micros: 1_000_000, version: 4 };
  const same = { ...credited, source: 'facebook', value_micros: 7, click_time: '2023-03-15 10:00:00.000' };
  expect(await rows('SELECT * FROM attributed_events FINAL ORDER BY model')).toMatchObject([
    { ...same, model: 'last_click', click_id: late, adjusted_micros: -5, refunds_micros: 4, conversion_retracted: 1 },
    { ...same, model: 'linear', click_id: early, ...NO_CORRECTIONS, conversion_retracted: 0 },
  ]);
});

/** What a click has under last_click: nothing without a value. */
function attributed(campaignId: string, version: bigint, clickId: string, value: bigint) {
  const ids = { conversionId: '11111111-1111-4111-8111-111111111111', userId: 'user-1' };
  const of = { ...ids, conversionType: 'purchase', conversionTime: BigInt(CLICK_TIME + 1), attributionWindowHours: 24 };
  const amounts = { creditsMicros: [0n, value > 0n ? 1_000_000n : 0n], valuesMicros: [0n, value] };
  const click = { clickId, adId: 'ad-1', campaignId, source: 'facebook', clickTime: BigInt(CLICK_TIME), ...amounts };
  return { ...of, version, models: ['linear', 'last_click'], clicks: [click] };
}

test('a correction retracts the old credit, and inserting everything twice changes nothing', async () => {
  const [early, late] = [randomUUID(), randomUUID()];
  await publish('attributed-events', AttributedConversionSchema, [
    attributed('camp-1', 4n, early, 19_990_000n),
    { ...attributed('camp-1', 9n, early, 0n), causeId: late, causeType: 'click' },
    { ...attributed('camp-2', 9n, late, 19_990_000n), causeId: late, causeType: 'click' },
  ]);
  const expected = [{ click_id: late, campaign_id: 'camp-2', value: 19.99 }];
  const query = 'SELECT click_id, campaign_id, value FROM attributed_events FINAL';
  const first = start();
  await caughtUp(first);
  expect(await rows(query)).toEqual(expected);
  await first.close();

  await client.command({ query: 'TRUNCATE TABLE sink_offsets' });
  await caughtUp(start());
  expect(await rows('SELECT count() AS stored FROM attributed_events')).not.toEqual([{ stored: 3 }]);
  expect(await rows(query)).toEqual(expected);
});

test('records that are no events are noted with their bytes, and hold nothing up', async () => {
  const good = Array.from({ length: 300 }, () => click(randomUUID()));
  const cut = toBinary(EventSchema, create(EventSchema, click(randomUUID()))).slice(0, -5);
  const garbage = [Buffer.from('not protobuf'), Buffer.from([0x0a, 0xff]), cut];
  for (const [index, value] of garbage.entries()) {
    await publish('raw-events', EventSchema, good.slice(index * 100, (index + 1) * 100));
    await log.append([{ topic: 'raw-events', key: 'key', partition: 1, value }]);
  }
  await caughtUp(start());
  expect(await rows('SELECT count() AS events FROM events_distributed FINAL')).toEqual([{ events: 300 }]);
  const errors = await rows<{ error: string }>(
    'SELECT topic, _partition, _offset, hex(raw) AS raw, error FROM ingest_errors FINAL ORDER BY _offset',
  );
  expect(errors).toMatchObject(
    garbage.map((value, index) => ({
      topic: 'raw-events',
      _partition: 1,
      _offset: 100 + index * 101,
      raw: Buffer.from(value).toString('hex').toUpperCase(),
    })),
  );
  for (const { error } of errors) expect(error).toMatch(/^not readable as Event: /);
});

/** Resolves when its successor answers. */
async function killClickHouse(): Promise<void> {
  const pid = server.pid();
  process.kill(pid, 'SIGKILL');
  while (server.pid() === pid || !server.healthy()) await sleep(20);
}

test('kill -9 of ClickHouse while the sink inserts loses no row and doubles none', async () => {
  const sink = start();
  const published = new Set<string>();
  const random = createRandom(5);
  for (let round = 0; round < 5; round++) {
    const ids = Array.from({ length: 500 }, () => randomUUID());
    for (const id of ids) published.add(id);
    await publish(
      'raw-events',
      EventSchema,
      ids.map((id) => click(id)),
    );
    // Somewhere between two inserts, or within one.
    await sleep(random.unit() * 400);
    await killClickHouse();
  }
  await caughtUp(sink);
  const stored = await rows<{ id: string }>('SELECT event_id AS id FROM events_distributed FINAL');
  expect(stored).toHaveLength(published.size);
  expect(new Set(stored.map(({ id }) => id))).toEqual(published);
});

test('a sink continues where the last one stopped', async () => {
  await publish('raw-events', EventSchema, [click(randomUUID()), click(randomUUID())]);
  const first = start();
  await caughtUp(first);
  await first.close();
  await client.command({ query: 'TRUNCATE TABLE events_local' });
  await publish('raw-events', EventSchema, [click(randomUUID())]);
  await caughtUp(start());
  expect(await rows('SELECT _offset FROM events_local')).toEqual([{ _offset: 2 }]);
});

test('a log that ends before what ClickHouse has of it is refused', async () => {
  await client.insert({
    table: 'sink_offsets',
    values: [{ topic: 'daily-stats', partition: 2, next_offset: 5 }],
    format: 'JSONEachRow',
  });
  await expect(start().failed).rejects.toThrow('ClickHouse has daily-stats/2 up to offset 5, but the log ends at 0');
});
