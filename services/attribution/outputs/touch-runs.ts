import type { SharesChange } from '../decision/effects.ts';
import type { RememberedConversion, Touch } from '../decision/state.ts';
import { isSameClick } from '../decision/touch-id.ts';
import { adOf, campaignSourceOf, type TouchTexts } from '../memory/touch-memory.ts';

/** Touches from which on what a conversion gives them is counted in runs. */
const MANY_TOUCHES = 64;
/** Numbers of a touch under a model: credit, and value. */
const SUMS = 2;
/** How often touches that are not the next ones are looked for, of one conversion. */
const MOST_LOOKS = 2;

/**
 * New conversions of a user with very many touches, whose candidates are nearly the same: what they give to a touch is
 * added up before it is counted. Sums are exact: all of it is less than 2^53.
 */
export class TouchRun {
  readonly changes: SharesChange[] = [];
  /** In order of time, for the most part; one may be there twice. */
  readonly #touches: Touch[] = [];
  readonly models: readonly string[];
  /** The numbers of their campaigns and sources, and of their ads. */
  campaignSources = new Int32Array(2 * MANY_TOUCHES);
  ads = new Int32Array(2 * MANY_TOUCHES);
  /** Offset of the last conversion that each has credit for. */
  versions = new Float64Array(2 * MANY_TOUCHES);
  /** What each has under the models, of each of these the conversions and the revenue, in micros. */
  sums: Float64Array<ArrayBuffer>;
  readonly #texts: TouchTexts;
  #total = 0;
  /** Where the first touch of the last conversion is, and where the others begin. */
  #first = 0;
  #begin = 0;

  /** @param texts whose numbers it has */
  constructor({ models }: SharesChange, texts: TouchTexts) {
    this.models = models.map(({ model }) => model);
    this.sums = new Float64Array(this.stride * 2 * MANY_TOUCHES);
    this.#texts = texts;
  }

  /** How many touches it has. */
  get count(): number {
    return this.#touches.length;
  }

  /** How many sums each of them has. */
  get stride(): number {
    return SUMS * this.models.length;
  }

  get firstOffset(): number {
    return this.changes[0]!.offset;
  }

  /** One of the conversions: all count in the same counters. */
  get conversion(): RememberedConversion {
    return this.changes[0]!.conversion;
  }

  /** Whether it has room for one of the same period, of the same type and under the same models. */
  hasRoomFor({ models, conversion }: SharesChange): boolean {
    return (
      conversion.type === this.conversion.type &&
      models.length === this.models.length &&
      models.every(({ model }, m) => model === this.models[m]) &&
      Number.isSafeInteger(this.#total + totalOf(conversion))
    );
  }

  add(change: SharesChange): void {
    const { userId, touches, places, models, offset, conversion } = change;
    const isOfLast = this.changes.at(-1)?.userId === userId;
    this.changes.push(change);
    this.#total += totalOf(conversion);
    this.#find(touches as readonly Touch[], isOfLast);
    const { sums, stride, versions } = this;
    for (let i = 0; i < touches.length; i++) versions[found[i]!] = offset;
    for (let m = 0; m < models.length; m++) {
      const { from, creditMicros, valueMicros } = models[m]!.after!;
      for (let i = 0; i < touches.length; i++) {
        const n = places[2 * i + 1]! - from;
        if (n < 0 || n >= creditMicros.length) continue;
        const at = stride * found[i]! + SUMS * m;
        sums[at]! += creditMicros[n]!;
        sums[at + 1]! += valueMicros[n] as number;
      }
    }
  }

  /**
   * Puts into `found` where these touches are, of which most follow each other there; others are added.
   *
   * @param areOfLast whether they are of the last conversion's user
   */
  #find(touches: readonly Touch[], areOfLast: boolean): void {
    if (touches.length > found.length) found = new Int32Array(2 * touches.length);
    const known = this.#touches;
    let next = this.#begin;
    let begin = -1;
    let looks = 0;
    for (let i = 0; i < touches.length; i++) {
      const touch = touches[i]!;
      if (i === 0 && areOfLast && isSameClick(touch, known[this.#first]!)) {
        // Of one beside the state each conversion has an object of its own.
        found[0] = this.#first;
        continue;
      }
      if (known[next] !== touch && known[next + 1] === touch) next++;
      if (next < known.length && known[next] !== touch && looks < MOST_LOOKS) {
        looks++;
        const at = known.indexOf(touch, next);
        if (at !== -1) next = at;
      }
      const isNext = known[next] === touch;
      found[i] = isNext ? next : this.#push(touch);
      if (isNext && begin === -1) begin = next;
      if (isNext || next === known.length - 1) next++;
    }
    this.#first = found[0]!;
    if (begin !== -1) this.#begin = begin;
  }

  #push(touch: Touch): number {
    const i = this.#touches.push(touch) - 1;
    if (i === this.versions.length) this.#grow();
    this.campaignSources[i] = campaignSourceOf(touch, this.#texts);
    this.ads[i] = adOf(touch, this.#texts);
    return i;
  }

  #grow(): void {
    const { campaignSources, ads, versions, sums } = this;
    const room = GROWTH * versions.length;
    this.campaignSources = new Int32Array(room);
    this.ads = new Int32Array(room);
    this.versions = new Float64Array(room);
    this.sums = new Float64Array(this.stride * room);
    this.campaignSources.set(campaignSources);
    this.ads.set(ads);
    this.versions.set(versions);
    this.sums.set(sums);
  }
}

/** Times as much room as before: a run of some conversions has thousands of touches. */
const GROWTH = 4;

/** Where the touches of a change are in its run. */
let found = new Int32Array(0);

/** Changes of what touches have, of which some are in runs. */
export interface InRuns {
  runs: readonly TouchRun[];
  others: readonly SharesChange[];
}

/** @param isSamePeriod whether two conversions, at these times, count in the same counters */
export function inRuns(
  texts: TouchTexts,
  changes: readonly SharesChange[],
  isSamePeriod: (a: number, b: number) => boolean,
): InRuns {
  if (!changes.some(isForRun)) return { runs: [], others: changes };
  const runs: TouchRun[] = [];
  const others: SharesChange[] = [];
  for (const change of changes) {
    if (!isForRun(change)) {
      others.push(change);
      continue;
    }
    let run = runs.at(-1);
    if (!run?.hasRoomFor(change) || !isSamePeriod(run.conversion.timestamp, change.conversion.timestamp)) {
      run = new TouchRun(change, texts);
      runs.push(run);
    }
    run.add(change);
  }
  return { runs, others };
}

/** Whether a change is that a conversion came which many touches share, as it was sent. */
function isForRun({ touches, models, wasRetracted, isRetracted }: SharesChange): boolean {
  return (
    touches.length >= MANY_TOUCHES &&
    !wasRetracted &&
    !isRetracted &&
    models.every(({ before, after }) => {
      return before === undefined && after!.adjustedMicros === undefined && typeof after!.valueMicros[0] === 'number';
    })
  );
}

/** More than any of its sums of credits or values can be, in micros. */
function totalOf({ valueMicros }: SharesChange['conversion']): number {
  return Number(valueMicros) + 1_000_000;
}
