import type { ReportDays } from '../../contract/report-days.ts';
import type { Rollup } from '../../contract/rollups.ts';
import type { NewRecord } from '../../log/event-log.ts';
import type { TouchTexts } from '../memory/touch-memory.ts';
import { Counters } from '../outputs/counters.ts';
import type { Counted } from '../outputs/deltas.ts';
import { APART, apartKey, keyOfApart } from '../store/counter-keys.ts';
import type { StateEntry, StateStore } from '../store/state-store.ts';

/**
 * Counters of what is counted apart in one partition, beside those of all else: a total is the sum of both. They are
 * stored and published like these, under keys of their own. What is counted here may be less than 0.
 */
export class CountersApart {
  readonly #partition: number;
  readonly #counters: Counters;

  /** As Counters takes them. */
  constructor(partition: number, rollups: readonly Rollup[], days: ReportDays, mostBytes: () => number) {
    this.#partition = partition;
    this.#counters = new Counters(partition + APART, rollups, days, mostBytes);
  }

  get bytesUsed(): number {
    return this.#counters.bytesUsed;
  }

  isFull(): boolean {
    return this.#counters.isFull();
  }

  /** Adds changes of what touches have. */
  add(store: StateStore, texts: TouchTexts, changes: Counted['changes']): void {
    this.#counters.add(partOf(store), texts, { clicks: [], changes });
  }

  takeChanged(withRollups: boolean, most: number): NewRecord[] {
    const partition = this.#partition;
    return this.#counters.takeChanged(withRollups, most).map((record) => ({ ...record, partition }));
  }

  *takeDirty(): Generator<StateEntry> {
    for (const { key, value } of this.#counters.takeDirty()) yield { key: apartKey(key), value };
  }

  forgetIfFull(): void {
    this.#counters.forgetIfFull();
  }
}

/** The part of a store in which they are, under the keys that other counters have. */
function partOf(store: StateStore): StateStore {
  const entryOf = ({ key, value }: StateEntry) => ({ key: keyOfApart(key), value });
  return {
    ...store,
    getMany: (keys, areScattered) => store.getMany(keys.map(apartKey), areScattered),
    scan: (from, to, limit) => store.scan(apartKey(from), apartKey(to), limit).map(entryOf),
    scanBack: (from, to, limit) => store.scanBack(apartKey(from), apartKey(to), limit).map(entryOf),
  };
}
