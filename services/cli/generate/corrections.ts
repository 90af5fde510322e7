import { DAY_MS } from '../../contract/limits.ts';
import { createRandom, timeAfter } from './random.ts';
import {
  MAX_DUPLICATE_DELAY_MS,
  MAX_LATE_MS,
  makeAdjustment,
  makeVerdict,
  type SeedEvent,
  type Sending,
} from './seed-events.ts';

export interface CorrectionOptions {
  seed: number;
  /** Share of conversions that are adjusted later. */
  refunds: number;
  /** Share of clicks that are found invalid later. */
  invalid: number;
  /** Share of converting clicks sent after their conversion, and of corrected events sent after their correction. */
  late: number;
  /** Share of events that are sent a second time. */
  duplicates: number;
  /** Longest time between an event and its sending, in ms. */
  disorderMs: number;
}

/** Mean time from an event to its correction, and from that to the next. */
const MEAN_DELAY_MS = DAY_MS;
/** Share of corrected events that are corrected twice: a conversion adjusted again, a click found valid again. */
const AGAIN = 0.25;

/**
 * Returns what makes the corrections of an event, each dated before `end`. Where they are to come before their event,
 * it puts off the sending of the event. The random numbers are a stream of their own: where nothing is corrected, a
 * seed makes the events that it always made.
 */
export function corrections(options: CorrectionOptions, end: number): (target: Sending) => Sending[] {
  const random = createRandom(~options.seed);
  const chance = (probability: number) => random.unit() < probability;
  const times = (first: number) => {
    const time = timeAfter(random, first, MEAN_DELAY_MS, end);
    return chance(AGAIN) ? [time, timeAfter(random, time, MEAN_DELAY_MS, end)] : [time];
  };
  function made(event: SeedEvent): SeedEvent[] {
    if (event.event_type === 'conversion' && chance(options.refunds))
      return times(event.timestamp).map((time) => makeAdjustment(random, event, time));
    if (event.event_type === 'click' && chance(options.invalid))
      return times(event.timestamp).map((time, i) => makeVerdict(random, event, i === 1, time));
    return [];
  }
  return (target) => {
    const sendings = made(target.event).map((event) => {
      return { at: event.timestamp + random.unit() * options.disorderMs, event };
    });
    const [first] = sendings;
    if (first !== undefined && chance(options.late))
      target.at = Math.max(target.at, first.at + 1 + random.unit() * MAX_LATE_MS);
    const repeated = sendings.filter(() => chance(options.duplicates));
    for (const { at, event } of repeated) sendings.push({ at: at + random.unit() * MAX_DUPLICATE_DELAY_MS, event });
    return sendings;
  };
}
