import { mkdirSync } from 'node:fs';
import type { Click, Conversion } from '../../gen/ts/clickmesh/v1/event_pb.js';
import { encodeEvent } from '../../gen/wire/event-wire.ts';
import { attributionConfig, parseAttributionEnvironment } from '../../services/attribution/decision/config.ts';
import { OutputMemory } from '../../services/attribution/outputs/output-memory.ts';
import { newPartitionFold } from '../../services/attribution/partition/partition-fold.ts';
import { loadProgress } from '../../services/attribution/store/progress.ts';
import { rocksdbStateStores } from '../../services/attribution/store/rocksdb-state-store.ts';
import type { StateStore } from '../../services/attribution/store/state-store.ts';
import { DAY_MS } from '../../services/contract/limits.ts';
import type { LogRecord } from '../../services/log/event-log.ts';
import { logRecord } from '../fixtures/log-record.ts';
import { eventId, scrambled } from './drain-load.ts';
import type { Figure, Scenario, Subject } from './scenario.ts';

const FULL = { events: 1_010_000, lateClicks: 20 };
const QUICK: typeof FULL = { events: 4040, lateClicks: 2 };
/** As many of the hot user's events are conversions as 10,000 of 1,010,000. */
const HOT_CONVERSION_EVERY = 101;
/** As in the load of drain. */
const CONVERSION_EVERY = 10;
const EVENTS_PER_USER = 30;
const BATCH = 5000;
const FLUSH_EVERY = 250_000;
const BASE_MS = Date.UTC(2026, 0, 5);
/** The day ends before the last late click comes. */
const SPAN_MS = DAY_MS - 60_000;
const SOURCES = ['facebook', 'google', 'tiktok', 'email'];

interface Folder extends Subject {
  path: string;
}

/** What one user costs who has 10⁶ clicks and 10⁴ conversions in a day, beside as many events of many users. */
export const hotUser: Scenario<Folder> = {
  name: 'hot-user',
  method:
    'One partition folded in this process on RocksDB with the settings by default, all five models, without a log: ' +
    '1,000,000 clicks and 10,000 conversions of one user within a day, then late clicks of theirs, spread over the day, ' +
    'and one before all, which is the first of every conversion and so decides each anew, in parts; ' +
    `before, as many events of users with ${EVENTS_PER_USER} each, a tenth of them conversions. CPU is this process's, ` +
    'that of making the events left out.',
  async start(path) {
    mkdirSync(path, { recursive: true });
    return { path, stop: async () => {} };
  },
  async run({ path }, quick) {
    const { events, lateClicks } = quick ? QUICK : FULL;
    const usual = await measure(`${path}/usual`, events, 0, false);
    const hot = await measure(`${path}/hot`, events, lateClicks, true);
    const ratio = usual.cpuMs / hot.cpuMs;
    return [
      { name: 'usual', value: usual.cpuMs / (events / 1000), unit: 'CPU-s per million events' },
      { name: 'hot user', value: hot.cpuMs / (events / 1000), unit: 'CPU-s per million events' },
      { name: 'records a thousand events, usual', value: usual.rows / (events / 1000), unit: 'records' },
      { name: 'records a thousand events, hot user', value: hot.rows / (events / 1000), unit: 'records' },
      { name: "hot user's rate ÷ usual", value: ratio, unit: '', floor: { atLeast: 0.5 } },
      { name: 'late click: median', value: hot.lateMs, unit: 'CPU-ms', floor: { atMost: 50 } },
      { name: 'click before all: whole', value: hot.firstMs / 1000, unit: 'CPU-s' },
      { name: 'click before all: a part, p99', value: hot.partMs, unit: 'CPU-ms', floor: { atMost: 50 } },
      { name: 'memory at the end', value: process.memoryUsage.rss() / 2 ** 20, unit: 'MiB' },
    ] satisfies Figure[];
  },
};

async function measure(dir: string, events: number, lateClicks: number, isHot: boolean) {
  const store = await rocksdbStateStores(dir).open(0);
  const fold = foldOn(store);
  for (let first = 0; first < events; first += BATCH) {
    const count = Math.min(BATCH, events - first);
    fold.take(Array.from({ length: count }, (_, i) => recordOf(first + i, events, isHot)));
  }
  fold.flush();
  const { cpuMs, rows } = fold.cost;
  const late = Array.from({ length: lateClicks }, (_, i) => {
    const before = fold.cost.cpuMs;
    const time = BASE_MS + Math.floor((SPAN_MS * (i + 1)) / (lateClicks + 1));
    fold.take([clickOf(events + i, 'hot', time, BASE_MS + SPAN_MS)]);
    return fold.cost.cpuMs - before;
  });
  const before = fold.cost.cpuMs;
  if (lateClicks > 0) fold.take([clickOf(events + lateClicks, 'hot', BASE_MS - 1, BASE_MS + SPAN_MS)]);
  const firstMs = fold.cost.cpuMs - before;
  await store.close();
  return { cpuMs, rows, firstMs, lateMs: quantile(late, 0.5), partMs: quantile(fold.partsMs, 0.99) };
}

function quantile(values: readonly number[], share: number): number {
  return values.toSorted((a, b) => a - b)[Math.floor(share * values.length)] ?? 0;
}

function foldOn(store: StateStore) {
  const config = attributionConfig(parseAttributionEnvironment({}));
  const fold = newPartitionFold(config, loadProgress(store, 0));
  const memory = new OutputMemory();
  const cost = { cpuMs: 0, rows: 0 };
  /** What each part took of events that were folded in parts. */
  const partsMs: number[] = [];
  let unflushed = 0;
  const measured = (work: () => void) => {
    const before = process.cpuUsage();
    work();
    const { user, system } = process.cpuUsage(before);
    cost.cpuMs += (user + system) / 1000;
    return (user + system) / 1000;
  };
  const flush = () => {
    fold.takeTotals();
    fold.flush(store, []);
    unflushed = 0;
  };
  return {
    cost,
    partsMs,
    flush: () => measured(flush),
    take(records: readonly LogRecord[]) {
      const foldSome = (some: readonly LogRecord[]) => {
        cost.rows += fold.fold(store, some, memory).length;
        memory.release();
      };
      const goOn = () => {
        cost.rows += fold.goOn(store, memory).length;
        memory.release();
      };
      for (let rest = records; rest.length > 0; ) {
        const some = rest;
        measured(() => foldSome(some));
        while (fold.unfinished !== undefined) partsMs.push(measured(goOn));
        rest = rest.filter(({ offset }) => offset > Number(fold.progress.version));
      }
      unflushed += records.length;
      if (fold.isFull() || unflushed >= FLUSH_EVERY) measured(flush);
    },
  };
}

function recordOf(i: number, events: number, isHot: boolean): LogRecord {
  const time = BASE_MS + Math.floor((i / events) * SPAN_MS);
  const userId = isHot ? 'hot' : `user-${scrambled(i) % Math.ceil(events / EVENTS_PER_USER)}`;
  const every = isHot ? HOT_CONVERSION_EVERY : CONVERSION_EVERY;
  if (i % every !== every - 1) return clickOf(i, userId, time, time);
  const conversion: Conversion = {
    ...{ $typeName: 'clickmesh.v1.Conversion', eventId: eventId(i), userId, timestamp: BigInt(time) },
    ...{ type: 'purchase', source: 'ios_app', value: 0, valueMicros: BigInt(100 + (i % 1000)) * 10_000n },
    ...{ metadata: {}, currency: '' },
  };
  const value = encodeEvent(conversion, conversion.eventId, conversion.valueMicros);
  return logRecord({ offset: i, key: userId, value, appendTime: time });
}

function clickOf(i: number, userId: string, time: number, appendTime: number): LogRecord {
  const campaign = scrambled(i) % 1000;
  const click: Click = {
    ...{ $typeName: 'clickmesh.v1.Click', eventId: eventId(i), userId, timestamp: BigInt(time), metadata: {} },
    ...{ adId: `ad-${10 * campaign + (i % 10)}`, campaignId: `camp-${campaign}`, source: SOURCES[i % 4]! },
  };
  return logRecord({ offset: i, key: userId, value: encodeEvent(click, click.eventId, 0n), appendTime });
}
