import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ClickHouseClient } from '@clickhouse/client';
import { type Client, Code, ConnectError, createClient, createRouterTransport } from '@connectrpc/connect';
import pino from 'pino';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Interval, StatsService } from '../../gen/ts/clickmesh/v1/stats_service_pb.js';
import { attributionConfig, parseAttributionEnvironment } from '../../services/attribution/decision/config.ts';
import { newPartitionFold } from '../../services/attribution/partition/partition-fold.ts';
import { loadProgress, nextOffset } from '../../services/attribution/store/progress.ts';
import type { StateStore } from '../../services/attribution/store/state-store.ts';
import { CHECKS } from '../../services/audit/checks.ts';
import { runCheck } from '../../services/audit/query.ts';
import { generateEvents } from '../../services/cli/generate/journeys.ts';
import type { SeedEvent } from '../../services/cli/generate/seed-events.ts';
import { clickhouseClient } from '../../services/clickhouse/client.ts';
import { type EmbeddedClickHouse, startEmbeddedClickHouse } from '../../services/clickhouse/embedded/server.ts';
import {
  type ClickHouseShards,
  EMBEDDED_CLUSTER,
  startClickHouseShards,
} from '../../services/clickhouse/embedded/shards.ts';
import { insertRecords } from '../../services/clickhouse/insert-records.ts';
import { kafkaConsumers } from '../../services/clickhouse/kafka-consumers.ts';
import { clickhouseGroup, migrate } from '../../services/clickhouse/migrate.ts';
import { STREAMS } from '../../services/clickhouse/streams.ts';
import { DAY_MS } from '../../services/contract/limits.ts';
import type { Topic } from '../../services/contract/topics.ts';
import { accept } from '../../services/gateway/event/accept.ts';
import { readItem } from '../../services/gateway/event/event-json.ts';
import type { EventLog, LogRecord, NewRecord, RecordPosition } from '../../services/log/event-log.ts';
import { openKafkaLog } from '../../services/log/kafka/log.ts';
import { statsRoutes } from '../../services/stats/routes.ts';
import { KAFKA_PARTITIONS, startTestKafka, type TestKafka } from '../fixtures/kafka.ts';
import { memoryStateStore } from '../fixtures/memory-state-store.ts';
import { KAFKA } from '../needs.ts';

const SEED = Number(process.env.FEED_SEED ?? 20260101);
const EVENTS = 6000;
const BATCH = 200;
const END = '2026-01-20';
const MODELS = ['last_click', 'linear'];
const config = attributionConfig(parseAttributionEnvironment({ MODELS: MODELS.join(',') }));
const logger = pino({ level: 'silent' });
const seeds = [
  ...generateEvents({
    ...{ events: EVENTS, users: 500, campaigns: 20, seed: SEED, end: END, days: 150, conversionRate: 0.3 },
    ...{ duplicates: 0.05, late: 0.1, disorderMs: 60_000, refunds: 0.3, invalid: 0.1 },
  }),
];

/** Some are no protobuf; others are, but say nothing that this message knows. */
const GARBAGE = [Buffer.from('not protobuf'), Buffer.from([0x0a, 0xff]), Buffer.from([0xf8, 0x7f, 0x01])];

let folder: string;
let kafka: TestKafka;
let log: EventLog;
let shards: ClickHouseShards;
let alone: EmbeddedClickHouse;
/** Of the first shard, which asks the others; and of a server that was given the same records without Kafka. */
let sharded: ClickHouseClient;
let single: ClickHouseClient;
let garbage: Place[];

type Place = RecordPosition & { topic: Topic };

describe(`two shards that read Kafka (seed ${SEED})`, { tags: KAFKA }, () => {
  beforeAll(start, 240_000);
  afterAll(stop);

  test.each([
    'events_distributed',
    'attributed_events',
    'daily_stats',
    'conversion_decisions',
    'attribution_progress',
    'rollup_stats',
  ])('%s: exactly the rows that one server has, each key on one shard', async (table) => {
    const query = `SELECT * FROM ${table} FINAL ORDER BY ALL`;
    const expected = await rows(single, query);
    expect(expected.length).toBeGreaterThan(0);
    expect(await rows(sharded, query)).toEqual(expected);
  });

  test('both shards have their share', async () => {
    const query = 'SELECT DISTINCT _shard_num AS shard FROM events_distributed ORDER BY shard';
    expect(await rows(sharded, query)).toEqual([{ shard: 1 }, { shard: 2 }]);
  });

  test('every garbage record is noted with its place, and no other', async () => {
    const columns = 'topic, _partition AS partition, _offset AS offset';
    const noted = await rows(sharded, `SELECT ${columns} FROM ingest_errors FINAL ORDER BY ALL`);
    const byPlace = (a: Place, b: Place) =>
      a.topic.localeCompare(b.topic) || a.partition - b.partition || a.offset - b.offset;
    expect(noted).toEqual(garbage.toSorted(byPlace));
  });

  test.each(CHECKS)('the audit over both shards: $name', async (check) => {
    const ends = await log.offsets('raw-events');
    const offsets = ends.map(({ end }) => end);
    const partitions = [...ends.keys()];
    const windows = {
      conversion_types: [],
      lookbacks_ms: [DAY_MS],
      models: MODELS,
      max_touches: 256,
      time_zone: 'UTC',
    };
    const result = await runCheck(sharded, check, {
      ...{ partitions, next_offsets: offsets, log_ends: offsets, set_aside: partitions.map(() => 0) },
      ...{ ...windows, touch_ms: 2 * DAY_MS, adjustment_ms: 90 * DAY_MS },
    });
    expect(result.rows).toEqual([]);
    // Of corrections there are none.
    if (check.limits !== 'of corrections') expect(result.compared).toBeGreaterThan(0);
  });

  test('every partition has one consumer, which polls', async () => {
    await using other = clickhouseClient(shards.urls[1]!);
    const consumers = [...(await kafkaConsumers(sharded)), ...(await kafkaConsumers(other))];
    for (const { topic } of STREAMS) {
      const assigned = consumers
        .filter((consumer) => consumer.topic === topic)
        .flatMap(({ assignments }) => assignments);
      expect(assigned.map(({ partition }) => partition).sort()).toEqual([0, 1, 2, 3]);
    }
    expect(consumers.filter(({ frozen }) => frozen)).toEqual([]);
    expect(consumers.some(({ assignments }) => assignments.some(({ nextOffset }) => nextOffset! > 0))).toBe(true);
  });

  test.each([
    ['all campaigns by day', {}],
    ['one campaign by week', { campaignId: 'camp-3', interval: Interval.WEEKLY }],
    ['another model by month', { model: 'linear', interval: Interval.MONTHLY }],
  ])('GetStats answers as one server does: %s', async (_, filter) => {
    const request = { startDate: '2025-08-01', endDate: END, ...filter };
    const expected = await statsOf(single).getStats(request);
    expect(await statsOf(sharded).getStats(request)).toEqual(expected);
    expect(expected.data).not.toEqual([]);
  });

  test('ExplainConversion answers as one server does', async () => {
    const conversions = seeds.filter(({ event_type }) => event_type === 'conversion').slice(0, 20);
    for (const { event_id: conversionId } of conversions) {
      const expected = await statsOf(single).explainConversion({ conversionId });
      expect(await statsOf(sharded).explainConversion({ conversionId })).toEqual(expected);
    }
  });

  test('while a shard is down GetStats is unavailable instead of half the truth', async () => {
    process.kill(shards.pids()[1]!, 'SIGKILL');
    const answer = await statsOf(sharded).getStats({ startDate: END, endDate: END }).catch(ConnectError.from);
    expect(answer).toMatchObject({ code: Code.Unavailable });
  });
});

/** Starts everything, feeds the shards through Kafka, and another server with the same records. */
async function start(): Promise<void> {
  folder = mkdtempSync(join(tmpdir(), 'clickmesh-feed-'));
  [kafka, shards, alone] = await Promise.all([
    startTestKafka(),
    startClickHouseShards({ dir: join(folder, 'shards'), shards: 2, logger }),
    startEmbeddedClickHouse({ dir: join(folder, 'alone'), logger }),
  ]);
  for (const url of shards.urls) {
    await using client = clickhouseClient(url);
    await migrate(client, { kafkaBrokers: kafka.bootstrap, cluster: EMBEDDED_CLUSTER });
  }
  sharded = clickhouseClient(shards.urls[0]!);
  single = clickhouseClient(alone.url);
  await migrate(single, {});
  log = await openKafkaLog({ bootstrap: kafka.bootstrap, clientId: 'feed' });
  garbage = await feed();
  await insertIntoSingle();
}

async function stop(): Promise<void> {
  await Promise.all([sharded?.close(), single?.close(), log?.close()]);
  await Promise.all([shards?.close(), alone?.close(), kafka?.close()]);
  rmSync(folder, { recursive: true });
}

/** Appends events, garbage and attribution's outputs; kills a shard in between. Returns where the garbage is. */
async function feed(): Promise<Place[]> {
  const stores = Array.from({ length: KAFKA_PARTITIONS }, memoryStateStore);
  const places: Place[] = [];
  for (let from = 0; from < seeds.length; from += BATCH) {
    await log.append(seeds.slice(from, from + BATCH).map(recordOf));
    for (const topic of ['raw-events', 'attributed-events'] as const) {
      const records = [0, 1].map((i) => ({ topic, key: `${from}-${i}`, value: GARBAGE[(from / BATCH + i) % 3]! }));
      places.push(...(await log.append(records)).map((position) => ({ topic, ...position })));
    }
    await attribute(stores);
    if (from === EVENTS / 2) await killShard(1);
  }
  // All again, in batches so large that they are compressed otherwise.
  await log.append(seeds.map(recordOf));
  await attribute(stores);
  for (const { topic } of STREAMS) while (await behind(topic)) await sleep(100);
  return places;
}

function recordOf(event: SeedEvent): NewRecord {
  const read = readItem({ json: event });
  const outcome = read.kind === 'event' ? accept(read.event, { now: Date.parse(END) + DAY_MS, currency: 'USD' }) : read;
  if (outcome.kind === 'rejected') throw new Error(outcome.rejection.message);
  return { topic: 'raw-events', key: outcome.event.userId, value: outcome.event.bytes };
}

/** Folds what has arrived in raw-events and publishes what follows. */
async function attribute(stores: StateStore[]): Promise<void> {
  for (const [partition, store] of stores.entries()) {
    const progress = loadProgress(store, partition);
    const records = await readToEnd('raw-events', { partition, offset: nextOffset(progress) ?? 0 });
    if (records.length === 0) continue;
    const fold = newPartitionFold(config, progress);
    await log.append([...fold.fold(store, records), ...fold.takeTotals()]);
    fold.flush(store, []);
  }
}

async function readToEnd(topic: Topic, { partition, offset }: RecordPosition): Promise<LogRecord[]> {
  const records: LogRecord[] = [];
  for (;;) {
    const from = { partition, offset: offset + records.length };
    const more = await log.read(topic, from, { maxBytes: 8 << 20, waitMs: 0 });
    if (more.length === 0) return records;
    records.push(...more);
  }
}

/** kill -9 as soon as it has rows; its supervisor starts it again. */
async function killShard(index: number): Promise<void> {
  await using client = clickhouseClient(shards.urls[index]!);
  while ((await rows(client, 'SELECT 1 FROM events_local LIMIT 1')).length === 0) await sleep(20);
  process.kill(shards.pids()[index]!, 'SIGKILL');
}

/** Whether the shards have yet to commit the end of a partition. */
async function behind(topic: Topic): Promise<boolean> {
  const committed = await log.committed(topic, clickhouseGroup(topic));
  const next = new Map(committed.map(({ partition, offset }) => [partition, offset]));
  return (await log.offsets(topic)).some(({ end }, partition) => (next.get(partition) ?? 0) < end);
}

async function insertIntoSingle(): Promise<void> {
  for (const stream of STREAMS) {
    for (let partition = 0; partition < KAFKA_PARTITIONS; partition++) {
      await insertRecords(single, stream, await readToEnd(stream.topic, { partition, offset: 0 }));
    }
  }
}

function statsOf(client: ClickHouseClient): Client<typeof StatsService> {
  return createClient(
    StatsService,
    createRouterTransport((router) => statsRoutes(router, { client, models: ['last_click'], rollups: [] })),
  );
}

async function rows(client: ClickHouseClient, query: string): Promise<unknown[]> {
  return (await client.query({ query, format: 'JSONEachRow' })).json();
}
