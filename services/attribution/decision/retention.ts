import { type AttributionConfig, isForgotten } from './config.ts';
import { correctionsOf, indexCorrection, targetRole } from './corrections.ts';
import { isCandidate } from './decide.ts';
import type { Effects } from './effects.ts';
import type { Role } from './kinds.ts';
import {
  arrivalOf,
  type Correction,
  NOTHING_CLOSED,
  type Overflow,
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
 *
 * What it has no room for can be credited and corrected as long; its corrections stay in the state.
 *
 * A conversion is closed once no touch that comes can be its candidate, and a touch once no conversion that can still
 * change but by corrections, or that comes, can have it as one. What is closed of a user without overflow moves out of
 * its state, too, as soon as there is much of it. Only corrections look for it there, and find all as if it were in the
 * state: decisions, and what is published of them, do not depend on whether, or when, it has moved. Only their
 * duplicates may: ids of what has moved are known for EVENT_ID_DAYS, of what is in the state as long as that is there.
 */

/** What the fold knows of time. */
export interface Clock {
  config: AttributionConfig;
  /** The partition's clock: the greatest append time so far, this event's included, in ms. */
  watermark: number;
}

/** With what of the user there is no room for in its state. */
export interface Surroundings extends Clock {
  /** The longest that touches were ever kept to be credited, in ms: no conversion is decided within a longer window. */
  longestApartMs: number;
  /** @param withClosed whether with what is closed */
  overflow(withClosed?: boolean): Overflow;
  /** Whether what is decided now looks at what lies beside the user's state as closed, too. */
  seesClosed?: boolean;
  /**
   * The partition's clock until which not only corrections do, in ms: what was closed under windows may be a candidate
   * of what comes under longer ones. Absent if windows never became longer.
   */
  closedSeenUntil?: number;
}

/** How much lies beside a user's state that what is decided now looks at. */
export function looksBeside({ seesClosed }: Pick<Surroundings, 'seesClosed'>, of: Pick<UserState, 'hasOverflow'>) {
  return of.hasOverflow || seesClosed === true;
}

/** Whether something of the user lies beside its state as closed that can be corrected, or told to be too late. */
export function hasClosed(clock: Surroundings, { lastClosed }: UserState): boolean {
  return lastClosed !== NOTHING_CLOSED && !isForgotten(lastClosed, clock.watermark, besideMs(clock));
}

/** How long after it arrived what lies beside a state is looked at, at most, in ms. */
export function besideMs({ config, longestApartMs }: Pick<Surroundings, 'config' | 'longestApartMs'>): number {
  // A touch that arrived near a conversion may be credited with it as long as that is kept.
  return longestApartMs + config.retentionMs.outcome;
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
    hasInvalidInOverflow: undefined,
  };
}

/** Whether a touch that has left the state can still be judged: it is kept as long as there would be room for it. */
export function isJudgeable(context: Surroundings, user: UserState, touch: Touch): boolean {
  const { config, watermark, overflow, longestApartMs } = context;
  const { touch: keptMs } = config.retentionMs;
  if (!isForgotten(touch.arrival, watermark, keptMs)) return true;
  const isKeptFor = (other: RememberedConversion) => isCorrectable(context, other) && isCandidate(config, touch, other);
  if (user.conversions.some(isKeptFor)) return true;
  for (const other of overflow().conversions(touch.timestamp, touch.timestamp + longestApartMs, false)) {
    if (isKeptFor(other)) return true;
  }
  return false;
}

/** Forgets what is too old, but for its ids. */
export function expire(
  clock: Surroundings,
  user: UserState,
  bounds: UserBounds,
  effects: Pick<Effects, 'spilled'>,
): void {
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
  const firstLeft = user.conversions[0]?.arrival ?? Number.POSITIVE_INFINITY;
  if (!user.hasOverflow && mustClose(clock, watermark, firstLeft, user.conversions.length, user.touches.length)) {
    close(clock, user, bounds, effects);
  }
  if (user.lastClosed !== NOTHING_CLOSED && !hasClosed(clock, user)) user.lastClosed = NOTHING_CLOSED;
  if (watermark > bounds.correctionsKeptUntil) expireCorrections(clock, user, bounds);
}

/**
 * Whether there is so much of a user, and so old, that what is closed moves out of its state. Conversions are closed at
 * half that age: else one with many that are open would have each moved alone.
 *
 * @param first when the first of its conversions arrived, in ms; Infinity if it has none
 */
export function mustClose(
  { config, longestApartMs }: Pick<Surroundings, 'config' | 'longestApartMs'>,
  watermark: number,
  first: number,
  conversions: number,
  touches: number,
): boolean {
  if (!isForgotten(first, watermark, 2 * longestApartMs)) return false;
  return conversions >= config.closing.conversions || touches >= config.closing.touches;
}

/** Moves out of the state all of it that is closed. */
function close(clock: Surroundings, user: UserState, bounds: UserBounds, effects: Pick<Effects, 'spilled'>): void {
  const { watermark, longestApartMs, overflow } = clock;
  const isClosed = ({ arrival }: RememberedConversion) => isForgotten(arrival, watermark, longestApartMs);
  const open = user.conversions.findIndex((conversion) => !isClosed(conversion));
  const closed = user.conversions.splice(0, open === -1 ? user.conversions.length : open);
  for (const conversion of closed) {
    overflow(true).closeConversion(conversion);
    spillIfKnown(clock, effects, { role: 'outcome', conversion });
    user.lastClosed = Math.max(user.lastClosed, conversion.arrival);
  }
  bounds.lastConversionTimes = lastTimes(user.conversions);
  bounds.correctionsKeptUntil = user.corrections.length === 0 ? bounds.correctionsKeptUntil : Number.NEGATIVE_INFINITY;
  expireTouches(clock, user, bounds, effects);
}

/** Notes that an event is left to a user's overflow. Corrections stay, and count from then on. */
export function moveOut(clock: Clock, user: UserState, bounds: UserBounds, event: RememberedEvent) {
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

function expireTouches(
  clock: Surroundings,
  user: UserState,
  bounds: UserBounds,
  effects: Pick<Effects, 'spilled'>,
): void {
  const { watermark } = clock;
  const gone = new Set<string>();
  let hasMoved = false;
  let next = Number.POSITIVE_INFINITY;
  const isKept = (touch: Touch, isInvalid: boolean) => {
    const until = keptUntil(clock, touch, user.conversions);
    if (watermark <= until) {
      next = Math.min(next, until);
      return true;
    }
    // A conversion that is not in the state may count it as a candidate still.
    const isBeside = user.hasOverflow || touch.arrival - user.lastClosed <= clock.longestApartMs;
    if (user.hasOverflow) {
      clock.overflow().addTouch(touch, isInvalid);
    } else {
      if (isBeside) clock.overflow(true).closeTouch(touch, isInvalid);
      spillIfKnown(clock, effects, { role: 'touch', touch });
    }
    if (isBeside) hasMoved = true;
    else gone.add(touch.clickId);
    if (isInvalid) bounds.hasInvalidInOverflow = undefined;
    return false;
  };
  user.touches = user.touches.filter((touch) => isKept(touch, false));
  user.invalidTouches = user.invalidTouches.filter((touch) => isKept(touch, true));
  bounds.touchesKeptUntil = next;
  if (user.corrections.length === 0) return;
  if (hasMoved) bounds.correctionsKeptUntil = Number.NEGATIVE_INFINITY;
  if (gone.size === 0) return;
  dropCorrections(user, bounds, ({ kind, targetId }) => targetRole(kind) === 'touch' && gone.has(targetId));
}

/** Spills the id of an event that its user's state forgets, unless the id is forgotten, too. */
function spillIfKnown({ config, watermark }: Clock, effects: Pick<Effects, 'spilled'>, forgotten: RememberedEvent) {
  if (!isForgotten(arrivalOf(forgotten), watermark, config.eventIdMs)) effects.spilled.push(forgotten);
}

function keptUntil(clock: Surroundings, touch: Touch, conversions: readonly RememberedConversion[]): number {
  const { config, longestApartMs } = clock;
  const until = touch.arrival + config.retentionMs.touch;
  // In order of arrival: that of the last is kept the longest, and few arrived near the touch.
  for (let i = firstAfter(conversions, touch.arrival + longestApartMs) - 1; i >= 0; i--) {
    const { arrival } = conversions[i]!;
    const closed = arrival + config.retentionMs.correction;
    if (closed <= until || arrival < touch.arrival - longestApartMs) return until;
    if (isCandidate(config, touch, conversions[i]!)) return closed;
  }
  return until;
}

/** Index of the first of some conversions, which are in order of arrival, that arrived after a time, in ms. */
function firstAfter(conversions: readonly RememberedConversion[], time: number): number {
  let [low, high] = [0, conversions.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (conversions[middle]!.arrival <= time) low = middle + 1;
    else high = middle;
  }
  return low;
}

function expireCorrections(context: Surroundings, user: UserState, bounds: UserBounds): void {
  const { config, watermark } = context;
  const isBeside = user.hasOverflow || hasClosed(context, user);
  const clicks = new Set([...user.touches, ...user.invalidTouches].map(({ clickId }) => clickId));
  const conversions = new Map(user.conversions.map(({ conversionId, arrival }) => [conversionId, arrival]));
  let next = Number.POSITIVE_INFINITY;
  dropCorrections(user, bounds, ({ kind, targetId, arrival }) => {
    const role = targetRole(kind);
    if (role === 'touch' && clicks.has(targetId)) return false;
    const since = role === 'outcome' ? (conversions.get(targetId) ?? arrival) : arrival;
    let until = since + config.retentionMs.correction;
    if (watermark > until && isBeside) until = movedOutUntil(context, role, targetId);
    if (watermark <= until) next = Math.min(next, until);
    return watermark > until;
  });
  bounds.correctionsKeptUntil = next;
}

/** How long what has moved out can be corrected at most, in ms; -Infinity if there is none. */
function movedOutUntil({ config, longestApartMs, overflow }: Surroundings, role: Role, id: string): number {
  const { correction: correctedMs } = config.retentionMs;
  const beside = overflow(true);
  if (role === 'outcome') return (beside.conversionWithId(id)?.arrival ?? Number.NEGATIVE_INFINITY) + correctedMs;
  return (beside.touchWithId(id)?.arrival ?? Number.NEGATIVE_INFINITY) + longestApartMs + correctedMs;
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
