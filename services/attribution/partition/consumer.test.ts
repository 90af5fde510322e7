import { setImmediate as turn } from 'node:timers/promises';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import pino from 'pino';
import { expect, onTestFinished, test, vi } from 'vitest';
import {
  ConversionDecisionSchema,
  DailyStatsSchema,
  PartitionProgressSchema,
} from '../../../gen/ts/clickmesh/v1/attribution_pb.js';
import { EventSchema } from '../../../gen/ts/clickmesh/v1/event_pb.js';
import { type MemoryLog, memoryLog } from '../../../test/fixtures/memory-log.ts';
import { memoryStateStore, memoryStateStores } from '../../../test/fixtures/memory-state-store.ts';
import type { Topic } from '../../contract/topics.ts';
import { LogUnavailable, type NewRecord } from '../../log/event-log.ts';
import { attributionConfig, parseAttributionEnvironment } from '../decision/config.ts';
import { newStatus, type Role } from '../status.ts';
import { ATTEMPT_KEY } from '../store/keys.ts';
import type { StateStore } from '../store/state-store.ts';
import { consumePartition } from './consumer.ts';
import { GROUP } from './opening.ts';

const config = attributionConfig(parseAttributionEnvironment({}));
const BATCH = 10;
/** Writes of a store that is empty at first. */
const BASELINE_WRITES = 1;

/** The number is in the event's id, and a click's also in its campaign. */
function event(
  kind: 'click' | 'conversion',
  number: number,
  campaign: (number: number) => string,
  { userId = 'ann', time = 0 } = {},
): NewRecord {
  const eventId = `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;
  const common = { eventId, userId, source: 'src', timestamp: BigInt(Date.UTC(2026, 0, 1) + time) };
  const message =
    kind === 'click'
      ? create(EventSchema, { event: { case: kind, value: { ...common, adId: 'ad', campaignId: campaign(number) } } })
      : create(EventSchema, { event: { case: kind, value: { ...common, type: 'buy', valueMicros: 5n } } });
  return { topic: 'raw-events', key: userId, value: toBinary(EventSchema, message) };
}

/** Events numbered from 0; the campaign of a click is chosen by its number. */
function many(kind: 'click' | 'conversion', count: number, campaign: (number: number) => string = () => 'camp') {
  return Array.from({ length: count }, (_, i) => event(kind, i, campaign));
}

async function commit(log: MemoryLog, offset: number): Promise<void> {
  const assignment = await log.join('raw-events', GROUP, { async assigned() {}, async revoked() {} });
  await assignment.commit([{ partition: 0, offset }]);
}

interface ConsumeOptions {
  role?: Role;
  /** Offsets that the log has no records at, as a producer's control records leave them. */
  gap?: { from: number; to: number };
  partBytes?: number;
  /** Most records of a read. */
  batch?: number;
}

/** Folds the log's only partition, some records at a time, into an empty store until the test is over. */
function consume(
  log: MemoryLog,
  { role = 'active', gap = { from: 0, to: 0 }, partBytes = config.partBytes, batch = BATCH }: ConsumeOptions = {},
) {
  const status = newStatus(0, role, false);
  const stopping = new AbortController();
  const memory = memoryStateStore();
  const store: StateStore = {
    ...memory,
    write(changes) {
      const puts = [...changes.puts].map(({ key, value }) => ({ key, value: Buffer.from(value) }));
      memory.write({ ...changes, puts });
      // A note of the fold's caution is no part of the state.
      if (puts[0]?.key.equals(ATTEMPT_KEY)) return;
      seen.writes++;
      seen.steps.push('flush');
    },
  };
  const seen = { reads: [] as number[], writes: 0, commits: [] as number[], steps: [] as string[] };
  const deps = {
    config: { ...config, partBytes },
    logger: pino({ level: 'silent' }),
    cacheBytes: () => config.userCacheBytes,
    commit(_: number, offset: number) {
      seen.steps.push('commit');
      seen.commits.push(offset);
    },
    stores: { ...memoryStateStores(), open: async () => store },
    log: {
      ...log,
      read: async (...[topic, from, options]: Parameters<MemoryLog['read']>) => {
        const records = await log.read(topic, from, options);
        if (topic !== 'raw-events') return records;
        seen.reads.push(from.offset);
        return records.filter(({ offset }) => offset < gap.from || offset >= gap.to).slice(0, batch);
      },
      async append(records: readonly NewRecord[]) {
        const positions = await log.append(records);
        seen.steps.push('publish');
        return positions;
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
  /** Waits until everything before an offset is folded and published; rejects with what ends the consumer. */
  const reached = (offset: number) =>
    Promise.race([done, vi.waitFor(() => expect(status.nextOffset).toBe(offset), { timeout: 10_000 })]);
  return { status, seen, done, reached, stop };
}

/** Versions of the conversions decided, and campaign, version and clicks of the counters, as published. */
function published(log: MemoryLog) {
  return {
    decisions: log.records('conversion-decisions').map(({ value }) => {
      return Number(fromBinary(ConversionDecisionSchema, value).version);
    }),
    counters: log.records('daily-stats').map(({ value }) => {
      const { campaignId, version, clicks } = fromBinary(DailyStatsSchema, value);
      return `${campaignId} @${version}: ${clicks}`;
    }),
    totals: log.records('attribution-progress').map(({ value }) => {
      return Number(fromBinary(PartitionProgressSchema, value).version);
    }),
  };
}

test('R-1: a batch is folded while the one before is published, and counts once it is published, too', async () => {
  const log = memoryLog(1);
  await log.append(many('conversion', 4 * BATCH));
  const durable = Promise.withResolvers<void>();
  log.beforeAppend = () => durable.promise;
  const { status, seen, reached, stop } = consume(log);
  await vi.waitFor(() => expect(seen.reads).toEqual([0, BATCH]));
  for (let i = 0; i < 10; i++) await turn();
  expect(seen.reads).toEqual([0, BATCH]);
  expect(seen.writes).toBe(BASELINE_WRITES);
  expect(status).toMatchObject({ nextOffset: 0, progress: { records: 0n } });

  durable.resolve();
  await reached(4 * BATCH);
  expect(status.progress.records).toBe(40n);
  expect(published(log).decisions).toEqual([...Array(4 * BATCH).keys()]);
  await stop();
  expect(seen.writes).toBeGreaterThan(BASELINE_WRITES);
  expect(seen.commits).toEqual([4 * BATCH]);
  expect(seen.steps).toEqual(['flush', ...seen.steps.filter((step) => step === 'publish'), 'flush', 'commit']);
});

test('under a backlog counters are published at its end, not after every batch', async () => {
  const log = memoryLog(1);
  await log.append(many('click', 4 * BATCH));
  const { reached } = consume(log);
  await reached(4 * BATCH);
  expect(published(log).counters).toEqual([`camp @${4 * BATCH - 1}: ${4 * BATCH}`]);
});

test('a flush publishes very many counters some at a time', async () => {
  const log = memoryLog(1);
  const clicks = 5_000;
  await log.append(many('click', clicks, (number) => `camp ${number}`));
  const rollups: number[] = [];
  log.beforeAppend = (records) => {
    rollups.push(records.filter(({ topic }) => topic === 'rollup-stats').length);
  };
  const { seen, reached, stop } = consume(log, { batch: clicks });
  await reached(clicks);
  await stop();
  expect(seen.commits).toEqual([clicks]);
  expect(rollups.reduce((sum, count) => sum + count, 0)).toBe(2 * clicks);
  expect(Math.max(...rollups)).toBeLessThanOrEqual(8_000);
});

test('R-1: what publishing fails with ends it, and nothing is written', async () => {
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

test('R-1: stopped while the log is down, it writes nothing that is not published', async () => {
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

test('R-2: a batch ends at the group offset, and at the end of the published totals', async () => {
  const log = memoryLog(1);
  const events = many('conversion', 4 * BATCH);
  await log.append(events.slice(0, 32));
  const before = consume(log);
  await before.reached(32);
  await before.stop();
  await log.append(events.slice(32));
  await commit(log, 25);
  const { seen, reached } = consume(log);
  await reached(4 * BATCH);
  expect(seen.reads.slice(0, 5)).toEqual([0, 10, 20, 25, 32]);
  expect(published(log).totals).toEqual([31, 39]);
});

test('R-3: a replay throws its changed counters away once, where it reaches the group offset', async () => {
  const log = memoryLog(1);
  await log.append(many('click', 4 * BATCH, (number) => (number < 25 ? 'before' : number < 35 ? 'behind' : 'last')));
  await commit(log, 25);
  const { reached, stop } = consume(log);
  await reached(4 * BATCH);
  await stop();
  expect(published(log).counters).toEqual(['behind @34: 10', 'last @39: 5']);
});

test('R-9: what follows from records before the group offset is not published again', async () => {
  const log = memoryLog(1);
  await log.append(many('conversion', 4 * BATCH));
  await commit(log, 25);
  const { status, seen, reached, stop } = consume(log);
  await reached(4 * BATCH);
  expect(status).toMatchObject({ restoring: false, recovery: { replayedRecords: 25 }, progress: { records: 40n } });
  await stop();
  expect(published(log)).toMatchObject({ decisions: Array.from({ length: 15 }, (_, i) => 25 + i), totals: [39] });
  expect(seen.commits).toEqual([4 * BATCH]);
});

test('R-9: a replay ends where the group offset is in a gap of the log, and not a record later', async () => {
  const log = memoryLog(1);
  await log.append(many('conversion', 4 * BATCH));
  await commit(log, 22);
  const { reached, stop } = consume(log, { gap: { from: 20, to: 25 } });
  await reached(4 * BATCH);
  await stop();
  expect(published(log).decisions).toEqual(Array.from({ length: 15 }, (_, i) => 25 + i));
});

test.each([
  ['', { from: 0, to: 0 }, 22],
  [' in a gap of the log', { from: 20, to: 25 }, 20],
])('R-8: a standby stays before the group offset%s, publishes nothing and commits nothing', async (_, gap, last) => {
  const log = memoryLog(1);
  await log.append(many('conversion', 4 * BATCH));
  await commit(log, 22);
  const { status, seen, reached, stop } = consume(log, { role: 'standby', gap });
  await reached(last);
  const reads = seen.reads.length;
  await vi.waitFor(() => expect(status.restoring).toBe(false));
  for (let i = 0; i < 10; i++) await turn();
  expect(status.nextOffset).toBe(last);
  await commit(log, 33);
  await reached(33);
  await stop();
  expect(seen.reads.length).toBeGreaterThan(reads);
  expect([seen.commits, published(log)]).toEqual([[], { decisions: [], counters: [], totals: [] }]);
});

test('R-20: while a record is folded in parts, what follows from others is decided, counted and published', async () => {
  const log = memoryLog(1);
  const hot = { userId: 'hot' };
  const late = 1 + 2 * BATCH;
  await log.append([
    event('click', 0, () => 'first', { ...hot, time: 0 }),
    ...Array.from({ length: 2 * BATCH }, (_, i) => event('conversion', 1 + i, () => '', { ...hot, time: 10 + i })),
    event('click', late, () => 'late', { ...hot, time: 5 }),
    event('click', late + 1, () => 'other', { userId: 'ann', time: 50 }),
    event('conversion', late + 2, () => '', { userId: 'ann', time: 60 }),
    event('conversion', late + 3, () => '', { ...hot, time: 60 }),
  ]);
  const appended: { name: string; done: number | undefined }[] = [];
  const { status, reached, stop } = consume(log, { partBytes: 1500 });
  log.beforeAppend = (records) => {
    for (const { topic, value } of records) {
      appended.push({ name: NAMES[topic]?.(value) ?? topic, done: status.nextOffset });
    }
  };
  await reached(late + 4);
  await stop();
  const places = (name: string) => appended.flatMap((each, i) => (each.name === name ? [i] : []));
  const ofLate = places(`decision @${late}`);
  expect(ofLate.length).toBe(2 * BATCH);
  const [notice] = places('counted-apart');
  const others = [`decision @${late + 2}`, `decision @${late + 3}`, `counter other @${late + 2} 0: 1000000`].map(
    (name) => {
      const [place, ...more] = places(name);
      expect(more, name).toEqual([]);
      return place!;
    },
  );
  // The user's own next one, too, to which its late click is a candidate.
  const counted = places(`counter late @${late + 3} 0: 1000000`)[0]!;
  for (const place of [...others, counted]) {
    expect(place).toBeGreaterThan(notice!);
    expect(place).toBeLessThan(ofLate.at(-1)!);
    expect(appended[place]!.done).toBeLessThanOrEqual(late);
  }
  // What the late click takes from the first one, which was counted before, and gets.
  expect(places(`counter first @${late} 2147483648: ${-2 * BATCH}000000`).length).toBe(1);
  expect(places(`counter late @${late} 2147483648: ${2 * BATCH}000000`)[0]).toBeGreaterThan(ofLate.at(-1)!);
  expect(published(log).totals).toEqual([late + 3]);
  expect(status.progress).toMatchObject({ attributed: BigInt(2 * BATCH + 2), clicks: 3n });
});

const NAMES: Partial<Record<Topic, (value: Uint8Array) => string>> = {
  'conversion-decisions': decisionName,
  'daily-stats': counterName,
};

function decisionName(value: Uint8Array): string {
  return `decision @${fromBinary(ConversionDecisionSchema, value).version}`;
}

/** The campaign of a counter of conversions, its version and partition, and those under last_click. */
function counterName(value: Uint8Array): string {
  const { campaignId, version, partition, models } = fromBinary(DailyStatsSchema, value);
  const conversions = models.find(({ model }) => model === 'last_click')?.conversionsMicros;
  return `counter ${campaignId} @${version} ${partition}: ${conversions}`;
}
