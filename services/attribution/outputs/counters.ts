import { fromBinary } from '@bufbuild/protobuf';
import { DailyStatsSchema } from '../../../gen/ts/clickmesh/v1/attribution_pb.js';
import { type CounterKey, dayOf, type Increment, type NewClick } from '../decision/effects.ts';
import type { Touch } from '../decision/state.ts';
import { putAt } from '../memory/string-table.ts';
import { InternedTouch, type TouchTexts } from '../memory/touch-memory.ts';
import { counterKey, counterName } from '../store/keys.ts';
import type { StateEntry, StateStore } from '../store/state-store.ts';
import { encodeCounter } from './encode-outputs.ts';

/** A counter that changed, with its new cumulative value, as it is published. */
export interface ChangedCounter {
  name: string;
  bytes: Buffer;
}

/** Most counters kept in memory: those of some days of some thousands of campaigns. */
const KEPT = 50_000;
const FIRST_COUNTERS = 1024;

/** Flags of a counter. */
const CHANGED = 1;
const DIRTY = 2;

/** The counters of a day and a kind: of clicks, or of conversions of a type under a model. */
interface CounterSeries extends Pick<CounterKey, 'day' | 'conversionType' | 'model'> {
  /** Numbers of counters, by the numbers of their campaign and source. */
  numbers: (number | undefined)[];
}

/**
 * The counters of one partition. Those in use are kept in memory, each a number, by which its values lie in columns:
 * objects of tens of thousands of counters, with big integers of their own, were most of what V8 had to mark.
 */
export class Counters {
  readonly #partition: number;
  /** The texts whose numbers of campaign and source are used. */
  #texts: TouchTexts | undefined;
  readonly #series = new Map<string, Map<number, CounterSeries>>();
  /** The series of the last click. */
  #clicks: CounterSeries | undefined;
  #columns = newColumns(FIRST_COUNTERS);
  /** The series of each counter. */
  readonly #seriesOf: CounterSeries[] = [];
  /** The values of each in bytes, once they are asked for and until they are stored. */
  readonly #bytes: (Buffer | undefined)[] = [];
  /** Numbers of the counters with these flags. */
  #changed: number[] = [];
  #dirty: number[] = [];
  /** Counters that changed before they were forgotten. */
  #forgotten: ChangedCounter[] = [];

  constructor(partition: number) {
    this.#partition = partition;
  }

  /**
   * Adds a click, by the number of its campaign and source in these texts. Its offset is greater than those of calls
   * before. The texts may be others than before only when all counters are stored.
   */
  addClick(store: StateStore, texts: TouchTexts, campaignSource: number, timestamp: number, offset: number): void {
    this.#use(texts);
    this.#countClick(this.#counterIn(store, this.#clicksOn(dayOf(timestamp)), campaignSource), offset);
  }

  /** Adds clicks and increments in any order, of which each is later in the log than those of calls before. */
  add(store: StateStore, texts: TouchTexts, clicks: readonly NewClick[], increments: readonly Increment[]): void {
    this.#use(texts);
    for (const { touch, offset } of clicks) {
      const series = this.#clicksOn(dayOf(touch.timestamp));
      this.#countClick(this.#counterIn(store, series, campaignSourceOf(touch, texts)), offset);
    }
    for (const { day, conversionType, model, touch, offset, conversionsMicros, revenueMicros } of increments) {
      const series = this.#seriesOn(day, conversionType, model);
      const counter = this.#counterIn(store, series, campaignSourceOf(touch, texts));
      const columns = this.#columns;
      if (offset <= columns.loadedVersion[counter]!) continue;
      columns.conversionsMicros[counter]! += conversionsMicros;
      columns.revenueMicros[counter]! += revenueMicros;
      this.#note(counter, offset);
    }
  }

  /** The counters that changed since the last call. */
  takeChanged(): ChangedCounter[] {
    const taken = this.#forgotten;
    this.#forgotten = [];
    for (const counter of this.#changed) {
      this.#columns.flags[counter]! &= ~CHANGED;
      taken.push({ name: counterName(this.#keyOf(counter)), bytes: this.#bytesOf(counter) });
    }
    this.#changed = [];
    return taken;
  }

  /** The counters that the store does not have as they are, which the caller now stores. */
  takeDirty(): StateEntry[] {
    const taken: StateEntry[] = [];
    for (const counter of this.#dirty) {
      this.#columns.flags[counter]! &= ~DIRTY;
      const value = this.#bytesOf(counter);
      this.#bytes[counter] = undefined;
      taken.push({ key: counterKey(counterName(this.#keyOf(counter))), value });
    }
    this.#dirty = [];
    if (this.#seriesOf.length > KEPT) this.#forget();
    return taken;
  }

  #use(texts: TouchTexts): void {
    if (this.#texts === texts) return;
    this.#forget();
    this.#texts = texts;
  }

  #forget(): void {
    if (this.#dirty.length > 0) throw new Error('R-6: counters to be forgotten are not stored');
    this.#forgotten = this.takeChanged();
    this.#series.clear();
    this.#clicks = undefined;
    this.#seriesOf.length = this.#bytes.length = 0;
  }

  #clicksOn(day: number): CounterSeries {
    if (this.#clicks?.day !== day) this.#clicks = this.#seriesOn(day, '', '');
    return this.#clicks;
  }

  #seriesOn(day: number, conversionType: string, model: string): CounterSeries {
    // A click has no model, a conversion always.
    const kind = model === '' ? '' : `${conversionType}\0${model}`;
    let days = this.#series.get(kind);
    if (days === undefined) {
      days = new Map();
      this.#series.set(kind, days);
    }
    let series = days.get(day);
    if (series === undefined) {
      series = { day, conversionType, model, numbers: [] };
      days.set(day, series);
    }
    return series;
  }

  #counterIn(store: StateStore, series: CounterSeries, campaignSource: number): number {
    const known = series.numbers[campaignSource];
    if (known !== undefined) return known;
    const counter = this.#load(store, series, campaignSource);
    putAt(series.numbers, campaignSource, counter);
    return counter;
  }

  #load(store: StateStore, series: CounterSeries, campaignSource: number): number {
    const counter = this.#seriesOf.push(series) - 1;
    if (counter === this.#columns.flags.length) this.#columns = largerColumns(this.#columns);
    this.#bytes.push(undefined);
    const columns = this.#columns;
    columns.campaignSource[counter] = campaignSource;
    const [stored] = store.getMany([counterKey(counterName(this.#keyOf(counter)))]);
    const values = fromBinary(DailyStatsSchema, stored ?? NOTHING);
    columns.clicks[counter] = Number(values.clicks);
    columns.conversionsMicros[counter] = values.conversionsMicros;
    columns.revenueMicros[counter] = values.revenueMicros;
    columns.version[counter] = Number(values.version);
    columns.loadedVersion[counter] = stored === undefined ? -1 : Number(values.version);
    columns.flags[counter] = 0;
    return counter;
  }

  #countClick(counter: number, offset: number): void {
    if (offset <= this.#columns.loadedVersion[counter]!) return;
    this.#columns.clicks[counter]!++;
    this.#note(counter, offset);
  }

  #note(counter: number, version: number): void {
    const columns = this.#columns;
    if (version > columns.version[counter]!) columns.version[counter] = version;
    if (this.#bytes[counter] !== undefined) this.#bytes[counter] = undefined;
    const flags = columns.flags[counter]!;
    if ((flags & CHANGED) === 0) this.#changed.push(counter);
    if ((flags & DIRTY) === 0) this.#dirty.push(counter);
    columns.flags[counter] = CHANGED | DIRTY;
  }

  #keyOf(counter: number): CounterKey {
    const { day, conversionType, model } = this.#seriesOf[counter]!;
    return { day, conversionType, model, ...this.#texts!.textsOf(this.#columns.campaignSource[counter]!) };
  }

  #bytesOf(counter: number): Buffer {
    const known = this.#bytes[counter];
    if (known !== undefined) return known;
    const columns = this.#columns;
    const bytes = encodeCounter(this.#partition, {
      ...this.#keyOf(counter),
      clicks: columns.clicks[counter]!,
      conversionsMicros: columns.conversionsMicros[counter]!,
      revenueMicros: columns.revenueMicros[counter]!,
      version: columns.version[counter]!,
    });
    this.#bytes[counter] = bytes;
    return bytes;
  }
}

/** Values of each counter, by its number. */
type CounterColumns = ReturnType<typeof newColumns>;

function newColumns(counters: number) {
  return {
    campaignSource: new Int32Array(counters),
    clicks: new Float64Array(counters),
    conversionsMicros: new BigInt64Array(counters),
    revenueMicros: new BigInt64Array(counters),
    /** Offset of the last event that changed it. */
    version: new Float64Array(counters),
    /** Version in the store, whose values contain all up to it; -1 for a new counter. */
    loadedVersion: new Float64Array(counters),
    flags: new Uint8Array(counters),
  };
}

function largerColumns(columns: CounterColumns): CounterColumns {
  const larger = newColumns(2 * columns.flags.length);
  // The compiler does not see that the two columns of a name have one type.
  for (const name of Object.keys(columns) as (keyof CounterColumns)[]) larger[name].set(columns[name] as never);
  return larger;
}

function campaignSourceOf(touch: Touch, texts: TouchTexts): number {
  if (touch instanceof InternedTouch && touch.texts === texts) return touch.campaignSource;
  return texts.campaignSourceNamed(touch.campaignId, touch.source);
}

/** A DailyStats of zeros. */
const NOTHING = Buffer.alloc(0);
