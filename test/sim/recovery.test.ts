import { setImmediate as turn } from 'node:timers/promises';
import { fromBinary } from '@bufbuild/protobuf';
import fc from 'fast-check';
import pino from 'pino';
import { afterAll, expect } from 'vitest';
import {
  AttributedConversionSchema,
  AttributionSettingSchema,
  ConversionDecisionSchema,
  DailyStatsSchema,
  EventConflictSchema,
  PartitionProgressSchema,
  RollupStatsSchema,
} from '../../gen/ts/clickmesh/v1/attribution_pb.js';
import type { AttributionConfig } from '../../services/attribution/decision/config.ts';
import { consumePartition } from '../../services/attribution/partition/consumer.ts';
import { GROUP } from '../../services/attribution/partition/opening.ts';
import { newStatus, type Role } from '../../services/attribution/status.ts';
import type { StateStore, StateStores } from '../../services/attribution/store/state-store.ts';
import { setAsideOf } from '../../services/contract/dead-letters.ts';
import { COMPACTED, TOPICS, type Topic } from '../../services/contract/topics.ts';
import type { EventLog, LogRecord, NewRecord } from '../../services/log/event-log.ts';
import { type MemoryLog, memoryLog } from '../fixtures/memory-log.ts';
import { memoryStateStores } from '../fixtures/memory-state-store.ts';
import { poisonFold } from '../fixtures/poison.ts';
import { stateDigest } from '../fixtures/state-digest.ts';
import { testRuns } from '../fixtures/test-runs.ts';
import { collapse, config, configIn, encodeEvent, journey, LOOKBACK, MODELS, ROLLUPS, START } from './journey.ts';
import { attributeNaively, type SimEvent } from './naive-attribution.ts';
import { expectSameSums } from './rollups.ts';

/** Scenarios of one run go side by side: they mostly wait. */
const SCENARIOS = 40;
const RUNS = Math.ceil(Number(process.env.SIM_RUNS ?? 2000) / 2 / SCENARIOS);

/** How one consumer lives and dies; it is followed by the next one. */
const life = fc.record({
  node: fc.constantFrom(0, 1),
  /** The node has lost its store. */
  lost: fc.boolean(),
  /** The other node has followed until now. */
  followed: fc.boolean(),
  /** Most records of its batches. */
  batch: fc.integer({ min: 1, max: 6 }),
  /** It dies in its n-th batch, or the first after it where there is something to die at. */
  batches: fc.integer({ min: 1, max: 4 }),
  /** Each batch seems to be the last, as if records came one by one: counters are published with it. */
  isAhead: fc.oneof({ weight: 2, arbitrary: fc.constant(false) }, fc.constant(true)),
  /** If it reaches the end of the log, the partition is taken from it there. */
  isRevoked: fc.boolean(),
  /** Turns of the event loop that an append takes: meanwhile it may read and fold. */
  slowness: fc.integer({ min: 0, max: 3 }),
  dies: fc.constantFrom('before publishing', 'in mid-publishing', 'before writing', 'before committing', 'as a zombie'),
});

const scenario = fc.record({
  /** Events of long ago, of which the log no longer has any when the lives begin. */
  past: fc.oneof(fc.constant<SimEvent[]>([]), journey),

  events: journey,
  /** Where a record is that is none. */
  garbage: fc.nat(),
  /** Where events are that the fold fails at. */
  poison: fc.oneof({ weight: 3, arbitrary: fc.constant<number[]>([]) }, fc.array(fc.nat(), { maxLength: 2 })),
  /** With 1500 each event that decides more than one or two conversions anew is folded in parts. */
  partBytes: fc.constantFrom(1500, 1500, 3000, config.partBytes),
  /** With one or two, most of a user lies beside its state. */
  maxTouches: fc.constantFrom('1', '2', '1024', '1024'),
  lives: fc.array(life, { maxLength: 6 }),
  compacted: fc.boolean(),
});
type Life = typeof life extends fc.Arbitrary<infer T> ? T : never;
type Scenario = typeof scenario extends fc.Arbitrary<infer T> ? T : never;

class Death extends Error {}

/** Logs by users at whose only event the fold fails, until a letter of it is there: then the fault is mended. */
const poisoned = new Map<string, MemoryLog>();

afterAll(
  poisonFold((userId) => {
    const log = poisoned.get(userId);
    if (log?.records('raw-events.DLT').every(({ key }) => key !== userId)) throw new TypeError('of undefined');
  }),
);

function poisonFor(log: MemoryLog): SimEvent {
  const userId = `poison ${poisoned.size}`;
  poisoned.set(userId, log);
  const id = 'ffffffff-0000-4000-8000-000000000000';
  return { kind: 'click', id, userId, timestamp: START, label: 'poison', valueMicros: 0n };
}

testRuns(
  'R-4, R-8, R-9, R-16, R-20: a state lost anywhere, at any time, is rebuilt, and what is published stays right',
  RUNS,
  async (numRuns) => {
    await fc.assert(
      fc.asyncProperty(fc.array(scenario, { minLength: 1, maxLength: SCENARIOS, size: 'max' }), async (scenarios) => {
        await Promise.all(scenarios.map(check));
      }),
      // Shrinking so many scenarios takes longer than anybody waits: the seed finds it again.
      { numRuns, endOnFailure: true },
    );
  },
);

async function check(scenario: Scenario): Promise<void> {
  const { past, events, lives, compacted, partBytes } = scenario;
  // Which touches beside a state a decision names that nobody is credited for depends on when the sweep comes by.
  const maxTouches = past.length > 0 ? '1024' : scenario.maxTouches;
  const config = configIn('UTC', { MAX_TOUCHES: maxTouches });
  const inParts = { ...config, partBytes };
  const nodes = [new Map<number, StateStore>(), new Map<number, StateStore>()];
  const log = await filledLog(scenario, nodes[0]!, inParts);
  const late: NewRecord[][] = [];
  for (const each of lives) {
    if (each.lost) nodes[each.node]!.clear();
    const arriving = late.splice(0);
    await live(withFaults(log, each, compacted, late, 'active'), nodes[each.node]!, each, 'active', inParts);
    // What a zombie had under way arrives after its successor has begun.
    for (const records of compacted ? [] : arriving) await log.append(records);
    if (!each.followed) continue;
    await live(withFaults(log, each, compacted, late, 'standby'), nodes[1 - each.node]!, each, 'standby', inParts);
  }
  const last = nodes[lives.at(-1)?.node ?? 0]!;
  await live(patient(log), last, undefined, 'active', inParts);

  const undisturbed = new Map<number, StateStore>();
  const undisturbedLog = await filledLog(scenario, undisturbed, inParts);
  await live(patient(undisturbedLog), undisturbed, undefined, 'active', inParts);
  expect(published(log)).toEqual(published(undisturbedLog));
  expectOneContentAVersion(log);
  expectSameSums(ofTopics(log, ['daily-stats', 'rollup-stats']), ROLLUPS);
  expect(setAside(log)).toEqual(setAside(undisturbedLog));
  expect(setAside(log).length).toBe(scenario.poison.length);
  // Where what lies beside the state is in it, or not, depends on when it was written.
  if (maxTouches === '1024') expect(stateDigest(config, last.get(0)!)).toBe(stateDigest(config, undisturbed.get(0)!));
  const whole = { ...config, partBytes: Number.POSITIVE_INFINITY };
  const wholeStore = new Map<number, StateStore>();
  const wholeLog = await filledLog(scenario, wholeStore, whole);
  await live(patient(wholeLog), wholeStore, undefined, 'active', whole);
  expect(published(log)).toEqual(published(wholeLog));
  if (past.length > 0 || maxTouches !== '1024') return;
  const { totals: _, ...naive } = attributeNaively(events, [...MODELS], LOOKBACK);
  expect(published(log)).toEqual(naive);
}

function published(log: MemoryLog) {
  const topics: Topic[] = ['attributed-events', 'conversion-decisions', 'daily-stats'];
  return collapse(ofTopics(log, topics));
}

function ofTopics(log: MemoryLog, topics: readonly Topic[]) {
  return topics.flatMap((topic) => log.records(topic).map(({ value }) => ({ topic, value })));
}

/** Offsets of the records that were set aside. */
function setAside(log: MemoryLog): number[] {
  const offsets = log.records('raw-events.DLT').map(({ headers }) => setAsideOf(headers)?.offset);
  return [...new Set(offsets.filter((offset) => offset !== undefined))].sort((a, b) => a - b);
}

/** Whatever is published again, is published in the same bytes. */
function expectOneContentAVersion(log: MemoryLog): void {
  const seen = new Map<string, string>();
  for (const topic of TOPICS.filter((topic) => topic !== 'raw-events')) {
    for (const record of log.records(topic)) {
      const name = `${topic} ${nameOf(record, topic)} @${versionOf({ ...record, topic })}`;
      const content = Buffer.from(record.value).toString('hex');
      expect(content, name).toBe(seen.get(name) ?? content);
      seen.set(name, content);
    }
  }
}

/** What the record is a version of, beside its topic. */
function nameOf({ key, value }: LogRecord, topic: Topic): string {
  if (topic === 'conversion-decisions') return `${key} ${fromBinary(ConversionDecisionSchema, value).conversionId}`;
  if (topic !== 'attributed-events') return key;
  const { conversionId, clicks } = fromBinary(AttributedConversionSchema, value);
  return `${key} ${conversionId} ${clicks[0]!.clickId}`;
}

/** A log with the past, folded into a store and dropped, and then all events and what can't be folded. */
async function filledLog(
  { past, events, garbage, poison }: Scenario,
  store: Map<number, StateStore>,
  config: AttributionConfig,
): Promise<MemoryLog> {
  let arrival = START;
  const log = memoryLog(1, () => arrival++);
  const toRecord = (event: SimEvent): NewRecord => ({
    topic: 'raw-events',
    key: event.userId,
    value: encodeEvent(event),
  });
  await log.append(past.map(toRecord));
  await live(patient(log), store, undefined, 'active', config);
  log.dropBefore('raw-events', past.length);
  arrival += 2 * Math.max(config.eventIdMs, config.retentionMs.outcome);
  const records = events.map(toRecord);
  records.splice(garbage % (events.length + 1), 0, { topic: 'raw-events', key: '', value: Buffer.of(255) });
  for (const place of poison) records.splice(place % (records.length + 1), 0, toRecord(poisonFor(log)));
  await log.append(records);
  return log;
}

interface Faulty {
  log: EventLog;
  /** Aborts when the consumer has nothing left to do. */
  done: AbortController;
  wrap(stores: StateStores): StateStores;
}

/**
 * A log without faults that tells when its end is reached.
 *
 * @param isRevoked whether that is the end, though a record may be folded in part
 */
function patient(log: MemoryLog, isRevoked = false): Faulty {
  const done = new AbortController();
  return {
    done,
    wrap: (stores) => stores,
    log: {
      ...log,
      async read(topic, from, options) {
        // While a record is folded in part it does not wait for others.
        const isDone = options.waitMs > 0 || isRevoked;
        if (topic === 'raw-events' && from.offset === log.records(topic).length && isDone) done.abort();
        return log.read(topic, from, { ...options, waitMs: 0 });
      },
    },
  };
}

function withFaults(log: MemoryLog, life: Life, compacted: boolean, late: NewRecord[][], role: Role): Faulty {
  const { batch, batches, dies, slowness, isAhead, isRevoked } = life;
  const faulty = patient(log, isRevoked);
  let begun = 0;
  let lastRead = 0;
  let asked = 0;
  const isLast = () => begun >= batches;
  return {
    done: faulty.done,
    log: {
      ...faulty.log,
      endSeen: (topic, partition) => (isAhead ? lastRead : log.endSeen(topic, partition)),
      async committed(topic, group) {
        // A standby asks again when it has come as far as its group.
        if (asked++ > 0 && role === 'standby') faulty.done.abort();
        return log.committed(topic, group);
      },
      async read(topic, from, options) {
        const records = await faulty.log.read(topic, from, options);
        if (topic === 'raw-events') {
          begun++;
          const some = records.slice(0, batch);
          lastRead = from.offset + some.length;
          return some;
        }
        if (!compacted || !COMPACTED.includes(topic)) return records;
        const newest = new Map(log.records(topic).map(({ key, offset }) => [key, offset]));
        return records.filter(({ key, offset }) => newest.get(key) === offset);
      },
      async append(records) {
        if (isLast() && dies === 'before publishing') throw new Death();
        if (isLast() && dies === 'as a zombie') {
          late.push([...records]);
          throw new Death();
        }
        await expectUnpublished(log, records);
        for (let i = 0; i < slowness; i++) await turn();
        const half = Math.ceil(records.length / 2);
        const positions = await log.append(isLast() && dies === 'in mid-publishing' ? records.slice(0, half) : records);
        if (isLast() && dies === 'in mid-publishing') throw new Death();
        return positions;
      },
    },
    wrap: (stores) => ({
      ...stores,
      async open(partition) {
        const store = await stores.open(partition);
        return {
          ...store,
          write(changes) {
            if (isLast() && dies === 'before writing') throw new Death();
            store.write(changes);
          },
        };
      },
    }),
  };
}

/** What is published does not follow from a record that the group has committed. */
async function expectUnpublished(log: MemoryLog, records: readonly NewRecord[]): Promise<void> {
  const committed = (await log.committed('raw-events', GROUP))[0]?.offset ?? 0;
  for (const record of records) {
    // Settings follow from no record, and are published again by whoever takes over.
    if (record.topic !== 'attribution-settings') expect(versionOf(record)).toBeGreaterThanOrEqual(committed);
  }
}

function versionOf({ topic, value, headers }: NewRecord): number {
  switch (topic) {
    case 'attributed-events':
      return Number(fromBinary(AttributedConversionSchema, value).version);
    case 'conversion-decisions':
      return Number(fromBinary(ConversionDecisionSchema, value).version);
    case 'daily-stats':
      return Number(fromBinary(DailyStatsSchema, value).version);
    case 'attribution-settings':
      return Number(fromBinary(AttributionSettingSchema, value).version);
    case 'rollup-stats':
      return Number(fromBinary(RollupStatsSchema, value).version);
    case 'event-conflicts':
      return Number(fromBinary(EventConflictSchema, value).version);
    case 'counted-apart':
      return Number(JSON.parse(Buffer.from(value).toString()).offset);
    case 'attribution-progress':
      return Number(fromBinary(PartitionProgressSchema, value).version);
    default:
      return Number(headers!['kafka_dlt-original-offset']);
  }
}

/** One consumer, until it dies or there is nothing left to do. */
async function live(
  { log, done, wrap }: Faulty,
  stores: Map<number, StateStore>,
  plan: Life | undefined,
  role: Role,
  config: AttributionConfig,
): Promise<void> {
  const assignment = await log.join('raw-events', GROUP, { async assigned() {}, async revoked() {} });
  let commits = 0;
  const deps = {
    config,
    log,
    logger: pino({ level: 'silent' }),
    stores: wrap(memoryStateStores(stores)),
    cacheBytes: () => config.userCacheBytes,
    commit(partition: number, offset: number) {
      expect(role).toBe('active');
      if (++commits === plan?.batches && plan.dies === 'before committing') throw new Death();
      void assignment.commit([{ partition, offset }]);
    },
  };
  try {
    await consumePartition(deps, newStatus(0, role, false), done.signal);
  } catch (error) {
    if (!(error instanceof Death)) throw error;
  }
  await turn();
}
