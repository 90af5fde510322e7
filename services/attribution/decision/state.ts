/** What is known of one user. Mutable: the fold works on it in place. */
export interface UserState {
  /** Clicks that can still be credited, ascending by (timestamp, clickId). */
  touches: Touch[];
  /** Conversions remembered, in order of arrival. */
  conversions: RememberedConversion[];
  /** Some ids no longer fit in here and were spilled (`SpilledIds`). */
  hasSpilled: boolean;
  /** Made by the fold when it first needs them. */
  bounds?: UserBounds;
}

/** What is known of all touches and conversions of a user, so that most events need not look at each. */
export interface UserBounds {
  /** No touch arrived before, in ms. */
  firstTouchArrival: number;
  /** Of each conversion: no later than this happened it, and those that arrived before it, in ms. */
  lastConversionTimes: number[];
  /** Hashes of the touches' ids, and maybe of touches that are gone. Absent while there are few touches. */
  clickIds: Set<number> | undefined;
  /** Of the conversions, and maybe of some that are gone. Absent while there are few. */
  conversionIds: Set<string> | undefined;
}

/** A click as a candidate for credit. */
export interface Touch {
  clickId: string;
  /** When the click happened, in ms. */
  timestamp: number;
  /** When the log took it, in ms. */
  arrival: number;
  adId: string;
  campaignId: string;
  source: string;
}

export interface RememberedConversion {
  conversionId: string;
  /** When the conversion happened, in ms. */
  timestamp: number;
  /** When the log took it, in ms. */
  arrival: number;
  type: string;
  valueMicros: bigint;
  /** As published last, over all models; empty when unattributed. */
  credits: Credit[];
}

/** A touch's share of a conversion under one model. */
export interface Credit {
  model: string;
  /** A copy: a retraction must be able to name it when the touch itself is no longer kept. */
  touch: Touch;
  /** In [1, 1_000_000]. */
  creditMicros: number;
  valueMicros: bigint;
}

/** An event whose id is kept beside the user's state, so that a duplicate is still known. */
export type RememberedEvent =
  | { kind: 'click'; touch: Touch }
  | { kind: 'conversion'; conversion: RememberedConversion };

export type EventKind = 'click' | 'conversion';

export function newUser(): UserState {
  return { touches: [], conversions: [], hasSpilled: false };
}

/** When the log took it, in ms. */
export function arrivalOf(event: RememberedEvent): number {
  return event.kind === 'click' ? event.touch.arrival : event.conversion.arrival;
}
