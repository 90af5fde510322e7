import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import {
  type DailyStats,
  DailyStatsSchema,
  type ModelStats,
  ModelStatsSchema,
  type RollupStats,
  RollupStatsSchema,
} from '../../../gen/ts/clickmesh/v1/attribution_pb.js';
import {
  joinedKeyOf,
  keyByHash,
  OLD_COUNTERS_FROM,
  OLD_COUNTERS_TO,
  OLD_DAILY_FROM,
  OLD_DAILY_TO,
  OLD_ROLLUPS_FROM,
  OLD_ROLLUPS_TO,
} from '../store/keys.ts';
import { entriesBetween, keyAfter, type StateStore } from '../store/state-store.ts';

/** What the keys of counters of clicks end with: neither a type nor a model. */
const OF_CLICKS = '\0\0';
/** Counters put together in one write. */
const CHUNK = 1000;

/** Gives the counters whose keys builds before had by their texts those by their hashes. */
export function rekeyOldCounters(store: StateStore): void {
  for (const [from, to] of [
    [OLD_DAILY_FROM, OLD_DAILY_TO],
    [OLD_ROLLUPS_FROM, OLD_ROLLUPS_TO],
  ] as const) {
    let entries = store.scan(from, to, CHUNK);
    if (entries.length === 0) continue;
    for (; entries.length > 0; entries = store.scan(keyAfter(entries.at(-1)!.key), to, CHUNK)) {
      const puts = entries.map(({ key, value }) => ({ key: keyByHash(key), value }));
      store.write({ deletes: [], puts, appends: [] });
    }
    store.drop(from, to);
  }
}

/**
 * Puts the counters of daily_stats that builds before 0.2 kept for each model together into one for all. Each of them
 * stays as far as its own version: those that were published may be so unevenly. One that there is already has what
 * they had.
 */
export function joinOldCounters(store: StateStore): void {
  let joined = new Map<string, RollupStats>();
  let last = '';
  for (const { key, value } of entriesBetween(store, OLD_COUNTERS_FROM, OLD_COUNTERS_TO)) {
    const { key: joinedKey, model } = joinedKeyOf(key);
    const name = joinedKey.toString('latin1');
    if (name !== last && joined.size === CHUNK) {
      putNew(store, joined);
      joined = new Map();
    }
    last = name;
    const counter = fromBinary(DailyStatsSchema, value);
    joined.set(
      name,
      withModel(joined.get(name) ?? create(RollupStatsSchema), model, counter, name.endsWith(OF_CLICKS)),
    );
  }
  if (joined.size === 0) return;
  putNew(store, joined);
  store.drop(OLD_COUNTERS_FROM, OLD_COUNTERS_TO);
}

function withModel(before: RollupStats, model: string, counter: DailyStats, isOfClicks: boolean): RollupStats {
  const { clicks, invalidClicks } = counter;
  if (isOfClicks) return { ...before, clicks, invalidClicks, version: counter.version };
  const models = [...before.models, { ...sumsOf(model, counter), version: counter.version }];
  return { ...before, version: greater(before.version, counter.version), models };
}

function greater(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}

/** What a record of one model has of conversions. */
export function sumsOf(model: string, counter: DailyStats): ModelStats {
  const { conversionsMicros, revenueMicros, revenueHigh, retractedMicros } = counter;
  const { adjustedMicros, adjustedHigh, refundsMicros, refundsHigh } = counter;
  const high = { revenueHigh, adjustedHigh, refundsHigh };
  const micros = { conversionsMicros, revenueMicros, retractedMicros, adjustedMicros, refundsMicros };
  return create(ModelStatsSchema, { model, ...micros, ...high });
}

function putNew(store: StateStore, joined: ReadonlyMap<string, RollupStats>): void {
  const entries = [...joined].map(([name, counter]) => {
    return { key: Buffer.from(name, 'latin1'), value: Buffer.from(toBinary(RollupStatsSchema, counter)) };
  });
  const stored = store.getMany(entries.map(({ key }) => key));
  store.write({ deletes: [], puts: entries.filter((_, i) => stored[i] === undefined), appends: [] });
}
