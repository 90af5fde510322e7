import { HOUR_MS } from '../../contract/limits.ts';
import { type AttributionConfig, isForgotten } from '../decision/config.ts';
import { USERS_FROM, USERS_TO } from './keys.ts';
import { keyAfter, type StateStore } from './state-store.ts';
import { lastArrivals } from './user-codec.ts';

/** Users looked at in one slice: a few hundred microseconds. */
const SLICE = 200;

/** How far the partition's clock moves between two passes over all users, in ms. */
const PASS_INTERVAL_MS = HOUR_MS;

export type Sweep = ReturnType<typeof newSweep>;

/**
 * Finds users of whose states the fold would keep no more than ids, a slice at a time. It only frees space: the fold
 * itself ignores what is too old, so results never depend on when the sweep comes by.
 */
export function newSweep(config: AttributionConfig) {
  let cursor: Buffer = USERS_FROM;
  let passStartedAt = 0;
  return {
    /** Keys of expired users of the next slice, for the next write. Empty between passes. */
    next(store: StateStore, watermark: number): Buffer[] {
      const betweenPasses = cursor === USERS_FROM;
      if (betweenPasses && watermark - passStartedAt < PASS_INTERVAL_MS) return [];
      if (betweenPasses) passStartedAt = watermark;
      const entries = store.scan(cursor, USERS_TO, SLICE);
      cursor = entries.length < SLICE ? USERS_FROM : keyAfter(entries.at(-1)!.key);
      return entries.filter(({ value }) => isExpired(config, value, watermark)).map(({ key }) => key);
    },
  };
}

/** Whether the fold would keep nothing in a user's stored state when the clock is at `watermark`, in ms. */
export function isExpired({ retentionMs }: AttributionConfig, state: Buffer, watermark: number): boolean {
  const last = lastArrivals(state);
  const kinds = ['touch', 'outcome', 'correction'] as const;
  return kinds.every((kind) => isForgotten(last[kind], watermark, retentionMs[kind]));
}
