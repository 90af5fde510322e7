import { isForgotten } from './config.ts';
import { targetRole } from './corrections.ts';
import { isCorrectable, isJudgeable, looksBeside, type Surroundings } from './retention.ts';
import type { Correction, RememberedConversion, RememberedEvent, Touch, UserBounds, UserState } from './state.ts';
import { idHashOf, isSameClick } from './touch-id.ts';

/** Touches, or conversions, from which on a set finds a duplicate sooner than a comparison with each. */
const MANY = 64;

/** What a correction is about, in its user's state or beside it; undefined if it is in neither. */
export function targetOf(
  context: Surroundings,
  user: UserState,
  bounds: UserBounds,
  correction: Correction,
): RememberedEvent | undefined {
  const { kind, targetId } = correction;
  if (targetRole(kind) === 'outcome') {
    const conversion = conversionWithId(user.conversions, bounds, targetId);
    return conversion === undefined ? targetBeside(context, user, correction) : { role: 'outcome', conversion };
  }
  const hasId = ({ clickId }: Touch) => clickId === targetId;
  const touch = user.touches.find(hasId) ?? user.invalidTouches.find(hasId);
  return touch === undefined ? targetBeside(context, user, correction) : { role: 'touch', touch };
}

/** What a correction is about, if it lies beside its user's state; else undefined. */
export function targetBeside(
  context: Surroundings,
  user: UserState,
  { kind, targetId }: Correction,
): RememberedEvent | undefined {
  if (targetRole(kind) === 'outcome') {
    const conversion = movedConversion(context, user, targetId);
    return conversion && { role: 'outcome', conversion };
  }
  const touch = movedTouch(context, user, targetId);
  return touch && { role: 'touch', touch };
}

/** Touches are kept only as long as they can be corrected. */
export function isTooLate(context: Surroundings, target: RememberedEvent): boolean {
  return target.role === 'outcome' && !isCorrectable(context, target.conversion);
}

/** A conversion that has moved out of the state, as long as it would be there if it had room. */
function movedConversion(context: Surroundings, user: UserState, id: string) {
  const { config, watermark, overflow } = context;
  const conversion = looksBeside(context, user) ? overflow().conversionWithId(id) : undefined;
  if (conversion === undefined || isForgotten(conversion.arrival, watermark, config.retentionMs.outcome)) return;
  return conversion;
}

function movedTouch(context: Surroundings, user: UserState, id: string): Touch | undefined {
  const touch = looksBeside(context, user) ? context.overflow().touchWithId(id) : undefined;
  return touch !== undefined && isJudgeable(context, user, touch) ? touch : undefined;
}

export function touchWithId(
  { touches, invalidTouches }: UserState,
  bounds: UserBounds,
  touch: Touch,
): Touch | undefined {
  const invalid = invalidTouches.find((other) => isSameClick(other, touch));
  if (invalid !== undefined) return invalid;
  if (touches.length >= MANY) {
    bounds.clickIds ??= new Set(touches.map(idHashOf));
    if (!bounds.clickIds.has(idHashOf(touch))) return undefined;
  }
  return touches.find((other) => isSameClick(other, touch));
}

export function conversionWithId(conversions: readonly RememberedConversion[], bounds: UserBounds, id: string) {
  if (conversions.length >= MANY) {
    bounds.conversionIds ??= new Set(conversions.map((each) => each.conversionId));
    if (!bounds.conversionIds.has(id)) return undefined;
  }
  return conversions.find((other) => other.conversionId === id);
}
