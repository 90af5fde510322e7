import { apportion, MODELS, type ModelName } from './models.ts';
import type { Credit, RememberedConversion, Standing, Touch } from './state.ts';

const WHOLE_CREDIT_MICROS = 1_000_000n;

/**
 * Shares one conversion among the touches in its lookback window, under every model, and each of its amounts by the
 * same weights. No touches, no credits.
 */
export function decide(
  models: readonly ModelName[],
  eligible: readonly Touch[],
  { timestamp, valueMicros: grossMicros }: RememberedConversion,
  { valueMicros, refundsMicros }: Standing,
  lookbackMs: number,
): Credit[] {
  if (eligible.length === 0) return [];
  const decided: Credit[] = [];
  for (const model of models) {
    const all = MODELS[model](eligible, { timestamp, lookbackMs });
    const first = eligible.length - all.length;
    if (all.length === 1) {
      const [touch, creditMicros] = [eligible[first]!, Number(WHOLE_CREDIT_MICROS)];
      const adjustedMicros = grossMicros - valueMicros;
      decided.push({ model, touch, creditMicros, valueMicros, adjustedMicros, refundsMicros });
      continue;
    }
    // Most models leave most touches out, and an apportionment gives nothing for no weight.
    const touches: Touch[] = [];
    const weights: bigint[] = [];
    for (let i = 0; i < all.length; i++) {
      if (all[i] === 0n) continue;
      touches.push(eligible[first + i]!);
      weights.push(all[i]!);
    }
    const credits = apportion(WHOLE_CREDIT_MICROS, weights);
    const values = apportion(valueMicros, weights);
    const isGross = valueMicros === grossMicros && refundsMicros === 0n;
    const gross = isGross ? values : apportion(grossMicros, weights);
    const refunds = isGross ? undefined : apportion(refundsMicros, weights);
    for (const [i, touch] of touches.entries()) {
      const [creditMicros, valueMicros] = [Number(credits[i]), values[i]!];
      const [adjustedMicros, refundsMicros] = [gross[i]! - valueMicros, refunds?.[i] ?? 0n];
      // A share of the value may be more than one micro where that of the conversion is less.
      if (creditMicros === 0 && gross[i] === 0n && valueMicros === 0n && refundsMicros === 0n) continue;
      decided.push({ model, touch, creditMicros, valueMicros, adjustedMicros, refundsMicros });
    }
  }
  return decided;
}

/** The touches inside the lookback window of a conversion, both ends inclusive. `touches` ascend by time. */
export function eligibleTouches(touches: readonly Touch[], conversionTime: number, lookbackMs: number): Touch[] {
  let end = touches.length;
  while (end > 0 && touches[end - 1]!.timestamp > conversionTime) end--;
  let start = 0;
  while (start < end && !isEligible(touches[start]!.timestamp, conversionTime, lookbackMs)) start++;
  return touches.slice(start, end);
}

export function isEligible(clickTime: number, conversionTime: number, lookbackMs: number): boolean {
  const age = conversionTime - clickTime;
  return age >= 0 && age <= lookbackMs;
}
