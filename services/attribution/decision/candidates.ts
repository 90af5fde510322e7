import type { AttributionConfig } from './config.ts';
import { arrivedNear, type Candidates, candidatesAmong, isCandidate, modelsOf, windowsOf } from './decide.ts';
import { looksBeside, type Surroundings } from './retention.ts';
import {
  END_OF_TIME,
  type Overflow,
  type RememberedConversion,
  type Touch,
  type UserBounds,
  type UserState,
} from './state.ts';
import { insertTouch, isAfter, isSameClick } from './touch-id.ts';

/** Where a user's touches are. */
export interface TouchesOfUser {
  /** Those in its state, ascending. */
  touches: readonly Touch[];
  /** Whether there are others. */
  hasOverflow: boolean;
}

type Beside = Pick<Surroundings, 'config' | 'overflow' | 'seesClosed'>;

/** The candidates of a conversion, with a touch and without it. */
export interface WithAndWithout {
  with: Candidates;
  without: Candidates;
}

/** Finds the candidates of a conversion. */
export function candidatesOf(context: Beside, of: TouchesOfUser, conversion: RememberedConversion): Candidates {
  return candidatesIn(context.config, gatherAmong(context, of, conversion), conversion);
}

/** Finds candidates of a conversion, all or some. */
function gatherAmong(
  context: Beside,
  of: TouchesOfUser,
  conversion: RememberedConversion,
  isAmong?: (touch: Touch) => boolean,
): Gathered {
  const all = candidatesAmong(context.config, of.touches, conversion);
  const eligible = isAmong === undefined ? all : all.filter(isAmong);
  return looksBeside(context, of) ? gather(context, eligible, conversion, isAmong) : ofState(eligible);
}

/** Finds the candidates of a conversion as they are with a touch that could be one, and as they are without it. */
export function candidatesBesides(
  context: Beside,
  of: TouchesOfUser,
  conversion: RememberedConversion,
  touch: Touch,
  neighbours: Neighbours | undefined,
): WithAndWithout {
  const { config } = context;
  const isOther = (other: Touch) => !isSameClick(other, touch);
  const others = neighbours?.candidatesOf(context, conversion) ?? gatherAmong(context, of, conversion, isOther);
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
  context: Beside,
  {
    invalidTouches,
    hasOverflow,
    bounds,
  }: Pick<UserState, 'hasOverflow' | 'bounds'> & { invalidTouches: readonly Touch[] },
  conversion: RememberedConversion,
): readonly Touch[] {
  const { config, overflow, seesClosed } = context;
  const invalid = candidatesAmong(config, invalidTouches, conversion);
  if (!seesClosed && (!hasOverflow || bounds === undefined || !hasInvalid(overflow, bounds))) return invalid;
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
  { config, overflow }: Beside,
  eligible: readonly Touch[],
  conversion: RememberedConversion,
  isAmong: (touch: Touch) => boolean = () => true,
): Gathered {
  const { lookbackMs, maxTouches } = windowsOf(config, conversion);
  const { timestamp } = conversion;
  const from = timestamp - lookbackMs;
  const isEligible = (touch: Touch) => isAmong(touch) && isCandidate(config, touch, conversion);
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
  readonly #recent: Recent;
  /** The first candidate of the conversion asked for last, if none but the touch is before it in [from, …), in ms. */
  #first: { touch: Touch; from: number } | undefined;
  /** Least and greatest arrival of the first n touches after it, in ms. */
  readonly #arrivals: [least: number, greatest: number][] = [];

  constructor({ touches }: TouchesOfUser, overflow: Overflow, touch: Touch) {
    this.#touches = touches;
    this.#touch = touch;
    this.#before = new Some(earlierThan(touches, overflow, touch));
    this.#after = new Some(laterThan(touches, overflow, touch));
    this.#recent = new Recent(touches, overflow, touch);
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

  /** The candidates of a conversion without the touch. */
  candidatesOf(context: Beside, conversion: RememberedConversion): Gathered {
    const { config } = context;
    const { maxTouches } = windowsOf(config, conversion);
    const newest = this.#recent.newestOf(config, conversion);
    if (newest.length <= maxTouches || !modelsOf(config, conversion).includes(FIRST)) {
      return { newest, first: undefined };
    }
    return { newest, first: this.#firstOf(context, conversion) };
  }

  /** The first candidate of a conversion; mostly that of the conversion before. */
  #firstOf({ config, overflow }: Beside, conversion: RememberedConversion): Touch | undefined {
    const { timestamp } = conversion;
    const from = timestamp - windowsOf(config, conversion).lookbackMs;
    const last = this.#first;
    if (last !== undefined && last.from <= from && isCandidate(config, last.touch, conversion)) return last.touch;
    const isOther = (other: Touch) => !isSameClick(other, this.#touch);
    const isEligible = (other: Touch) => isOther(other) && isCandidate(config, other, conversion);
    const first = firstOf(overflow(), this.#touches.find(isEligible), from, timestamp, isEligible);
    const veryFirst = firstOf(
      overflow(),
      this.#touches.find((other) => other.timestamp >= from && isOther(other)),
      from,
      timestamp,
      isOther,
    );
    this.#first = first !== undefined && first === veryFirst ? { touch: first, from } : undefined;
    return first;
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

/**
 * The valid touches up to a time, but one of them. Each is read once as long as the times that they are asked for up to
 * ascend: one conversion shares most of them with the next.
 */
class Recent {
  readonly #touches: readonly Touch[];
  readonly #overflow: Overflow;
  readonly #but: Touch;
  /** Those before some place, descending, and those behind it, ascending: once a time is asked for. */
  #before!: Some;
  #after!: Some;
  /** How many of `#after` are up to the time asked for last, in ms. */
  #count = 0;
  #time = Number.POSITIVE_INFINITY;

  constructor(touches: readonly Touch[], overflow: Overflow, but: Touch) {
    this.#touches = touches;
    this.#overflow = overflow;
    this.#but = but;
  }

  /** The newest candidates of a conversion, ascending: one more than models share among, if there are more. */
  newestOf(config: AttributionConfig, conversion: RememberedConversion): Touch[] {
    const { lookbackMs, maxTouches } = windowsOf(config, conversion);
    this.#goTo(conversion.timestamp, maxTouches);
    const newest: Touch[] = [];
    const take = (touch: Touch) => {
      if (isCandidate(config, touch, conversion) && !isSameClick(touch, this.#but)) newest.push(touch);
    };
    for (let i = this.#count - 1; i >= 0 && newest.length <= maxTouches; i--) take(this.#after.at(i)!);
    for (let i = 0; newest.length <= maxTouches; i++) {
      const touch = this.#before.at(i);
      if (touch === undefined || touch.timestamp < conversion.timestamp - lookbackMs) break;
      take(touch);
    }
    return newest.reverse();
  }

  #goTo(time: number, maxTouches: number): void {
    if (time < this.#time) this.#begin([], { timestamp: time, clickId: LAST_ID });
    this.#time = time;
    for (let next = this.#after.at(this.#count); next !== undefined && next.timestamp <= time; ) {
      next = this.#after.at(++this.#count);
    }
    // Those long before are of no conversion that comes.
    if (this.#count > KEPT_TIMES * maxTouches) {
      const kept = Array.from({ length: maxTouches + 1 }, (_, i) => this.#after.at(this.#count - 1 - i)!);
      this.#begin(kept, kept[0]!);
    }
  }

  /** @param read those before and at `last`, descending, that are read */
  #begin(read: Touch[], last: Place): void {
    const [touches, overflow] = [this.#touches, this.#overflow];
    this.#before = new Some(earlierThan(touches, overflow, read.at(-1) ?? last), read);
    this.#after = new Some(laterThan(touches, overflow, last));
    this.#count = 0;
  }
}

/** How many times as many touches as models share among are kept before those in excess are let go. */
const KEPT_TIMES = 4;
/** After all ids. */
const LAST_ID = '~';

/** Where a touch is in the order of touches. */
type Place = Pick<Touch, 'timestamp' | 'clickId'>;

/** Touches that are read once they are asked for. */
class Some {
  readonly #read: Touch[];
  readonly #rest: Iterator<Touch, undefined>;

  /** @param read those before the others, which are read */
  constructor(touches: Iterator<Touch, undefined>, read: Touch[] = []) {
    this.#rest = touches;
    this.#read = read;
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
function* laterThan(touches: readonly Touch[], overflow: Overflow, touch: Place): Generator<Touch, undefined> {
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
function* earlierThan(touches: readonly Touch[], overflow: Overflow, touch: Place): Generator<Touch, undefined> {
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
