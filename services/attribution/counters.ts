import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { type DailyStats, DailyStatsSchema } from '../../gen/ts/clickmesh/v1/attribution_pb.js';
import type { CounterKey, Increment } from './effects.ts';
import { counterKey, counterName } from './keys.ts';
import type { StateEntry, StateStore } from './state-store.ts';

/** A counter that changed, with its new cumulative value, as it is published. */
export interface ChangedCounter {
  name: string;
  bytes: Buffer;
}

/** The counters of one partition. Those in use are kept in memory. */
export interface Counters {
  /** Adds increments, of which each is later in the log than those of calls before. */
  add(store: StateStore, increments: readonly Increment[]): void;
  /** The counters that changed since the last call. */
  takeChanged(): ChangedCounter[];
  /** The counters that the store does not have as they are, which the caller now stores. */
  takeDirty(): StateEntry[];
}

interface Counter {
  key: Buffer;
  value: DailyStats;
  /** Version that it was loaded with: increments up to it are in it. -1 for a new one. */
  loadedVersion: number;
}

/** Counters kept in memory, most: those of some days of some thousands of campaigns. */
const KEPT = 50_000;

export function newCounters(partition: number): Counters {
  const kept = new Map<string, Counter>();
  const changed = new Set<string>();
  const dirty = new Set<string>();

  function load(store: StateStore, increments: readonly Increment[], names: readonly string[]): void {
    const missing = new Map<string, CounterKey>();
    names.forEach((name, i) => {
      if (!kept.has(name)) missing.set(name, increments[i]!);
    });
    if (missing.size === 0) return;
    const keys = [...missing.values()].map(counterKey);
    const stored = store.getMany(keys);
    [...missing].forEach(([name, key], i) => {
      const bytes = stored[i];
      const value = bytes === undefined ? newCounter(partition, key) : fromBinary(DailyStatsSchema, bytes);
      kept.set(name, { key: keys[i]!, value, loadedVersion: bytes === undefined ? -1 : Number(value.version) });
    });
  }

  return {
    add(store, increments) {
      const names = increments.map(counterName);
      load(store, increments, names);
      increments.forEach(({ clicks, conversionsMicros, revenueMicros, offset }, i) => {
        const name = names[i]!;
        const { value, loadedVersion } = kept.get(name)!;
        if (offset <= loadedVersion) return;
        value.clicks += BigInt(clicks);
        value.conversionsMicros += conversionsMicros;
        value.revenueMicros += revenueMicros;
        value.version = BigInt(offset);
        changed.add(name);
        dirty.add(name);
      });
    },
    takeChanged() {
      const taken = [...changed].map((name) => ({ name, bytes: encode(kept.get(name)!) }));
      changed.clear();
      return taken;
    },
    takeDirty() {
      const taken = [...dirty].map((name) => {
        const counter = kept.get(name)!;
        return { key: counter.key, value: encode(counter) };
      });
      dirty.clear();
      if (kept.size > KEPT && changed.size === 0) kept.clear();
      return taken;
    },
  };
}

function encode({ value }: Counter): Buffer {
  return Buffer.from(toBinary(DailyStatsSchema, value));
}

function newCounter(partition: number, key: CounterKey): DailyStats {
  const { day, campaignId, source, conversionType, model } = key;
  return create(DailyStatsSchema, { partition, day, campaignId, source, conversionType, model });
}
