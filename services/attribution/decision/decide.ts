import { apportion, MODELS, type ModelName } from './models.ts';
import type { Credit, RememberedConversion, Touch } from './state.ts';

const WHOLE_CREDIT_MICROS = 1_000_000n;

/** Shares one conversion among the touches in its lookback window, under every model. No touches, no credits. */
export function decide(
  models: readonly ModelName[],
  eligible: readonly Touch[],
  conversion: RememberedConversion,
  lookbackMs: number,
): Credit[] {
  if (eligible.length === 0) return [];
  const decided: Credit[] = [];
  for (const model of models) {
    const all = MODELS[model](eligible, { timestamp: conversion.timestamp, lookbackMs });
    const first = eligible.length - all.length;
    if (all.length === 1) {
      const [touch, valueMicros] = [eligible[first]!, conversion.valueMicros];
      decided.push({ model, touch, creditMicros: Number(WHOLE_CREDIT_MICROS), valueMicros });
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
    const values = apportion(conversion.valueMicros, credits);
    for (const [i, touch] of touches.entries()) {
      if (credits[i] === 0n) continue;
      decided.push({ model, touch, creditMicros: Number(credits[i]), valueMicros: values[i]! });
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
