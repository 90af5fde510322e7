import { DAY_MS } from '../../contract/limits.ts';
import { createRandom, type Random, randomUuid, weightedDraw } from './random.ts';

export interface GenerateOptions {
  /** Lines to make, duplicates included. */
  events: number;
  users: number;
  campaigns: number;
  seed: number;
  /** Last day, YYYY-MM-DD (UTC). No event is dated after it. */
  end: string;
  /** Days up to and including the last. */
  days: number;
  /** Share of clicks that are followed by a conversion. */
  conversionRate: number;
  /** Share of events that are sent a second time. */
  duplicates: number;
  /** Share of converting clicks that are sent after their conversion. */
  late: number;
  /** Longest time between an event and its sending, in ms. */
  disorderMs: number;
}

/** An event as the REST API takes it. */
export type SeedEvent = ReturnType<typeof makeClick> | ReturnType<typeof makeConversion>;

interface Sending {
  at: number;
  event: SeedEvent;
}

const ADS_PER_CAMPAIGN = 4;
const SOURCES = ['facebook', 'google', 'tiktok', 'newsletter', 'affiliate'];
const APPS = ['ios_app', 'android_app', 'web'];
const BROWSERS = ['Chrome', 'Safari', 'Firefox', 'Edge'];
const COUNTRIES = ['US', 'DE', 'BR', 'IN', 'JP', 'FR', 'GB'];
/** Mean time from a click to its conversion; a few are longer than a lookback window of 24 h. */
const MEAN_DELAY_MS = 6 * 3_600_000;
const MAX_DUPLICATE_DELAY_MS = 10 * 60_000;
const MAX_LATE_MS = 60_000;
/** Sendings are put in order one slot of time after the other, so that only those still to come are kept. */
const SLOT_MS = 60_000;

/**
 * Synthetic journeys (a click, perhaps its conversion) in the order in which clients would send them. A pure function
 * of the options: the same ones give the same events.
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
  return (clickTime) => {
    const userId = `user-${drawUser()}`;
    const click = makeClick(random, userId, drawCampaign(), clickTime);
    const sendings = [{ at: clickTime + random.unit() * options.disorderMs, event: click as SeedEvent }];
    if (chance(options.conversionRate)) {
      const conversion = makeConversion(random, userId, conversionTime(random, clickTime, end));
      const at = conversion.timestamp + random.unit() * options.disorderMs;
      sendings.push({ at, event: conversion });
      if (chance(options.late)) sendings[0]!.at = at + 1 + random.unit() * MAX_LATE_MS;
    }
    for (const { at, event } of [...sendings]) {
      if (chance(options.duplicates)) sendings.push({ at: at + random.unit() * MAX_DUPLICATE_DELAY_MS, event });
    }
    return sendings;
  };
}

/** An exponential delay after the click; where that would be past the end, any time before it. */
function conversionTime(random: Random, clickTime: number, end: number): number {
  const time = clickTime - Math.log(1 - random.unit()) * MEAN_DELAY_MS;
  return Math.floor(time < end ? time : clickTime + random.unit() * (end - clickTime));
}

function makeClick(random: Random, userId: string, campaign: number, timestamp: number) {
  return {
    event_type: 'click' as const,
    event_id: randomUuid(random),
    user_id: userId,
    ad_id: `ad-${campaign}-${1 + (random.uint32() % ADS_PER_CAMPAIGN)}`,
    campaign_id: `camp-${campaign}`,
    source: pick(random, SOURCES),
    timestamp,
    metadata: { browser: pick(random, BROWSERS), geo: pick(random, COUNTRIES) } as Record<string, string>,
  };
}

function makeConversion(random: Random, userId: string, timestamp: number) {
  const purchase = random.unit() < 0.7;
  return {
    event_type: 'conversion' as const,
    event_id: randomUuid(random),
    user_id: userId,
    type: purchase ? 'purchase' : 'signup',
    value: purchase ? (1 + (random.uint32() % 20_000)) / 100 : 0,
    source: pick(random, APPS),
    timestamp,
  };
}

function pick(random: Random, values: readonly string[]): string {
  return values[random.uint32() % values.length]!;
}
