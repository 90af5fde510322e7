import { create, fromBinary } from '@bufbuild/protobuf';
import { type DailyStats, DailyStatsSchema } from '../../gen/ts/clickmesh/v1/attribution_pb.js';
import type { CounterKey, Increment } from './effects.ts';
import { encodeCounter } from './encode-outputs.ts';
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
  name: string;
  key: Buffer;
  value: DailyStats;
  /** Its value in bytes, once they are asked for. */
  bytes: Buffer | undefined;
  /** Version that it was loaded with: increments up to it are in it. -1 for a new one. */
  loadedVersion: number;
  isChanged: boolean;
  isDirty: boolean;
}

/** Counters kept in memory, most: those of some days of some thousands of campaigns. */
const KEPT = 50_000;

export function newCounters(partition: number): Counters {
  const kept = new Map<string, Counter>();
  let changed: Counter[] = [];
  let dirty: Counter[] = [];

  function load(store: StateStore, missing: ReadonlyMap<string, CounterKey>): void {
    const keys = [...missing.values()].map(counterKey);
    const stored = store.getMany(keys);
    [...missing].forEach(([name, key], i) => {
      const bytes = stored[i];
      const value = bytes === undefined ? newCounter(partition, key) : fromBinary(DailyStatsSchema, bytes);
      const loadedVersion = bytes === undefined ? -1 : Number(value.version);
      kept.set(name, { name, key: keys[i]!, value, bytes, loadedVersion, isChanged: false, isDirty: false });
    });
  }

  function note(counter: Counter): void {
    counter.bytes = undefined;
    if (!counter.isChanged) changed.push(counter);
    if (!counter.isDirty) dirty.push(counter);
    counter.isChanged = counter.isDirty = true;
  }

  return {
    add(store, increments) {
      const missing = new Map<string, CounterKey>();
      const found = increments.map((increment) => {
        const name = counterName(increment);
        const counter = kept.get(name);
        if (counter === undefined) missing.set(name, increment);
        return counter ?? name;
      });
      if (missing.size > 0) load(store, missing);
      found.forEach((each, i) => {
        const counter = typeof each === 'string' ? kept.get(each)! : each;
        if (increments[i]!.offset <= counter.loadedVersion) return;
        apply(counter.value, increments[i]!);
        note(counter);
      });
    },
    takeChanged() {
      const taken = changed;
      changed = [];
      for (const counter of taken) counter.isChanged = false;
      return taken.map((counter) => ({ name: counter.name, bytes: bytesOf(counter) }));
    },
    takeDirty() {
      const taken = dirty;
      dirty = [];
      for (const counter of taken) counter.isDirty = false;
      if (kept.size > KEPT && changed.length === 0) kept.clear();
      return taken.map((counter) => ({ key: counter.key, value: bytesOf(counter) }));
    },
  };
}

function apply(counter: DailyStats, { clicks, conversionsMicros, revenueMicros, offset }: Increment): void {
  counter.version = BigInt(offset);
  if (clicks !== 0) counter.clicks += BigInt(clicks);
  if (conversionsMicros !== 0n) counter.conversionsMicros += conversionsMicros;
  if (revenueMicros !== 0n) counter.revenueMicros += revenueMicros;
}

function bytesOf(counter: Counter): Buffer {
  counter.bytes ??= encodeCounter(counter.value);
  return counter.bytes;
}

function newCounter(partition: number, key: CounterKey): DailyStats {
  const { day, campaignId, source, conversionType, model } = key;
  return create(DailyStatsSchema, { partition, day, campaignId, source, conversionType, model });
}
