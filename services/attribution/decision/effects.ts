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

/** What touches have of a conversion, new, changed or withdrawn under a model at least. */
export interface SharesChange extends ConversionRef {
  /** These touches, ascending; undefined of what is, or was, attributed to none, which is a change of its own. */
  touches: readonly (Touch | undefined)[];
  /**
   * Their places in the shares before, and in those after, of one touch after the other; -1 where it is not in them.
   * Maybe more than there are touches.
   */
  places: readonly number[];
  models: readonly ModelChange[];
  /** Whether the conversion was, and is, retracted: then it counts as none. */
  wasRetracted: boolean;
  isRetracted: boolean;
  lookbackMs: number;
}

/** Shares under a model as they were published and as they are now. */
export interface ModelChange {
  /** Empty of what no touch has credit for, which every model shares. */
  model: string;
  /** Undefined if there were none. */
  before: ModelShares | undefined;
  /** Undefined if there are none. */
  after: ModelShares | undefined;
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
  changes: SharesChange[];
  /** The last decision of each conversion: if it was decided several times, those before count no more. */
  decisions: Map<RememberedConversion, Decision>;
  /** Duplicates that differ from what came first. */
  conflicts: Conflict[];
  /** Events that the last one's user has no more, be it beside its state: the caller takes over their ids each time. */
  spilled: RememberedEvent[];
  /** Events that can't be folded. */
  refused: { offset: number; reason: string }[];
  /** About the memory, in bytes, that rows and decisions take until they are published. */
  bytes: number;
}

/** About the bytes of a conversion that is decided, as it is noted and as it is published. */
const DECIDED_BYTES = 1000;
/** About the bytes of what one touch has of it under all models. */
const SHARES_BYTES = 400;
/** About the bytes of a conflict. */
const CONFLICT_BYTES = 1000;
/** About the bytes of a candidate that a decision names, or of a correction. */
const CANDIDATE_BYTES = 200;

export function newEffects(): Effects {
  return {
    totals: Object.fromEntries(TOTALS.map((name) => [name, 0])) as Totals,
    duplicates: Object.fromEntries(EVENT_TYPES.map((type) => [type, 0])) as Record<EventType, number>,
    clicks: [],
    changes: [],
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
  const had = isAttributed(before.shares);
  const has = isAttributed(decided.shares);
  const wasRetracted = before.standing.retracted;
  const isRetracted = standing.retracted;
  const { userId, offset, cause } = ref;
  const { touches, places, models } = changedTouches(before.shares, decided.shares, wasRetracted === isRetracted);
  if (touches.length > 0) {
    effects.changes.push({
      userId,
      conversion,
      offset,
      cause,
      touches,
      places,
      models,
      wasRetracted,
      isRetracted,
      lookbackMs,
    });
  }
  const wasUnattributed = !had && before.isCounted;
  const isUnattributed = !has && conversion.isCounted;
  if ((wasUnattributed || isUnattributed) && !(wasUnattributed && isUnattributed && isSameStanding(before, decided))) {
    const was = wasUnattributed ? unattributed(conversion, before.standing) : undefined;
    const is = isUnattributed ? unattributed(conversion, standing) : undefined;
    effects.changes.push({
      userId,
      conversion,
      offset,
      cause,
      touches: NO_TOUCH,
      places: [was === undefined ? -1 : 0, is === undefined ? -1 : 0],
      models: [{ model: '', before: was, after: is }],
      wasRetracted,
      isRetracted,
      lookbackMs,
    });
  }
  effects.totals.attributed += Number(has) - Number(had);
  effects.totals.unattributed -= Number(has) - Number(had);
  if (had && touches.length > 0) effects.totals.corrections++;
  effects.bytes +=
    DECIDED_BYTES +
    touches.length * SHARES_BYTES +
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

const NO_TOUCH = [undefined];

export function isAttributed({ byModel }: Shares): boolean {
  return byModel.length > 0;
}

/** Whether touches have the same of a conversion as before, which is not corrected otherwise. */
export function isSameShares(before: Shares, after: Shares): boolean {
  return changedTouches(before, after, true, 1).touches.length === 0;
}

/** Every touch that has other than before under a model, until there are so many. */
function changedTouches(before: Shares, after: Shares, isAsRetracted: boolean, most = Number.POSITIVE_INFINITY) {
  const old = before.touches;
  const now = after.touches;
  const models = modelChanges(before.byModel, after.byModel);
  if (old.length === 0 && now.length > 1 && areAllChanged(models, now.length)) {
    return { touches: now, places: placesOfNew(now.length), models };
  }
  const oldEnd = endOfCredits(before);
  const nowStart = startOfCredits(after);
  const nowEnd = endOfCredits(after);
  // All of a conversion is one touch's, as under last_click.
  if (old.length === 0 && nowEnd - nowStart === 1) return { touches: [now[nowStart]!], places: [-1, nowStart], models };
  const touches: Touch[] = [];
  const places: number[] = [];
  // Without destructuring, whose arrays and iterators were most of the garbage of a conversion.
  for (let i = startOfCredits(before), j = nowStart; i < oldEnd || j < nowEnd; ) {
    if (touches.length >= most) break;
    const was = i < oldEnd ? old[i] : undefined;
    const is = j < nowEnd ? now[j] : undefined;
    const isSame = was !== undefined && is !== undefined && (was === is || isSameClick(was, is));
    const isNew = !isSame && (was === undefined || (is !== undefined && isAfter(was, is)));
    const from = isNew ? -1 : i++;
    const to = isSame || isNew ? j++ : -1;
    if (!isChanged(models, from, to, isAsRetracted)) continue;
    touches.push(to === -1 ? was! : is!);
    places.push(from, to);
  }
  return { touches, places, models };
}

/** Place of the first touch that may have credit under any model; as many as there are touches if none has. */
function startOfCredits({ touches, byModel }: Shares): number {
  let start = touches.length;
  for (let m = 0; m < byModel.length; m++) start = Math.min(start, byModel[m]!.from);
  return start;
}

/** Place behind the last one. */
function endOfCredits({ byModel }: Shares): number {
  let end = 0;
  for (let m = 0; m < byModel.length; m++) end = Math.max(end, byModel[m]!.from + byModel[m]!.creditMicros.length);
  return end;
}

/** Whether each of so many touches, which all are new, has credit under some model. */
function areAllChanged(models: readonly ModelChange[], touches: number): boolean {
  const most = models.find(({ after }) => after !== undefined && after.creditMicros.length > 1)?.after;
  for (let i = 0; i < touches; i++) {
    if (most !== undefined && i >= most.from && most.creditMicros[i - most.from]! > 0) continue;
    if (!isChanged(models, -1, i, true)) return false;
  }
  return true;
}

/** Places of touches that all are new, and maybe of more. */
const newPlaces: number[] = [];

function placesOfNew(touches: number): readonly number[] {
  for (let i = newPlaces.length / 2; i < touches; i++) newPlaces.push(-1, i);
  return newPlaces;
}

function modelChanges(before: readonly ModelShares[], after: readonly ModelShares[]): ModelChange[] {
  const changes = after.map((shares, m): ModelChange => {
    return { model: shares.model, before: underModel(before, shares.model, m), after: shares };
  });
  for (let m = 0; m < before.length; m++) {
    const { model } = before[m]!;
    if (underModel(after, model, m) === undefined) changes.push({ model, before: before[m]!, after: undefined });
  }
  return changes;
}

/** The shares under a model, which mostly has this place among them; undefined if there are none. */
export function underModel(shares: readonly ModelShares[], model: string, m: number): ModelShares | undefined {
  return shares[m]?.model === model ? shares[m] : shares.find((each) => each.model === model);
}

function isChanged(models: readonly ModelChange[], from: number, to: number, isAsRetracted: boolean): boolean {
  for (let m = 0; m < models.length; m++) if (isChangedUnder(models[m]!, from, to, isAsRetracted)) return true;
  return false;
}

/** Whether a touch, at these places, has other than before under a model; -1 is no place. */
export function isChangedUnder(
  { before, after }: ModelChange,
  from: number,
  to: number,
  isAsRetracted: boolean,
): boolean {
  const had = before !== undefined && hasCredit(before, from);
  const has = after !== undefined && hasCredit(after, to);
  if (!had || !has || !isAsRetracted) return had || has;
  const i = from - before.from;
  const j = to - after.from;
  return (
    before.creditMicros[i] !== after.creditMicros[j] ||
    !isSameAmount(before.valueMicros[i], after.valueMicros[j]) ||
    !isSameAmount(before.adjustedMicros?.[i], after.adjustedMicros?.[j]) ||
    !isSameAmount(before.refundsMicros?.[i], after.refundsMicros?.[j])
  );
}

function isSameAmount(a: number | bigint = 0, b: number | bigint = 0): boolean {
  return typeof a === typeof b ? a === b : BigInt(a) === BigInt(b);
}

function isSameStanding({ standing: a }: { standing: Standing }, { standing: b }: { standing: Standing }): boolean {
  return a.retracted === b.retracted && a.valueMicros === b.valueMicros && a.refundsMicros === b.refundsMicros;
}

/** What a conversion counts as that no touch has credit for: all of it, under no model. */
function unattributed({ valueMicros: grossMicros }: RememberedConversion, standing: Standing): ModelShares {
  const { valueMicros, refundsMicros } = standing;
  const of = { model: '', from: 0, creditMicros: [1_000_000], valueMicros: [valueMicros] };
  return { ...of, adjustedMicros: [grossMicros - valueMicros], refundsMicros: [refundsMicros] };
}
