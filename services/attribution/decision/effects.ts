import type { EventType } from '../../contract/event-rules.ts';
import { DAY_MS } from '../../contract/limits.ts';
import { assertNever, FOLDED_TYPES, type FoldedType, type TouchKind } from './kinds.ts';
import type { Credit, EffectiveCorrection, RememberedConversion, RememberedEvent, Standing, Touch } from './state.ts';
import { isSameClick } from './touch-id.ts';

/** How often each thing happened, but for duplicates; the names are those of PartitionProgress. */
export type Totals = Record<
  'clicks' | 'attributed' | 'unattributed' | 'conflicts' | 'corrections' | 'touchesDropped',
  number
>;

/** A change of what a click counts as: it is new, or a verdict makes it invalid or valid again. */
export interface ClickCount {
  /** The click, whose campaign and source the counters have. */
  touch: Touch;
  /** Change of valid clicks. */
  clicks: 1 | 0 | -1;
  invalidClicks: 1 | 0 | -1;
  /** Offset of the event that caused it. */
  offset: number;
}

/** What a counter counts. Rows of clicks have an empty conversionType and model. */
export interface CounterKey {
  /** Days since 1970-01-01, UTC. */
  day: number;
  campaignId: string;
  source: string;
  conversionType: string;
  model: string;
}

/** A change of what is counted of a conversion under one model: its credit for a touch, or that it has none. */
export interface Increment {
  /** When the conversion happened, in ms. */
  timestamp: number;
  conversionType: string;
  /** Empty of a conversion that is not attributed, which every model shares. */
  model: string;
  /** The touch credited; undefined of a conversion that is not attributed. */
  touch: Touch | undefined;
  /** Conversions that hold, and their revenue. */
  conversionsMicros: bigint;
  revenueMicros: bigint;
  /** Conversions that came but do not hold. */
  retractedMicros: bigint;
  /** Revenue as it came less the one that holds: negative where that is more. */
  adjustedMicros: bigint;
  /** What of `adjustedMicros` refunds took. */
  refundsMicros: bigint;
  /** Offset of the event that caused it. */
  offset: number;
}

/** The event that something follows from. */
export interface Cause {
  eventId: string;
  type: EventType;
}

/** A conversion with the user it belongs to, and the event that (re-)decided it, with its offset. */
export interface ConversionRef {
  userId: string;
  conversion: RememberedConversion;
  offset: number;
  cause: Cause;
}

/** A credit given, changed or withdrawn: an AttributedConversion before it is encoded. */
export interface AttributedRow extends ConversionRef {
  credit: Credit;
  lookbackMs: number;
  /** The credit is withdrawn. */
  retracted: boolean;
  /** The conversion is retracted: it counts as none. */
  conversionRetracted: boolean;
}

/** A conversion decided, possibly again: a ConversionDecision before it is explained and encoded. */
export interface Decision extends ConversionRef {
  /** Models that it was decided under. */
  models: readonly string[];
  /** Credits given, in the order of the models, of each ascending by touch; touches are objects of `candidates`. */
  credits: readonly Credit[];
  /** The touches inside the lookback window, ascending by time. */
  candidates: readonly Touch[];
  /** Touches inside the lookback window that are none as a verdict says so, ascending by time. */
  invalid: readonly Touch[];
  standing: Standing;
  /** The conversion's corrections, ascending by (timestamp, eventId). */
  corrections: readonly EffectiveCorrection[];
  lookbackMs: number;
}

/** Everything that follows from a batch of events, in event order. */
export interface Effects {
  totals: Totals;
  /** Events whose ids earlier ones had, by type. */
  duplicates: Record<FoldedType, number>;
  clicks: ClickCount[];
  increments: Increment[];
  attributed: AttributedRow[];
  /** The last decision of each conversion: if it was decided several times, those before count no more. */
  decisions: Map<RememberedConversion, Decision>;
  /** Events that the state of the last one's user forgets: the caller takes over their ids after each event. */
  spilled: RememberedEvent[];
  /** About the memory, in bytes, that rows and decisions take until they are published. */
  bytes: number;
}

/** About the bytes of a row with its increments, as objects and as it is published. */
const ROW_BYTES = 1000;
/** About the bytes of a candidate that a decision names. */
const CANDIDATE_BYTES = 200;

export function newEffects(): Effects {
  return {
    totals: { clicks: 0, attributed: 0, unattributed: 0, conflicts: 0, corrections: 0, touchesDropped: 0 },
    duplicates: Object.fromEntries(FOLDED_TYPES.map((type) => [type, 0])) as Record<FoldedType, number>,
    clicks: [],
    increments: [],
    attributed: [],
    decisions: new Map(),
    spilled: [],
    bytes: 0,
  };
}

/** Notes a touch that no earlier one is a duplicate of, as what events of its type count as. */
export function noteTouch({ totals, clicks }: Effects, type: TouchKind['type'], touch: Touch, offset: number): void {
  switch (type) {
    case 'click':
      totals.clicks++;
      clicks.push({ touch, clicks: 1, invalidClicks: 0, offset });
      return;
    default:
      assertNever(type);
  }
}

/**
 * Notes what changes when a conversion's credits go from `before` to the ones it has now: a retraction for every
 * credit withdrawn, a row for every credit new or changed, the counters of both, and the decision.
 */
export function recordCreditChanges(
  effects: Effects,
  published: ConversionRef,
  decision: Pick<Decision, 'models' | 'candidates' | 'standing' | 'lookbackMs'> & { before: readonly Credit[] },
): void {
  const { conversion, offset } = published;
  const { models, before, candidates, standing, lookbackMs } = decision;
  const after = conversion.credits;
  const withdrawn = before.filter((old) => !after.some((credit) => isSameKey(old, credit)));
  const changed = after.filter((credit) => {
    const old = before.find((other) => isSameKey(other, credit));
    return old === undefined || old.creditMicros !== credit.creditMicros || old.valueMicros !== credit.valueMicros;
  });
  const { retracted: conversionRetracted } = standing;
  for (const credit of withdrawn) {
    effects.attributed.push({ ...published, credit, lookbackMs, retracted: true, conversionRetracted });
    effects.increments.push(increment(conversion, credit, -1n, offset));
  }
  for (const credit of changed) {
    effects.attributed.push({ ...published, credit, lookbackMs, retracted: false, conversionRetracted });
    effects.increments.push(increment(conversion, credit, 1n, offset));
    const old = before.find((other) => isSameKey(other, credit));
    if (old !== undefined) effects.increments.push(increment(conversion, old, -1n, offset));
  }
  if (before.length > 0 && withdrawn.length + changed.length > 0) effects.totals.corrections++;
  if (before.length === 0 && after.length > 0) {
    effects.totals.unattributed--;
    effects.totals.attributed++;
  }
  effects.bytes += (withdrawn.length + changed.length) * ROW_BYTES + candidates.length * CANDIDATE_BYTES;
  const decided = { models, credits: after, candidates, invalid: NONE, standing, corrections: NONE, lookbackMs };
  effects.decisions.set(conversion, { ...published, ...decided });
}

const NONE: readonly never[] = [];

export function dayOf(timestampMs: number): number {
  return Math.floor(timestampMs / DAY_MS);
}

function isSameKey(a: Credit, b: Credit): boolean {
  return a.model === b.model && isSameClick(a.touch, b.touch);
}

function increment(conversion: RememberedConversion, credit: Credit, sign: 1n | -1n, offset: number): Increment {
  return {
    timestamp: conversion.timestamp,
    conversionType: conversion.type,
    model: credit.model,
    touch: credit.touch,
    conversionsMicros: sign * BigInt(credit.creditMicros),
    revenueMicros: sign * credit.valueMicros,
    retractedMicros: 0n,
    adjustedMicros: 0n,
    refundsMicros: 0n,
    offset,
  };
}
