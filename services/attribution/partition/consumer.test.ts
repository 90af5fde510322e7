import { setImmediate as turn } from 'node:timers/promises';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import pino from 'pino';
import { expect, onTestFinished, test, vi } from 'vitest';
import { ConversionDecisionSchema, DailyStatsSchema } from '../../../gen/ts/clickmesh/v1/attribution_pb.js';
import { EventSchema } from '../../../gen/ts/clickmesh/v1/event_pb.js';
import { type MemoryLog, memoryLog } from '../../../test/fixtures/memory-log.ts';
import { memoryStateStore, memoryStateStores } from '../../../test/fixtures/memory-state-store.ts';
import { LogUnavailable, type NewRecord } from '../../log/event-log.ts';
import { attributionConfig, parseAttributionEnvironment } from '../decision/config.ts';
import { newStatus } from '../status.ts';
import type { StateStore } from '../store/state-store.ts';
import { consumePartition } from './consumer.ts';

const config = attributionConfig(parseAttributionEnvironment({}));
const BATCH = 10;
/** Of a store that is empty at first. */
const BASELINE_WRITES = 1;

function event(kind: 'click' | 'conversion', number: number): NewRecord {
  const eventId = `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;
  const common = { eventId, userId: 'ann', source: 'src', timestamp: BigInt(Date.UTC(2026, 0, 1)) };
  const message =
    kind === 'click'
      ? create(EventSchema, { event: { case: kind, value: { ...common, adId: 'ad', campaignId: 'camp' } } })
      : create(EventSchema, { event: { case: kind, value: { ...common, type: 'buy', valueMicros: 5n } } });
  return { topic: 'raw-events', key: 'ann', value: toBinary(EventSchema, message) };
}

const many = (kind: 'click' | 'conversion', count: number) => Array.from({ length: count }, (_, i) => event(kind, i));

/** Folds the log's only partition, some records at a time, until the test is over. */
function consume(log: MemoryLog) {
  const status = newStatus(0, 'active', false);
  const stopping = new AbortController();
  const memory = memoryStateStore();
  const store: StateStore = {
    ...memory,
    write(changes) {
      seen.writes++;
      memory.write(changes);
    },
  };
  const seen = { reads: [] as number[], writes: 0, commits: [] as number[] };
  const deps = {
    config,
    logger: pino({ level: 'silent' }),
    cacheBytes: () => config.userCacheBytes,
    commit: (_: number, offset: number) => seen.commits.push(offset),
    stores: { ...memoryStateStores(), open: async () => store },
    log: {
      ...log,
      read: async (...[topic, from, options]: Parameters<MemoryLog['read']>) => {
        const records = await log.read(topic, from, options);
        if (topic === 'raw-events') seen.reads.push(from.offset);
        return records.slice(0, BATCH);
      },
    },
  };
  const done = consumePartition(deps, status, stopping.signal);
  done.catch(() => {});
  const stop = () => {
    stopping.abort();
    return done;
  };
  onTestFinished(() => stop().catch(() => {}));
  return { status, seen, done, stop };
}

test('a batch is folded while the one before is published, and counts only when it is published, too', async () => {
  const log = memoryLog(1);
  await log.append(many('conversion', 4 * BATCH));
  const published = Promise.withResolvers<void>();
  log.beforeAppend = () => published.promise;
  const { status, seen, stop } = consume(log);
  await vi.waitFor(() => expect(seen.reads).toEqual([0, BATCH]));
  for (let i = 0; i < 10; i++) await turn();
  expect(seen.reads).toEqual([0, BATCH]);
  expect(seen.writes).toBe(BASELINE_WRITES);
  expect(status).toMatchObject({ nextOffset: 0, progress: { records: 0n } });

  published.resolve();
  await vi.waitFor(() => expect(status).toMatchObject({ nextOffset: 4 * BATCH, progress: { records: 40n } }));
  const versions = log.records('conversion-decisions').map(({ value }) => {
    return Number(fromBinary(ConversionDecisionSchema, value).version);
  });
  expect(versions).toEqual([...Array(4 * BATCH).keys()]);
  await stop();
  expect(seen.writes).toBeGreaterThan(BASELINE_WRITES);
  expect(seen.commits).toEqual([4 * BATCH]);
});

test('under a backlog counters are told at its end, not after every batch', async () => {
  const log = memoryLog(1);
  await log.append(many('click', 4 * BATCH));
  const { status } = consume(log);
  await vi.waitFor(() => expect(status.nextOffset).toBe(4 * BATCH));
  const told = log.records('daily-stats').map(({ value }) => fromBinary(DailyStatsSchema, value).clicks);
  expect(told).toEqual([BigInt(4 * BATCH)]);
});

test('what publishing fails with ends it, and nothing is written', async () => {
  const log = memoryLog(1);
  await log.append(many('conversion', 4 * BATCH));
  log.beforeAppend = () => {
    throw new Error('refused');
  };
  const { status, seen, done } = consume(log);
  await expect(done).rejects.toThrow('refused');
  expect(status.nextOffset).toBe(0);
  expect([seen.writes, seen.commits]).toEqual([BASELINE_WRITES, []]);
});

test('stopped while the log is down, it writes nothing that is not published', async () => {
  const log = memoryLog(1);
  await log.append(many('conversion', BATCH));
  let tries = 0;
  log.beforeAppend = () => {
    tries++;
    throw new LogUnavailable('down');
  };
  const { status, seen, stop } = consume(log);
  await vi.waitFor(() => expect(tries).toBeGreaterThan(0));
  await stop();
  expect(status.nextOffset).toBe(0);
  expect([seen.writes, seen.commits]).toEqual([BASELINE_WRITES, []]);
});
