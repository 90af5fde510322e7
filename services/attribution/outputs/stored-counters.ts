import { UUID_WORDS } from '../../contract/uuid.ts';
import { periodOfCounter, rangeOfCounters } from '../store/counter-keys.ts';
import type { StateStore } from '../store/state-store.ts';
import { IdFilter } from '../users/id-filter.ts';

/** Length of the hash of what a counter counts. */
export const HASH_WORDS = UUID_WORDS;

/** Counters of a period that are asked for at once from which on a look whether there are any may pay, by its cost. */
const WORTH_A_LOOK = 16;
/** Most periods that are known so: 11 years of hours. */
const MOST_PERIODS = 100_000;
/** The newest periods of a rollup that are looked for when it is first asked for: 41 days of hours, some 50 ms. */
const NEWEST_PERIODS = 1000;
/** A filter that forgets nothing. */
const FOREVER_MS = Number.MAX_VALUE;

/**
 * Which counters the store has, as far as that is known without a read of each: in a great variety nearly all that come
 * are new. What the store had when it was opened is known by period, what it was given since by a Bloom filter.
 */
export class StoredCounters {
  readonly #rollups: readonly (string | undefined)[];
  readonly #mostBytes: () => number;
  #filter: IdFilter | undefined;
  /** By rollup, the newest periods that the store had counters of at first; undefined if it was not asked yet. */
  readonly #newest: NewestPeriods[] = [];
  /** Of an older period, by the number of a rollup and it, whether the store had no counter of them at first. */
  readonly #hadNoneOf = new Map<number, boolean>();
  /** By the same number, how many are asked for now. */
  readonly #expected = new Map<number, number>();

  /**
   * @param rollups their names, undefined for daily_stats
   * @param mostBytes most memory of the filter; beyond it nothing is ruled out
   */
  constructor(rollups: readonly (string | undefined)[], mostBytes: () => number) {
    this.#rollups = rollups;
    this.#mostBytes = mostBytes;
  }

  get bytesUsed(): number {
    return this.#filter?.bytesUsed ?? 0;
  }

  /** Says that a counter will be asked for, before any is. */
  expect(rollup: number, period: number): void {
    if (this.#newest[rollup]?.hasAll(period)) return;
    const number = this.#numberOf(rollup, period);
    this.#expected.set(number, (this.#expected.get(number) ?? 0) + 1);
  }

  expectNone(): void {
    this.#expected.clear();
  }

  /** Whether the store surely has no such counter. @param hash of what it counts */
  isNew(store: StateStore, rollup: number, period: number, hash: Int32Array): boolean {
    this.#newest[rollup] ??= new NewestPeriods(store, this.#rollups[rollup]);
    const newest = this.#newest[rollup]!;
    const hadNone = newest.hasAll(period) ? !newest.periods.has(period) : this.#hadNoneIn(store, rollup, period);
    if (!hadNone) return false;
    return this.#filter === undefined || !this.#filter.mayHave(hash, 0);
  }

  /** Notes that the store has a counter. */
  add(hash: Int32Array): void {
    this.#filter ??= new IdFilter(FOREVER_MS, this.#mostBytes());
    this.#filter.add(hash, 0, 0);
  }

  #hadNoneIn(store: StateStore, rollup: number, period: number): boolean {
    const number = this.#numberOf(rollup, period);
    const known = this.#hadNoneOf.get(number);
    const isWorthIt = (this.#expected.get(number) ?? 0) >= WORTH_A_LOOK;
    if (known !== undefined || !isWorthIt) return known ?? false;
    // What it was given since is there as well: the periods that are forgotten are not known any more.
    if (this.#hadNoneOf.size === MOST_PERIODS) this.#hadNoneOf.clear();
    const hadNone = store.scan(...rangeOfCounters(this.#rollups[rollup], period), 1).length === 0;
    this.#hadNoneOf.set(number, hadNone);
    return hadNone;
  }

  #numberOf(rollup: number, period: number): number {
    return period * this.#rollups.length + rollup;
  }
}

/** The newest periods of a rollup that a store has counters of, at most NEWEST_PERIODS. */
class NewestPeriods {
  readonly periods = new Set<number>();
  /** What they are all greater than, or equal to. */
  readonly #from: number;

  constructor(store: StateStore, rollup: string | undefined) {
    const [from, end] = rangeOfCounters(rollup);
    let to = end;
    for (let left = NEWEST_PERIODS; left > 0; left--) {
      const [entry] = store.scanBack(from, to, 1);
      if (entry === undefined) break;
      const period = periodOfCounter(rollup, entry.key);
      this.periods.add(period);
      [to] = rangeOfCounters(rollup, period);
    }
    this.#from = this.periods.size < NEWEST_PERIODS ? Number.NEGATIVE_INFINITY : [...this.periods].at(-1)!;
  }

  /** Whether the period is among them if the store had any counter of it. */
  hasAll(period: number): boolean {
    return period >= this.#from;
  }
}
