import { EVENT_TYPES, type EventType } from '../../contract/event-rules.ts';
import { hasCredit } from './decide.ts';
import { assertNever, type CorrectingKind, type TouchKind } from './kinds.ts';
import type {
  Correction,
  EffectiveCorrection,
  ModelShares,
  RememberedConversion,
  RememberedEvent,
  Shares,
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

/** What a counter of daily_stats counts. Those of clicks have an empty conversionType. */
export interface CounterKey {
  /** Days since 1970-01-01, of the report time zone. */
  day: number;
  campaignId: string;
  source: string;
  conversionType: string;
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

/** A conversion's shares as they were published and as they are now; those of one without credits are unattributed. */
export interface SharesChange extends ConversionRef {
  before: Shares;
  after: Shares;
  /** Whether the conversion was, and is, retracted: then it counts as none. */
  wasRetracted: boolean;
  isRetracted: boolean;
  lookbackMs: number;
}

/** What a touch has of a conversion, new, changed or withdrawn under a model at least. */
export interface CreditChange {
  of: SharesChange;
  /** Undefined for a conversion that is, or was, attributed to none. */
  touch: Touch | undefined;
  /** Its places in the shares; -1 if it is not in them. */
  before: number;
  after: number;
  /** Its deltas are those of the effects from here to before `to`: one of each model that it has other under. */
  from: number;
  to: number;
}

/** Changes of what is counted of conversions, in columns: there are some for each touch of each conversion. */
export interface Deltas {
  /** Empty of what no touch has credit for, which every model shares. */
  readonly models: string[];
  /** Of conversions that hold, and their revenue. */
  readonly conversionsMicros: number[];
  readonly revenueMicros: bigint[];
  /** Of conversions that came but do not hold. */
  readonly retractedMicros: number[];
  /** Of revenue as it came less the one that holds: negative where that is more. */
  readonly adjustedMicros: bigint[];
  /** What of `adjustedMicros` refunds took. */
  readonly refundsMicros: bigint[];
}

/** A conversion decided, possibly again: a ConversionDecision before it is explained and encoded. */
export interface Decision extends ConversionRef {
  /** Models that it was decided under. */
  models: readonly string[];
  /** What the candidates have. */
  shares: Shares;
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
  credits: CreditChange[];
  deltas: Deltas;
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

/** About the bytes of a conversion that is decided, as it is noted and as it is published. */
const DECIDED_BYTES = 1000;
/** About the bytes of what one touch has of it under one model. */
const CREDIT_BYTES = 150;
/** About the bytes of a conflict. */
const CONFLICT_BYTES = 1000;
/** About the bytes of a candidate that a decision names, or of a correction. */
const CANDIDATE_BYTES = 200;

export function newEffects(): Effects {
  return {
    totals: Object.fromEntries(TOTALS.map((name) => [name, 0])) as Totals,
    duplicates: Object.fromEntries(EVENT_TYPES.map((type) => [type, 0])) as Record<EventType, number>,
    clicks: [],
    credits: [],
    deltas: newDeltas(),
    decisions: new Map(),
    conflicts: [],
    spilled: [],
    refused: [],
    bytes: 0,
  };
}

function newDeltas(): Deltas {
  return {
    ...{ models: [], conversionsMicros: [], revenueMicros: [] },
    ...{ retractedMicros: [], adjustedMicros: [], refundsMicros: [] },
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
  effects.bytes += CONFLICT_BYTES;
}

/** What was published of a conversion last. */
export interface Published {
  shares: Shares;
  standing: Standing;
  isCounted: boolean;
}

/** What a conversion is decided to. */
export type Decided = Pick<
  Decision,
  'models' | 'shares' | 'candidates' | 'isTruncated' | 'invalid' | 'standing' | 'corrections' | 'lookbackMs'
>;

/**
 * Notes what changes when a conversion goes from what was published of it to what it is now: every credit that is new,
 * changed or withdrawn, and the decision.
 */
export function recordChanges(effects: Effects, ref: ConversionRef, before: Published, decided: Decided): void {
  const { conversion } = ref;
  const { standing, lookbackMs } = decided;
  const [had, has] = [isAttributed(before.shares), isAttributed(decided.shares)];
  const [wasUnattributed, isUnattributed] = [!had && before.isCounted, !has && conversion.isCounted];
  const change = {
    userId: ref.userId,
    conversion,
    offset: ref.offset,
    cause: ref.cause,
    before: wasUnattributed ? unattributed(conversion, before.standing) : before.shares,
    after: isUnattributed ? unattributed(conversion, standing) : decided.shares,
    wasRetracted: before.standing.retracted,
    isRetracted: standing.retracted,
    lookbackMs,
  };
  const { models } = effects.deltas;
  const first = models.length;
  noteCredits(effects, change);
  const rows = models.length - first;
  if ((wasUnattributed || isUnattributed) && !(wasUnattributed && isUnattributed && isSameStanding(before, decided))) {
    noteCredit(effects, change, undefined, wasUnattributed ? 0 : -1, isUnattributed ? 0 : -1);
  }
  effects.totals.attributed += Number(has) - Number(had);
  effects.totals.unattributed -= Number(has) - Number(had);
  if (had && rows > 0) effects.totals.corrections++;
  effects.bytes +=
    DECIDED_BYTES +
    rows * CREDIT_BYTES +
    (decided.candidates.length + decided.invalid.length + decided.corrections.length) * CANDIDATE_BYTES;
  effects.decisions.set(conversion, {
    userId: ref.userId,
    conversion,
    offset: ref.offset,
    cause: ref.cause,
    models: decided.models,
    shares: decided.shares,
    candidates: decided.candidates,
    isTruncated: decided.isTruncated,
    invalid: decided.invalid,
    standing,
    corrections: decided.corrections,
    lookbackMs,
  });
}

export function isAttributed({ byModel }: Shares): boolean {
  return byModel.length > 0;
}

/** Whether touches have the same of a conversion as before, which is not corrected otherwise. */
export function isSameShares(ref: ConversionRef, before: Shares, after: Shares): boolean {
  const noted = { credits: [], deltas: newDeltas() };
  noteCredits(noted, { ...ref, before, after, wasRetracted: false, isRetracted: false, lookbackMs: 0 }, 1);
  return noted.credits.length === 0;
}

/** Notes every touch that has other than before under a model, until there are so many. */
function noteCredits(
  effects: Pick<Effects, 'credits' | 'deltas'>,
  of: SharesChange,
  most = Number.POSITIVE_INFINITY,
): void {
  const { before, after } = of;
  const oldEnd = endOfCredits(before);
  const nowEnd = endOfCredits(after);
  // Without destructuring, whose arrays and iterators were most of the garbage of a conversion.
  for (let i = startOfCredits(before), j = startOfCredits(after); i < oldEnd || j < nowEnd; ) {
    if (effects.credits.length >= most) return;
    const was = i < oldEnd ? before.touches[i]! : undefined;
    const is = j < nowEnd ? after.touches[j]! : undefined;
    const isSame = was !== undefined && is !== undefined && (was === is || isSameClick(was, is));
    if (isSame) noteCredit(effects, of, is, i++, j++);
    else if (was === undefined || (is !== undefined && isAfter(was, is))) noteCredit(effects, of, is, -1, j++);
    else noteCredit(effects, of, was, i++, -1);
  }
}

/** Place of the first touch that may have credit under any model; as many as there are touches if none has. */
function startOfCredits({ touches, byModel }: Shares): number {
  let start = touches.length;
  for (let m = 0; m < byModel.length; m++) start = Math.min(start, byModel[m]!.from);
  return start;
}

/** Place behind the last one; what no touch has credit for is none of them. */
function endOfCredits({ touches, byModel }: Shares): number {
  let end = 0;
  for (let m = 0; m < byModel.length; m++) end = Math.max(end, byModel[m]!.from + byModel[m]!.creditMicros.length);
  return Math.min(end, touches.length);
}

/** Notes what a touch at these places has under the models, if it has other than before under any. */
function noteCredit(
  effects: Pick<Effects, 'credits' | 'deltas'>,
  of: SharesChange,
  touch: Touch | undefined,
  before: number,
  after: number,
): void {
  const old = of.before.byModel;
  const now = of.after.byModel;
  const { models } = effects.deltas;
  const from = models.length;
  for (let m = 0; m < now.length; m++) {
    noteDelta(effects.deltas, of, underModel(old, now[m]!.model, m), before, now[m], after);
  }
  for (let m = 0; m < old.length; m++) {
    if (underModel(now, old[m]!.model, m) === undefined) noteDelta(effects.deltas, of, old[m], before, undefined, -1);
  }
  if (models.length > from) effects.credits.push({ of, touch, before, after, from, to: models.length });
}

/** The shares under a model, which mostly has this place among them; undefined if there are none. */
export function underModel(shares: readonly ModelShares[], model: string, m: number): ModelShares | undefined {
  return shares[m]?.model === model ? shares[m] : shares.find((each) => each.model === model);
}

function noteDelta(
  deltas: Deltas,
  { wasRetracted, isRetracted }: SharesChange,
  old: ModelShares | undefined,
  before: number,
  now: ModelShares | undefined,
  after: number,
): void {
  const had = old !== undefined && hasCredit(old, before);
  const has = now !== undefined && hasCredit(now, after);
  if (!had && !has) return;
  const i = had ? before - old.from : 0;
  const j = has ? after - now.from : 0;
  const credit = has ? now.creditMicros[j]! : 0;
  const oldCredit = had ? old.creditMicros[i]! : 0;
  const revenue = difference(has ? now.valueMicros : undefined, j, had ? old.valueMicros : undefined, i);
  const adjusted = difference(has ? now.adjustedMicros : undefined, j, had ? old.adjustedMicros : undefined, i);
  const refunds = difference(has ? now.refundsMicros : undefined, j, had ? old.refundsMicros : undefined, i);
  if (had && has && wasRetracted === isRetracted && credit === oldCredit) {
    if (revenue === 0n && adjusted === 0n && refunds === 0n) return;
  }
  deltas.models.push((now ?? old)!.model);
  deltas.conversionsMicros.push((isRetracted ? 0 : credit) - (wasRetracted ? 0 : oldCredit));
  deltas.revenueMicros.push(revenue);
  deltas.retractedMicros.push((isRetracted ? credit : 0) - (wasRetracted ? oldCredit : 0));
  deltas.adjustedMicros.push(adjusted);
  deltas.refundsMicros.push(refunds);
}

type Amounts = readonly bigint[] | undefined;

function difference(now: Amounts, j: number, old: Amounts, i: number): bigint {
  if (old === undefined) return now === undefined ? 0n : now[j]!;
  return now === undefined ? -old[i]! : now[j]! - old[i]!;
}

function isSameStanding({ standing: a }: { standing: Standing }, { standing: b }: { standing: Standing }): boolean {
  return a.retracted === b.retracted && a.valueMicros === b.valueMicros && a.refundsMicros === b.refundsMicros;
}

/** What a conversion counts as that no touch has credit for: all of it, under no model. */
function unattributed({ valueMicros: grossMicros }: RememberedConversion, standing: Standing): Shares {
  const { valueMicros, refundsMicros } = standing;
  const of = { model: '', from: 0, creditMicros: [1_000_000], valueMicros: [valueMicros] };
  const adjustedMicros = [grossMicros - valueMicros];
  return { touches: [], byModel: [{ ...of, adjustedMicros, refundsMicros: [refundsMicros] }] };
}
