import type { Role } from '../decision/kinds.ts';
import type { Overflow, RememberedConversion, Touch } from '../decision/state.ts';
import { idOf } from '../decision/touch-id.ts';
import {
  type OverflowKind,
  overflowKey,
  overflowKeyOf,
  overflowKeysFrom,
  placeKey,
  placeKeyOf,
} from '../store/keys.ts';
import { keyAfter, type StateEntry, type StateStore } from '../store/state-store.ts';
import { placeOf, readPlace, StoredConversion, StoredTouch } from '../store/stored-entries.ts';
import { StateWriter } from '../store/user-codec.ts';

/** Entries read first, and then at once, where more are asked for. */
const FIRST_SLICE = 1;
const SLICE = 64;

/** About the memory that an entry takes beside its bytes. */
const ENTRY_BYTES = 200;

/** A key that every key of an event is less than. */
const END_OF_TIME = 2 ** 53 - 1;

/** The value of an entry that is to be deleted from the store. */
const GONE = Buffer.alloc(0);

/**
 * Touches and conversions for which there is no room in their users' states, each under a key of its own, so that one
 * is found by its time with a seek: those that are not yet in the store, ahead of those that are. Invalid touches lie
 * apart, so that no seek has to pass over them. Where each lies is found by its id, for what corrects it.
 */
export class OverflowStore {
  /** By kind and user, ascending by key. */
  #put = new Map<string, StateEntry[]>();
  /** Those whose places are not yet in the store, in the order in which they came. */
  #added: StateEntry[] = [];
  /** These by the keys of their places, once one is asked for. */
  #addedAt: Map<string, StateEntry> | undefined;
  /** Of whom was asked last: events of a user with very many follow on each other. */
  #asked: { store: StateStore; userId: string; overflow: Overflow } | undefined;
  readonly #writer = new StateWriter();
  /** About the memory that it takes. */
  bytesUsed = 0;

  /** What of a user is in here and in the store. */
  of(store: StateStore, userId: string): Overflow {
    const last = this.#asked;
    if (last?.store === store && last.userId === userId) return last.overflow;
    const overflow = this.#of(store, userId);
    this.#asked = { store, userId, overflow };
    return overflow;
  }

  #of(store: StateStore, userId: string): Overflow {
    const entries = this.#entries.bind(this, store, userId);
    return {
      addTouch: (touch, isInvalid) => {
        this.#noteAdded(this.#putTouch(userId, touch, isInvalid));
      },
      judgeTouch: (touch, isInvalid) => {
        const { timestamp, clickId } = touch;
        this.#putTouch(userId, touch, isInvalid);
        const before = isInvalid ? 'touch' : 'invalid';
        this.#putEntry(before, userId, overflowKey(before, userId, timestamp, clickId), GONE);
      },
      addConversion: (conversion) => {
        this.#noteAdded(this.#putConversion(userId, conversion));
      },
      putConversion: (conversion) => {
        this.#putConversion(userId, conversion);
      },
      touchWithId: (id) => {
        const value = this.#valueOf(store, 'touch', userId, id, ['touch', 'invalid']);
        return value && new StoredTouch(value, 0);
      },
      conversionWithId: (id) => {
        const value = this.#valueOf(store, 'outcome', userId, id, ['conversion']);
        return value && new StoredConversion(value, 0);
      },
      *touches(from, to, isBack) {
        for (const { value } of entries('touch', from, to, isBack)) yield new StoredTouch(value, 0);
      },
      *invalidTouches(from, to, isBack) {
        for (const { value } of entries('invalid', from, to, isBack)) yield new StoredTouch(value, 0);
      },
      *conversions(from, to, isBack) {
        for (const { value } of entries('conversion', from, to, isBack)) yield new StoredConversion(value, 0);
      },
    };
  }

  /** Whether a user has any. */
  has(store: StateStore, userId: string): boolean {
    const isIn = (kind: OverflowKind) => !this.#entries(store, userId, kind, 0, END_OF_TIME, false).next().done;
    return isIn('touch') || isIn('conversion') || isIn('invalid');
  }

  /** Keys of those that the caller now deletes from the store, before it puts others there. */
  deletes(): Buffer[] {
    return [...this.#put.values()].flatMap((entries) => entries.filter(isGone).map(({ key }) => key));
  }

  /** Those that are not yet in the store, where the caller now puts them. */
  *takePuts(): Generator<StateEntry> {
    const [put, added] = [this.#put, this.#added];
    this.#put = new Map();
    this.#added = [];
    this.#addedAt = undefined;
    this.bytesUsed = 0;
    for (const entries of put.values()) for (const entry of entries) if (!isGone(entry)) yield entry;
    for (const { key, value } of added) yield { key: placeKeyOf(key), value: placeOf(value) };
  }

  #putTouch(userId: string, touch: Touch, isInvalid: boolean): StateEntry {
    const kind = isInvalid ? 'invalid' : 'touch';
    this.#writer.length = 0;
    this.#writer.touch(touch);
    return this.#putEntry(kind, userId, overflowKeyOf(kind, userId, touch.timestamp, idOf(touch)), this.#written());
  }

  #putConversion(userId: string, conversion: RememberedConversion): StateEntry {
    this.#writer.length = 0;
    this.#writer.conversion(conversion);
    const { timestamp, conversionId } = conversion;
    const key = overflowKey('conversion', userId, timestamp, conversionId);
    return this.#putEntry('conversion', userId, key, this.#written());
  }

  #written(): Buffer {
    return Buffer.from(this.#writer.bytes.subarray(0, this.#writer.length));
  }

  #noteAdded(entry: StateEntry): void {
    this.#added.push(entry);
    this.#addedAt?.set(placeKeyOf(entry.key).toString('latin1'), entry);
  }

  /** What says where an event lies. */
  #placeWithId(store: StateStore, role: Role, userId: string, id: string): Buffer | undefined {
    const key = placeKey(role, userId, id);
    this.#addedAt ??= new Map(this.#added.map((entry) => [placeKeyOf(entry.key).toString('latin1'), entry]));
    const added = this.#addedAt.get(key.toString('latin1'));
    return added === undefined ? store.getMany([key])[0] : placeOf(added.value);
  }

  /** What lies under an event's id, as one of these kinds; undefined if there is nothing. */
  #valueOf(store: StateStore, role: Role, userId: string, id: string, kinds: readonly OverflowKind[]) {
    const place = this.#placeWithId(store, role, userId, id);
    if (place === undefined) return undefined;
    for (const kind of kinds) {
      const key = overflowKey(kind, userId, readPlace(place).timestamp, id);
      const put = this.#put.get(`${kind} ${userId}`) ?? [];
      const i = firstNotBefore(put, key);
      const value = put[i]?.key.equals(key) ? put[i]!.value : store.getMany([key])[0];
      if (value !== undefined && value.length > 0) return value;
    }
    return undefined;
  }

  #putEntry(kind: OverflowKind, userId: string, key: Buffer, value: Buffer): StateEntry {
    const entry = { key, value };
    const name = `${kind} ${userId}`;
    const entries = this.#put.get(name) ?? [];
    const at = firstNotBefore(entries, key);
    const isThere = at < entries.length && entries[at]!.key.equals(key);
    entries.splice(at, isThere ? 1 : 0, entry);
    this.#put.set(name, entries);
    this.bytesUsed += ENTRY_BYTES + key.length + entry.value.length;
    return entry;
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
    for (const entry of this.#all(store, userId, kind, from, to, isBack)) if (!isGone(entry)) yield entry;
  }

  *#all(
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

function isGone({ value }: StateEntry): boolean {
  return value.length === 0;
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
