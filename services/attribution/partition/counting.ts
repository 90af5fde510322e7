import type { ReportDays } from '../../contract/report-days.ts';
import type { NewRecord } from '../../log/event-log.ts';
import type { AttributionConfig } from '../decision/config.ts';
import { Counters } from '../outputs/counters.ts';
import type { Counted } from '../outputs/deltas.ts';
import type { StateEntry, StateStore } from '../store/state-store.ts';
import type { UserTable } from '../users/user-table.ts';
import { CountersApart } from './counters-apart.ts';

/** Which records count apart: others are counted and published before all that follows from them is. */
export interface Apart {
  /** How many there are, but for those that are long done. */
  readonly size: number;
  has(offset: number): boolean;
  /** Whether a record that is folded in part counts apart, from now on if it did not. */
  begin(offset: number): boolean;
}

export const NONE_APART: Apart = { size: 0, has: () => false, begin: () => false };

/** Share of the cache that counters, and those apart, may each take before a flush is due: then the store has them. */
const COUNTERS_SHARE = 1 / 16;

/** The counters of one partition, and those of what counts apart. */
export class Counting {
  readonly #from: number;
  readonly #apart: Apart;
  readonly #counters: Counters;
  readonly #ofApart: CountersApart;

  /** @param from offset of the first record that is counted */
  constructor(
    config: AttributionConfig,
    partition: number,
    { days, from, apart, cacheBytes }: { days: ReportDays; from: number; apart: Apart; cacheBytes: () => number },
  ) {
    const mostBytes = () => COUNTERS_SHARE * cacheBytes();
    this.#from = from;
    this.#apart = apart;
    this.#counters = new Counters(partition, config.rollups, days, mostBytes);
    this.#ofApart = new CountersApart(partition, config.rollups, days, mostBytes);
  }

  get bytesUsed(): number {
    return this.#counters.bytesUsed + this.#ofApart.bytesUsed;
  }

  isFull(): boolean {
    return this.#counters.isFull() || this.#ofApart.isFull();
  }

  /** As `addClick` of Counters. */
  addClick(campaignSource: number, ad: number, timestamp: number, offset: number): void {
    if (offset >= this.#from) this.#counters.addClick(campaignSource, ad, timestamp, offset);
  }

  /** Adds what follows from some records. A click counts with all others, as all of it is known at once. */
  add(store: StateStore, { texts }: UserTable, { clicks, changes }: Counted): void {
    const isCounted = ({ offset }: { offset: number }) => offset >= this.#from;
    const counted = { clicks: clicks.filter(isCounted), changes: changes.filter(isCounted) };
    const isApart = ({ offset }: { offset: number }) => this.#apart.has(offset);
    if (this.#apart.size > 0 && counted.changes.some(isApart)) {
      this.#ofApart.add(store, texts, counted.changes.filter(isApart));
      counted.changes = counted.changes.filter((change) => !isApart(change));
    }
    this.#counters.add(store, texts, counted);
  }

  /**
   * The counters that changed since they were last taken, to be published; if there are less than `most`, these are
   * all.
   *
   * @param withApart whether those of what counts apart are taken, too: all of it is counted
   */
  takeChanged(withRollups: boolean, withApart: boolean, most = Number.POSITIVE_INFINITY): NewRecord[] {
    const changed = this.#counters.takeChanged(withRollups, most);
    if (withApart) {
      for (const record of this.#ofApart.takeChanged(withRollups, most - changed.length)) changed.push(record);
    }
    return changed;
  }

  /** The counters that the store does not have as they are, which the caller now stores. */
  *takeDirty(): Generator<StateEntry> {
    yield* this.#counters.takeDirty();
    yield* this.#ofApart.takeDirty();
  }

  forgetIfFull(): void {
    this.#counters.forgetIfFull();
    this.#ofApart.forgetIfFull();
  }
}
