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

/** Least total, and least sum of weights, that doubles are too small for. */
const MOST_TOTAL = 2n ** 53n;
const MOST_SUM = 2 ** 52;

/** Weights, prepared for totals to be split by them. */
export interface Weights {
  readonly each: readonly bigint[];
  /** Undefined if their sum is too large for doubles. */
  readonly doubles: Float64Array | undefined;
  /** Of `doubles`. */
  readonly sum: number;
}

/** @param each none negative, and at least one positive */
export function weightsOf(each: readonly bigint[]): Weights {
  const doubles = new Float64Array(each.length);
  let sum = 0;
  for (let i = 0; i < each.length; i++) {
    doubles[i] = Number(each[i]);
    sum += doubles[i]!;
  }
  return { each, doubles: sum < MOST_SUM ? doubles : undefined, sum };
}

/**
 * Splits `total` (not negative) by weight into integers that sum to exactly `total`, by largest remainder
 * (Hamilton's method); equal remainders go to the later entry.
 */
export function apportion(total: bigint, weights: Weights): bigint[] {
  const { each, doubles, sum } = weights;
  if (each.length === 1) return [total];
  if (total >= MOST_TOTAL || doubles === undefined) return apportionLarge(total, each);
  const shares: bigint[] = [];
  let [before, share] = [0, 0n];
  for (const micros of apportionDoubles(Number(total), doubles, sum)) {
    // Many are alike.
    if (micros !== before) [before, share] = [micros, BigInt(micros)];
    shares.push(share);
  }
  return shares;
}

/** The same of a total below 2^53. */
export function apportionNumber(total: number, { each, doubles, sum }: Weights): number[] {
  if (each.length === 1) return [total];
  return doubles === undefined
    ? apportionLarge(BigInt(total), each).map(Number)
    : apportionDoubles(total, doubles, sum);
}

/** The same by doubles, which are a tenth of the work: shares are guessed, and remainders are exact. */
function apportionDoubles(total: number, weights: Float64Array, sum: number): number[] {
  const shares: number[] = [];
  const remainders = new Float64Array(weights.length);
  let left = total;
  let [weight, guess, remainder] = [-1, 0, 0];
  for (let i = 0; i < weights.length; i++) {
    // Most are alike.
    if (weights[i] !== weight) {
      weight = weights[i]!;
      guess = Math.floor((total * weight) / sum);
      remainder = differenceOfProducts(total, weight, guess, sum);
      for (; remainder < 0; remainder += sum) guess--;
      for (; remainder >= sum; remainder -= sum) guess++;
    }
    shares.push(guess);
    remainders[i] = remainder;
    left -= guess;
  }
  if (left > 0) addToGreatest(shares, remainders, left);
  return shares;
}

/** Adds one to the shares with the greatest remainders, of equal ones the last. */
function addToGreatest(shares: number[], remainders: Float64Array, count: number): void {
  // Sorted without a comparator, which takes a tenth of the time.
  const ascending = remainders.toSorted();
  const least = ascending[ascending.length - count]!;
  let left = count;
  for (const remainder of remainders) if (remainder > least) left--;
  for (let i = shares.length - 1; i >= 0; i--) {
    if (remainders[i]! < least || (remainders[i] === least && left-- <= 0)) continue;
    shares[i]! += 1;
  }
}

/**
 * a × b - c × d, exactly, of integers below 2^53 whose products differ by less than that. The rounding errors of the
 * products are found by T. J. Dekker, "A floating-point technique for extending the available precision", 1971.
 */
function differenceOfProducts(a: number, b: number, c: number, d: number): number {
  const [first, second] = [a * b, c * d];
  return first - second + (errorOf(first, a, b) - errorOf(second, c, d));
}

const SPLITTER = 2 ** 27 + 1;

/** What a product lacks of a × b. */
function errorOf(product: number, a: number, b: number): number {
  const [scaledA, scaledB] = [SPLITTER * a, SPLITTER * b];
  const [highA, highB] = [scaledA - (scaledA - a), scaledB - (scaledB - b)];
  const [lowA, lowB] = [a - highA, b - highB];
  return highA * highB - product + highA * lowB + lowA * highB + lowA * lowB;
}

function apportionLarge(total: bigint, weights: readonly bigint[]): bigint[] {
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
