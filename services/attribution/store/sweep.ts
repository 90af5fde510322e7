import { DAY_MS, HOUR_MS } from '../../contract/limits.ts';
import { type AttributionConfig, isForgotten } from '../decision/config.ts';
import { ROLES } from '../decision/kinds.ts';
import { dayOfSpilledKey, isUserKey, roleOfSpilledKey, SWEPT_FROM, SWEPT_TO } from './keys.ts';
import { keyAfter, type StateEntry, type StateStore } from './state-store.ts';
import { lastArrivals } from './user-codec.ts';

/** Entries looked at in one slice: a few hundred microseconds. */
const SLICE = 200;

/** How far the partition's clock moves between two passes over all keys, in ms. */
const PASS_INTERVAL_MS = HOUR_MS;

export type Sweep = ReturnType<typeof newSweep>;

/**
 * Finds users and ids that the fold would no longer look at, a slice at a time. It only frees space: the fold itself
 * ignores what is too old, so results never depend on when the sweep comes by.
 */
export function newSweep(config: AttributionConfig) {
  let cursor: Buffer = SWEPT_FROM;
  let passStartedAt = 0;
  return {
    /** Expired keys of the next slice, to be deleted with the next write. Empty between passes. */
    next(store: StateStore, watermark: number): Buffer[] {
      const betweenPasses = cursor === SWEPT_FROM;
      if (betweenPasses && watermark - passStartedAt < PASS_INTERVAL_MS) return [];
      if (betweenPasses) passStartedAt = watermark;
      const entries = store.scan(cursor, SWEPT_TO, SLICE);
      cursor = entries.length < SLICE ? SWEPT_FROM : keyAfter(entries.at(-1)!.key);
      return entries.filter((entry) => isExpired(config, entry, watermark)).map((entry) => entry.key);
    },
  };
}

/** Whether the fold no longer looks at a user, or at some spilled ids, when the clock is at `watermark`, in ms. */
export function isExpired({ retentionMs }: AttributionConfig, { key, value }: StateEntry, watermark: number): boolean {
  if (isUserKey(key)) {
    const last = lastArrivals(value);
    return ROLES.every((role) => isForgotten(last[role], watermark, retentionMs[role]));
  }
  const lastOfDay = (dayOfSpilledKey(key) + 1) * DAY_MS - 1;
  return isForgotten(lastOfDay, watermark, retentionMs[roleOfSpilledKey(key)]);
}
