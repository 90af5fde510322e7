import { hasCredit } from '../decision/decide.ts';
import { type ClickCount, isChangedUnder, type ModelChange, type SharesChange } from '../decision/effects.ts';

/** What is counted of a batch. */
export interface Counted {
  clicks: readonly ClickCount[];
  changes: readonly SharesChange[];
}

/** What is counted more of a touch's share than before, in micros. */
export interface Delta {
  /** Of conversions that hold, and their revenue. */
  conversions: number;
  revenue: number | bigint;
  /** Of conversions that came but do not hold. */
  retracted: number;
  /** Of revenue as it came less the one that holds: negative where that is more. */
  adjusted: number | bigint;
  /** What of `adjusted` refunds took. */
  refunds: number | bigint;
}

/**
 * Puts into `delta` what is counted more under a model of a touch of a change; false if nothing is counted otherwise.
 *
 * @param i of the touch
 */
export function deltaOf(change: SharesChange, i: number, model: ModelChange, delta: Delta): boolean {
  const { before, after } = model;
  const { places, wasRetracted, isRetracted } = change;
  const from = places[2 * i]!;
  const to = places[2 * i + 1]!;
  if (!isChangedUnder(model, from, to, wasRetracted === isRetracted)) return false;
  const had = before !== undefined && hasCredit(before, from);
  const has = after !== undefined && hasCredit(after, to);
  const o = had ? from - before.from : 0;
  const n = has ? to - after.from : 0;
  const credit = has ? after.creditMicros[n]! : 0;
  const oldCredit = had ? before.creditMicros[o]! : 0;
  delta.conversions = (isRetracted ? 0 : credit) - (wasRetracted ? 0 : oldCredit);
  delta.retracted = (isRetracted ? credit : 0) - (wasRetracted ? oldCredit : 0);
  delta.revenue = difference(has ? after.valueMicros[n] : 0, had ? before.valueMicros[o] : 0);
  delta.adjusted = difference(has ? after.adjustedMicros?.[n] : 0, had ? before.adjustedMicros?.[o] : 0);
  delta.refunds = difference(has ? after.refundsMicros?.[n] : 0, had ? before.refundsMicros?.[o] : 0);
  return true;
}

function difference(now: number | bigint = 0, old: number | bigint = 0): number | bigint {
  return typeof now === 'number' && typeof old === 'number' ? now - old : BigInt(now) - BigInt(old);
}
