import assert from 'node:assert/strict';
import type { ReportDays } from '../../contract/report-days.ts';
import { DAILY_STATS, type Rollup } from '../../contract/rollups.ts';
import type { NewRecord } from '../../log/event-log.ts';
import type { ClickCount } from '../decision/effects.ts';
import { adOf, campaignSourceOf, type TouchTexts } from '../memory/touch-memory.ts';
import type { StateEntry, StateStore } from '../store/state-store.ts';
import { Clicks } from './clicks.ts';
import { CounterSet } from './counter-set.ts';
import type { Counted } from './deltas.ts';
import { inRuns } from './touch-runs.ts';

/**
 * The counters of one partition, ahead of its store: those of daily_stats, and of other rollups. Those in use are
 * kept in memory. Together they take about `mostBytes`, and what one batch changes beyond it: `isFull` asks for a flush
 * then, and `forgetIfFull` leaves them to the store after it. As much again may be known of which are in the store.
 */
export class Counters {
  readonly #mostBytes: () => number;
  readonly #daily: CounterSet;
  readonly #rollups: CounterSet;
  /** Those that the next `add` counts. */
  readonly #clicks = new Clicks();
  /** The texts whose numbers are used. */
  #texts: TouchTexts | undefined;
  readonly #isSamePeriod = (a: number, b: number) => this.#daily.isSamePeriod(a, b) && this.#rollups.isSamePeriod(a, b);

  /**
   * @param rollups those beside DAILY_STATS
   * @param days those that they are by
   * @param mostBytes about how many bytes of counters to keep in memory, now
   */
  constructor(partition: number, rollups: readonly Rollup[], days: ReportDays, mostBytes: () => number) {
    this.#mostBytes = mostBytes;
    const storedBytes = () => mostBytes() / 2;
    this.#daily = new CounterSet(partition, [DAILY_STATS], days, storedBytes);
    this.#rollups = new CounterSet(partition, rollups, days, storedBytes);
  }

  /** About the memory that they take, and what is known of the store, in bytes. */
  get bytesUsed(): number {
    return this.#countersBytes + this.#daily.storedBytes + this.#rollups.storedBytes;
  }

  get #countersBytes(): number {
    return this.#daily.bytesUsed + this.#rollups.bytesUsed;
  }

  /** True once a flush is due, as they take too much memory. */
  isFull(): boolean {
    return this.#countersBytes >= this.#mostBytes();
  }

  /**
   * Adds a click, by the numbers of its campaign and source and of its ad in the texts of the next `add`, from which on
   * it counts.
   */
  addClick(campaignSource: number, ad: number, timestamp: number, offset: number): void {
    this.#clicks.add(campaignSource, ad, timestamp, offset);
  }

  /**
   * Adds clicks and changes of what touches have, in any order, of which each is later in the log than those of calls
   * before. The texts may be others than before only when all counters are stored.
   */
  add(store: StateStore, texts: TouchTexts, counted: Counted): void {
    this.#use(texts);
    const { runs, others } = inRuns(texts, counted.changes, this.#isSamePeriod);
    const single = { clicks: this.#takePlain(texts, counted.clicks), changes: others };
    this.#daily.add(store, texts, this.#clicks, single, runs);
    this.#rollups.add(store, texts, this.#clicks, single, runs);
    this.#clicks.count = 0;
  }

  /** Counts clicks as `addClick` does if none of them was judged, and returns those that are left. */
  #takePlain(texts: TouchTexts, clicks: readonly ClickCount[]): readonly ClickCount[] {
    if (clicks.some((click) => click.clicks !== 1 || click.invalidClicks !== 0)) return clicks;
    for (const { touch, offset } of clicks) {
      this.addClick(campaignSourceOf(touch, texts), adOf(touch, texts), touch.timestamp, offset);
    }
    return [];
  }

  /**
   * The counters that changed since they were last taken, to be published: daily_stats, and the other rollups. If there
   * are less than `most`, these are all.
   */
  takeChanged(withRollups = true, most = Number.POSITIVE_INFINITY): NewRecord[] {
    const taken: NewRecord[] = [];
    this.#daily.takeChanged(this.#texts!, taken, most);
    if (withRollups) this.#rollups.takeChanged(this.#texts!, taken, most);
    return taken;
  }

  /** The counters that the store does not have as they are, which the caller now stores. */
  *takeDirty(): Generator<StateEntry> {
    yield* this.#daily.takeDirty(this.#texts!);
    yield* this.#rollups.takeDirty(this.#texts!);
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
    assert(!this.#daily.isDirty && !this.#rollups.isDirty, 'R-6: counters to be forgotten are not stored');
    if (this.#texts === undefined) return;
    this.#daily.forget(this.#mostBytes() / 2, this.#texts);
    this.#rollups.forget(this.#mostBytes() / 2, this.#texts);
  }
}
