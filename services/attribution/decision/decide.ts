import type { AttributionConfig } from './config.ts';
import { apportion, apportionNumber, MODELS, type ModelName, type Weights, weightsOf } from './models.ts';
import type { Amounts, Credit, ModelShares, RememberedConversion, Shares, Standing, Touch, Windows } from './state.ts';
import { isAfter } from './touch-id.ts';

const WHOLE_CREDIT_MICROS = 1_000_000;

/** The touches that a conversion may be credited to. */
export interface Candidates {
  /** Ascending by (timestamp, clickId). If `isTruncated`, the newest, before them the first if a model asks for it. */
  touches: readonly Touch[];
  /** The newest ones, among which all models share but first_click. */
  newest: readonly Touch[];
  /** Whether there are more than `maxTouches`. */
  isTruncated: boolean;
}

/** The models that a conversion is decided under, whatever models are in use since; without those that are no more. */
export function modelsOf({ models }: Pick<AttributionConfig, 'models'>, conversion: RememberedConversion) {
  return conversion.models.length === 0 ? models : conversion.models.filter(isModel);
}

function isModel(name: string): name is ModelName {
  return name in MODELS;
}

export function windowsOf(config: AttributionConfig, { windows, type }: RememberedConversion): Windows {
  return windows ?? config.windows(type);
}

/** Shares one conversion among its candidates under every model. */
export function decide(
  { models, lookbackMs }: { models: readonly ModelName[]; lookbackMs: number },
  { touches, newest }: Candidates,
  conversion: RememberedConversion,
  standing: Standing,
): Shares {
  const byModel: ModelShares[] = [];
  if (touches.length === 0) return { touches, byModel };
  for (const model of models) {
    const candidates = model === 'first_click' ? touches : newest;
    const weights = MODELS[model](candidates, { timestamp: conversion.timestamp, lookbackMs });
    byModel.push(share(model, touches.length - weights.length, weights, conversion, standing));
  }
  return { touches, byModel };
}

/**
 * Shares what now holds of a conversion among those that have credit for it: who is credited is decided, whatever has
 * become of other candidates and of the models in use since. A model's weights for the touches that it credits are the
 * same without the others.
 *
 * @param candidates with all that have credit
 */
export function shareAnew(
  { lookbackMs }: { lookbackMs: number },
  candidates: readonly Touch[],
  conversion: RememberedConversion,
  standing: Standing,
): Shares {
  const byModel: ModelShares[] = [];
  const places = new Map(candidates.map(({ clickId }, i) => [clickId, i]));
  for (const [model, credits] of Map.groupBy(conversion.credits, (credit) => credit.model)) {
    // As modelsOf: what is no model any more shares nothing.
    if (!isModel(model)) continue;
    const at = credits.map(({ touch }) => places.get(touch.clickId)!);
    const touches = at.map((place) => candidates[place]!);
    const weights = MODELS[model](touches, { timestamp: conversion.timestamp, lookbackMs });
    const all = candidates.map(() => 0);
    weights.forEach((weight, i) => {
      all[at[touches.length - weights.length + i]!] = weight;
    });
    byModel.push(share(model, 0, all, conversion, standing));
  }
  return { touches: candidates, byModel };
}

/** Credits as shares of touches, which ascend, and of which all are that have credit. */
export function sharesOf(touches: readonly Touch[], credits: readonly Credit[]): Shares {
  const places = new Map(touches.map(({ clickId }, i) => [clickId, i]));
  const byModel = [...Map.groupBy(credits, ({ model }) => model)].map(([model, given]): ModelShares => {
    const creditMicros = touches.map(() => 0);
    const [valueMicros, adjustedMicros, refundsMicros] = [0, 1, 2].map(() => touches.map(() => 0n));
    for (const credit of given) {
      const at = places.get(credit.touch.clickId)!;
      creditMicros[at] = credit.creditMicros;
      valueMicros![at] = credit.valueMicros;
      adjustedMicros![at] = credit.adjustedMicros;
      refundsMicros![at] = credit.refundsMicros;
    }
    return { model, from: 0, creditMicros, valueMicros: valueMicros!, adjustedMicros, refundsMicros };
  });
  return { touches, byModel };
}

/** The credits that there are in shares, model by model, of each ascending by touch. */
export function creditsOf({ touches, byModel }: Shares): Credit[] {
  const credits: Credit[] = [];
  for (const shares of byModel) {
    const { model, from, creditMicros, valueMicros, adjustedMicros, refundsMicros } = shares;
    for (let at = from; at < from + creditMicros.length; at++) {
      if (!hasCredit(shares, at)) continue;
      const i = at - from;
      credits.push({
        ...{ model, touch: touches[at]!, creditMicros: creditMicros[i]!, valueMicros: BigInt(valueMicros[i]!) },
        ...{ adjustedMicros: BigInt(adjustedMicros?.[i] ?? 0), refundsMicros: BigInt(refundsMicros?.[i] ?? 0) },
      });
    }
  }
  return credits;
}

/** Whether the touch at a place has credit under a model. */
export function hasCredit(shares: ModelShares, at: number): boolean {
  const i = at - shares.from;
  if (i < 0 || i >= shares.creditMicros.length) return false;
  // A share of the value may be more than one micro where that of the conversion is less.
  if (shares.creditMicros[i] !== 0 || isSome(shares.valueMicros[i]!)) return true;
  return isSome(shares.adjustedMicros?.[i] ?? 0) || isSome(shares.refundsMicros?.[i] ?? 0);
}

function isSome(amount: number | bigint): boolean {
  return amount !== 0 && amount !== 0n;
}

/** Candidates together with the touches that have credit, ascending by time: those may be remembered only with it. */
export function withCredited(candidates: readonly Touch[], credits: readonly Credit[]): readonly Touch[] {
  const ids = new Set(candidates.map(({ clickId }) => clickId));
  const others = new Map<string, Touch>();
  for (const { touch } of credits) if (!ids.has(touch.clickId)) others.set(touch.clickId, touch);
  if (others.size === 0) return candidates;
  return [...candidates, ...others.values()].sort((a, b) => (isAfter(a, b) ? 1 : -1));
}

/**
 * The shares of a conversion under one model; each of its amounts is shared by the same weights.
 *
 * @param first place of the touch that the first weight is of
 */
function share(
  model: ModelName,
  first: number,
  all: readonly number[],
  { valueMicros: grossMicros }: RememberedConversion,
  { valueMicros, refundsMicros }: Standing,
): ModelShares {
  let start = 0;
  let end = all.length;
  while (all[start] === 0) start++;
  while (all[end - 1] === 0) end--;
  const { weights, creditMicros } = prepared(model, end - start === all.length ? all : all.slice(start, end));
  const values = apportion(valueMicros, weights);
  const isGross = valueMicros === grossMicros && refundsMicros === 0n;
  return {
    model,
    from: first + start,
    creditMicros,
    valueMicros: values,
    adjustedMicros: isGross ? undefined : less(apportion(grossMicros, weights), values),
    refundsMicros: isGross ? undefined : apportion(refundsMicros, weights),
  };
}

interface Prepared {
  weights: Weights;
  creditMicros: readonly number[];
}

/** Weights from which on a model's last ones are kept: the next conversion of a user with so many has the same. */
const MANY_WEIGHTS = 64;
const lastOf = new Map<ModelName, Prepared>();

function prepared(model: ModelName, each: readonly number[]): Prepared {
  const last = each.length < MANY_WEIGHTS ? undefined : lastOf.get(model);
  if (last !== undefined && isSameList(last.weights.each, each)) return last;
  const weights = weightsOf(each);
  const now = { weights, creditMicros: apportionNumber(WHOLE_CREDIT_MICROS, weights) };
  if (each.length >= MANY_WEIGHTS) lastOf.set(model, now);
  return now;
}

function isSameList(a: readonly number[], b: readonly number[]): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Amounts less as many others. */
function less(amounts: Amounts, others: Amounts): Amounts {
  if (areNumbers(amounts) && areNumbers(others)) return amounts.map((amount, i) => amount - others[i]!);
  return [...amounts].map((amount, i) => BigInt(amount) - BigInt(others[i]!));
}

function areNumbers(amounts: Amounts): amounts is readonly number[] {
  return typeof amounts[0] === 'number';
}

/** The candidates of a conversion among some touches. These ascend by time, and so do they. */
export function candidatesAmong(
  config: AttributionConfig,
  touches: readonly Touch[],
  conversion: RememberedConversion,
): Touch[] {
  const { timestamp, arrival } = conversion;
  const { lookbackMs, apartMs } = windowsOf(config, conversion);
  let end = touches.length;
  while (end > 0 && touches[end - 1]!.timestamp > timestamp) end--;
  let start = 0;
  while (start < end && !isWithin(touches[start]!.timestamp, timestamp, lookbackMs)) start++;
  const within = touches.slice(start, end);
  for (const touch of within) {
    if (!arrivedNear(touch, arrival, apartMs)) return within.filter((each) => arrivedNear(each, arrival, apartMs));
  }
  return within;
}

/**
 * Whether a touch may be credited with a conversion: it is inside the lookback window, both ends inclusive, and they
 * arrived no further apart than a touch waits for conversions, whichever came first. What is kept for longer, for
 * corrections, so changes nothing else.
 */
export function isCandidate(config: AttributionConfig, touch: Touch, conversion: RememberedConversion): boolean {
  const { lookbackMs, apartMs } = windowsOf(config, conversion);
  return isWithin(touch.timestamp, conversion.timestamp, lookbackMs) && arrivedNear(touch, conversion.arrival, apartMs);
}

function isWithin(clickTime: number, conversionTime: number, lookbackMs: number): boolean {
  const age = conversionTime - clickTime;
  return age >= 0 && age <= lookbackMs;
}

export function arrivedNear(touch: Touch, arrival: number, apartMs: number): boolean {
  return Math.abs(touch.arrival - arrival) <= apartMs;
}
