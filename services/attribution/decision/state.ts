import { assertNever, type CorrectingKind } from './kinds.ts';

/** State of one user. The fold changes the lists in place; in them, only a conversion's credits can be changed. */
export interface UserState {
  /** Touches that can still be credited, ascending by (timestamp, clickId). */
  touches: Touch[];
  /** Touches that a verdict says are none, kept as long as others, as a verdict may say otherwise; ascending alike. */
  invalidTouches: Touch[];
  /** Conversions remembered, in order of arrival. */
  conversions: RememberedConversion[];
  /** Corrections of what is remembered, and those that wait for what they are about; in order of arrival. */
  corrections: Correction[];
  /** Whether there was no room for some touches and conversions, which are in its `Overflow`. */
  hasOverflow: boolean;
  /** When the last conversion arrived that lies beside it as closed, in ms; NOTHING_CLOSED if none does. */
  lastClosed: number;
  /** Bounds of the lists, made by the fold when it first needs them. */
  bounds?: UserBounds;
}

/** Bounds of all that a user's state has, so that most events need not look at each. */
export interface UserBounds {
  /** The partition's clock until which no touch, valid or not, is to be forgotten, in ms. */
  touchesKeptUntil: number;
  /** The partition's clock until which no correction is to be forgotten, but with its target, in ms. */
  correctionsKeptUntil: number;
  /** Running maximum of timestamps in order of arrival: entry i is the greatest of conversions 0..i, in ms. */
  lastConversionTimes: number[];
  /** Hashes of the touches' ids, and maybe of touches that are gone. Absent while there are few touches. */
  clickIds: Set<number> | undefined;
  /** Ids of the conversions, and maybe of some that are gone. Absent while there are few. */
  conversionIds: Set<string> | undefined;
  /** Absent until it is asked for. */
  corrections: CorrectionIndex | undefined;
  /** When the last conversion happened that is in the overflow, in ms; undefined while it is not known. */
  lastInOverflow: number | undefined;
  /** Whether the overflow has invalid touches; undefined while it is not known. */
  hasInvalidInOverflow: boolean | undefined;
}

/** A user's corrections, by what they are about and by their own ids. */
export interface CorrectionIndex {
  byTarget: Map<string, Correction[]>;
  byEvent: Map<string, Correction>;
}

/** A click as a candidate for credit. */
export interface Touch {
  readonly clickId: string;
  /** When the click happened, in ms. */
  readonly timestamp: number;
  /** When the log appended the event, in ms. */
  readonly arrival: number;
  readonly adId: string;
  readonly campaignId: string;
  readonly source: string;
  /**
   * What it has of the metadata that rollups were by when it arrived, whatever they are by since: key, NUL, value, with
   * NUL between one pair and the next, ascending by key; empty if nothing.
   */
  readonly metadata: string;
}

/** A conversion as the state keeps it. Only what a stored one notices a change of may change. */
export interface RememberedConversion {
  readonly conversionId: string;
  /** When the conversion happened, in ms. */
  readonly timestamp: number;
  /** When the log appended the event, in ms. */
  readonly arrival: number;
  readonly type: string;
  readonly valueMicros: bigint;
  /** Models that it is decided under, those in use when it came; empty if a build before did not note them. */
  models: readonly string[];
  /** What it is decided within; undefined if a build before decided it, which did not note that. */
  windows?: Windows | undefined;
  /**
   * Of one without windows the credits as published last, over all models. Those of others follow from their
   * candidates, which are kept as long as it can be corrected.
   */
  credits: readonly Credit[];
  /** Counters have it, if only as unattributed: what builds before left unattributed is in none. */
  isCounted: boolean;
}

/** What a conversion is decided within: the settings in use when it came. */
export interface Windows {
  /** Lookback window of its type, in ms. */
  readonly lookbackMs: number;
  /** How far apart it and a touch may have arrived that is credited with it, in ms. */
  readonly apartMs: number;
  /** Most touches that models share among. */
  readonly maxTouches: number;
}

/** A touch's share of a conversion under one model. */
export interface Credit {
  readonly model: string;
  /** A copy: a retraction must be able to name it when the touch itself is no longer kept. */
  readonly touch: Touch;
  /** Share of the conversion, in [0, 1_000_000]: 0 if it is less than one, but of the value it is not. */
  readonly creditMicros: number;
  /** Share of the value that holds. */
  readonly valueMicros: bigint;
  /** Share of the value as it came less the one that holds; negative where that is more. */
  readonly adjustedMicros: bigint;
  /** Share of what refunds took, which is in `adjustedMicros`, too. */
  readonly refundsMicros: bigint;
}

/** What touches have of a conversion under each of the models that it is decided under. */
export interface Shares {
  /** Ascending by (timestamp, clickId). */
  readonly touches: readonly Touch[];
  /** In the order of the models; none without touches. */
  readonly byModel: readonly ModelShares[];
}

/**
 * What touches have under one model, in columns: objects for each were half of the garbage of a user with very many. A
 * touch has credit if any of its amounts is not 0; see `Credit` for what they are.
 */
export interface ModelShares {
  readonly model: string;
  /** Place of the first touch that the columns are about; touches before it and behind them have no credit. */
  readonly from: number;
  readonly creditMicros: readonly number[];
  readonly valueMicros: Amounts;
  /** Undefined if it is 0 for all. */
  readonly adjustedMicros: Amounts | undefined;
  readonly refundsMicros: Amounts | undefined;
}

/** Amounts in micros: numbers if these are exact, which is next to always. */
export type Amounts = readonly number[] | readonly bigint[];

/** What a correction makes of its target: of a conversion the first three, of a click the others. */
export const CORRECTIONS = ['refund', 'restate', 'retract', 'valid', 'invalid'] as const;
export type CorrectionKind = (typeof CORRECTIONS)[number];

/** An adjustment or a verdict, kept with its target, or until that comes. */
export interface Correction {
  /** Id of the conversion or click. */
  readonly targetId: string;
  readonly eventId: string;
  readonly kind: CorrectionKind;
  /** Of a refund or restate; otherwise 0. */
  readonly valueMicros: bigint;
  /** When it was decided, in ms. */
  readonly timestamp: number;
  /** When the log appended the event, in ms. */
  readonly arrival: number;
}

/** What holds of a conversion. */
export interface Standing {
  /** It counts as none. */
  readonly retracted: boolean;
  /** The value that holds; 0 if it is retracted. */
  readonly valueMicros: bigint;
  /** What refunds took from the value; 0 if it is retracted. */
  readonly refundsMicros: bigint;
  /** What refunds would have taken beyond the value. */
  readonly exceededMicros: bigint;
}

/**
 * What became of a correction of a conversion: all of it, a part of it or nothing was left to be taken; a restate that
 * is later stands in its place; the conversion is retracted, which leaves nothing to correct.
 */
export type CorrectionEffect = 'applied' | 'applied_in_part' | 'exceeded' | 'superseded' | 'void';

export interface EffectiveCorrection {
  readonly correction: Correction;
  readonly effect: CorrectionEffect;
}

/** An event whose id is kept beside the user's state, so that a duplicate is still known. */
export type RememberedEvent = { role: 'touch'; touch: Touch } | { role: 'outcome'; conversion: RememberedConversion };

/** Before all arrivals, in ms. */
export const NOTHING_CLOSED = Number.NEGATIVE_INFINITY;

/** After all times of events, in ms. */
export const END_OF_TIME = Number.MAX_SAFE_INTEGER - 1;

/**
 * Touches and conversions of a user that lie beside its state, by when they happened, in ms: those for which there is
 * no room in it and, if they are asked for, those that are closed. The ids of those that are added are known from then
 * on, as if they were spilled.
 */
export interface Overflow {
  addTouch(touch: Touch, isInvalid: boolean): void;
  /** Takes a touch that is here as invalid, or as valid again. */
  judgeTouch(touch: Touch, isInvalid: boolean): void;
  addConversion(conversion: RememberedConversion): void;
  /** Takes a conversion that is here in place of what it was. */
  putConversion(conversion: RememberedConversion): void;
  /** Takes what is closed. Its id is not known by that. */
  closeTouch(touch: Touch, isInvalid: boolean): void;
  closeConversion(conversion: RememberedConversion): void;
  /** The touch with this id, valid or not. */
  touchWithId(clickId: string): Touch | undefined;
  conversionWithId(conversionId: string): RememberedConversion | undefined;
  /** Those that are valid, in [from, to], ascending by (timestamp, clickId), or descending. */
  touches(from: number, to: number, isBack: boolean): Iterable<Touch>;
  /** Likewise those that are not. */
  invalidTouches(from: number, to: number, isBack: boolean): Iterable<Touch>;
  /** Likewise by (timestamp, conversionId). */
  conversions(from: number, to: number, isBack: boolean): Iterable<RememberedConversion>;
}

/** What is known of an event that is no longer in its user's state. */
export interface SpilledId {
  /** When the log appended the event, in ms. */
  arrival: number;
  /** Its `digestOf`; UNKNOWN_DIGEST if it was spilled by a build without digests. */
  digest: number;
}

/** The id of a click or conversion. */
export function idOf(event: RememberedEvent): string {
  return event.role === 'touch' ? event.touch.clickId : event.conversion.conversionId;
}

/** When the log appended the event, in ms. */
export function arrivalOf(event: RememberedEvent | { role: CorrectingKind['role']; correction: Correction }): number {
  switch (event.role) {
    case 'touch':
      return event.touch.arrival;
    case 'outcome':
      return event.conversion.arrival;
    case 'adjustment':
    case 'verdict':
      return event.correction.arrival;
    default:
      return assertNever(event);
  }
}
