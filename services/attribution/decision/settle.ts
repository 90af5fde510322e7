import {
  allOf,
  candidatesBesides,
  candidatesOf,
  FIRST,
  invalidOf,
  LAST,
  lastInOverflow,
  Neighbours,
  type TouchesOfUser,
} from './candidates.ts';
import { type AttributionConfig, isForgotten } from './config.ts';
import { type Corrected, correct, correctionsOf, countExceeded } from './corrections.ts';
import {
  type Candidates,
  creditsOf,
  decide,
  isCandidate,
  modelsOf,
  shareAnew,
  sharesOf,
  windowsOf,
  withCredited,
} from './decide.ts';
import { type Cause, type ConversionRef, type Effects, isAttributed, isSameShares, recordChanges } from './effects.ts';
import { isCorrectable, looksBeside, type Surroundings } from './retention.ts';
import type { RememberedConversion, Shares, Touch, UserBounds, UserState } from './state.ts';
import { isSameClick } from './touch-id.ts';

/** A user whose conversions are decided, and what for. */
export interface Deciding {
  context: Surroundings;
  user: UserState;
  bounds: UserBounds;
  event: Pick<ConversionRef, 'userId' | 'offset'>;
  effects: Effects;
}

type DecidingContext = Pick<Surroundings, 'config' | 'overflow' | 'seesClosed'>;
type NewConversion = Pick<ConversionRef, 'userId' | 'offset' | 'conversion'> & Pick<Cause, 'type'>;

/** The touches of a user, by which conversions are decided. */
export type Touches = TouchesOfUser & Pick<UserState, 'bounds'> & { invalidTouches: readonly Touch[] };

/** Decides a conversion that is no duplicate, of a user with these touches. */
export function decideNew(
  context: DecidingContext,
  of: Touches,
  event: NewConversion,
  corrected: Corrected,
  effects: Effects,
): void {
  const { config } = context;
  const { userId, offset, conversion, type } = event;
  effects.totals.unattributed++;
  effects.totals.exceeded += countExceeded(corrected);
  conversion.models = config.models;
  conversion.windows = config.windows(conversion.type);
  const candidates = candidatesOf(context, of, conversion);
  const under = { models: config.models, lookbackMs: conversion.windows.lookbackMs };
  const shares = decide(under, candidates, conversion, corrected.standing);
  const ref = { userId, offset, conversion, cause: { eventId: conversion.conversionId, type } };
  const settled = {
    before: corrected,
    corrected,
    models: config.models,
    candidates,
    wasTruncated: false,
    old: NO_SHARES,
    shares,
    isNew: true,
  };
  settle(context, of, ref, settled, effects);
}

interface Settled {
  before: Corrected;
  corrected: Corrected;
  models: readonly string[];
  candidates: Candidates;
  /** Whether what was published of it last says so. */
  wasTruncated: boolean;
  /** What touches had of it. */
  old: Shares;
  /** What the candidates have of it. */
  shares: Shares;
  isNew: boolean;
}

const NO_SHARES: Shares = { touches: [], byModel: [] };

/** Gives a conversion its credits, and notes every difference from those it had. */
function settle(context: DecidingContext, of: Touches, ref: ConversionRef, settled: Settled, effects: Effects): void {
  const { conversion } = ref;
  const { before, corrected, models, old, shares, isNew } = settled;
  const { touches: candidates } = settled.candidates;
  const isTruncated = saysTruncated(settled.candidates, models);
  effects.totals.truncated += Number(isTruncated) - Number(settled.wasTruncated);
  const published = { shares: old, standing: before.standing, isCounted: conversion.isCounted };
  if (conversion.windows === undefined) {
    // Of one without credits only this tells.
    conversion.models = models;
    conversion.credits = creditsOf(shares);
  }
  if (!conversion.isCounted) conversion.isCounted = isNew || isAttributed(shares);
  const invalid = invalidOf(context, of, conversion);
  const { lookbackMs } = windowsOf(context.config, conversion);
  const decided = {
    // One that no counter has stays one whose decision names no models, by which it is known.
    models: conversion.isCounted ? models : [],
    shares,
    candidates,
    isTruncated,
    invalid,
    standing: corrected.standing,
    corrections: corrected.corrections,
    lookbackMs,
  };
  recordChanges(effects, ref, published, decided);
}

/** Whether a decision says that it was shared among the newest only: no model shares if each credits one touch. */
function saysTruncated({ isTruncated }: Candidates, models: readonly string[]): boolean {
  return isTruncated && models.some((model) => model !== FIRST && model !== LAST);
}

/** A touch that came or was judged: whether conversions could be credited to it before, and can be now. */
export interface TouchChange {
  touch: Touch;
  was: boolean;
  is: boolean;
}

/** Bytes that a conversion counts as that is only looked at. */
const LOOKED_AT_BYTES = 1 << 10;

/** What is left of a change that decides very many conversions anew. */
export interface Rest {
  change: TouchChange;
  cause: Cause;
  event: Deciding['event'];
  /** The partition's clock at the event, in ms. */
  watermark: number;
  seesClosed: boolean | undefined;
  /** Where it goes on. */
  at: Place;
  /** Goes on there, for as long as the user's lists and its overflow are as they were. */
  parts: Iterator<Place, undefined>;
}

/** A conversion in the state, by its place, or, once these are done, the one beside it that comes next. */
interface Place {
  inState: number;
  beside: ConversionPlace | undefined;
}

const BEGIN: Place = { inState: 0, beside: undefined };

/**
 * Decides all conversions anew that have a touch as a candidate, or would if it were valid. Of very many only a part:
 * what the others are decided to depends on nothing but the user as it is after the event.
 *
 * @returns what is left
 */
export function redecide(deciding: Deciding, change: TouchChange, cause: Cause, from = BEGIN): Rest | undefined {
  const { context, user, bounds, event } = deciding;
  const { touch } = change;
  if (user.hasOverflow && change.was === change.is) return undefined;
  const first = Math.max(from.inState, firstNotBefore(touch.timestamp, bounds));
  const isBeforeOthers = looksBeside(context, user) && touch.timestamp <= lastInOverflow(context.overflow, bounds);
  // Most are the latest of all.
  if (first === user.conversions.length && !isBeforeOthers) return undefined;
  const parts = redecideFrom(deciding, change, cause, { ...from, inState: first }, isBeforeOthers);
  const { watermark, seesClosed } = context;
  return nextPart({ change, cause, event, watermark, seesClosed, at: from, parts });
}

/** Decides some more, and returns what is left. */
export function nextPart(rest: Rest): Rest | undefined {
  const { value } = rest.parts.next();
  return value && { ...rest, at: value };
}

function* redecideFrom(
  deciding: Deciding,
  change: TouchChange,
  cause: Cause,
  { inState, beside }: Place,
  isBeforeOthers: boolean,
): Generator<Place, undefined> {
  const { context, user } = deciding;
  const { touch } = change;
  const neighbours = user.hasOverflow ? new Neighbours(user, context.overflow(), touch) : undefined;
  let lookedAt = 0;
  let before = deciding.effects.bytes;
  const isPart = () => deciding.effects.bytes - before + ++lookedAt * LOOKED_AT_BYTES > context.config.partBytes;
  const begin = () => {
    lookedAt = 0;
    before = deciding.effects.bytes;
  };
  for (let i = inState; i < user.conversions.length; i++) {
    if (isPart()) {
      yield { inState: i, beside };
      begin();
    }
    const conversion = user.conversions[i]!;
    if (isToDecide(deciding, touch, neighbours, conversion))
      decideAnew(deciding, change, neighbours, conversion, cause);
  }
  if (!isBeforeOthers) return undefined;
  const [from, to] = [beside?.timestamp ?? touch.timestamp, touch.timestamp + context.longestApartMs];
  for (const conversion of context.overflow().conversions(from, to, false)) {
    if (beside !== undefined && isBefore(conversion, beside)) continue;
    // The sweep may have deleted it, or not: where the parts are must not depend on that.
    if (!isCorrectable(context, conversion)) continue;
    if (isPart()) {
      yield { inState: user.conversions.length, beside: conversion };
      begin();
    }
    if (!isToDecide(deciding, touch, neighbours, conversion)) continue;
    decideAnew(deciding, change, neighbours, conversion, cause);
    if (conversion.windows === undefined) context.overflow().putConversion(conversion);
  }
  return undefined;
}

type ConversionPlace = Pick<RememberedConversion, 'timestamp' | 'conversionId'>;

function isBefore(a: ConversionPlace, b: ConversionPlace): boolean {
  return a.timestamp < b.timestamp || (a.timestamp === b.timestamp && a.conversionId < b.conversionId);
}

function isToDecide(
  { context }: Deciding,
  touch: Touch,
  neighbours: Neighbours | undefined,
  conversion: RememberedConversion,
): boolean {
  const { config } = context;
  if (!isCandidate(config, touch, conversion) || !isCorrectable(context, conversion)) return false;
  return neighbours === undefined || !neighbours.changeNothing(config, conversion);
}

function decideAnew(
  deciding: Deciding,
  change: TouchChange,
  neighbours: Neighbours | undefined,
  conversion: RememberedConversion,
  cause: Cause,
): void {
  const { context, user, bounds, event, effects } = deciding;
  const { config } = context;
  const { userId, offset } = event;
  const corrected = correct(conversion, correctionsOf(user, bounds, { role: 'outcome', conversion }));
  const { standing } = corrected;
  const under = settingsOf(config, conversion);
  const ref = { userId, offset, conversion, cause };
  const besides = candidatesBesides(context, user, conversion, change.touch, neighbours);
  const before = change.was ? besides.with : besides.without;
  const wasTruncated = saysTruncated(before, under.models);
  const settled = { before: corrected, corrected, models: under.models, wasTruncated, isNew: false };
  if (conversion.windows === undefined) {
    const candidates = candidatesStill(deciding, change.touch, conversion);
    const shares = decide(under, candidates, conversion, standing);
    settle(context, user, ref, { ...settled, candidates, old: storedShares(conversion), shares }, effects);
    return;
  }
  const candidates = change.is ? besides.with : besides.without;
  const shares = decide(under, candidates, conversion, standing);
  const old = before === candidates ? shares : decide(under, before, conversion, standing);
  if (user.hasOverflow && before.isTruncated === candidates.isTruncated && isSameShares(old, shares)) return;
  settle(context, user, ref, { ...settled, candidates, old, shares }, effects);
}

/** What was published last of a conversion that a build before decided. */
function storedShares({ credits }: RememberedConversion): Shares {
  return sharesOf(withCredited([], credits), credits);
}

/** What a conversion is decided under: what was in use when it came. */
function settingsOf(config: AttributionConfig, conversion: RememberedConversion) {
  return { models: modelsOf(config, conversion), lookbackMs: windowsOf(config, conversion).lookbackMs };
}

/** Candidates of a conversion that a build before decided, of which some may be gone that it was decided with. */
function candidatesStill({ context, user }: Deciding, touch: Touch, conversion: RememberedConversion): Candidates {
  const { config, watermark } = context;
  const candidates = candidatesOf(context, user, conversion);
  if (candidates.isTruncated || !isForgotten(conversion.arrival, watermark, config.retentionMs.touch)) {
    return candidates;
  }
  return allOf(
    withCredited(
      candidates.touches,
      conversion.credits.filter((credit) => !isSameClick(credit.touch, touch)),
    ),
  );
}

/** Shares among those who are credited with a conversion what now holds of it. */
export function adjust(
  { context, user, event, effects }: Deciding,
  conversion: RememberedConversion,
  before: Corrected,
  corrected: Corrected,
  cause: Cause,
): void {
  const { config } = context;
  const { userId, offset } = event;
  effects.totals.exceeded += countExceeded(corrected) - countExceeded(before);
  const ref = { userId, offset, conversion, cause };
  const under = settingsOf(config, conversion);
  const of = candidatesOf(context, user, conversion);
  const wasTruncated = saysTruncated(of, under.models);
  const settled = { before, corrected, models: under.models, wasTruncated, isNew: false };
  if (conversion.windows !== undefined) {
    const [old, shares] = [before, corrected].map(({ standing }) => decide(under, of, conversion, standing));
    settle(context, user, ref, { ...settled, candidates: of, old: old!, shares: shares! }, effects);
    return;
  }
  const candidates = { ...allOf(withCredited(of.touches, conversion.credits)), isTruncated: of.isTruncated };
  const shares = shareAnew(under, candidates.touches, conversion, corrected.standing);
  settle(context, user, ref, { ...settled, candidates, old: storedShares(conversion), shares }, effects);
  if (!user.conversions.includes(conversion)) context.overflow().putConversion(conversion);
}

/** Index of the first conversion, by arrival, that can have happened at or after `time`. */
function firstNotBefore(time: number, { lastConversionTimes }: UserBounds): number {
  let first = lastConversionTimes.length;
  while (first > 0 && lastConversionTimes[first - 1]! >= time) first--;
  return first;
}
