import type { Touch } from './state.ts';

/** The part of a conversion that a model may look at. */
export interface ConversionTime {
  /** When the conversion happened, in ms. */
  timestamp: number;
  /** Lookback window of its type, in ms. */
  lookbackMs: number;
}

/**
 * An attribution model: the weights of the last touches, in the order of the touches, none negative and at least one
 * positive; touches before those have no weight. Touches are never empty and ascend by (timestamp, clickId). A model
 * must be pure, and its weights integers, so that every machine credits the same. Those of the touches with weight must
 * be the same, but for a factor, without the others: an adjustment is shared among those that are credited.
 */
export type AttributionModel = (touches: readonly Touch[], conversion: ConversionTime) => bigint[];

/** Share of the first and the last touch of position_based, in percent; the others share the rest (Google Ads). */
const POSITION_PERCENT = 40n;

/** Half-lives of time_decay in one lookback window: 7 days in 28, the field's default, kept in proportion. */
const HALF_LIVES_PER_LOOKBACK = 4;

/** Every model there is. A new one is one entry here. */
export const MODELS = {
  last_click: () => [1n],
  first_click: (touches) => touches.map((_, i) => (i === 0 ? 1n : 0n)),
  linear: (touches) => touches.map(() => 1n),
  time_decay: (touches, conversion) =>
    touches.map((touch) => {
      const age = (conversion.timestamp - touch.timestamp) / conversion.lookbackMs;
      // V8 computes ** in software, so the double is the same everywhere; 2^40 keeps 12 digits of it.
      return BigInt(Math.round(2 ** (40 - HALF_LIVES_PER_LOOKBACK * age)));
    }),
  position_based: (touches) => {
    const others = BigInt(touches.length - 2);
    if (others <= 0n) return touches.map(() => 1n);
    const ends = POSITION_PERCENT * others;
    return touches.map((_, i) => (i === 0 || i === touches.length - 1 ? ends : 100n - 2n * POSITION_PERCENT));
  },
} as const satisfies Record<string, AttributionModel>;

export type ModelName = keyof typeof MODELS;

/**
 * Splits `total` (not negative) by weight into integers that sum to exactly `total`, by largest remainder
 * (Hamilton's method); equal remainders go to the later entry.
 */
export function apportion(total: bigint, weights: readonly bigint[]): bigint[] {
  if (weights.length === 1) return [total];
  const sum = weights.reduce((a, b) => a + b, 0n);
  const shares = weights.map((weight) => (total * weight) / sum);
  const left = Number(total - shares.reduce((a, b) => a + b, 0n));
  if (left === 0) return shares;
  const byRemainder = weights
    .map((weight, i) => ({ i, remainder: (total * weight) % sum }))
    .sort((a, b) => (a.remainder === b.remainder ? b.i - a.i : a.remainder < b.remainder ? 1 : -1));
  for (const { i } of byRemainder.slice(0, left)) shares[i]! += 1n;
  return shares;
}
