import { fromBinary } from '@bufbuild/protobuf';
import { DailyStatsSchema } from '../../gen/ts/clickmesh/v1/attribution_pb.js';
import { newClickIndex } from './click-index.ts';
import { type CounterKey, dayOf, type Increment, type NewClick } from './effects.ts';
import { type CounterValues, encodeCounter } from './encode-outputs.ts';
import { counterKey, counterName } from './keys.ts';
import type { Touch } from './state.ts';
import type { StateEntry, StateStore } from './state-store.ts';

/** A counter that changed, with its new cumulative value, as it is published. */
export interface ChangedCounter {
  name: string;
  bytes: Buffer;
}

/** The counters of one partition. Those in use are kept in memory. */
export interface Counters {
  /** Adds clicks and increments, of which each is later in the log than those of calls before. */
  add(store: StateStore, clicks: readonly NewClick[], increments: readonly Increment[]): void;
  /** The counters that changed since the last call. */
  takeChanged(): ChangedCounter[];
  /** The counters that the store does not have as they are, which the caller now stores. */
  takeDirty(): StateEntry[];
}

interface Counter extends CounterKey, CounterValues {
  name: string;
  /** In the store. */
  key: Buffer;
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
  const ofClicks = newClickIndex<Counter>();
  let changed: Counter[] = [];
  let dirty: Counter[] = [];

  function load(store: StateStore, missing: ReadonlyMap<string, CounterKey>): void {
    const keys = [...missing.values()].map(counterKey);
    const stored = store.getMany(keys);
    [...missing].forEach(([name, key], i) => {
      const bytes = stored[i];
      const values = bytes === undefined ? NOTHING : valuesOf(bytes);
      const loadedVersion = bytes === undefined ? -1 : values.version;
      const counter = { ...keyOf(key), ...values, name, key: keys[i]!, bytes, loadedVersion };
      kept.set(name, { ...counter, isChanged: false, isDirty: false });
    });
  }

  /** The counter's name; notes it if it is missing. */
  function nameOf(key: CounterKey, missing: Map<string, CounterKey>): string {
    const name = counterName(key);
    if (!kept.has(name)) missing.set(name, key);
    return name;
  }

  function note(counter: Counter, version: number): void {
    counter.version = version;
    counter.bytes = undefined;
    if (!counter.isChanged) changed.push(counter);
    if (!counter.isDirty) dirty.push(counter);
    counter.isChanged = counter.isDirty = true;
  }

  function bytesOf(counter: Counter): Buffer {
    counter.bytes ??= encodeCounter(partition, counter);
    return counter.bytes;
  }

  return {
    add(store, clicks, increments) {
      const missing = new Map<string, CounterKey>();
      const clicked = clicks.map(({ touch }) => ofClicks.get(touch) ?? nameOf(clickKey(touch), missing));
      const credited = increments.map((increment) => nameOf(increment, missing));
      if (missing.size > 0) load(store, missing);
      clicks.forEach(({ touch, offset }, i) => {
        const found = clicked[i]!;
        const counter = typeof found === 'string' ? kept.get(found)! : found;
        if (typeof found === 'string') ofClicks.add(touch, counter);
        if (offset <= counter.loadedVersion) return;
        counter.clicks++;
        note(counter, offset);
      });
      increments.forEach(({ conversionsMicros, revenueMicros, offset }, i) => {
        const counter = kept.get(credited[i]!)!;
        if (offset <= counter.loadedVersion) return;
        counter.conversionsMicros += conversionsMicros;
        counter.revenueMicros += revenueMicros;
        note(counter, offset);
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
      if (kept.size > KEPT && changed.length === 0) {
        kept.clear();
        ofClicks.clear();
      }
      return taken.map((counter) => ({ key: counter.key, value: bytesOf(counter) }));
    },
  };
}

const NOTHING: CounterValues = { clicks: 0, conversionsMicros: 0n, revenueMicros: 0n, version: 0 };

function valuesOf(bytes: Buffer): CounterValues {
  const { clicks, conversionsMicros, revenueMicros, version } = fromBinary(DailyStatsSchema, bytes);
  return { clicks: Number(clicks), conversionsMicros, revenueMicros, version: Number(version) };
}

function keyOf({ day, campaignId, source, conversionType, model }: CounterKey): CounterKey {
  return { day, campaignId, source, conversionType, model };
}

function clickKey({ timestamp, campaignId, source }: Touch): CounterKey {
  return { day: dayOf(timestamp), campaignId, source, conversionType: '', model: '' };
}
