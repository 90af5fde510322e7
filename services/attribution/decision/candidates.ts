import type { AttributionConfig } from './config.ts';
import { arrivedNear, type Candidates, candidatesAmong, isCandidate, modelsOf, windowsOf } from './decide.ts';
import type { Overflow, RememberedConversion, Touch, UserBounds, UserState } from './state.ts';
import { insertTouch, isAfter, isSameClick } from './touch-id.ts';

/** After all times of events, in ms. */
const END_OF_TIME = Number.MAX_SAFE_INTEGER - 1;

/** Where a user's touches are. */
export interface TouchesOfUser {
  /** Those in its state, ascending. */
  touches: readonly Touch[];
  /** Whether there are others. */
  hasOverflow: boolean;
}

interface Surroundings {
  config: AttributionConfig;
  overflow(): Overflow;
}

/** The candidates of a conversion, with a touch and without it. */
export interface WithAndWithout {
  with: Candidates;
  without: Candidates;
}

/** Finds the candidates of a conversion. */
export function candidatesOf(context: Surroundings, of: TouchesOfUser, conversion: RememberedConversion): Candidates {
  const { config } = context;
  const eligible = candidatesAmong(config, of.touches, conversion);
  const gathered = of.hasOverflow ? gather(context, eligible, conversion, () => true) : ofState(eligible);
  return candidatesIn(config, gathered, conversion);
}

/** Finds the candidates of a conversion as they are with a touch that could be one, and as they are without it. */
export function candidatesBesides(
  context: Surroundings,
  of: TouchesOfUser,
  conversion: RememberedConversion,
  touch: Touch,
  neighbours: Neighbours | undefined,
): WithAndWithout {
  const { config } = context;
  const isOther = (other: Touch) => !isSameClick(other, touch);
  const eligible = () => candidatesAmong(config, of.touches, conversion).filter(isOther);
  const others =
    neighbours === undefined
      ? ofState(eligible())
      : (neighbours.candidatesOf(context, conversion) ?? gather(context, eligible(), conversion, isOther));
  const newest = others.newest.slice();
  insertTouch(newest, touch);
  const first = others.first !== undefined && isAfter(others.first, touch) ? touch : others.first;
  return {
    with: candidatesIn(config, { newest, first }, conversion),
    without: candidatesIn(config, others, conversion),
  };
}

/** What would be candidates of a conversion if they were valid, ascending; of those beside the state, the newest. */
export function invalidOf(
  { config, overflow }: Surroundings,
  {
    invalidTouches,
    hasOverflow,
    bounds,
  }: Pick<UserState, 'hasOverflow' | 'bounds'> & { invalidTouches: readonly Touch[] },
  conversion: RememberedConversion,
): readonly Touch[] {
  const invalid = candidatesAmong(config, invalidTouches, conversion);
  if (!hasOverflow || bounds === undefined || !hasInvalid(overflow, bounds)) return invalid;
  const { timestamp } = conversion;
  const { lookbackMs, maxTouches } = windowsOf(config, conversion);
  const others: Touch[] = [];
  for (const other of overflow().invalidTouches(timestamp - lookbackMs, timestamp, true)) {
    if (isCandidate(config, other, conversion)) others.push(other);
    if (others.length === maxTouches) break;
  }
  return others.length === 0 ? invalid : [...invalid, ...others].sort((a, b) => (isAfter(a, b) ? 1 : -1));
}

function hasInvalid(overflow: () => Overflow, bounds: UserBounds): boolean {
  if (bounds.hasInvalidInOverflow === undefined) {
    const [first] = overflow().invalidTouches(0, END_OF_TIME, false);
    bounds.hasInvalidInOverflow = first !== undefined;
  }
  return bounds.hasInvalidInOverflow;
}

/** All of some touches as candidates. */
export function allOf(touches: readonly Touch[]): Candidates {
  return { touches, newest: touches, isTruncated: false };
}

interface Gathered {
  /** The newest candidates, ascending: more than models share among, if there are more. */
  newest: readonly Touch[];
  /** The first one, if a model asks for it and it may not be among the newest. */
  first: Touch | undefined;
}

/** Of a user that has no others. */
function ofState(eligible: readonly Touch[]): Gathered {
  return { newest: eligible, first: eligible[0] };
}

/** As many as the conversion came under, which may be fewer than a user's state has room for now. */
function candidatesIn(config: AttributionConfig, { newest, first }: Gathered, conversion: RememberedConversion) {
  const { maxTouches } = windowsOf(config, conversion);
  if (newest.length <= maxTouches) return allOf(newest);
  const shared = newest.slice(-maxTouches);
  if (!modelsOf(config, conversion).includes('first_click')) {
    return { touches: shared, newest: shared, isTruncated: true };
  }
  return { touches: [first ?? newest[0]!, ...shared], newest: shared, isTruncated: true };
}

/** Finds candidates of a conversion: some that are eligible in its user's state, and of those beside it some, too. */
function gather(
  { config, overflow }: Surroundings,
  eligible: readonly Touch[],
  conversion: RememberedConversion,
  isMeant: (touch: Touch) => boolean,
): Gathered {
  const { lookbackMs, maxTouches } = windowsOf(config, conversion);
  const { timestamp } = conversion;
  const from = timestamp - lookbackMs;
  const isEligible = (touch: Touch) => isCandidate(config, touch, conversion) && isMeant(touch);
  const latestFirst: Touch[] = [];
  const older: Touch[] = [];
  let left = eligible.length;
  for (const other of overflow().touches(from, timestamp, true)) {
    if (!isEligible(other)) continue;
    if (left === eligible.length && left > 0 && latestFirst.length === 0 && isAfter(eligible[0]!, other)) {
      // Mostly those in the state are the newest.
      older.push(other);
      if (older.length + left > maxTouches) break;
      continue;
    }
    while (left > 0 && latestFirst.length <= maxTouches && isAfter(eligible[left - 1]!, other)) {
      latestFirst.push(eligible[--left]!);
    }
    if (latestFirst.length > maxTouches) break;
    latestFirst.push(other);
  }
  while (older.length === 0 && left > 0 && latestFirst.length <= maxTouches) latestFirst.push(eligible[--left]!);
  const newest = older.length > 0 ? [...older.reverse(), ...eligible] : latestFirst.reverse();
  if (newest.length <= maxTouches || !modelsOf(config, conversion).includes(FIRST)) return { newest, first: undefined };
  return { newest, first: firstOf(overflow(), eligible[0], from, timestamp, isEligible) };
}

/** The first of some touches in [from, to], in ms: one in the user's state, or those beside it. */
function firstOf(
  overflow: Overflow,
  inState: Touch | undefined,
  from: number,
  to: number,
  isEligible: (touch: Touch) => boolean,
): Touch | undefined {
  for (const other of overflow.touches(from, to, false)) {
    if (!isEligible(other)) continue;
    return inState !== undefined && isAfter(other, inState) ? inState : other;
  }
  return inState;
}

/** Models for which only the last or the first candidate counts; others share among the newest. */
export const LAST = 'last_click';
export const FIRST = 'first_click';

/**
 * The valid touches around one of a user with very many, read as far as they are asked for, and once for all of its
 * conversions. Few of these are decided otherwise with the touch than without it: those before which few others came
 * since, and those in whose window it is the first. They are not decided anew to name one candidate more, or less, that
 * has no credit.
 */
export class Neighbours {
  readonly #touches: readonly Touch[];
  readonly #touch: Touch;
  readonly #before: Some;
  readonly #after: Some;
  /** Least and greatest arrival of the first n touches after it, in ms. */
  readonly #arrivals: [least: number, greatest: number][] = [];

  constructor({ touches }: TouchesOfUser, overflow: Overflow, touch: Touch) {
    this.#touches = touches;
    this.#touch = touch;
    this.#before = new Some(earlierThan(touches, overflow, touch));
    this.#after = new Some(laterThan(touches, overflow, touch));
  }

  /** Whether no model gives another credit for it that the touch is a candidate; false if in doubt. */
  changeNothing(config: AttributionConfig, conversion: RememberedConversion): boolean {
    const { lookbackMs, apartMs, maxTouches } = windowsOf(config, conversion);
    const { timestamp, arrival } = conversion;
    for (const model of modelsOf(config, conversion)) {
      if (model !== FIRST) {
        // With as many and one more, the decision is truncated with and without it.
        const n = model === LAST ? 1 : maxTouches + 1;
        const last = this.#after.at(n - 1);
        if (last === undefined || last.timestamp > timestamp) return false;
        const [least, greatest] = this.#arrivalsOf(n);
        if (arrival - least > apartMs || greatest - arrival > apartMs) return false;
        continue;
      }
      const before = this.#before.at(0);
      if (before === undefined || timestamp - before.timestamp > lookbackMs) return false;
      if (!arrivedNear(before, arrival, apartMs)) return false;
    }
    return true;
  }

  /** The candidates of a conversion without the touch; undefined if it is not among the newest. */
  candidatesOf({ config, overflow }: Surroundings, conversion: RememberedConversion): Gathered | undefined {
    const { lookbackMs, maxTouches } = windowsOf(config, conversion);
    const { timestamp } = conversion;
    const from = timestamp - lookbackMs;
    const after: Touch[] = [];
    for (let i = 0; ; i++) {
      const touch = this.#after.at(i);
      if (touch === undefined || touch.timestamp > timestamp) break;
      if (after.length > maxTouches) return undefined;
      if (isCandidate(config, touch, conversion)) after.push(touch);
    }
    const before: Touch[] = [];
    for (let i = 0; before.length + after.length <= maxTouches; i++) {
      const touch = this.#before.at(i);
      if (touch === undefined || touch.timestamp < from) break;
      if (isCandidate(config, touch, conversion)) before.push(touch);
    }
    const newest = [...before.reverse(), ...after];
    if (newest.length <= maxTouches || !modelsOf(config, conversion).includes(FIRST))
      return { newest, first: undefined };
    const isEligible = (other: Touch) => isCandidate(config, other, conversion) && !isSameClick(other, this.#touch);
    return { newest, first: firstOf(overflow(), this.#touches.find(isEligible), from, timestamp, isEligible) };
  }

  #arrivalsOf(n: number): [least: number, greatest: number] {
    for (let i = this.#arrivals.length; i < n; i++) {
      const { arrival } = this.#after.at(i)!;
      const [least, greatest] = this.#arrivals.at(-1) ?? [arrival, arrival];
      this.#arrivals.push([Math.min(least, arrival), Math.max(greatest, arrival)]);
    }
    return this.#arrivals[n - 1]!;
  }
}

/** Touches that are read once they are asked for. */
class Some {
  readonly #read: Touch[] = [];
  readonly #rest: Iterator<Touch, undefined>;

  constructor(touches: Iterator<Touch, undefined>) {
    this.#rest = touches;
  }

  at(i: number): Touch | undefined {
    while (this.#read.length <= i) {
      const { value } = this.#rest.next();
      if (value === undefined) return undefined;
      this.#read.push(value);
    }
    return this.#read[i];
  }
}

/** Touches in a user's state and beside it that are after one, ascending. */
function* laterThan(touches: readonly Touch[], overflow: Overflow, touch: Touch): Generator<Touch, undefined> {
  let next = touches.length;
  while (next > 0 && isAfter(touches[next - 1]!, touch)) next--;
  for (const other of overflow.touches(touch.timestamp, END_OF_TIME, false)) {
    if (!isAfter(other, touch)) continue;
    while (next < touches.length && isAfter(other, touches[next]!)) yield touches[next++]!;
    yield other;
  }
  while (next < touches.length) yield touches[next++]!;
  return undefined;
}

/** Touches in a user's state and beside it that are before one, descending. */
function* earlierThan(touches: readonly Touch[], overflow: Overflow, touch: Touch): Generator<Touch, undefined> {
  let next = touches.length;
  while (next > 0 && !isAfter(touch, touches[next - 1]!)) next--;
  for (const other of overflow.touches(0, touch.timestamp, true)) {
    if (!isAfter(touch, other)) continue;
    while (next > 0 && isAfter(touches[next - 1]!, other)) yield touches[--next]!;
    yield other;
  }
  while (next > 0) yield touches[--next]!;
  return undefined;
}

/** When the last conversion happened that is in a user's overflow, in ms; -Infinity if there is none. */
export function lastInOverflow(overflow: () => Overflow, bounds: UserBounds): number {
  if (bounds.lastInOverflow === undefined) {
    const [last] = overflow().conversions(0, END_OF_TIME, true);
    bounds.lastInOverflow = last?.timestamp ?? Number.NEGATIVE_INFINITY;
  }
  return bounds.lastInOverflow;
}
