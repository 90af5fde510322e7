import { type AttributionConfig, isForgotten } from './config.ts';
import { correctionsOf, indexCorrection, targetRole } from './corrections.ts';
import { isCandidate } from './decide.ts';
import type { Effects } from './effects.ts';
import {
  arrivalOf,
  type Correction,
  type RememberedConversion,
  type RememberedEvent,
  type Touch,
  type UserBounds,
  type UserState,
} from './state.ts';

/**
 * What a user's state keeps, by arrival:
 *
 * - a touch as long as it can be credited with what comes; and, valid or not, as long as it is a candidate of a
 *   conversion that can be corrected: deciding without it would hand its credit to a worse one;
 * - a conversion as long as its id is known;
 * - a correction as long as what it is about can be corrected, or, before that comes, as long as if it had come, too.
 */

/** What the fold knows of time. */
export interface Clock {
  config: AttributionConfig;
  /** The partition's clock: the greatest append time so far, this event's included, in ms. */
  watermark: number;
}

/** Whether a conversion's value, and the validity of its candidates, can still be corrected. */
export function isCorrectable({ config, watermark }: Clock, { arrival }: RememberedConversion): boolean {
  return !isForgotten(arrival, watermark, config.retentionMs.correction);
}

export function boundsOf({ retentionMs }: AttributionConfig, user: UserState): UserBounds {
  let first = Number.POSITIVE_INFINITY;
  for (const { arrival } of user.touches) first = Math.min(first, arrival);
  for (const { arrival } of user.invalidTouches) first = Math.min(first, arrival);
  return {
    touchesKeptUntil: first + retentionMs.touch,
    correctionsKeptUntil: user.corrections.length === 0 ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY,
    lastConversionTimes: lastTimes(user.conversions),
    clickIds: undefined,
    conversionIds: undefined,
    corrections: undefined,
    lastInOverflow: undefined,
  };
}

/** Forgets what is too old, but for its ids. */
export function expire(clock: Clock, user: UserState, bounds: UserBounds, effects: Pick<Effects, 'spilled'>): void {
  const { config, watermark } = clock;
  const { outcome } = config.retentionMs;
  const first = user.conversions[0];
  if (first !== undefined && isForgotten(first.arrival, watermark, outcome)) {
    user.conversions = user.conversions.filter((conversion) => {
      const isKept = !isForgotten(conversion.arrival, watermark, outcome);
      if (!isKept) spillIfKnown(clock, effects, { role: 'outcome', conversion });
      return isKept;
    });
    bounds.lastConversionTimes = lastTimes(user.conversions);
  }
  if (watermark > bounds.touchesKeptUntil) expireTouches(clock, user, bounds, effects);
  if (watermark > bounds.correctionsKeptUntil) expireCorrections(clock, user, bounds);
}

/** Leaves an event that a user's state has no room for to those whose ids alone are known. */
export function spill(user: UserState, bounds: UserBounds, event: RememberedEvent, effects: Effects): void {
  effects.spilled.push(event);
  const corrections = correctionsOf(user, bounds, event);
  if (corrections.length > 0) dropCorrections(user, bounds, (each) => corrections.includes(each));
}

/** Leaves an event that a user's state has no room for to its overflow. Corrections stay, and count from then on. */
export function moveOut(clock: Clock, user: UserState, bounds: UserBounds, event: RememberedEvent, effects: Effects) {
  effects.spilled.push(event);
  user.hasOverflow = true;
  if (correctionsOf(user, bounds, event).length > 0) bounds.correctionsKeptUntil = Number.NEGATIVE_INFINITY;
  if (event.role === 'touch') return;
  // It may have been the last that a touch was kept for.
  const { touch: keptMs } = clock.config.retentionMs;
  for (const touch of [...user.touches, ...user.invalidTouches]) {
    if (!isCandidate(clock.config, touch, event.conversion)) continue;
    bounds.touchesKeptUntil = Math.min(bounds.touchesKeptUntil, touch.arrival + keptMs);
  }
}

/** @param target arrival of what it is about, in ms; of the correction itself if that has not come */
export function addCorrection(
  { config }: Clock,
  user: UserState,
  bounds: UserBounds,
  correction: Correction,
  target = correction.arrival,
): void {
  indexCorrection(user, bounds, correction);
  user.corrections.push(correction);
  bounds.correctionsKeptUntil = Math.min(bounds.correctionsKeptUntil, target + config.retentionMs.correction);
}

function expireTouches(clock: Clock, user: UserState, bounds: UserBounds, effects: Pick<Effects, 'spilled'>): void {
  const { config, watermark } = clock;
  const gone = new Set<string>();
  let next = Number.POSITIVE_INFINITY;
  const isKept = (touch: Touch) => {
    const until = keptUntil(config, touch, user.conversions);
    if (watermark <= until) {
      next = Math.min(next, until);
      return true;
    }
    gone.add(touch.clickId);
    spillIfKnown(clock, effects, { role: 'touch', touch });
    return false;
  };
  user.touches = user.touches.filter(isKept);
  user.invalidTouches = user.invalidTouches.filter(isKept);
  bounds.touchesKeptUntil = next;
  if (user.corrections.length === 0) return;
  dropCorrections(user, bounds, ({ kind, targetId }) => targetRole(kind) === 'touch' && gone.has(targetId));
}

/** Spills the id of an event that its user's state forgets, unless the id is forgotten, too. */
function spillIfKnown({ config, watermark }: Clock, effects: Pick<Effects, 'spilled'>, forgotten: RememberedEvent) {
  if (!isForgotten(arrivalOf(forgotten), watermark, config.eventIdMs)) effects.spilled.push(forgotten);
}

function keptUntil(config: AttributionConfig, touch: Touch, conversions: readonly RememberedConversion[]): number {
  let until = touch.arrival + config.retentionMs.touch;
  for (const conversion of conversions) {
    const closed = conversion.arrival + config.retentionMs.correction;
    if (closed > until && isCandidate(config, touch, conversion)) until = closed;
  }
  return until;
}

function expireCorrections({ config, watermark }: Clock, user: UserState, bounds: UserBounds): void {
  const clicks = new Set([...user.touches, ...user.invalidTouches].map(({ clickId }) => clickId));
  const conversions = new Map(user.conversions.map(({ conversionId, arrival }) => [conversionId, arrival]));
  let next = Number.POSITIVE_INFINITY;
  dropCorrections(user, bounds, ({ kind, targetId, arrival }) => {
    const role = targetRole(kind);
    if (role === 'touch' && clicks.has(targetId)) return false;
    const since = role === 'outcome' ? (conversions.get(targetId) ?? arrival) : arrival;
    const until = since + config.retentionMs.correction;
    if (watermark <= until) next = Math.min(next, until);
    return watermark > until;
  });
  bounds.correctionsKeptUntil = next;
}

function dropCorrections(user: UserState, bounds: UserBounds, isDropped: (correction: Correction) => boolean): void {
  const kept = user.corrections.filter((correction) => !isDropped(correction));
  if (kept.length === user.corrections.length) return;
  user.corrections = kept;
  bounds.corrections = undefined;
}

/** The running maximum of the conversions' timestamps. */
function lastTimes(conversions: readonly RememberedConversion[]): number[] {
  let last = 0;
  return conversions.map(({ timestamp }) => {
    last = Math.max(last, timestamp);
    return last;
  });
}
