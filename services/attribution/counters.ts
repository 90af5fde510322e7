import { fromBinary } from '@bufbuild/protobuf';
import { DailyStatsSchema } from '../../gen/ts/clickmesh/v1/attribution_pb.js';
import { type CounterKey, dayOf, type Increment, type NewClick } from './effects.ts';
import { type CounterValues, encodeCounter } from './encode-outputs.ts';
import { counterKey, counterName } from './keys.ts';
import type { Touch } from './state.ts';
import type { StateEntry, StateStore } from './state-store.ts';
import { putAt } from './texts.ts';
import { InternedTouch, type TouchTexts } from './touch.ts';

/** A counter that changed, with its new cumulative value, as it is published. */
export interface ChangedCounter {
  name: string;
  bytes: Buffer;
}

/** The counters of one partition. Those in use are kept in memory. */
export interface Counters {
  /** Adds a click, by the number of its placement in these texts. Its offset is greater than those of calls before. */
  addClick(store: StateStore, texts: TouchTexts, placement: number, timestamp: number, offset: number): void;
  /** Adds clicks and increments in any order, of which each is later in the log than those of calls before. */
  add(store: StateStore, clicks: readonly NewClick[], increments: readonly Increment[]): void;
  /** The counters that changed since the last call. */
  takeChanged(): ChangedCounter[];
  /** The counters that the store does not have as they are, which the caller now stores. */
  takeDirty(): StateEntry[];
}

interface Counter extends CounterKey, CounterValues {
  name: string;
  /** Its value in bytes, once they are asked for and until it is stored. */
  bytes: Buffer | undefined;
  /** Version that it was loaded with: increments up to it are in it. -1 for a new one. */
  loadedVersion: number;
  isChanged: boolean;
  isDirty: boolean;
}

/** What of a counter's key is not the placement. */
type CounterKind = Omit<CounterKey, 'campaignId' | 'source'>;

/** A placement by its number. */
interface Placed {
  texts: TouchTexts;
  placement: number;
}

/** Counters kept in memory, most: those of some days of some thousands of campaigns. */
const KEPT = 50_000;

export function newCounters(partition: number): Counters {
  const kept = new Map<string, Counter>();
  const numbered = new NumberedCounters();
  let changed: Counter[] = [];
  let dirty: Counter[] = [];

  function counterOf(store: StateStore, key: CounterKey): Counter {
    const name = counterName(key);
    const found = kept.get(name);
    if (found !== undefined) return found;
    const [stored] = store.getMany([counterKey(name)]);
    const counter = loadCounter(key, name, stored);
    kept.set(name, counter);
    return counter;
  }

  /** Without strings of campaigns and sources, but for the first time. */
  function counterAt(store: StateStore, { texts, placement }: Placed, kind: CounterKind): Counter {
    const ofDay = numbered.ofDay(texts, kind);
    const known = ofDay[placement];
    if (known !== undefined) return known;
    const counter = counterOf(store, { ...kind, ...texts.textsOf(placement) });
    putAt(ofDay, placement, counter);
    return counter;
  }

  function counterFor(store: StateStore, touch: Touch, kind: CounterKind): Counter {
    if (touch instanceof InternedTouch) return counterAt(store, touch, kind);
    return counterOf(store, { ...kind, campaignId: touch.campaignId, source: touch.source });
  }

  function note(counter: Counter, version: number): void {
    counter.version = Math.max(counter.version, version);
    counter.bytes = undefined;
    if (!counter.isChanged) changed.push(counter);
    if (!counter.isDirty) dirty.push(counter);
    counter.isChanged = counter.isDirty = true;
  }

  function countClick(counter: Counter, offset: number): void {
    if (offset <= counter.loadedVersion) return;
    counter.clicks++;
    note(counter, offset);
  }

  function bytesOf(counter: Counter): Buffer {
    counter.bytes ??= encodeCounter(partition, counter);
    return counter.bytes;
  }

  return {
    addClick(store, texts, placement, timestamp, offset) {
      countClick(counterAt(store, { texts, placement }, clickKind(timestamp)), offset);
    },
    add(store, clicks, increments) {
      for (const { touch, offset } of clicks) countClick(counterFor(store, touch, clickKind(touch.timestamp)), offset);
      for (const increment of increments) {
        const counter = counterFor(store, increment.touch, increment);
        if (increment.offset <= counter.loadedVersion) continue;
        counter.conversionsMicros += increment.conversionsMicros;
        counter.revenueMicros += increment.revenueMicros;
        note(counter, increment.offset);
      }
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
        numbered.clear();
      }
      return taken.map((counter) => {
        const value = bytesOf(counter);
        counter.bytes = undefined;
        return { key: counterKey(counter.name), value };
      });
    },
  };
}

/** Counters by the numbers of placements, which change their meaning with the texts. */
class NumberedCounters {
  /** Those of clicks, whose kind is empty, and of kinds of conversions. */
  readonly #kinds = new Map<string, Map<number, (Counter | undefined)[]>>();
  #texts: TouchTexts | undefined;

  ofDay(texts: TouchTexts, { day, conversionType, model }: CounterKind): (Counter | undefined)[] {
    if (this.#texts !== texts) this.clear();
    this.#texts = texts;
    // A click has no model, a conversion always.
    const kind = model === '' ? '' : `${conversionType}\0${model}`;
    let days = this.#kinds.get(kind);
    if (days === undefined) {
      days = new Map();
      this.#kinds.set(kind, days);
    }
    let ofDay = days.get(day);
    if (ofDay === undefined) {
      ofDay = [];
      days.set(day, ofDay);
    }
    return ofDay;
  }

  clear(): void {
    this.#kinds.clear();
  }
}

/** @param stored a new one without it */
function loadCounter(key: CounterKey, name: string, stored: Buffer | undefined): Counter {
  const { day, campaignId, source, conversionType, model } = key;
  const { clicks, conversionsMicros, revenueMicros, version } = stored === undefined ? NOTHING : valuesOf(stored);
  return {
    day,
    campaignId,
    source,
    conversionType,
    model,
    name,
    clicks,
    conversionsMicros,
    revenueMicros,
    version,
    loadedVersion: stored === undefined ? -1 : version,
    bytes: undefined,
    isChanged: false,
    isDirty: false,
  };
}

const NOTHING: CounterValues = { clicks: 0, conversionsMicros: 0n, revenueMicros: 0n, version: 0 };

function valuesOf(bytes: Buffer): CounterValues {
  const { clicks, conversionsMicros, revenueMicros, version } = fromBinary(DailyStatsSchema, bytes);
  return { clicks: Number(clicks), conversionsMicros, revenueMicros, version: Number(version) };
}

function clickKind(timestamp: number): CounterKind {
  return { day: dayOf(timestamp), conversionType: '', model: '' };
}
