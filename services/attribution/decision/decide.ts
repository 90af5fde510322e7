import type { AttributionConfig } from './config.ts';
import { apportion, MODELS, type ModelName } from './models.ts';
import type { Credit, RememberedConversion, Standing, Touch, Windows } from './state.ts';
import { isAfter } from './touch-id.ts';

const WHOLE_CREDIT_MICROS = 1_000_000n;

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

/** Shares one conversion among its candidates under every model. No candidates, no credits. */
export function decide(
  { models, lookbackMs }: { models: readonly ModelName[]; lookbackMs: number },
  { touches, newest }: Candidates,
  conversion: RememberedConversion,
  standing: Standing,
): Credit[] {
  const decided: Credit[] = [];
  if (touches.length === 0) return decided;
  for (const model of models) {
    share(decided, model, model === 'first_click' ? touches : newest, conversion, standing, lookbackMs);
  }
  return decided;
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
): Credit[] {
  const shared: Credit[] = [];
  const byId = new Map(candidates.map((touch) => [touch.clickId, touch]));
  for (const [model, credits] of Map.groupBy(conversion.credits, ({ model }) => model)) {
    // As modelsOf: what is no model any more shares nothing.
    if (!isModel(model)) continue;
    const touches = credits.map(({ touch }) => byId.get(touch.clickId)!);
    share(shared, model, touches, conversion, standing, lookbackMs);
  }
  return shared;
}

/** Candidates together with the touches that have credit, ascending by time: those may be remembered only with it. */
export function withCredited(candidates: readonly Touch[], credits: readonly Credit[]): readonly Touch[] {
  const ids = new Set(candidates.map(({ clickId }) => clickId));
  const others = new Map<string, Touch>();
  for (const { touch } of credits) if (!ids.has(touch.clickId)) others.set(touch.clickId, touch);
  if (others.size === 0) return candidates;
  return [...candidates, ...others.values()].sort((a, b) => (isAfter(a, b) ? 1 : -1));
}

/** Adds the shares of a conversion under one model; each of its amounts is shared by the same weights. */
function share(
  shares: Credit[],
  model: ModelName,
  candidates: readonly Touch[],
  { timestamp, valueMicros: grossMicros }: RememberedConversion,
  { valueMicros, refundsMicros }: Standing,
  lookbackMs: number,
): void {
  const all = MODELS[model](candidates, { timestamp, lookbackMs });
  const first = candidates.length - all.length;
  if (all.length === 1) {
    const [touch, creditMicros] = [candidates[first]!, Number(WHOLE_CREDIT_MICROS)];
    const adjustedMicros = grossMicros - valueMicros;
    shares.push({ model, touch, creditMicros, valueMicros, adjustedMicros, refundsMicros });
    return;
  }
  // Some models leave most touches out, and an apportionment gives nothing for no weight.
  const isSparse = all.includes(0n);
  const weights = isSparse ? all.filter((weight) => weight > 0n) : all;
  const credits = apportion(WHOLE_CREDIT_MICROS, weights);
  const values = apportion(valueMicros, weights);
  const isGross = valueMicros === grossMicros && refundsMicros === 0n;
  const gross = isGross ? values : apportion(grossMicros, weights);
  const refunds = isGross ? undefined : apportion(refundsMicros, weights);
  for (let i = 0, at = first; i < weights.length; i++, at++) {
    while (isSparse && all[at - first] === 0n) at++;
    const [creditMicros, value, refunded] = [Number(credits[i]), values[i]!, refunds === undefined ? 0n : refunds[i]!];
    const adjustedMicros = isGross ? 0n : gross[i]! - value;
    // A share of the value may be more than one micro where that of the conversion is less.
    if (creditMicros === 0 && gross[i] === 0n && value === 0n && refunded === 0n) continue;
    const touch = candidates[at]!;
    shares.push({ model, touch, creditMicros, valueMicros: value, adjustedMicros, refundsMicros: refunded });
  }
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
