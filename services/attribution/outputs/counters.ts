import assert from 'node:assert/strict';
import { fromBinary } from '@bufbuild/protobuf';
import { DailyStatsSchema, RollupStatsSchema } from '../../../gen/ts/clickmesh/v1/attribution_pb.js';
import { DAILY_STATS, type Rollup } from '../../contract/rollups.ts';
import type { ClickCount, Increment } from '../decision/effects.ts';
import type { Touch } from '../decision/state.ts';
import { InternedTouch, NO_AD, type TouchTexts } from '../memory/touch-memory.ts';
import { counterKey, counterName, periodKeys, rollupKey, rollupName } from '../store/keys.ts';
import type { StateEntry, StateStore } from '../store/state-store.ts';
import { CounterTable, HIGH, type RareValues } from './counter-table.ts';
import { encodeCounter, encodeRollup } from './encode-outputs.ts';
import { Series, type SeriesKey } from './series.ts';

/** A counter that changed, with its new cumulative value, as it is published. */
export interface ChangedCounter {
  topic: 'daily-stats' | 'rollup-stats';
  name: string;
  bytes: Buffer;
}

/** Flags of a counter. */
const CHANGED = 1;
const DIRTY = 2;
/** Its values are those in the store and what was added since. */
const LOADED = 4;

/** Most counters read from the store at once. */
const READ_COUNTERS = 1000;
/** Counters of a period that are read at once from which on a look whether there are any may pay: it costs as much. */
const WORTH_A_LOOK = 16;
/** About the bytes that the object takes which a counter's bytes are kept by, and its name. */
const BUFFER_BYTES = 250;

/** The number of DAILY_STATS among the rollups. */
const DAILY = 0;

/**
 * The counters of one partition, ahead of its store: those of daily_stats, and of other rollups. Those in use are
 * kept in memory. Together they take about `mostBytes`, and what one batch changes beyond it: `isFull` asks for a flush
 * then, and `forgetIfFull` leaves them to the store after it.
 */
export class Counters {
  readonly #partition: number;
  readonly #mostBytes: () => number;
  readonly #series: readonly Series[];
  /** The texts whose numbers are used. */
  #texts: TouchTexts | undefined;
  readonly #table = new CounterTable();
  /** The values of each in bytes, once they are asked for and until they are stored. */
  readonly #bytes: (Buffer | undefined)[] = [];
  /** Their names, as long. */
  readonly #names: (string | undefined)[] = [];
  #bytesKept = 0;
  /** Numbers of the counters with these flags; those changed of daily_stats, and of the other rollups. */
  #changed: number[] = [];
  #changedRollups: number[] = [];
  #dirty: number[] = [];
  /** By the number of a rollup and period, whether the store has only counters that are here. */
  readonly #firstOf = new Map<number, boolean>();
  /** Counters to be read from the store, and the clicks that wait for it: their counters and offsets. */
  readonly #unread: number[] = [];
  readonly #clicked: number[] = [];
  readonly #clickOffsets: number[] = [];
  /** Counters of what is added, one of each rollup. */
  readonly #found: number[] = [];

  /**
   * @param rollups those beside DAILY_STATS
   * @param mostBytes about how many bytes of counters to keep in memory, now
   */
  constructor(partition: number, rollups: readonly Rollup[], mostBytes: () => number) {
    this.#partition = partition;
    this.#mostBytes = mostBytes;
    this.#series = [DAILY_STATS, ...rollups].map((rollup) => new Series(rollup));
  }

  /** About the memory that they take, in bytes. */
  get bytesUsed(): number {
    return this.#table.bytesUsed + this.#bytesKept;
  }

  /** True once a flush is due, as they take too much memory. */
  isFull(): boolean {
    return this.bytesUsed >= this.#mostBytes();
  }

  /**
   * Adds a click, by the numbers of its campaign and source and of its ad in these texts; it counts from the next `add`
   * on. Its offset is greater than those of calls before. The texts may be others than before only when all counters
   * are stored.
   */
  addClick(texts: TouchTexts, campaignSource: number, ad: number, timestamp: number, offset: number): void {
    this.#use(texts);
    for (let i = 0; i < this.#series.length; i++) {
      const counter = this.#clickCounterOf(i, campaignSource, ad, timestamp);
      if ((this.#table.columns.flags[counter]! & LOADED) !== 0) {
        this.#countClick(counter, offset);
        continue;
      }
      this.#clicked.push(counter);
      this.#clickOffsets.push(offset);
    }
  }

  /** Adds clicks and increments in any order, of which each is later in the log than those of calls before. */
  add(store: StateStore, texts: TouchTexts, clicks: readonly ClickCount[], increments: readonly Increment[]): void {
    this.#use(texts);
    for (const { touch } of clicks) this.#find(touch, touch.timestamp, '', '');
    for (const { touch, timestamp, conversionType, model } of increments) {
      this.#find(touch, timestamp, conversionType, model);
    }
    this.#read(store);
    for (let i = 0; i < this.#clicked.length; i++) this.#countClick(this.#clicked[i]!, this.#clickOffsets[i]!);
    let at = 0;
    for (const click of clicks) {
      for (let i = 0; i < this.#series.length; i++) this.#addClicks(this.#found[at++]!, click);
    }
    for (const increment of increments) {
      for (let i = 0; i < this.#series.length; i++) this.#addIncrement(this.#found[at++]!, increment);
    }
    this.#clicked.length = this.#clickOffsets.length = this.#found.length = 0;
  }

  /** The counters that changed since they were last taken: those of daily_stats, and of the other rollups. */
  takeChanged(withRollups = true): ChangedCounter[] {
    const taken: ChangedCounter[] = [];
    for (const counter of this.#changed) taken.push(this.#take(counter));
    this.#changed = [];
    if (!withRollups) return taken;
    for (const counter of this.#changedRollups) taken.push(this.#take(counter));
    this.#changedRollups = [];
    return taken;
  }

  /** The counters that the store does not have as they are, which the caller now stores. */
  *takeDirty(): Generator<StateEntry> {
    for (const counter of this.#dirty) {
      this.#table.columns.flags[counter]! &= ~DIRTY;
      const entry = { key: this.#storeKeyOf(counter), value: this.#bytesOf(counter) };
      this.#dropBytes(counter);
      yield entry;
    }
    this.#dirty = [];
  }

  /**
   * Leaves the counters to the store if they take too much memory. Only when all are stored: and those that changed are
   * taken, but for a replay's, which are published already.
   */
  forgetIfFull(): void {
    if (this.isFull()) this.#forget();
  }

  #use(texts: TouchTexts): void {
    if (this.#texts === texts) return;
    this.#forget();
    this.#texts = texts;
  }

  #forget(): void {
    assert(this.#dirty.length === 0, 'R-6: counters to be forgotten are not stored');
    this.#table.clear(this.#mostBytes());
    for (const series of this.#series) series.clear();
    this.#firstOf.clear();
    this.#changed = [];
    this.#changedRollups = [];
    this.#bytes.length = this.#names.length = this.#bytesKept = 0;
  }

  #clickCounterOf(rollup: number, campaignSource: number, ad: number, timestamp: number): number {
    const series = this.#series[rollup]!;
    const period = series.periodOf(timestamp);
    const group = series.groupOf(this.#texts!, campaignSource);
    const last = series.lastCounter(group, ad, period);
    if (last >= 0) return last;
    const counter = this.#counterOf(rollup, group, series.adOf(this.#texts!, ad), period, '', '');
    series.noteLast(group, ad, period, counter);
    return counter;
  }

  /** Finds the counter of each rollup for a touch, or for a conversion without one. */
  #find(touch: Touch | undefined, timestamp: number, conversionType: string, model: string): void {
    const texts = this.#texts!;
    const campaignSource = campaignSourceOf(touch, texts);
    const ad = adOf(touch, texts);
    for (let i = 0; i < this.#series.length; i++) {
      const series = this.#series[i]!;
      const group = series.groupOf(texts, campaignSource);
      const type = series.byType ? conversionType : '';
      const counter = this.#counterOf(i, group, series.adOf(texts, ad), series.periodOf(timestamp), type, model);
      this.#found.push(counter);
    }
  }

  #counterOf(rollup: number, group: number, ad: number, period: number, type: string, model: string): number {
    const before = this.#table.count;
    const counter = this.#table.numberOf(rollup, group, ad, period, type, model);
    if (counter === before) {
      this.#table.columns.flags[counter] = 0;
      this.#bytes.push(undefined);
      this.#names.push(undefined);
      this.#unread.push(counter);
    }
    return counter;
  }

  /** Reads the counters that are new here, many at a time, but for those of periods of which the store has none. */
  #read(store: StateStore): void {
    const unread: number[] = [];
    const ofPeriods = new Map<number, number>();
    for (const counter of this.#unread) {
      const period = this.#periodNumberOf(counter);
      ofPeriods.set(period, (ofPeriods.get(period) ?? 0) + 1);
    }
    for (const counter of this.#unread) {
      const isWorthIt = ofPeriods.get(this.#periodNumberOf(counter))! >= WORTH_A_LOOK;
      if (this.#isOfFirst(store, counter, isWorthIt)) this.#fill(counter, undefined);
      else unread.push(counter);
    }
    this.#unread.length = 0;
    for (let from = 0; from < unread.length; from += READ_COUNTERS) {
      const counters = unread.slice(from, from + READ_COUNTERS);
      const stored = store.getMany(counters.map((counter) => this.#storeKeyOf(counter)));
      for (let i = 0; i < counters.length; i++) this.#fill(counters[i]!, stored[i]);
    }
  }

  /** Whether the store had no counter of the same rollup and period when it was first asked: it has none but these. */
  #isOfFirst(store: StateStore, counter: number, isWorthIt: boolean): boolean {
    const number = this.#periodNumberOf(counter);
    const known = this.#firstOf.get(number);
    if (known !== undefined || !isWorthIt) return known ?? false;
    const [rollup, period] = [this.#table.rollupOf(counter), this.#table.periodOf(counter)];
    const [from, to] = periodKeys(rollup === DAILY ? undefined : this.#series[rollup]!.rollup.name, period);
    const isFirst = store.scan(from, to, 1).length === 0;
    this.#firstOf.set(number, isFirst);
    return isFirst;
  }

  /** A number for the counter's rollup and period. */
  #periodNumberOf(counter: number): number {
    return this.#table.periodOf(counter) * this.#series.length + this.#table.rollupOf(counter);
  }

  #fill(counter: number, stored: Buffer | undefined): void {
    const { columns } = this.#table;
    columns.flags[counter] = LOADED;
    if (stored === undefined) {
      columns.clicks[counter] = columns.version[counter] = 0;
      columns.conversionsMicros[counter] = columns.revenueMicros[counter] = 0n;
      columns.loadedVersion[counter] = -1;
      return;
    }
    const isDaily = this.#table.rollupOf(counter) === DAILY;
    const read = isDaily ? fromBinary(DailyStatsSchema, stored) : fromBinary(RollupStatsSchema, stored);
    columns.clicks[counter] = Number(read.clicks);
    columns.conversionsMicros[counter] = read.conversionsMicros;
    columns.version[counter] = columns.loadedVersion[counter] = Number(read.version);
    const revenueMicros = BigInt(read.revenueHigh) * HIGH + read.revenueMicros;
    columns.revenueMicros[counter] = revenueMicros % HIGH;
    const rare: RareValues = {
      invalidClicks: Number(read.invalidClicks),
      retractedMicros: read.retractedMicros,
      adjustedMicros: BigInt(read.adjustedHigh) * HIGH + read.adjustedMicros,
      refundsMicros: BigInt(read.refundsHigh) * HIGH + read.refundsMicros,
      revenueHigh: revenueMicros / HIGH,
    };
    if (Object.values(rare).some(Boolean)) this.#table.rare.set(counter, rare);
  }

  #countClick(counter: number, offset: number): void {
    const { columns } = this.#table;
    if (offset <= columns.loadedVersion[counter]!) return;
    columns.clicks[counter]!++;
    this.#note(counter, offset);
  }

  #addClicks(counter: number, { clicks, invalidClicks, offset }: ClickCount): void {
    const { columns } = this.#table;
    if (offset <= columns.loadedVersion[counter]!) return;
    // Below 0 it would go for a click that came before its rollup was declared.
    columns.clicks[counter] = Math.max(0, columns.clicks[counter]! + clicks);
    if (invalidClicks !== 0) {
      const rare = this.#table.rareOf(counter);
      rare.invalidClicks = Math.max(0, rare.invalidClicks + invalidClicks);
    }
    this.#note(counter, offset);
  }

  #addIncrement(counter: number, increment: Increment): void {
    const { columns } = this.#table;
    const { offset, retractedMicros, adjustedMicros, refundsMicros } = increment;
    if (offset <= columns.loadedVersion[counter]!) return;
    columns.conversionsMicros[counter]! += increment.conversionsMicros;
    const revenueMicros = columns.revenueMicros[counter]! + increment.revenueMicros;
    columns.revenueMicros[counter] = revenueMicros;
    if (revenueMicros >= HIGH || revenueMicros <= -HIGH) {
      columns.revenueMicros[counter] = revenueMicros % HIGH;
      this.#table.rareOf(counter).revenueHigh += revenueMicros / HIGH;
    }
    if (retractedMicros !== 0n || adjustedMicros !== 0n || refundsMicros !== 0n) {
      const rare = this.#table.rareOf(counter);
      rare.retractedMicros += retractedMicros;
      rare.adjustedMicros += adjustedMicros;
      rare.refundsMicros += refundsMicros;
    }
    this.#note(counter, offset);
  }

  #note(counter: number, version: number): void {
    const { columns } = this.#table;
    if (version > columns.version[counter]!) columns.version[counter] = version;
    this.#dropBytes(counter);
    const flags = columns.flags[counter]!;
    if ((flags & CHANGED) === 0) {
      (this.#table.rollupOf(counter) === DAILY ? this.#changed : this.#changedRollups).push(counter);
    }
    if ((flags & DIRTY) === 0) this.#dirty.push(counter);
    columns.flags[counter] = LOADED | CHANGED | DIRTY;
  }

  #take(counter: number): ChangedCounter {
    const table = this.#table;
    table.columns.flags[counter]! &= ~CHANGED;
    const isDaily = table.rollupOf(counter) === DAILY;
    const bytes = this.#bytesOf(counter);
    const name = this.#nameOf(counter);
    this.#names[counter] = name;
    return { topic: isDaily ? 'daily-stats' : 'rollup-stats', name, bytes };
  }

  #storeKeyOf(counter: number): Buffer {
    const name = this.#nameOf(counter);
    return this.#table.rollupOf(counter) === DAILY ? counterKey(name) : rollupKey(name);
  }

  #nameOf(counter: number): string {
    const known = this.#names[counter];
    if (known !== undefined) return known;
    const key = this.#keyOf(counter);
    const series = this.#series[this.#table.rollupOf(counter)]!;
    if (series.rollup === DAILY_STATS) return counterName({ ...key, day: key.period });
    return rollupName({ rollup: series.rollup.name, ...key, values: series.valuesOf(key) });
  }

  #keyOf(counter: number): SeriesKey {
    const [table, texts] = [this.#table, this.#texts!];
    const { campaignId, source } = texts.textsOf(table.groupOf(counter));
    const { byAd, byMetadata } = this.#series[table.rollupOf(counter)]!;
    const ad = table.adOf(counter);
    const adId = byAd ? texts.adIdOf(ad) : '';
    const metadata = byMetadata ? texts.metadataOf(ad) : '';
    const [conversionType, model] = [table.typeOf(counter), table.modelOf(counter)];
    return { period: table.periodOf(counter), campaignId, adId, source, metadata, conversionType, model };
  }

  #bytesOf(counter: number): Buffer {
    const known = this.#bytes[counter];
    if (known !== undefined) return known;
    const { columns, rare } = this.#table;
    const series = this.#series[this.#table.rollupOf(counter)]!;
    const key = this.#keyOf(counter);
    const values = {
      clicks: columns.clicks[counter]!,
      conversionsMicros: columns.conversionsMicros[counter]!,
      revenueMicros: columns.revenueMicros[counter]!,
      rare: rare.get(counter),
      version: columns.version[counter]!,
    };
    const bytes =
      series.rollup === DAILY_STATS
        ? encodeCounter(this.#partition, { ...key, day: key.period }, values)
        : encodeRollup(this.#partition, { rollup: series.rollup.name, ...key, values: series.valuesOf(key) }, values);
    this.#bytes[counter] = bytes;
    this.#bytesKept += BUFFER_BYTES + bytes.length;
    return bytes;
  }

  #dropBytes(counter: number): void {
    const bytes = this.#bytes[counter];
    if (bytes === undefined) return;
    this.#bytesKept -= BUFFER_BYTES + bytes.length;
    this.#bytes[counter] = undefined;
    this.#names[counter] = undefined;
  }
}

function campaignSourceOf(touch: Touch | undefined, texts: TouchTexts): number {
  if (touch instanceof InternedTouch && touch.texts === texts) return touch.campaignSource;
  return texts.campaignSourceNamed(touch?.campaignId ?? '', touch?.source ?? '');
}

function adOf(touch: Touch | undefined, texts: TouchTexts): number {
  return touch instanceof InternedTouch && touch.texts === texts ? touch.ad : texts.adNamed(touch ?? NO_AD);
}
