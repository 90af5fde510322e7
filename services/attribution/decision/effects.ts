import { EVENT_TYPES, type EventType } from '../../contract/event-rules.ts';
import { assertNever, type CorrectingKind, type TouchKind } from './kinds.ts';
import type {
  Correction,
  Credit,
  EffectiveCorrection,
  RememberedConversion,
  RememberedEvent,
  Standing,
  Touch,
} from './state.ts';
import { isAfter, isSameClick } from './touch-id.ts';

/** How often each thing happened, but for duplicates; the names are those of PartitionProgress. */
export type Totals = Record<(typeof TOTALS)[number], number>;

const TOTALS = [
  'clicks',
  'invalidClicks',
  'attributed',
  'unattributed',
  'adjustments',
  'verdicts',
  'waiting',
  'tooLate',
  'exceeded',
  'truncated',
  'conflicts',
  'corrections',
  'touchesDropped',
] as const;

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
  /** Days since 1970-01-01, of the report time zone. */
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
  /** Whether there were more than MAX_TOUCHES: but for the first, only the newest are here. */
  isTruncated: boolean;
  /** Touches inside the lookback window that are none as a verdict says so, ascending by time. */
  invalid: readonly Touch[];
  standing: Standing;
  /** The conversion's corrections, ascending by (timestamp, eventId). */
  corrections: readonly EffectiveCorrection[];
  lookbackMs: number;
}

/** A duplicate that differs from what came first under its id. */
export type Conflict = (RememberedEvent | { role: CorrectingKind['role']; correction: Correction }) & {
  type: EventType;
  userId: string;
  offset: number;
};

/** Everything that follows from a batch of events, in event order. */
export interface Effects {
  totals: Totals;
  /** Events whose ids earlier ones had, by type. */
  duplicates: Record<EventType, number>;
  clicks: ClickCount[];
  increments: Increment[];
  attributed: AttributedRow[];
  /** The last decision of each conversion: if it was decided several times, those before count no more. */
  decisions: Map<RememberedConversion, Decision>;
  /** Duplicates that differ from what came first. */
  conflicts: Conflict[];
  /** Events that the state of the last one's user forgets: the caller takes over their ids after each event. */
  spilled: RememberedEvent[];
  /** Events that can't be folded. */
  refused: { offset: number; reason: string }[];
  /** About the memory, in bytes, that rows and decisions take until they are published. */
  bytes: number;
}

/** About the bytes of a row with its increments, as objects and as it is published. */
const ROW_BYTES = 1000;
/** About the bytes of a candidate that a decision names, or of a correction. */
const CANDIDATE_BYTES = 200;

export function newEffects(): Effects {
  return {
    totals: Object.fromEntries(TOTALS.map((name) => [name, 0])) as Totals,
    duplicates: Object.fromEntries(EVENT_TYPES.map((type) => [type, 0])) as Record<EventType, number>,
    clicks: [],
    increments: [],
    attributed: [],
    decisions: new Map(),
    conflicts: [],
    spilled: [],
    refused: [],
    bytes: 0,
  };
}

/** Notes a touch that no earlier one is a duplicate of, as what events of its type count as. */
export function noteTouch(
  { totals, clicks }: Effects,
  type: TouchKind['type'],
  { touch, isInvalid, offset }: { touch: Touch; isInvalid: boolean; offset: number },
): void {
  switch (type) {
    case 'click':
      totals.clicks++;
      if (isInvalid) totals.invalidClicks++;
      clicks.push({ touch, clicks: isInvalid ? 0 : 1, invalidClicks: isInvalid ? 1 : 0, offset });
      return;
    default:
      assertNever(type);
  }
}

/** Notes that a touch that counted becomes invalid, or valid again. */
export function noteVerdict({ totals, clicks }: Effects, touch: Touch, isInvalid: boolean, offset: number): void {
  totals.invalidClicks += isInvalid ? 1 : -1;
  clicks.push({ touch, clicks: isInvalid ? -1 : 1, invalidClicks: isInvalid ? 1 : -1, offset });
}

export function noteConflict(effects: Effects, conflict: Conflict): void {
  effects.totals.conflicts++;
  effects.conflicts.push(conflict);
  effects.bytes += ROW_BYTES;
}

/** What was published of a conversion last. */
export interface Published {
  credits: readonly Credit[];
  standing: Standing;
  isCounted: boolean;
}

/** What a conversion is decided to. */
export type Decided = Pick<
  Decision,
  'models' | 'credits' | 'candidates' | 'isTruncated' | 'invalid' | 'standing' | 'corrections' | 'lookbackMs'
>;

/**
 * Notes what changes when a conversion goes from what was published of it to what it is now: a retraction for every
 * credit withdrawn, a row for every credit new or changed, the counters of both, and the decision.
 */
export function recordChanges(effects: Effects, ref: ConversionRef, before: Published, decided: Decided): void {
  const { userId, conversion, offset, cause } = ref;
  const { standing, lookbackMs, credits: after } = decided;
  const { retracted: conversionRetracted } = standing;
  const isOther = before.standing.retracted !== conversionRetracted;
  const given: AttributedRow[] = [];
  let rows = 0;
  forEachPair(before.credits, after, (old, credit) => {
    if (old !== undefined && credit !== undefined && !isOther && isSameShare(old, credit)) return;
    rows++;
    const of = { userId, conversion, offset, cause, lookbackMs, conversionRetracted };
    if (credit === undefined) effects.attributed.push({ ...of, credit: old!, retracted: true });
    else given.push({ ...of, credit, retracted: false });
    if (credit !== undefined) effects.increments.push(increment(conversion, credit, standing, 1n, offset));
    if (old !== undefined) effects.increments.push(increment(conversion, old, before.standing, -1n, offset));
  });
  for (const row of given) effects.attributed.push(row);
  recordUnattributed(effects, ref, before, decided);
  const attributed = (after.length > 0 ? 1 : 0) - (before.credits.length > 0 ? 1 : 0);
  effects.totals.attributed += attributed;
  effects.totals.unattributed -= attributed;
  if (before.credits.length > 0 && rows > 0) effects.totals.corrections++;
  effects.bytes +=
    rows * ROW_BYTES +
    (decided.candidates.length + decided.invalid.length + decided.corrections.length) * CANDIDATE_BYTES;
  effects.decisions.set(conversion, { ...ref, ...decided });
}

/** Notes what changes of a conversion that is, or was, attributed to no touch. */
function recordUnattributed(effects: Effects, ref: ConversionRef, before: Published, after: Decided): void {
  const { conversion, offset } = ref;
  const { standing } = after;
  const was = before.credits.length === 0 && before.isCounted;
  const is = after.credits.length === 0 && conversion.isCounted;
  if (was && is && isSameStanding(before.standing, standing)) return;
  if (was)
    effects.increments.push(
      increment(conversion, unattributed(conversion, before.standing), before.standing, -1n, offset),
    );
  if (is) effects.increments.push(increment(conversion, unattributed(conversion, standing), standing, 1n, offset));
}

/** Whether credits are the same, each for the same touch and in the same order. */
export function isSameCredits(some: readonly Credit[], others: readonly Credit[]): boolean {
  if (some.length !== others.length) return false;
  return some.every((credit, i) => {
    const other = others[i]!;
    return credit.model === other.model && isSameShare(credit, other) && isSameTouch(credit.touch, other.touch);
  });
}

/**
 * Calls back with every credit that was or is, together with the one for the same touch under the same model. Both
 * lists have the credits of a model one after the other, ascending by touch.
 */
function forEachPair(
  old: readonly Credit[],
  now: readonly Credit[],
  look: (old: Credit | undefined, credit: Credit | undefined) => void,
): void {
  for (let i = 0; i < old.length; ) {
    const end = endOfModel(old, i);
    if (!now.some(({ model }) => model === old[i]!.model)) for (let j = i; j < end; j++) look(old[j], undefined);
    i = end;
  }
  for (let i = 0; i < now.length; ) {
    const { model } = now[i]!;
    const end = endOfModel(now, i);
    const first = old.findIndex((credit) => credit.model === model);
    let j = first === -1 ? old.length : first;
    const oldEnd = endOfModel(old, j);
    while (i < end || j < oldEnd) {
      const [a, b] = [i < end ? now[i] : undefined, j < oldEnd ? old[j] : undefined];
      const isSame = a !== undefined && b !== undefined && isSameTouch(a.touch, b.touch);
      const takesNow = isSame || b === undefined || (a !== undefined && isAfter(b.touch, a.touch));
      look(takesNow && !isSame ? undefined : b, takesNow ? a : undefined);
      if (takesNow) i++;
      if (isSame || !takesNow) j++;
    }
  }
}

function isSameTouch(a: Touch, b: Touch): boolean {
  return a === b || isSameClick(a, b);
}

/** Where the credits of the model end that has the one at `i`. */
function endOfModel(credits: readonly Credit[], i: number): number {
  let end = i;
  while (end < credits.length && credits[end]!.model === credits[i]!.model) end++;
  return end;
}

function isSameShare(a: Credit, b: Credit): boolean {
  return (
    a.creditMicros === b.creditMicros &&
    a.valueMicros === b.valueMicros &&
    a.adjustedMicros === b.adjustedMicros &&
    a.refundsMicros === b.refundsMicros
  );
}

function isSameStanding(a: Standing, b: Standing): boolean {
  return a.retracted === b.retracted && a.valueMicros === b.valueMicros && a.refundsMicros === b.refundsMicros;
}

/** What a conversion counts as that no touch has credit for: all of it, under no model. */
function unattributed({ valueMicros: grossMicros }: RememberedConversion, { valueMicros, refundsMicros }: Standing) {
  const adjustedMicros = grossMicros - valueMicros;
  return { model: '', touch: undefined, creditMicros: 1_000_000, valueMicros, adjustedMicros, refundsMicros };
}

function increment(
  { timestamp, type: conversionType }: RememberedConversion,
  credit: Omit<Credit, 'touch'> & { touch: Touch | undefined },
  { retracted }: Standing,
  sign: 1n | -1n,
  offset: number,
): Increment {
  const { model, touch } = credit;
  const conversions = sign * BigInt(credit.creditMicros);
  const isTaken = sign === -1n;
  return {
    timestamp,
    conversionType,
    model,
    touch,
    conversionsMicros: retracted ? 0n : conversions,
    revenueMicros: isTaken ? -credit.valueMicros : credit.valueMicros,
    retractedMicros: retracted ? conversions : 0n,
    adjustedMicros: isTaken ? -credit.adjustedMicros : credit.adjustedMicros,
    refundsMicros: isTaken ? -credit.refundsMicros : credit.refundsMicros,
    offset,
  };
}
