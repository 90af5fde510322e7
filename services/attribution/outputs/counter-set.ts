import type { ReportDays } from '../../contract/report-days.ts';
import { DAILY_STATS, type Rollup } from '../../contract/rollups.ts';
import type { NewRecord } from '../../log/event-log.ts';
import type { ClickCount, SharesChange } from '../decision/effects.ts';
import type { RememberedConversion, Touch } from '../decision/state.ts';
import { adOf, campaignSourceOf, type TouchTexts } from '../memory/touch-memory.ts';
import { counterHash, counterPrefix, inKeyOrder } from '../store/counter-keys.ts';
import type { StateEntry, StateStore } from '../store/state-store.ts';
import type { Clicks } from './clicks.ts';
import { CounterTable, NOT_STORED } from './counter-table.ts';
import { CounterValues } from './counter-values.ts';
import { type Counted, type Delta, deltaOf } from './deltas.ts';
import { encodeDaily, encodeKey, encodeRollup, encodeStored, encodeStoreKey, readStored } from './encode-counters.ts';
import { ModelNumbers } from './model-numbers.ts';
import { Series } from './series.ts';
import { HASH_WORDS, StoredCounters } from './stored-counters.ts';
import type { TouchRun } from './touch-runs.ts';

/** Flags of a counter. */
const CHANGED = 1;
const DIRTY = 2;
/** Its values are those in the store and what was added since. */
const LOADED = 4;
/** Of its models some were loaded with versions of their own. */
const APART = 8;

/** Most counters read from the store at once. */
const READ_COUNTERS = 1000;

/** More than there are rollups. */
const MOST_SERIES = 64;
const hash = new Int32Array(HASH_WORDS);
/** What is added. */
const delta: Delta = { conversions: 0, revenue: 0, retracted: 0, adjusted: 0, refunds: 0 };

/** Counters of one topic of one partition, of daily_stats or of all other rollups, with the values of all models. */
export class CounterSet {
  readonly #partition: number;
  readonly #isDaily: boolean;
  readonly #series: readonly Series[];
  readonly #table = new CounterTable();
  readonly #models = new ModelNumbers();
  readonly #values = new CounterValues();
  /** What keys in the store and in the topic begin with, by the number of the rollup. */
  readonly #storePrefixes: readonly Buffer[];
  readonly #topicPrefixes: readonly Buffer[];
  /** Numbers of the counters with these flags. */
  #changed: number[] = [];
  #dirty: number[] = [];
  /** What the store has. */
  readonly #stored: StoredCounters;
  /** Counters to be read from the store. */
  readonly #unread: number[] = [];
  /** Counters of the clicks that are added: of one rollup those of all, then of the next. */
  #clicked = new Int32Array(0);
  /** Counters of the runs' touches: of one run those of one rollup, then of the next. */
  #inRuns = new Int32Array(0);
  /** Counters of what else is added, one of each rollup. */
  readonly #found: number[] = [];

  /**
   * @param rollups DAILY_STATS alone, or others
   * @param storedBytes most memory for what is known of the store
   */
  constructor(partition: number, rollups: readonly Rollup[], days: ReportDays, storedBytes: () => number) {
    this.#partition = partition;
    this.#isDaily = rollups[0] === DAILY_STATS;
    const names = rollups.map(({ name }) => (this.#isDaily ? undefined : name));
    this.#storePrefixes = names.map(counterPrefix);
    this.#topicPrefixes = names.map((name) => Buffer.from(`${partition}\0${name === undefined ? '' : `${name}\0`}`));
    this.#stored = new StoredCounters(names, storedBytes);
    this.#series = rollups.map((rollup) => new Series(rollup, days));
  }

  /** About the memory that they take, in bytes. */
  get bytesUsed(): number {
    return this.#table.bytesUsed;
  }

  /** Memory for what is known of the store, in bytes. */
  get storedBytes(): number {
    return this.#stored.bytesUsed;
  }

  get isDirty(): boolean {
    return this.#dirty.length > 0;
  }

  /** Whether what happened at either time, in ms, counts in the same counters. */
  isSamePeriod(a: number, b: number): boolean {
    return this.#series.every((series) => series.periodOf(a) === series.periodOf(b));
  }

  /** Adds clicks and changes of what touches have, see `Counters`; some of these as runs. */
  add(
    store: StateStore,
    texts: TouchTexts,
    plain: Clicks,
    { clicks, changes }: Counted,
    runs: readonly TouchRun[],
  ): void {
    this.#findClicked(texts, plain);
    for (const { touch } of clicks) this.#find(texts, touch, touch.timestamp, '');
    for (let i = 0; i < changes.length; i++) this.#findEach(texts, changes[i]!.touches, changes[i]!.conversion);
    this.#findRuns(texts, runs);
    this.#read(store, texts);
    this.#countClicked(plain);
    let at = 0;
    for (const click of clicks) for (const _ of this.#series) this.#addClicks(this.#found[at++]!, click);
    for (let i = 0; i < changes.length; i++) at = this.#addChange(changes[i]!, at);
    for (let i = 0, at = 0; i < runs.length; i++) at = this.#addRun(texts, runs[i]!, at);
    this.#found.length = 0;
  }

  /**
   * Adds the counters that changed since they were last taken, each with its cumulative value, as it is published,
   * until there are `most` records.
   */
  takeChanged(texts: TouchTexts, taken: NewRecord[], most: number): void {
    for (const counter of this.#changed.splice(0, most - taken.length)) {
      this.#table.setFlags(counter, this.#table.flagsOf(counter) & ~CHANGED);
      taken.push(this.#recordOf(texts, counter));
    }
  }

  /** The counters that the store does not have as they are, which the caller now stores, in the order of their keys. */
  *takeDirty(texts: TouchTexts): Generator<StateEntry> {
    const [table, dirty] = [this.#table, this.#dirty];
    const periods = Float64Array.from(dirty, (counter) => table.seriesOf(counter) * 2 ** 32 + table.periodOf(counter));
    const hashes = Uint32Array.from(dirty, (counter) => counterHash(this.#readValues(texts, counter)));
    for (const i of inKeyOrder(periods, hashes)) {
      const counter = dirty[i]!;
      table.setFlags(counter, table.flagsOf(counter) & ~DIRTY);
      yield {
        key: this.#storeKeyOf(texts, counter),
        value: encodeStored(this.#models.byName, table, counter, this.#isDaily),
      };
    }
    this.#dirty = [];
  }

  /** Forgets all counters, which are stored, and have these texts; memory for about so many bytes of them is kept. */
  forget(bytes: number, texts: TouchTexts): void {
    for (let counter = 0; counter < this.#table.count; counter++) {
      if (this.#table.loadedVersionOf(counter) === NOT_STORED) this.#stored.add(this.#hash(texts, counter));
    }
    this.#table.clear(bytes);
    for (const series of this.#series) series.clear();
    this.#changed = [];
  }

  #findClicked(texts: TouchTexts, clicks: Clicks): void {
    const { count, campaignSources, ads, timestamps } = clicks;
    const needed = count * this.#series.length;
    if (needed > this.#clicked.length) this.#clicked = new Int32Array(2 * needed);
    const clicked = this.#clicked;
    for (let s = 0, at = 0; s < this.#series.length; s++) {
      this.#series[s]!.lastCounters(texts, clicks, clicked, at);
      for (let i = 0; i < count; i++, at++) {
        if (clicked[at]! >= 0) continue;
        const period = this.#series[s]!.periodOf(timestamps[i]!);
        clicked[at] = this.#clickCounterOf(texts, s, campaignSources[i]!, ads[i]!, period);
      }
    }
  }

  #countClicked({ count, offsets }: Clicks): void {
    const clicked = this.#clicked;
    let at = 0;
    for (let s = 0; s < this.#series.length; s++) {
      for (let i = 0; i < count; i++) this.#countClick(clicked[at++]!, offsets[i]!);
    }
  }

  #findRuns(texts: TouchTexts, runs: readonly TouchRun[]): void {
    const needed = runs.reduce((sum, { count }) => sum + count * this.#series.length, 0);
    if (needed > this.#inRuns.length) this.#inRuns = new Int32Array(2 * needed);
    let at = 0;
    for (const { count, campaignSources, ads, conversion } of runs) {
      for (let s = 0; s < this.#series.length; s++) {
        const period = this.#series[s]!.periodOf(conversion.timestamp);
        for (let i = 0; i < count; i++) {
          this.#inRuns[at++] = this.#counterIn(texts, s, campaignSources[i]!, ads[i]!, period, conversion.type);
        }
      }
    }
  }

  /** The counter of a rollup for a click, or for what it has of a conversion of this type. */
  #counterIn(texts: TouchTexts, i: number, campaignSource: number, ad: number, period: number, type: string): number {
    const series = this.#series[i]!;
    if (!series.byType || type === '') return this.#clickCounterOf(texts, i, campaignSource, ad, period);
    return this.#counterOf(i, series.groupOf(texts, campaignSource), series.adOf(texts, ad), period, type);
  }

  #clickCounterOf(texts: TouchTexts, i: number, campaignSource: number, ad: number, period: number): number {
    const series = this.#series[i]!;
    const group = series.groupOf(texts, campaignSource);
    const last = series.lastCounter(group, ad, period);
    if (last >= 0) return last;
    const counter = this.#counterOf(i, group, series.adOf(texts, ad), period, '');
    series.noteLast(group, ad, period, counter);
    return counter;
  }

  /** Finds the counter of each rollup for a touch, or for a conversion without one. */
  #find(texts: TouchTexts, touch: Touch | undefined, timestamp: number, conversionType: string): void {
    const campaignSource = campaignSourceOf(touch, texts);
    const ad = adOf(touch, texts);
    for (let i = 0; i < this.#series.length; i++) {
      const period = this.#series[i]!.periodOf(timestamp);
      this.#found.push(this.#counterIn(texts, i, campaignSource, ad, period, conversionType));
    }
  }

  #findEach(
    texts: TouchTexts,
    touches: readonly (Touch | undefined)[],
    { timestamp, type }: RememberedConversion,
  ): void {
    for (let i = 0; i < touches.length; i++) this.#find(texts, touches[i], timestamp, type);
  }

  #counterOf(series: number, group: number, ad: number, period: number, type: string): number {
    const before = this.#table.count;
    const counter = this.#table.numberOf(series, group, ad, period, type);
    if (counter === before) this.#unread.push(counter);
    return counter;
  }

  #seriesOf(counter: number): Series {
    return this.#series[this.#table.seriesOf(counter)]!;
  }

  #numberOf(model: string): number {
    const number = this.#models.numberOf(model);
    this.#table.reserveModels(this.#models.count);
    return number;
  }

  /** Reads the counters that are new here, many at a time, but for those of periods of which the store has none. */
  #read(store: StateStore, texts: TouchTexts): void {
    const unread: number[] = [];
    const table = this.#table;
    for (const counter of this.#unread) this.#stored.expect(table.seriesOf(counter), table.periodOf(counter));
    for (const counter of this.#unread) {
      const hash = this.#hash(texts, counter);
      const isNew = this.#stored.isNew(store, table.seriesOf(counter), table.periodOf(counter), hash);
      if (isNew) this.#fill(counter, undefined);
      else unread.push(counter);
    }
    this.#stored.expectNone();
    this.#unread.length = 0;
    for (let from = 0; from < unread.length; from += READ_COUNTERS) {
      const counters = unread.slice(from, from + READ_COUNTERS);
      const keys = counters.map((counter) => Buffer.from(this.#storeKeyOf(texts, counter)));
      const stored = store.getMany(keys, true);
      for (let i = 0; i < counters.length; i++) this.#fill(counters[i]!, stored[i]);
    }
  }

  /** A hash of what a counter counts, good until the next call: by texts, not by their numbers, which change. */
  #hash(texts: TouchTexts, counter: number): Int32Array {
    const table = this.#table;
    const { byAd, byMetadata } = this.#seriesOf(counter);
    hash[0] = Math.imul(table.periodOf(counter), MOST_SERIES) + table.seriesOf(counter);
    hash[1] = texts.campaignSources.hashAt(table.groupOf(counter));
    hash[2] = byAd || byMetadata ? texts.ads.hashAt(table.adOf(counter)) : 0;
    hash[3] = table.typeHashOf(counter);
    return hash;
  }

  #fill(counter: number, stored: Buffer | undefined): void {
    const table = this.#table;
    table.setFlags(counter, LOADED);
    if (stored === undefined) table.setLoadedVersion(counter, NOT_STORED);
    else if (readStored(stored, table, counter, this.#models)) table.setFlags(counter, LOADED | APART);
  }

  #countClick(counter: number, offset: number): void {
    const table = this.#table;
    if (offset <= table.loadedVersionOf(counter)) return;
    table.setClicks(counter, table.clicksOf(counter) + 1);
    this.#note(counter, offset);
  }

  #addClicks(counter: number, { clicks, invalidClicks, offset }: ClickCount): void {
    const table = this.#table;
    if (offset <= table.loadedVersionOf(counter)) return;
    // Below 0 it would go for a click that came before its rollup was declared.
    table.setClicks(counter, Math.max(0, table.clicksOf(counter) + clicks));
    if (invalidClicks !== 0) {
      const rare = table.rareOf(counter, 0);
      rare.invalidClicks = Math.max(0, rare.invalidClicks + invalidClicks);
    }
    this.#note(counter, offset);
  }

  /** Adds a change to its counters, which were found from this place on; returns the place behind them. */
  #addChange(change: SharesChange, first: number): number {
    const { touches, models, offset } = change;
    for (let m = 0; m < models.length; m++) {
      const model = this.#numberOf(models[m]!.model);
      let at = first;
      for (let i = 0; i < touches.length; i++, at += this.#series.length) {
        if (deltaOf(change, i, models[m]!, delta)) this.#addToEach(at, model, offset);
      }
    }
    return first + touches.length * this.#series.length;
  }

  /** As `#addChange`. What one of the counters has some of already is added change by change. */
  #addRun(texts: TouchTexts, run: TouchRun, first: number): number {
    const { count, stride, versions, sums, changes } = run;
    const end = first + count * this.#series.length;
    if (this.#isLoadedFrom(run.firstOffset, first, end)) {
      for (const change of changes) {
        const from = this.#found.length;
        this.#findEach(texts, change.touches, change.conversion);
        this.#addChange(change, from);
      }
      return end;
    }
    const models = run.models.map((model) => this.#numberOf(model));
    for (let at = first; at < end; ) {
      for (let i = 0; i < count; i++, at++) {
        const counter = this.#inRuns[at]!;
        this.#table.addSums(counter, models, sums, stride * i);
        this.#note(counter, versions[i]!);
      }
    }
    return end;
  }

  /** Whether one of the runs' counters at these places was loaded with what follows from this offset on. */
  #isLoadedFrom(offset: number, from: number, to: number): boolean {
    for (let at = from; at < to; at++) {
      const counter = this.#inRuns[at]!;
      if (this.#table.loadedVersionOf(counter) >= offset || (this.#table.flagsOf(counter) & APART) !== 0) return true;
    }
    return false;
  }

  /** Adds `delta` to the counter of every rollup, from this place on. */
  #addToEach(at: number, model: number, offset: number): void {
    const table = this.#table;
    for (let n = 0; n < this.#series.length; n++) {
      const counter = this.#found[at + n]!;
      if (offset <= table.loadedVersionOf(counter)) continue;
      if ((table.flagsOf(counter) & APART) !== 0 && offset <= table.rareOf(counter, model).loadedVersion) continue;
      table.add(counter, model, delta);
      this.#note(counter, offset);
    }
  }

  #note(counter: number, version: number): void {
    const table = this.#table;
    if (version > table.versionOf(counter)) table.setVersion(counter, version);
    const flags = table.flagsOf(counter);
    if ((flags & (CHANGED | DIRTY)) === (CHANGED | DIRTY)) return;
    if ((flags & CHANGED) === 0) this.#changed.push(counter);
    if ((flags & DIRTY) === 0) this.#dirty.push(counter);
    table.setFlags(counter, flags | CHANGED | DIRTY);
  }

  #readValues(texts: TouchTexts, counter: number): CounterValues {
    const [table, values] = [this.#table, this.#values];
    values.clear();
    const [group, ad] = [table.groupOf(counter), table.adOf(counter)];
    this.#seriesOf(counter).addValues(texts, group, ad, table.typeOf(counter), values);
    return values;
  }

  /** Good until the next call. */
  #storeKeyOf(texts: TouchTexts, counter: number): Buffer {
    const values = this.#readValues(texts, counter);
    const prefix = this.#storePrefixes[this.#table.seriesOf(counter)]!;
    return encodeStoreKey(prefix, this.#table.periodOf(counter), values);
  }

  /** The counter as it is published. */
  #recordOf(texts: TouchTexts, counter: number): NewRecord {
    const [partition, table, models] = [this.#partition, this.#table, this.#models.byName];
    const values = this.#readValues(texts, counter);
    const period = table.periodOf(counter);
    const key = encodeKey(this.#topicPrefixes[table.seriesOf(counter)]!, period, values, this.#isDaily).toString();
    if (this.#isDaily) {
      return {
        topic: 'daily-stats',
        partition,
        key,
        value: encodeDaily(partition, period, values, models, table, counter),
      };
    }
    const { name } = this.#seriesOf(counter).rollup;
    const value = encodeRollup(partition, name, period, values, models, table, counter);
    return { topic: 'rollup-stats', partition, key, value };
  }
}
