import { lastInOverflow } from './candidates.ts';
import { isForgotten } from './config.ts';
import {
  correct,
  correctionsBeside,
  correctionsOf,
  firstCorrection,
  isInvalid,
  isSameCorrection,
  MAX_CORRECTIONS,
  MAX_USER_CORRECTIONS,
} from './corrections.ts';
import { digestOf, UNKNOWN_DIGEST } from './digest.ts';
import { type ConversionRef, type Effects, noteConflict, noteTouch, noteVerdict } from './effects.ts';
import { assertNever, type CorrectingKind, ID_ROLES, type OutcomeKind, type TouchKind } from './kinds.ts';
import { addCorrection, boundsOf, expire, hasClosed, moveOut, type Surroundings } from './retention.ts';
import { adjust, decideNew, type Rest, redecide } from './settle.ts';
import {
  arrivalOf,
  type Correction,
  idOf,
  type RememberedConversion,
  type RememberedEvent,
  type SpilledId,
  type Touch,
  type UserBounds,
  type UserState,
} from './state.ts';
import { conversionWithId, isTooLate, targetBeside, targetOf, touchWithId } from './targets.ts';
import { idHashOf, insertTouch, isSameClick } from './touch-id.ts';

type EventRef = Pick<ConversionRef, 'userId' | 'offset'>;
export type TouchEvent = EventRef & { role: 'touch'; type: TouchKind['type']; touch: Touch };
export type OutcomeEvent = EventRef & { role: 'outcome'; type: OutcomeKind['type']; conversion: RememberedConversion };
type Correcting<K extends CorrectingKind> = EventRef & { role: K['role']; type: K['type']; correction: Correction };
export type CorrectionEvent = {
  [K in CorrectingKind as K['type']]: Correcting<K>;
}[CorrectingKind['type']];

/** An event as the fold sees it: checked, its times in ms. */
export type FoldEvent = TouchEvent | OutcomeEvent | CorrectionEvent;

export interface FoldContext extends Surroundings {
  /** What is known of the event, or what it corrects, if its id was spilled from this user's state; else undefined. */
  spilled(): SpilledId | undefined;
}

/** A user and an event about it, with what follows. */
interface Folding<E extends FoldEvent = FoldEvent> {
  context: FoldContext;
  user: UserState;
  bounds: UserBounds;
  event: E;
  effects: Effects;
}

/**
 * Takes one event into the state of its user and notes what follows from it in `effects`. Deterministic: both depend on
 * the arguments alone.
 *
 * The order in which events arrive does not matter to where they end, as long as no click and conversion are further
 * apart in arrival than the touch retention, and no correction is from what it corrects than the correction retention:
 * a click that comes after its conversion re-decides it, a correction that comes before what it corrects waits for it.
 *
 * @returns what is left to be done before the user's next event is folded; see `redecide`
 */
export function fold(context: FoldContext, user: UserState, event: FoldEvent, effects: Effects): Rest | undefined {
  user.bounds ??= boundsOf(context.config, user);
  const { bounds } = user;
  expire(context, user, bounds, effects);
  switch (event.role) {
    case 'touch':
      return foldTouch({ context: seeing(context, user, bounds), user, bounds, event, effects });
    case 'outcome':
      foldOutcome({ context: seeing(context, user, bounds), user, bounds, event, effects });
      return undefined;
    case 'adjustment':
    case 'verdict':
      return foldCorrection({ context: seeingClosed(context, user, bounds), user, bounds, event, effects });
    default:
      return assertNever(event);
  }
}

/** What a touch or an outcome looks at: hardly ever at what is closed. */
function seeing(context: FoldContext, user: UserState, bounds: UserBounds): FoldContext {
  const { watermark, closedSeenUntil } = context;
  return closedSeenUntil !== undefined && watermark <= closedSeenUntil ? seeingClosed(context, user, bounds) : context;
}

/** What a correction looks at. */
function seeingClosed(context: FoldContext, user: UserState, bounds: UserBounds): FoldContext {
  if (context.seesClosed || !hasClosed(context, user)) return context;
  // Known of the overflow alone.
  bounds.lastInOverflow = undefined;
  return { ...context, seesClosed: true, overflow: () => context.overflow(true) };
}

function foldTouch(folding: Folding<TouchEvent>): Rest | undefined {
  const { context, user, bounds, event, effects } = folding;
  const { type, offset, touch } = event;
  const verdicts = correctionsOf(user, bounds, event);
  const first = touchWithId(user, bounds, touch) ?? correctedBeside(folding, verdicts)?.touch;
  const spilled = first === undefined ? spilledId(context, event, effects) : undefined;
  if (first !== undefined || spilled !== undefined) {
    effects.duplicates[type]++;
    if (first === undefined ? isOther(spilled!, event) : !sameClick(first, touch)) noteConflict(effects, event);
    return undefined;
  }
  effects.totals.waiting -= verdicts.length;
  const invalid = isInvalid(verdicts);
  noteTouch(effects, type, { touch, isInvalid: invalid, offset });
  keep(folding, touch, invalid);
  return redecide(folding, { touch, was: false, is: !invalid }, { eventId: touch.clickId, type });
}

/** Takes a touch into the state, and out of it another that there is no room for. */
function keep({ context, user, bounds, effects }: Folding, touch: Touch, invalid: boolean): void {
  const { maxTouches, retentionMs } = context.config;
  const touches = invalid ? user.invalidTouches : user.touches;
  insertTouch(touches, touch);
  bounds.touchesKeptUntil = Math.min(bounds.touchesKeptUntil, touch.arrival + retentionMs.touch);
  bounds.clickIds?.add(idHashOf(touch));
  if (touches.length <= maxTouches) return;
  const dropped = touches.shift()!;
  effects.totals.touchesDropped++;
  moveOut(context, user, bounds, { role: 'touch', touch: dropped });
  context.overflow().addTouch(dropped, invalid);
  if (invalid) bounds.hasInvalidInOverflow = true;
}

function foldOutcome(folding: Folding<OutcomeEvent>): void {
  const { context, user, bounds, event, effects } = folding;
  const { type, conversion } = event;
  const corrections = correctionsOf(user, bounds, event);
  const first =
    conversionWithId(user.conversions, bounds, conversion.conversionId) ??
    correctedBeside(folding, corrections)?.conversion;
  const spilled = first === undefined ? spilledId(context, event, effects) : undefined;
  if (first !== undefined || spilled !== undefined) {
    effects.duplicates[type]++;
    const isConflict = first === undefined ? isOther(spilled!, event) : !sameConversion(first, conversion);
    if (isConflict) noteConflict(effects, event);
    return;
  }
  effects.totals.waiting -= corrections.length;
  user.conversions.push(conversion);
  bounds.conversionIds?.add(conversion.conversionId);
  bounds.lastConversionTimes.push(Math.max(bounds.lastConversionTimes.at(-1) ?? 0, conversion.timestamp));
  if (user.conversions.length > context.config.maxTouches) {
    bounds.lastConversionTimes.shift();
    const dropped = user.conversions.shift()!;
    moveOut(context, user, bounds, { role: 'outcome', conversion: dropped });
    context.overflow().addConversion(dropped);
    bounds.lastInOverflow = Math.max(lastInOverflow(context.overflow, bounds), dropped.timestamp);
  }
  decideNew(context, user, event, correct(conversion, corrections), effects);
}

/**
 * What some corrections are about, if it has come and lies beside the state: its id may be forgotten, but they do not
 * wait for another event with that.
 */
function correctedBeside({ context, user, bounds }: Folding, [correction]: readonly Correction[]) {
  if (correction === undefined) return undefined;
  const target = targetBeside(seeingClosed(context, user, bounds), user, correction);
  return { touch: undefined, conversion: undefined, ...target };
}

function foldCorrection(folding: Folding<CorrectionEvent>): Rest | undefined {
  const { context, user, bounds, event, effects } = folding;
  const { type, offset, correction } = event;
  const first = firstCorrection(user, bounds, correction);
  if (first !== undefined) {
    effects.duplicates[type]++;
    if (!isSameCorrection(first, correction)) noteConflict(effects, event);
    return undefined;
  }
  const target = targetOf(context, user, bounds, correction);
  if (target === undefined ? spilledId(context, event, effects) !== undefined : isTooLate(context, target)) {
    effects.totals.tooLate++;
    return undefined;
  }
  const before = [...correctionsBeside(user, bounds, correction)];
  const reason = whyRefused(user, correction, before.length);
  if (reason !== undefined) {
    effects.refused.push({ offset, reason });
    return undefined;
  }
  effects.totals[type === 'adjustment' ? 'adjustments' : 'verdicts']++;
  addCorrection(context, user, bounds, correction, target && arrivalOf(target));
  const after = [...before, correction];
  if (target?.role === 'touch') return judge(folding, target.touch, isInvalid(before), isInvalid(after));
  if (target === undefined) {
    effects.totals.waiting++;
    return undefined;
  }
  const [was, is] = [correct(target.conversion, before), correct(target.conversion, after)];
  adjust(folding, target.conversion, was, is, { eventId: correction.eventId, type });
  return undefined;
}

/** Why there is no room for one more correction; undefined if there is. */
function whyRefused({ corrections }: UserState, { targetId }: Correction, others: number): string | undefined {
  if (others >= MAX_CORRECTIONS) return `more than ${MAX_CORRECTIONS} corrections: of ${targetId}`;
  if (corrections.length >= MAX_USER_CORRECTIONS) return `more than ${MAX_USER_CORRECTIONS} corrections of a user`;
  return undefined;
}

/** Counts a click as invalid, or as valid again, and decides its conversions without it, or with it. */
function judge(
  folding: Folding<CorrectionEvent>,
  touch: Touch,
  wasInvalid: boolean,
  invalid: boolean,
): Rest | undefined {
  if (wasInvalid === invalid) return undefined;
  const { context, user, bounds, event, effects } = folding;
  const { type, offset, correction } = event;
  const touches = wasInvalid ? user.invalidTouches : user.touches;
  noteVerdict(effects, touch, invalid, offset);
  const at = touches.indexOf(touch);
  if (at === -1) {
    context.overflow().judgeTouch(touch, invalid);
    bounds.hasInvalidInOverflow = undefined;
  } else {
    touches.splice(at, 1);
    keep(folding, touch, invalid);
  }
  return redecide(folding, { touch, was: !wasInvalid, is: !invalid }, { eventId: correction.eventId, type });
}

/** What is known by its id alone of the event, or of what it corrects, be it since now; undefined if nothing. */
function spilledId({ config, watermark, spilled }: FoldContext, event: FoldEvent, effects: Effects) {
  const now = effects.spilled.find((each) => isAbout(event, each));
  if (now !== undefined) return { arrival: arrivalOf(now), digest: digestOf(now) };
  const known = spilled();
  return known === undefined || isForgotten(known.arrival, watermark, config.eventIdMs) ? undefined : known;
}

/** Whether an event has the id of another, or corrects it. */
function isAbout(event: FoldEvent, other: RememberedEvent): boolean {
  if (ID_ROLES[event.role] !== other.role) return false;
  switch (event.role) {
    case 'touch':
      return other.role === 'touch' && isSameClick(event.touch, other.touch);
    case 'outcome':
      return idOf(other) === event.conversion.conversionId;
    default:
      return idOf(other) === event.correction.targetId;
  }
}

function isOther({ digest }: SpilledId, event: RememberedEvent): boolean {
  return digest !== UNKNOWN_DIGEST && digest !== digestOf(event);
}

function sameClick(a: Touch, b: Touch): boolean {
  return a.timestamp === b.timestamp && a.adId === b.adId && a.campaignId === b.campaignId && a.source === b.source;
}

function sameConversion(a: RememberedConversion, b: RememberedConversion): boolean {
  return a.timestamp === b.timestamp && a.type === b.type && a.valueMicros === b.valueMicros;
}
