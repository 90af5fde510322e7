import type { AttributionConfig } from './config.ts';
import { type Candidates, candidatesAmong, isCandidate, modelsOf } from './decide.ts';
import type { Overflow, RememberedConversion, Touch, UserBounds, UserState } from './state.ts';
import { isAfter, isSameClick } from './touch-id.ts';

/** After all times of events, in ms. */
const END_OF_TIME = Number.MAX_SAFE_INTEGER - 1;

/** Where a user's touches are. */
export interface TouchesOfUser {
  /** Those in its state, ascending. */
  touches: readonly Touch[];
  /** Whether there are others. */
  hasOverflow: boolean;
}

/** Finds the candidates of a conversion. */
export function candidatesOf(
  { config, overflow }: { config: AttributionConfig; overflow(): Overflow },
  { touches, hasOverflow }: TouchesOfUser,
  conversion: RememberedConversion,
): Candidates {
  const eligible = candidatesAmong(config, touches, conversion);
  if (hasOverflow) return withOverflow(config, eligible, overflow(), conversion);
  return { touches: eligible, newest: eligible, isTruncated: false };
}

/** What would be candidates of a conversion if they were valid, ascending; of those beside the state, the newest. */
export function invalidOf(
  { config, overflow }: { config: AttributionConfig; overflow(): Overflow },
  {
    invalidTouches,
    hasOverflow,
    bounds,
  }: Pick<UserState, 'hasOverflow' | 'bounds'> & { invalidTouches: readonly Touch[] },
  conversion: RememberedConversion,
): readonly Touch[] {
  const invalid = candidatesAmong(config, invalidTouches, conversion);
  if (!hasOverflow || bounds === undefined || !hasInvalid(overflow, bounds)) return invalid;
  const { timestamp, type } = conversion;
  const others: Touch[] = [];
  for (const other of overflow().invalidTouches(timestamp - config.lookbackMs(type), timestamp, true)) {
    if (isCandidate(config, other, conversion)) others.push(other);
    if (others.length === config.maxTouches) break;
  }
  return others.length === 0 ? invalid : [...invalid, ...others].sort((a, b) => (isAfter(a, b) ? 1 : -1));
}

function hasInvalid(overflow: () => Overflow, bounds: UserBounds): boolean {
  if (bounds.hasInvalidInOverflow === undefined) {
    const [first] = overflow().invalidTouches(0, END_OF_TIME, false);
    bounds.hasInvalidInOverflow = first !== undefined;
  }
  return bounds.hasInvalidInOverflow;
}

/** All of some touches as candidates. */
export function allOf(touches: readonly Touch[]): Candidates {
  return { touches, newest: touches, isTruncated: false };
}

function withOverflow(
  config: AttributionConfig,
  eligible: readonly Touch[],
  overflow: Overflow,
  conversion: RememberedConversion,
): Candidates {
  const { maxTouches, lookbackMs } = config;
  const { timestamp, type } = conversion;
  const from = timestamp - lookbackMs(type);
  const latestFirst: Touch[] = [];
  let left = eligible.length;
  for (const other of overflow.touches(from, timestamp, true)) {
    if (!isCandidate(config, other, conversion)) continue;
    while (left > 0 && latestFirst.length <= maxTouches && isAfter(eligible[left - 1]!, other)) {
      latestFirst.push(eligible[--left]!);
    }
    if (latestFirst.length > maxTouches) break;
    latestFirst.push(other);
  }
  while (left > 0 && latestFirst.length <= maxTouches) latestFirst.push(eligible[--left]!);
  const newest = latestFirst.slice(0, maxTouches).reverse();
  if (latestFirst.length <= maxTouches) return allOf(newest);
  if (!modelsOf(config, conversion).includes('first_click')) return { touches: newest, newest, isTruncated: true };
  const [first] = eligible;
  for (const other of overflow.touches(from, timestamp, false)) {
    if (!isCandidate(config, other, conversion)) continue;
    if (first !== undefined && isAfter(other, first)) break;
    return { touches: [other, ...newest], newest, isTruncated: true };
  }
  return { touches: [first!, ...newest], newest, isTruncated: true };
}

/**
 * Whether it changes who is credited with a conversion that a touch becomes a candidate of it, or is none any more.
 * Those of a user with very many touches are not decided anew to name one more, or one less, that has no credit.
 */
export function changesCredits(
  config: AttributionConfig,
  touch: Touch,
  isGone: boolean,
  conversion: RememberedConversion,
): boolean {
  const { credits } = conversion;
  if (isGone) return credits.some((credit) => isSameClick(credit.touch, touch));
  for (const model of modelsOf(config, conversion)) {
    const first = credits.findIndex((credit) => credit.model === model);
    if (first === -1) return true;
    const isNewer = isAfter(touch, credits[first]!.touch);
    // Credits of a model ascend by touch, and only the newest touches have some.
    const isFull = model === 'last_click' || credits[first + config.maxTouches - 1]?.model === model;
    if (model === 'first_click' ? !isNewer : isNewer || !isFull) return true;
  }
  return false;
}

/** When the last conversion happened that is in a user's overflow, in ms; -Infinity if there is none. */
export function lastInOverflow(overflow: () => Overflow, bounds: UserBounds): number {
  if (bounds.lastInOverflow === undefined) {
    const [last] = overflow().conversions(0, END_OF_TIME, true);
    bounds.lastInOverflow = last?.timestamp ?? Number.NEGATIVE_INFINITY;
  }
  return bounds.lastInOverflow;
}
