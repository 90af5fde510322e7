import type { Overflow, RememberedConversion, Touch } from '../decision/state.ts';
import { type OverflowKind, overflowKey, overflowKeysFrom } from '../store/keys.ts';
import { keyAfter, type StateEntry, type StateStore } from '../store/state-store.ts';
import { StoredConversion, StoredTouch } from '../store/stored-entries.ts';
import { StateWriter } from '../store/user-codec.ts';

/** Entries read first, and then at once, where more are asked for. */
const FIRST_SLICE = 1;
const SLICE = 64;

/** About the memory that an entry takes beside its bytes. */
const ENTRY_BYTES = 200;

/** A key that every key of an event is less than. */
const END_OF_TIME = 2 ** 53 - 1;

/**
 * Touches and conversions for which there is no room in their users' states, each under a key of its own, so that one
 * is found by its time with a seek: those that are not yet in the store, ahead of those that are.
 */
export class OverflowStore {
  /** By kind and user, ascending by key. */
  #put = new Map<string, StateEntry[]>();
  readonly #writer = new StateWriter();
  /** About the memory that it takes. */
  bytesUsed = 0;

  /** What of a user is in here and in the store. */
  of(store: StateStore, userId: string): Overflow {
    const entries = this.#entries.bind(this, store, userId);
    return {
      addTouch: (touch) => this.#putTouch(userId, touch),
      putConversion: (conversion) => this.#putConversion(userId, conversion),
      *touches(from, to, isBack) {
        for (const { value } of entries('touch', from, to, isBack)) yield new StoredTouch(value, 0);
      },
      *conversions(from, to, isBack) {
        for (const { value } of entries('conversion', from, to, isBack)) yield new StoredConversion(value, 0);
      },
    };
  }

  /** Whether a user has any. */
  has(store: StateStore, userId: string): boolean {
    const isIn = (kind: OverflowKind) => !this.#entries(store, userId, kind, 0, END_OF_TIME, false).next().done;
    return isIn('touch') || isIn('conversion');
  }

  /** Those that are not yet in the store, where the caller now puts them. */
  takePuts(): StateEntry[] {
    const puts = [...this.#put.values()].flat();
    this.#put = new Map();
    this.bytesUsed = 0;
    return puts;
  }

  #putTouch(userId: string, touch: Touch): void {
    this.#writer.length = 0;
    this.#writer.touch(touch);
    this.#putEntry('touch', userId, overflowKey('touch', userId, touch.timestamp, touch.clickId));
  }

  #putConversion(userId: string, conversion: RememberedConversion): void {
    this.#writer.length = 0;
    this.#writer.conversion(conversion);
    const { timestamp, conversionId } = conversion;
    this.#putEntry('conversion', userId, overflowKey('conversion', userId, timestamp, conversionId));
  }

  #putEntry(kind: OverflowKind, userId: string, key: Buffer): void {
    const entry = { key, value: Buffer.from(this.#writer.bytes.subarray(0, this.#writer.length)) };
    const name = `${kind} ${userId}`;
    const entries = this.#put.get(name) ?? [];
    const at = firstNotBefore(entries, key);
    const isThere = at < entries.length && entries[at]!.key.equals(key);
    entries.splice(at, isThere ? 1 : 0, entry);
    this.#put.set(name, entries);
    this.bytesUsed += ENTRY_BYTES + key.length + entry.value.length;
  }

  /** A user's entries of events that happened in [from, to], in ms, ascending or descending. */
  *#entries(
    store: StateStore,
    userId: string,
    kind: OverflowKind,
    from: number,
    to: number,
    isBack: boolean,
  ): Generator<StateEntry> {
    const [first, end] = [overflowKeysFrom(kind, userId, from), overflowKeysFrom(kind, userId, to + 1)];
    // What is put meanwhile changes values, and not keys.
    const put = this.#put.get(`${kind} ${userId}`) ?? [];
    const [begin, behind] = [firstNotBefore(put, first), firstNotBefore(put, end)];
    let i = isBack ? behind - 1 : begin;
    for (const entry of storedBetween(store, first, end, isBack)) {
      let order = -1;
      while (i >= begin && i < behind && order <= 0) {
        order = Buffer.compare(put[i]!.key, entry.key) * (isBack ? -1 : 1);
        if (order <= 0) yield put[isBack ? i-- : i++]!;
        if (order === 0) break;
      }
      if (order !== 0) yield entry;
    }
    while (i >= begin && i < behind) yield put[isBack ? i-- : i++]!;
  }
}

function* storedBetween(store: StateStore, from: Buffer, to: Buffer, isBack: boolean): Generator<StateEntry> {
  let [first, end] = [from, to];
  for (let limit = FIRST_SLICE; ; limit = SLICE) {
    const entries = isBack ? store.scanBack(first, end, limit) : store.scan(first, end, limit);
    yield* entries;
    if (entries.length < limit) return;
    const last = entries.at(-1)!.key;
    if (isBack) end = last;
    else first = keyAfter(last);
  }
}

/** Index of the first of some entries, which ascend, whose key is not less. */
function firstNotBefore(entries: readonly StateEntry[], key: Buffer): number {
  let [low, high] = [0, entries.length];
  // Most come last.
  if (high > 0 && Buffer.compare(entries[high - 1]!.key, key) < 0) return high;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (Buffer.compare(entries[middle]!.key, key) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
