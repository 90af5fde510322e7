import type { AttributionConfig } from '../decision/config.ts';
import { LONGEST_APART_KEY } from './keys.ts';
import { loadProgress } from './progress.ts';
import type { StateEntry, StateStore } from './state-store.ts';

/** What is stored, little-endian: the longest f64 | how long they were kept last f64 | since when f64. */
const BYTES = 24;
const LAST = 8;
const SINCE = 16;

/**
 * The longest that touches were ever kept to be credited, in ms: windows that were longer once still hold for the
 * conversions that came then. And the partition's clock when they were last kept for longer than before, in ms.
 */
function longestApart(store: StateStore, { retentionMs }: AttributionConfig): { ms: number; since: number } {
  const [stored] = store.getMany([LONGEST_APART_KEY]);
  if (stored === undefined) return { ms: retentionMs.touch, since: Number.NEGATIVE_INFINITY };
  const ms = Math.max(stored.readDoubleLE(0), retentionMs.touch);
  const isLonger = retentionMs.touch > stored.readDoubleLE(LAST);
  return { ms, since: isLonger ? Number(loadProgress(store, 0).watermark) : stored.readDoubleLE(SINCE) };
}

export function longestApartMs(store: StateStore, config: AttributionConfig): number {
  return longestApart(store, config).ms;
}

/** The same of one store, which is read once. */
export class LongestApart {
  readonly config: AttributionConfig;
  /** Once it is read. */
  longestApartMs = 0;
  #since = 0;
  #isStored = false;

  constructor(config: AttributionConfig) {
    this.config = config;
  }

  /**
   * As `Surroundings` has it: as long as what was closed may be a candidate of what comes, and a click may come for
   * that, whatever windows become since.
   */
  get closedSeenUntil(): number {
    return this.#since + 2 * this.longestApartMs;
  }

  read(store: StateStore): void {
    if (this.longestApartMs !== 0) return;
    const { ms, since } = longestApart(store, this.config);
    this.longestApartMs = ms;
    this.#since = since;
  }

  /** What the caller now stores. */
  *takePuts(): Generator<StateEntry> {
    if (this.#isStored || this.longestApartMs === 0) return;
    const value = Buffer.alloc(BYTES);
    value.writeDoubleLE(this.longestApartMs, 0);
    value.writeDoubleLE(this.config.retentionMs.touch, LAST);
    value.writeDoubleLE(this.#since, SINCE);
    yield { key: LONGEST_APART_KEY, value };
    this.#isStored = true;
  }
}
