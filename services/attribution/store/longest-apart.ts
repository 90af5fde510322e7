import type { AttributionConfig } from '../decision/config.ts';
import { LONGEST_APART_KEY } from './keys.ts';
import type { StateEntry, StateStore } from './state-store.ts';

/**
 * The longest that touches were ever kept to be credited, in ms: windows that were longer once still hold for the
 * conversions that came then.
 */
export function longestApart(store: StateStore, { retentionMs }: AttributionConfig): number {
  const [stored] = store.getMany([LONGEST_APART_KEY]);
  return Math.max(retentionMs.touch, stored?.readDoubleLE(0) ?? 0);
}

/** The same of one store, which is read once. */
export class LongestApart {
  readonly #config: AttributionConfig;
  /** Once it is read. */
  ms = 0;
  #isStored = false;

  constructor(config: AttributionConfig) {
    this.#config = config;
  }

  read(store: StateStore): void {
    if (this.ms === 0) this.ms = longestApart(store, this.#config);
  }

  /** What the caller now stores. */
  *takePuts(): Generator<StateEntry> {
    if (this.#isStored || this.ms === 0) return;
    const value = Buffer.alloc(8);
    value.writeDoubleLE(this.ms, 0);
    yield { key: LONGEST_APART_KEY, value };
    this.#isStored = true;
  }
}
