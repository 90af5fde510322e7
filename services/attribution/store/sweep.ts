import { HOUR_MS } from '../../contract/limits.ts';
import { type AttributionConfig, isForgotten } from '../decision/config.ts';
import { besideMs } from '../decision/retention.ts';
import { isPlaceKey, isUserKey, SWEPT_FROM, SWEPT_TO } from './keys.ts';
import { longestApartMs } from './longest-apart.ts';
import { lastArrival } from './overflow-blocks.ts';
import { keyAfter, type StateEntry, type StateStore } from './state-store.ts';
import { arrivalOfId } from './stored-ids.ts';
import { lastArrivals, lastClosedIn } from './user-codec.ts';

/** Entries looked at in one slice: a few hundred microseconds. */
const SLICE = 200;

/** How far the partition's clock moves between two passes over all entries, in ms. */
const PASS_INTERVAL_MS = HOUR_MS;

export type Sweep = ReturnType<typeof newSweep>;

/**
 * Finds users of whose states the fold would keep no more than ids, and events beside states that it no longer looks
 * at, a slice at a time. It only frees space: the fold itself ignores what is too old, so results never depend on when
 * the sweep comes by.
 */
export function newSweep(config: AttributionConfig) {
  let cursor: Buffer = SWEPT_FROM;
  let passStartedAt = 0;
  return {
    /** Keys of expired entries of the next slice, for the next write. Empty between passes. */
    next(store: StateStore, watermark: number): Buffer[] {
      const betweenPasses = cursor === SWEPT_FROM;
      if (betweenPasses && watermark - passStartedAt < PASS_INTERVAL_MS) return [];
      if (betweenPasses) passStartedAt = watermark;
      const entries = store.scan(cursor, SWEPT_TO, SLICE);
      cursor = entries.length < SLICE ? SWEPT_FROM : keyAfter(entries.at(-1)!.key);
      const apartMs = longestApartMs(store, config);
      return entries.filter((entry) => isExpired(config, entry, watermark, apartMs)).map(({ key }) => key);
    },
  };
}

/** Whether the fold would keep nothing of a user's state, or no longer looks at an event, at `watermark`, in ms. */
export function isExpired(
  config: AttributionConfig,
  { key, value }: StateEntry,
  watermark: number,
  longestApartMs: number,
): boolean {
  const { retentionMs, eventIdMs } = config;
  const keptMs = besideMs({ config, longestApartMs });
  if (isUserKey(key)) {
    if (!isForgotten(lastClosedIn(value), watermark, keptMs)) return false;
    const last = lastArrivals(value);
    const kinds = ['touch', 'outcome', 'correction'] as const;
    return kinds.every((kind) => isForgotten(last[kind], watermark, retentionMs[kind]));
  }
  if (isPlaceKey(key)) return isForgotten(arrivalOfId(value), watermark, Math.max(keptMs, eventIdMs));
  return isForgotten(lastArrival(value), watermark, keptMs);
}
