import type { Correction, Touch, UserState } from '../decision/state.ts';
import type { StoredConversion } from '../store/stored-entries.ts';

/** A user whose state is taken apart for the fold. */
export interface OpenUser {
  slot: number;
  state: UserState;
  /** The lists as the table has them: what differs in the state when all is folded was changed. */
  touches: readonly Touch[];
  conversions: readonly StoredConversion[];
  invalidTouches: readonly Touch[];
  corrections: readonly Correction[];
}

/** Whether what the table has of a user is still so, but for what was added behind it. */
export function keptOf({ state, touches, conversions, invalidTouches, corrections }: OpenUser) {
  return {
    keepsTouches: beginsWith(state.touches, touches),
    keepsConversions: beginsWith(state.conversions, conversions) && conversions.every((each) => each.isAsStored),
    keepsCorrections: isSame(state.corrections, corrections) && isSame(state.invalidTouches, invalidTouches),
  };
}

/** Whether the first of some items are these very ones. */
function beginsWith<T>(items: readonly T[], first: readonly T[]): boolean {
  return first.every((item, i) => item === items[i]);
}

function isSame<T>(items: readonly T[], others: readonly T[]): boolean {
  return items.length === others.length && beginsWith(items, others);
}
