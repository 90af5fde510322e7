import type { Role } from './kinds.ts';
import {
  type Correction,
  type CorrectionEffect,
  type CorrectionIndex,
  type CorrectionKind,
  type EffectiveCorrection,
  idOf,
  type RememberedConversion,
  type RememberedEvent,
  type Standing,
  type UserBounds,
  type UserState,
} from './state.ts';

/** Most corrections of one conversion or click; what goes beyond them is a dead letter. */
export const MAX_CORRECTIONS = 1000;
/** Most corrections in a user's state, in 610 kB: those that wait for nothing that comes have no other bound. */
export const MAX_USER_CORRECTIONS = 10_000;

const NO_CORRECTIONS: readonly Correction[] = [];

/** The role of what a correction is about. */
export function targetRole(kind: CorrectionKind): Role {
  return kind === 'valid' || kind === 'invalid' ? 'touch' : 'outcome';
}

/** What holds of a conversion, and what each of its corrections has become, ascending by (timestamp, eventId). */
export interface Corrected {
  standing: Standing;
  corrections: readonly EffectiveCorrection[];
}

const NONE: readonly EffectiveCorrection[] = [];

/** What holds of a conversion by its corrections, whatever the order in which they came. */
export function correct({ valueMicros }: RememberedConversion, corrections: readonly Correction[]): Corrected {
  if (corrections.length === 0) return { standing: standingOf(valueMicros, 0n, 0n), corrections: NONE };
  const ordered = corrections.toSorted(byTimeThenId);
  if (ordered.some(({ kind }) => kind === 'retract')) {
    const effective = ordered.map((correction) => ({
      correction,
      effect: correction.kind === 'retract' ? ('applied' as const) : ('void' as const),
    }));
    const standing = { retracted: true, valueMicros: 0n, refundsMicros: 0n, exceededMicros: 0n };
    return { standing, corrections: effective };
  }
  const restate = ordered.findLastIndex(({ kind }) => kind === 'restate');
  let left = restate < 0 ? valueMicros : ordered[restate]!.valueMicros;
  let [refundsMicros, exceededMicros] = [0n, 0n];
  const effective = ordered.map((correction, i) => {
    if (i < restate) return { correction, effect: 'superseded' as const };
    if (i === restate) return { correction, effect: 'applied' as const };
    const asked = correction.valueMicros;
    const beyond = asked > left ? asked - left : 0n;
    const taken = asked - beyond;
    left -= taken;
    refundsMicros += taken;
    exceededMicros += beyond;
    return { correction, effect: effectOfRefund(asked, taken) };
  });
  return { standing: standingOf(left, refundsMicros, exceededMicros), corrections: effective };
}

/** Refunds that took less than they should, as they go beyond the value. */
export function countExceeded({ corrections }: Corrected): number {
  let count = 0;
  for (const { effect } of corrections) if (effect === 'applied_in_part' || effect === 'exceeded') count++;
  return count;
}

/** Whether a click is none, by all verdicts on it: the greatest by (timestamp, eventId) stands. */
export function isInvalid(verdicts: readonly Correction[]): boolean {
  let last: Correction | undefined;
  for (const verdict of verdicts) if (last === undefined || byTimeThenId(last, verdict) < 0) last = verdict;
  return last?.kind === 'invalid';
}

/** All corrections of a user's touch or conversion, whether it has come or not. */
export function correctionsOf(user: UserState, bounds: UserBounds, target: RememberedEvent): readonly Correction[] {
  if (user.corrections.length === 0) return NO_CORRECTIONS;
  return indexOf(user, bounds).byTarget.get(keyOf(target.role, idOf(target))) ?? NO_CORRECTIONS;
}

/** All corrections of what one is about. */
export function correctionsBeside(user: UserState, bounds: UserBounds, { kind, targetId }: Correction) {
  return indexOf(user, bounds).byTarget.get(keyOf(targetRole(kind), targetId)) ?? NO_CORRECTIONS;
}

/** The correction of the user that came first with the same id. */
export function firstCorrection(user: UserState, bounds: UserBounds, { kind, eventId }: Correction) {
  return indexOf(user, bounds).byEvent.get(keyOf(targetRole(kind), eventId));
}

/** Notes that a correction is added to the user's. */
export function indexCorrection(user: UserState, bounds: UserBounds, correction: Correction): void {
  addTo(indexOf(user, bounds), correction);
}

function indexOf(user: UserState, bounds: UserBounds): CorrectionIndex {
  if (bounds.corrections === undefined) {
    bounds.corrections = { byTarget: new Map(), byEvent: new Map() };
    for (const correction of user.corrections) addTo(bounds.corrections, correction);
  }
  return bounds.corrections;
}

function addTo({ byTarget, byEvent }: CorrectionIndex, correction: Correction): void {
  const { kind, targetId, eventId } = correction;
  const [target, event] = [keyOf(targetRole(kind), targetId), keyOf(targetRole(kind), eventId)];
  const others = byTarget.get(target);
  if (others === undefined) byTarget.set(target, [correction]);
  else others.push(correction);
  if (!byEvent.has(event)) byEvent.set(event, correction);
}

/** An adjustment and a verdict may have the same id, as may a conversion and a click. */
function keyOf(role: Role, id: string): string {
  return role + id;
}

export function isSameCorrection(a: Correction, b: Correction): boolean {
  return (
    a.targetId === b.targetId && a.kind === b.kind && a.valueMicros === b.valueMicros && a.timestamp === b.timestamp
  );
}

function standingOf(valueMicros: bigint, refundsMicros: bigint, exceededMicros: bigint): Standing {
  return { retracted: false, valueMicros, refundsMicros, exceededMicros };
}

function effectOfRefund(asked: bigint, taken: bigint): CorrectionEffect {
  if (taken === asked) return 'applied';
  return taken === 0n ? 'exceeded' : 'applied_in_part';
}

function byTimeThenId(a: Correction, b: Correction): number {
  return a.timestamp - b.timestamp || (a.eventId < b.eventId ? -1 : 1);
}
