import { type AttributionConfig, isForgotten } from './config.ts';
import { decide, eligibleTouches, isEligible } from './decide.ts';
import { digestOf, UNKNOWN_DIGEST } from './digest.ts';
import { type ConversionRef, type Effects, noteTouch, recordCreditChanges } from './effects.ts';
import { assertNever, type OutcomeKind, type TouchKind } from './kinds.ts';
import {
  arrivalOf,
  type RememberedConversion,
  type RememberedEvent,
  type SpilledId,
  type Touch,
  type UserBounds,
  type UserState,
} from './state.ts';
import { idHashOf, isSameClick } from './touch-id.ts';

/** Touches, or conversions, from which on a set finds a duplicate sooner than a comparison with each. */
const MANY = 64;

type EventRef = Pick<ConversionRef, 'userId' | 'offset'>;
type TouchEvent = EventRef & { role: 'touch'; type: TouchKind['type']; touch: Touch };
export type OutcomeEvent = EventRef & { role: 'outcome'; type: OutcomeKind['type']; conversion: RememberedConversion };

/** An event as the fold sees it: checked, its times in ms. */
export type FoldEvent = TouchEvent | OutcomeEvent;

export interface FoldContext {
  config: AttributionConfig;
  /** The partition's clock: the greatest append time so far, this event's included, in ms. */
  watermark: number;
  /** What is known of the event if its id was spilled from this user's state; undefined if it was not. */
  spilled(): SpilledId | undefined;
}

/**
 * Takes one event into the state of its user and notes what follows from it in `effects`. Deterministic: both depend on
 * the arguments alone.
 *
 * The order in which events arrive does not matter to where they end, as long as no two are further apart in arrival
 * than the touch retention: a click that comes after its conversion re-decides it.
 */
export function fold(context: FoldContext, user: UserState, event: FoldEvent, effects: Effects): void {
  user.bounds ??= boundsOf(user);
  expire(context, user, user.bounds, effects);
  switch (event.role) {
    case 'touch':
      foldTouch(context, user, user.bounds, event, effects);
      return;
    case 'outcome':
      foldOutcome(context, user, user.bounds, event, effects);
      return;
    default:
      assertNever(event);
  }
}

function foldTouch(context: FoldContext, user: UserState, bounds: UserBounds, event: TouchEvent, effects: Effects) {
  const { type, userId, offset, touch } = event;
  const first = sameTouch(user, bounds, touch);
  const spilled = first === undefined ? spilledId(context, event, effects) : undefined;
  if (first !== undefined || spilled !== undefined) {
    effects.duplicates[type]++;
    if (first === undefined ? isOther(spilled!, event) : !sameClick(first, touch)) effects.totals.conflicts++;
    return;
  }
  noteTouch(effects, type, touch, offset);
  insertTouch(user.touches, touch);
  bounds.firstTouchArrival = Math.min(bounds.firstTouchArrival, touch.arrival);
  bounds.clickIds?.add(idHashOf(touch));
  const dropped = user.touches.length > context.config.maxTouches ? user.touches.shift()! : undefined;
  if (dropped !== undefined) {
    effects.totals.touchesDropped++;
    effects.spilled.push({ role: 'touch', touch: dropped });
  }
  if (dropped === touch) return;
  for (const conversion of user.conversions.slice(firstNotBefore(touch.timestamp, bounds))) {
    if (isOpen(context, conversion) && isCandidate(context, touch, conversion)) {
      const cause = { eventId: touch.clickId, type };
      decideConversion(context.config, user.touches, { userId, offset, conversion, cause }, effects);
    }
  }
}

function foldOutcome(context: FoldContext, user: UserState, bounds: UserBounds, event: OutcomeEvent, effects: Effects) {
  const { type, conversion } = event;
  const first = sameId(user, bounds, conversion);
  const spilled = first === undefined ? spilledId(context, event, effects) : undefined;
  if (first !== undefined || spilled !== undefined) {
    effects.duplicates[type]++;
    if (first === undefined ? isOther(spilled!, event) : !sameConversion(first, conversion)) effects.totals.conflicts++;
    return;
  }
  user.conversions.push(conversion);
  bounds.conversionIds?.add(conversion.conversionId);
  bounds.lastConversionTimes.push(Math.max(bounds.lastConversionTimes.at(-1) ?? 0, conversion.timestamp));
  if (user.conversions.length > context.config.maxTouches) {
    bounds.lastConversionTimes.shift();
    effects.spilled.push({ role: 'outcome', conversion: user.conversions.shift()! });
  }
  decideNew(context.config, user.touches, event, effects);
}

/** Decides a conversion that is no duplicate, of a user with these touches. */
export function decideNew(
  config: AttributionConfig,
  touches: readonly Touch[],
  event: OutcomeEvent,
  effects: Effects,
): void {
  const { userId, offset, conversion, type } = event;
  effects.totals.unattributed++;
  const cause = { eventId: conversion.conversionId, type };
  decideConversion(config, touches, { userId, offset, conversion, cause }, effects);
}

/** Decides a conversion, anew if it was decided before, and notes every difference. */
function decideConversion(
  config: AttributionConfig,
  touches: readonly Touch[],
  published: ConversionRef,
  effects: Effects,
): void {
  const { conversion } = published;
  const lookbackMs = config.lookbackMs(conversion.type);
  const candidates = eligibleTouches(touches, conversion.timestamp, lookbackMs);
  const before = conversion.credits;
  const { valueMicros } = conversion;
  const standing = { retracted: false, valueMicros, refundsMicros: 0n, exceededMicros: 0n };
  conversion.credits = decide(config.models, candidates, conversion, standing, lookbackMs);
  recordCreditChanges(effects, published, { models: config.models, before, candidates, standing, lookbackMs });
}

/**
 * Forgets what is too old by arrival, but for its ids. A touch stays as long as a conversion that may be re-decided
 * counts it as a candidate: deciding without it would hand its credit to a worse one.
 */
function expire(context: FoldContext, user: UserState, bounds: UserBounds, effects: Effects) {
  const { config, watermark } = context;
  const { touch: touchMs, outcome: outcomeMs } = config.retentionMs;
  const firstConversion = user.conversions[0];
  if (firstConversion !== undefined && isForgotten(firstConversion.arrival, watermark, outcomeMs)) {
    user.conversions = user.conversions.filter((conversion) => {
      if (!isForgotten(conversion.arrival, watermark, outcomeMs)) return true;
      spillIfKnown(context, effects, { role: 'outcome', conversion });
      return false;
    });
    bounds.lastConversionTimes = lastTimes(user.conversions);
  }
  if (isForgotten(bounds.firstTouchArrival, watermark, touchMs)) {
    const open = user.conversions.filter((conversion) => isOpen(context, conversion));
    user.touches = user.touches.filter((touch) => {
      if (!isForgotten(touch.arrival, watermark, touchMs)) return true;
      if (open.some((conversion) => isCandidate(context, touch, conversion))) return true;
      spillIfKnown(context, effects, { role: 'touch', touch });
      return false;
    });
    bounds.firstTouchArrival = firstArrival(user.touches);
  }
}

function boundsOf({ touches, conversions }: UserState): UserBounds {
  const [firstTouchArrival, lastConversionTimes] = [firstArrival(touches), lastTimes(conversions)];
  return { firstTouchArrival, lastConversionTimes, clickIds: undefined, conversionIds: undefined };
}

function lastTimes(conversions: readonly RememberedConversion[]): number[] {
  let last = 0;
  return conversions.map(({ timestamp }) => {
    last = Math.max(last, timestamp);
    return last;
  });
}

/** Index of the first conversion, by arrival, that can have happened at or after `time`. */
function firstNotBefore(time: number, { lastConversionTimes }: UserBounds): number {
  let first = lastConversionTimes.length;
  while (first > 0 && lastConversionTimes[first - 1]! >= time) first--;
  return first;
}

function firstArrival(touches: readonly Touch[]): number {
  let first = Number.POSITIVE_INFINITY;
  for (const { arrival } of touches) first = Math.min(first, arrival);
  return first;
}

function sameTouch({ touches }: UserState, bounds: UserBounds, touch: Touch): Touch | undefined {
  if (touches.length >= MANY) {
    bounds.clickIds ??= new Set(touches.map(idHashOf));
    if (!bounds.clickIds.has(idHashOf(touch))) return undefined;
  }
  return touches.find((other) => isSameClick(other, touch));
}

function sameId({ conversions }: UserState, bounds: UserBounds, { conversionId }: RememberedConversion) {
  if (conversions.length >= MANY) {
    bounds.conversionIds ??= new Set(conversions.map((each) => each.conversionId));
    if (!bounds.conversionIds.has(conversionId)) return undefined;
  }
  return conversions.find((other) => other.conversionId === conversionId);
}

/** Whether a conversion may still be re-decided: as long as a touch would be kept. */
function isOpen({ config, watermark }: FoldContext, conversion: RememberedConversion): boolean {
  return !isForgotten(conversion.arrival, watermark, config.retentionMs.touch);
}

function isCandidate({ config }: FoldContext, touch: Touch, conversion: RememberedConversion): boolean {
  return isEligible(touch.timestamp, conversion.timestamp, config.lookbackMs(conversion.type));
}

/** What is known of the event by its id alone, be it since now; undefined if that is new, or forgotten. */
function spilledId(context: FoldContext, event: RememberedEvent, effects: Effects): SpilledId | undefined {
  const now = effects.spilled.find((each) => isSameEvent(each, event));
  if (now !== undefined) return { arrival: arrivalOf(now), digest: digestOf(now) };
  const known = context.spilled();
  return known === undefined || isForgotten(known.arrival, context.watermark, context.config.eventIdMs)
    ? undefined
    : known;
}

function isSameEvent(a: RememberedEvent, b: RememberedEvent): boolean {
  if (a.role === 'touch') return b.role === 'touch' && isSameClick(a.touch, b.touch);
  return b.role === 'outcome' && a.conversion.conversionId === b.conversion.conversionId;
}

function isOther({ digest }: SpilledId, event: RememberedEvent): boolean {
  return digest !== UNKNOWN_DIGEST && digest !== digestOf(event);
}

/** Spills the id of an event that its user's state forgets, unless the id is forgotten, too. */
function spillIfKnown({ config, watermark }: FoldContext, effects: Effects, forgotten: RememberedEvent) {
  if (!isForgotten(arrivalOf(forgotten), watermark, config.eventIdMs)) effects.spilled.push(forgotten);
}

function insertTouch(touches: Touch[], touch: Touch) {
  let at = touches.push(touch) - 1;
  for (; at > 0 && isAfter(touches[at - 1]!, touch); at--) touches[at] = touches[at - 1]!;
  touches[at] = touch;
}

function isAfter(a: Touch, b: Touch): boolean {
  return a.timestamp > b.timestamp || (a.timestamp === b.timestamp && a.clickId > b.clickId);
}

function sameClick(a: Touch, b: Touch): boolean {
  return a.timestamp === b.timestamp && a.adId === b.adId && a.campaignId === b.campaignId && a.source === b.source;
}

function sameConversion(a: RememberedConversion, b: RememberedConversion): boolean {
  return a.timestamp === b.timestamp && a.type === b.type && a.valueMicros === b.valueMicros;
}
