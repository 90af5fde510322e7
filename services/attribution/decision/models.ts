import type { Amounts, Touch } from './state.ts';

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
 * must be pure, and its weights integers below 2^53, so that every machine credits the same. Those of the touches with
 * weight must be the same, but for a factor, without the others: an adjustment is shared among those that are credited.
 */
export type AttributionModel = (touches: readonly Touch[], conversion: ConversionTime) => readonly number[];

/** Share of the first and the last touch of position_based, in percent; the others share the rest (Google Ads). */
const POSITION_PERCENT = 40;

/** Half-lives of time_decay in one lookback window: 7 days in 28, the field's default, kept in proportion. */
const HALF_LIVES_PER_LOOKBACK = 4;

/**
 * A model by nothing but how many touches there are: of as many as the last time its weights are the same list.
 *
 * @param weightAt the weight of the touch at a place, of so many
 */
function byCount(weightAt: (count: number, i: number) => number): AttributionModel {
  let last: readonly number[] = [];
  return (touches) => {
    if (last.length !== touches.length) last = touches.map((_, i) => weightAt(touches.length, i));
    return last;
  };
}

/** Every model there is. A new one is one entry here. */
export const MODELS = {
  last_click: () => [1],
  first_click: byCount((_, i) => (i === 0 ? 1 : 0)),
  linear: byCount(() => 1),
  time_decay: (touches, conversion) =>
    touches.map((touch) => {
      const age = (conversion.timestamp - touch.timestamp) / conversion.lookbackMs;
      // V8 computes ** in software, so the double is the same everywhere; 2^40 keeps 12 digits of it.
      return Math.round(2 ** (40 - HALF_LIVES_PER_LOOKBACK * age));
    }),
  position_based: byCount((count, i) => {
    const others = count - 2;
    if (others <= 0) return 1;
    return i === 0 || i === count - 1 ? POSITION_PERCENT * others : 100 - 2 * POSITION_PERCENT;
  }),
} as const satisfies Record<string, AttributionModel>;

export type ModelName = keyof typeof MODELS;

/** Least total, and least sum of weights, that doubles are too small for. */
const MOST_TOTAL = 2n ** 53n;
const MOST_SUM = 2 ** 52;

/** Weights, prepared for totals to be split by them. */
export interface Weights {
  readonly each: readonly number[];
  /** Of all; not exact if it is too large for doubles. */
  readonly sum: number;
}

/** @param each none negative, and at least one positive */
export function weightsOf(each: readonly number[]): Weights {
  let sum = 0;
  for (let i = 0; i < each.length; i++) sum += each[i]!;
  return { each, sum };
}

/**
 * Splits `total` (not negative) by weight into integers that sum to exactly `total`, by largest remainder
 * (Hamilton's method); equal remainders go to the later entry. Those of a total below 2^53 are numbers.
 */
export function apportion(total: bigint, weights: Weights): Amounts {
  if (total < MOST_TOTAL) return apportionNumber(Number(total), weights);
  return weights.each.length === 1 ? [total] : apportionLarge(total, weights.each);
}

/** The same of a total below 2^53. */
export function apportionNumber(total: number, { each, sum }: Weights): number[] {
  if (each.length === 1) return [total];
  return sum < MOST_SUM ? apportionDoubles(total, each, sum) : apportionLarge(BigInt(total), each).map(Number);
}

/** What is left of each entry's quota, and where the greatest of these are looked for. */
let [remainders, ordered] = [new Float64Array(0), new Float64Array(0)];

const zeros: number[] = [];

/** As many zeros, in a list of that size: one that grows to a thousand leaves more than twice as much as garbage. */
function zerosOf(count: number): number[] {
  while (zeros.length < count) zeros.push(0);
  return zeros.slice(0, count);
}

/** The same by doubles, which are a tenth of the work: shares are guessed, and remainders are exact. */
function apportionDoubles(total: number, weights: readonly number[], sum: number): number[] {
  const shares = zerosOf(weights.length);
  if (remainders.length < weights.length) {
    [remainders, ordered] = [new Float64Array(2 * weights.length), new Float64Array(2 * weights.length)];
  }
  let left = total;
  let weight = -1;
  let guess = 0;
  let remainder = 0;
  for (let i = 0; i < weights.length; i++) {
    // Most are alike.
    if (weights[i] !== weight) {
      weight = weights[i]!;
      guess = Math.floor((total * weight) / sum);
      remainder = differenceOfProducts(total, weight, guess, sum);
      for (; remainder < 0; remainder += sum) guess--;
      for (; remainder >= sum; remainder -= sum) guess++;
    }
    shares[i] = guess;
    remainders[i] = remainder;
    left -= guess;
  }
  if (left > 0) addToGreatest(shares, left);
  return shares;
}

/** Adds one to the shares with the greatest remainders, of equal ones the last. */
function addToGreatest(shares: number[], count: number): void {
  const least = greatestRemainder(shares.length, count);
  let left = count;
  for (let i = 0; i < shares.length; i++) if (remainders[i]! > least) left--;
  for (let i = shares.length - 1; i >= 0; i--) {
    if (remainders[i]! < least || (remainders[i] === least && left-- <= 0)) continue;
    shares[i]! += 1;
  }
}

/** Of the first `length` remainders the one that `count` - 1 are before, the greatest first: by Hoare's FIND, 1961. */
function greatestRemainder(length: number, count: number): number {
  for (let i = 0; i < length; i++) ordered[i] = remainders[i]!;
  const wanted = length - count;
  let low = 0;
  let high = length - 1;
  while (low < high) {
    const pivot = ordered[(low + high) >> 1]!;
    let i = low;
    let j = high;
    while (i <= j) {
      while (ordered[i]! < pivot) i++;
      while (ordered[j]! > pivot) j--;
      if (i > j) break;
      const greater = ordered[i]!;
      ordered[i++] = ordered[j]!;
      ordered[j--] = greater;
    }
    if (wanted <= j) high = j;
    else if (wanted >= i) low = i;
    else break;
  }
  return ordered[wanted]!;
}

/**
 * a × b - c × d, exactly, of integers below 2^53 whose products differ by less than that. The rounding errors of the
 * products are found by T. J. Dekker, "A floating-point technique for extending the available precision", 1971.
 */
function differenceOfProducts(a: number, b: number, c: number, d: number): number {
  const first = a * b;
  const second = c * d;
  return first - second + (errorOf(first, a, b) - errorOf(second, c, d));
}

const SPLITTER = 2 ** 27 + 1;

/** What a product lacks of a × b. */
function errorOf(product: number, a: number, b: number): number {
  const scaledA = SPLITTER * a;
  const scaledB = SPLITTER * b;
  const highA = scaledA - (scaledA - a);
  const highB = scaledB - (scaledB - b);
  const lowA = a - highA;
  const lowB = b - highB;
  return highA * highB - product + highA * lowB + lowA * highB + lowA * lowB;
}

function apportionLarge(total: bigint, each: readonly number[]): bigint[] {
  const weights = each.map(BigInt);
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
