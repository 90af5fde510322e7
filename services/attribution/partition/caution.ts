import { AssertionError } from 'node:assert/strict';
import { ATTEMPT_KEY } from '../store/keys.ts';
import type { StateStore } from '../store/state-store.ts';
import { isStoreFailure } from '../store/store-failure.ts';

/** Records from a partition's stored offset on that are folded with caution: more than its fold runs ahead of it. */
const WATCHED_RECORDS = 300_000;

/** Parts into which records whose fold failed are divided: thousands of them come down to one in two steps. */
const PARTS = 100;

/** Failures of the fold that a record must have a part in, the last of them alone, to be set aside. */
const MOST_FAILURES = 2;

/** Longest reason that is kept, in UTF-16 units. */
const MAX_REASON = 300;

/**
 * What a partition's store says of the fold ahead of it: that it has come up, or gone on, at an offset; or, with `to`,
 * that it is about to fold, or to store, the records before `to`. Void once the stored offset is greater than `from`.
 */
interface Attempt {
  from: number;
  to?: number;
  /** Failures before this one, each of records that these were among. */
  failures?: number;
  /** Why the fold failed; undefined if it took its process down. */
  reason?: string;
}

/** The fold threw. Its store has a note of that, and what it has in memory is void: it is to be opened anew. */
export class FoldFailure extends Error {
  override name = 'FoldFailure';
}

/**
 * The caution of a fold after it failed: by throwing, or by taking its thread or process down, which shows when the
 * partition comes up at the same offset again. Only then it writes to the store what it is about to do, so that a crash
 * is known to be due to these records; and stores what it has done after every batch.
 *
 * Records whose fold failed are folded again in smaller steps, until one of them fails by itself.
 */
export class Caution {
  /** Records whose fold has failed. */
  readonly #suspect: Required<Attempt> | undefined;
  #watchedUntil: number;

  /** Reads what the store says. @param next offset of the first record that is not in it */
  constructor(store: StateStore, next: number) {
    const [bytes] = store.getMany([ATTEMPT_KEY]);
    const last = bytes === undefined ? undefined : (JSON.parse(bytes.toString()) as Attempt);
    if (last === undefined || last.from < next) {
      this.#watchedUntil = next;
      write(store, { from: next });
      return;
    }
    this.#watchedUntil = last.from + WATCHED_RECORDS;
    const { from, to, failures = 0, reason = 'the process ended while it was folded' } = last;
    if (to !== undefined) this.#suspect = { from, to, failures: failures + 1, reason };
  }

  /** Why records before an offset are in question; undefined if none are, or `next` is behind them. */
  troubleAt(next: number): string | undefined {
    if (this.#suspect === undefined || next >= this.#suspect.to) return undefined;
    const { from, to, reason } = this.#suspect;
    return `records ${from} to ${to - 1} can't be folded: ${reason}`;
  }

  /** Why the record at an offset is to be set aside; undefined if it is not. */
  verdictOn(offset: number): string | undefined {
    if (this.#suspect === undefined) return undefined;
    const { from, to, failures, reason } = this.#suspect;
    return offset === from && to === from + 1 && failures >= MOST_FAILURES ? reason : undefined;
  }

  /** Offset before which a batch from an offset on must end. */
  boundaryAfter(offset: number): number {
    if (this.#suspect === undefined || offset >= this.#suspect.to) return Number.POSITIVE_INFINITY;
    const { from, to } = this.#suspect;
    return offset < from ? from : Math.min(to, offset + Math.ceil((to - from) / PARTS));
  }

  /** Whether records from an offset on are folded with caution. */
  isWatching(offset: number): boolean {
    return offset < this.#watchedUntil;
  }

  /** Ends the caution where the fold has reached the end of the log, and stored it: no record takes it down. */
  relax(next: number): void {
    if (this.troubleAt(next) === undefined) this.#watchedUntil = 0;
  }

  /**
   * Does a part of the fold that is about the records from one offset to before another. Throws a FoldFailure if it
   * fails; but what no record is to blame for, as it is: what the store fails with, an assertion, and what fails with
   * no record, or with one that was set aside.
   */
  attempt<A extends unknown[], T>(store: StateStore, from: number, to: number, part: (...of: A) => T, ...of: A): T {
    let result: T;
    const isWatching = this.isWatching(from);
    const { failures, ...suspect } = this.#suspect ?? { from: -1, to: -1, failures: 0 };
    const attempt = { from, to, failures: from >= suspect.from && to <= suspect.to ? failures : 0 };
    if (isWatching) write(store, attempt);
    try {
      result = part(...of);
    } catch (error) {
      const isPassed = to === from || (to === from + 1 && this.verdictOn(from) !== undefined);
      const isFault = !(isPassed || isStoreFailure(error) || error instanceof AssertionError);
      if (isFault) write(store, { ...attempt, reason: reasonOf(error) });
      else if (isWatching) write(store, { from });
      throw isFault ? new FoldFailure(`records ${from} to ${to - 1} can't be folded`, { cause: error }) : error;
    }
    if (isWatching) write(store, { from: to });
    return result;
  }
}

function write(store: StateStore, attempt: Attempt): void {
  const value = Buffer.from(JSON.stringify(attempt));
  store.write({ deletes: [], puts: [{ key: ATTEMPT_KEY, value }], appends: [] });
}

function reasonOf(error: unknown): string {
  const reason = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return reason.replaceAll(/\s+/g, ' ').slice(0, MAX_REASON);
}
