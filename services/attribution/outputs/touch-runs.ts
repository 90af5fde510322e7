import type { SharesChange } from '../decision/effects.ts';
import type { RememberedConversion, Touch } from '../decision/state.ts';
import type { CounterTable } from './counter-table.ts';
import type { Delta } from './deltas.ts';

/** Touches from which on what a conversion gives them is counted in runs. */
const MANY_TOUCHES = 64;
/** Numbers of a touch under a model: offset of the last conversion that it has credit for + 1, credit, and value. */
const SUMS = 3;
/** How often touches that are not the next ones are looked for, of one conversion. */
const MOST_LOOKS = 2;

/** What is added. */
const delta: Delta = { conversions: 0, revenue: 0, retracted: 0, adjusted: 0, refunds: 0 };

/**
 * New conversions of a user with very many touches, whose candidates are nearly the same: what they give to a touch is
 * added up before it is counted. Sums are exact: all of it is less than 2^53.
 */
export class TouchRun {
  readonly changes: SharesChange[] = [];
  /** In order of time, for the most part; one may be there twice. */
  readonly touches: Touch[] = [];
  readonly models: readonly string[];
  #sums: Float64Array<ArrayBuffer>;
  #total = 0;
  /** Where the first touch of the last conversion is. */
  #begin = 0;

  constructor({ models }: SharesChange) {
    this.models = models.map(({ model }) => model);
    this.#sums = new Float64Array(SUMS * this.models.length * 2 * MANY_TOUCHES);
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
    const { touches, places, models, offset, conversion } = change;
    this.changes.push(change);
    this.#total += totalOf(conversion);
    const found = this.#find(touches as readonly Touch[]);
    const sums = this.#sums;
    for (let m = 0; m < models.length; m++) {
      const { from, creditMicros, valueMicros } = models[m]!.after!;
      for (let i = 0; i < found.length; i++) {
        const n = places[2 * i + 1]! - from;
        if (n < 0 || n >= creditMicros.length) continue;
        const credit = creditMicros[n]!;
        const value = valueMicros[n] as number;
        if (credit === 0 && value === 0) continue;
        const at = SUMS * (found[i]! * models.length + m);
        sums[at] = offset + 1;
        sums[at + 1]! += credit;
        sums[at + 2]! += value;
      }
    }
  }

  /**
   * Adds what a touch has to `count` counters, those at `at`, under every model: each lies in one or two lines of a
   * processor's cache. Returns the offset that it has the last of it from.
   *
   * @param models their numbers
   */
  addTo(
    table: CounterTable,
    counters: readonly number[],
    at: number,
    count: number,
    models: readonly number[],
    touch: number,
  ): number {
    let version = -1;
    for (let m = 0; m < models.length; m++) {
      const offset = this.#sum(touch, m, delta);
      if (offset === undefined) continue;
      for (let n = 0; n < count; n++) table.add(counters[at + n]!, models[m]!, delta);
      version = Math.max(version, offset);
    }
    return version;
  }

  /** Puts into `delta` what a touch has under a model; returns the offset it has it from, undefined for nothing. */
  #sum(touch: number, model: number, delta: Delta): number | undefined {
    const at = SUMS * (touch * this.models.length + model);
    if (this.#sums[at] === 0) return undefined;
    delta.conversions = this.#sums[at + 1]!;
    delta.revenue = this.#sums[at + 2]!;
    delta.retracted = 0;
    delta.adjusted = 0;
    delta.refunds = 0;
    return this.#sums[at]! - 1;
  }

  /** Where these touches are, of which most follow each other there; those that are not found are added. */
  #find(touches: readonly Touch[]): Int32Array {
    const found = new Int32Array(touches.length);
    let next = this.#begin;
    let begin = -1;
    let looks = 0;
    for (let i = 0; i < touches.length; i++) {
      const touch = touches[i]!;
      if (next < this.touches.length && this.touches[next] !== touch && looks < MOST_LOOKS) {
        looks++;
        const at = this.touches.indexOf(touch, next);
        if (at !== -1) next = at;
      }
      const isNext = this.touches[next] === touch;
      found[i] = isNext ? next : this.touches.push(touch) - 1;
      if (isNext && begin === -1) begin = next;
      if (isNext || next === this.touches.length - 1) next++;
    }
    if (begin !== -1) this.#begin = begin;
    this.#reserve();
    return found;
  }

  #reserve(): void {
    const needed = SUMS * this.models.length * this.touches.length;
    if (needed <= this.#sums.length) return;
    const sums = new Float64Array(2 * needed);
    sums.set(this.#sums);
    this.#sums = sums;
  }
}

/** Changes of what touches have, of which some are in runs. */
export interface InRuns {
  runs: readonly TouchRun[];
  others: readonly SharesChange[];
}

/** @param isSamePeriod whether two conversions, at these times, count in the same counters */
export function inRuns(changes: readonly SharesChange[], isSamePeriod: (a: number, b: number) => boolean): InRuns {
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
      run = new TouchRun(change);
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
