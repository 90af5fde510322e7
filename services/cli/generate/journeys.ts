import { DAY_MS } from '../../contract/limits.ts';
import { type CorrectionOptions, corrections } from './corrections.ts';
import { createRandom, timeAfter, weightedDraw } from './random.ts';
import {
  MAX_DUPLICATE_DELAY_MS,
  MAX_LATE_MS,
  makeClick,
  makeConversion,
  type SeedEvent,
  type Sending,
} from './seed-events.ts';

export interface GenerateOptions extends CorrectionOptions {
  /** Lines to make, duplicates and corrections included. */
  events: number;
  users: number;
  campaigns: number;
  /** Last day, YYYY-MM-DD (UTC). No event is dated after it. */
  end: string;
  /** Days up to and including the last. */
  days: number;
  /** Share of clicks that are followed by a conversion. */
  conversionRate: number;
}

/** Mean time from a click to its conversion; a few are longer than a lookback window of 24 h. */
const MEAN_DELAY_MS = 6 * 3_600_000;
/** Sendings are put in order one slot of time after the other, so that only those still to come are kept. */
const SLOT_MS = 60_000;

/**
 * Synthetic journeys (a click, perhaps its conversion, and what takes them back) in the order in which clients would
 * send them. A pure function of the options: the same ones give the same events.
 */
export function* generateEvents(options: GenerateOptions): Generator<SeedEvent> {
  const end = Date.parse(options.end) + DAY_MS;
  const start = end - options.days * DAY_MS;
  const nextJourney = journeys(options, end);
  const slots = new Map<number, Sending[]>();
  let scheduled = 0;
  for (let slot = 0, sent = 0; sent < options.events; slot++) {
    const slotEnd = start + (slot + 1) * SLOT_MS;
    while (scheduled < options.events) {
      const clickTime = start + Math.floor(((end - start) * scheduled) / options.events);
      if (clickTime >= slotEnd) break;
      for (const sending of nextJourney(clickTime).slice(0, options.events - scheduled)) {
        const at = Math.floor((sending.at - start) / SLOT_MS);
        slots.set(at, slots.get(at) ?? []);
        slots.get(at)!.push(sending);
        scheduled++;
      }
    }
    const due = slots.get(slot) ?? [];
    slots.delete(slot);
    for (const { event } of due.sort((a, b) => a.at - b.at)) yield event;
    sent += due.length;
  }
}

/** Makes the sendings of one journey that starts at the time given, each event dated before `end`. */
function journeys(options: GenerateOptions, end: number): (clickTime: number) => Sending[] {
  const random = createRandom(options.seed);
  const chance = (probability: number) => random.unit() < probability;
  // Zipf: a campaign's popularity falls with its rank; a user's more slowly, or the first would click all day.
  const drawCampaign = weightedDraw(random, options.campaigns, (rank) => 1 / rank);
  const drawUser = weightedDraw(random, options.users, (rank) => 1 / Math.sqrt(rank));
  const takeBack = corrections(options, end);
  return (clickTime) => {
    const userId = `user-${drawUser()}`;
    const click = makeClick(random, userId, drawCampaign(), clickTime);
    const sendings: Sending[] = [{ at: clickTime + random.unit() * options.disorderMs, event: click }];
    if (chance(options.conversionRate)) {
      const conversion = makeConversion(random, userId, timeAfter(random, clickTime, MEAN_DELAY_MS, end));
      const at = conversion.timestamp + random.unit() * options.disorderMs;
      sendings.push({ at, event: conversion });
      if (chance(options.late)) sendings[0]!.at = at + 1 + random.unit() * MAX_LATE_MS;
    }
    const taken = sendings.flatMap(takeBack);
    for (const { at, event } of [...sendings]) {
      if (chance(options.duplicates)) sendings.push({ at: at + random.unit() * MAX_DUPLICATE_DELAY_MS, event });
    }
    return [...sendings, ...taken];
  };
}
