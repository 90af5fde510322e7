import { UUID_WORDS, uuidText } from '../../contract/uuid.ts';
import type { Role } from '../decision/kinds.ts';
import { END_OF_TIME, type Overflow, type RememberedConversion, type Touch } from '../decision/state.ts';
import type { OverflowKind } from '../store/keys.ts';
import { changedBlocks, type Entry, entryAt, KnownBlocks, storedBetween } from '../store/overflow-blocks.ts';
import type { StateEntry, StateStore } from '../store/state-store.ts';
import { compareEntries, readIdWords, StoredConversion, StoredTouch, timesAt } from '../store/stored-entries.ts';
import { StateWriter } from '../store/user-codec.ts';
import type { SpilledIds } from './spilled-ids.ts';

/** About the memory that an entry takes beside its bytes, its id included. */
const ENTRY_BYTES = 80;

/** Where those of a user begin that are not yet in the store, ascending by (timestamp, id); ~ of one that goes. */
type Starts = Record<OverflowKind, number[]>;

const NONE: Starts = { touch: [], invalid: [], conversion: [] };

/** What is asked for in the name of one user. */
interface Asking {
  store: StateStore;
  userId: string;
  slot: number;
  ids: SpilledIds;
}

/**
 * Touches and conversions for which there is no room in their users' states, in blocks by their times, so that one is
 * found by its time with a seek: those that are not yet in the store, ahead of those that are. Invalid touches lie
 * apart, so that no seek has to pass over them. When each happened is found by its id, for what corrects it.
 */
export class OverflowStore {
  #put = new Map<string, Starts>();
  #writer = new StateWriter();
  #entries = 0;
  readonly #known = new KnownBlocks();
  /** Of whom was asked last: events of a user with very many follow on each other. */
  #asked: (Asking & { overflow: Overflow }) | undefined;

  /** About the memory that it takes, in bytes: up to half of what is written to is free. */
  get bytesUsed(): number {
    return 2 * this.#writer.length + this.#entries * ENTRY_BYTES;
  }

  /** What of a user is in here and in the store. */
  of(store: StateStore, userId: string, slot: number, ids: SpilledIds): Overflow {
    const last = this.#asked;
    if (last?.store === store && last.userId === userId && last.slot === slot && last.ids === ids) return last.overflow;
    const asking = { store, userId, slot, ids };
    const overflow = this.#of(asking);
    this.#asked = { ...asking, overflow };
    return overflow;
  }

  /** @param put those that are not yet in the store, if not those of the time when it is asked */
  #of(asking: Asking, put?: Starts): Overflow {
    const { store, userId, slot, ids } = asking;
    const between = (kind: OverflowKind, from: number, to: number, isBack: boolean) =>
      this.#between(store, userId, kind, from, to, isBack, put);
    return {
      addTouch: (touch, isInvalid) => {
        ids.add(slot, { role: 'touch', touch }, touch.timestamp);
        this.#putTouch(userId, touch, isInvalid ? 'invalid' : 'touch');
      },
      judgeTouch: (touch, isInvalid) => {
        this.#putTouch(userId, touch, isInvalid ? 'invalid' : 'touch');
        this.#putTouch(userId, touch, isInvalid ? 'touch' : 'invalid', true);
      },
      addConversion: (conversion) => {
        ids.add(slot, { role: 'outcome', conversion }, conversion.timestamp);
        this.#putConversion(userId, conversion);
      },
      putConversion: (conversion) => this.#putConversion(userId, conversion),
      touchWithId: (id) => {
        const entry = this.#withId(asking, 'touch', id, ['touch', 'invalid']);
        return entry && new StoredTouch(entry.bytes, entry.at);
      },
      conversionWithId: (id) => {
        const entry = this.#withId(asking, 'outcome', id, ['conversion']);
        return entry && new StoredConversion(entry.bytes, entry.at);
      },
      *touches(from, to, isBack) {
        for (const { bytes, at } of between('touch', from, to, isBack)) yield new StoredTouch(bytes, at);
      },
      *invalidTouches(from, to, isBack) {
        for (const { bytes, at } of between('invalid', from, to, isBack)) yield new StoredTouch(bytes, at);
      },
      *conversions(from, to, isBack) {
        for (const { bytes, at } of between('conversion', from, to, isBack)) yield new StoredConversion(bytes, at);
      },
    };
  }

  /**
   * What of a user is in here and in the store now: what it reads stays so whatever is put in here later, until the
   * blocks are taken.
   */
  frozen(store: StateStore, userId: string, slot: number, ids: SpilledIds): Overflow {
    const { touch, invalid, conversion } = this.#put.get(userId) ?? NONE;
    const put = { touch: touch.slice(), invalid: invalid.slice(), conversion: conversion.slice() };
    return this.#of({ store, userId, slot, ids }, put);
  }

  /** Whether a user has any. */
  has(store: StateStore, userId: string): boolean {
    const isIn = (kind: OverflowKind) => !this.#between(store, userId, kind, 0, END_OF_TIME, false).next().done;
    return isIn('touch') || isIn('conversion') || isIn('invalid');
  }

  /** The blocks of those that are not yet in the store, where the caller now puts them. */
  *takePuts(store: StateStore): Generator<StateEntry> {
    const [put, { bytes }] = [this.#put, this.#writer];
    this.#put = new Map();
    this.#writer = new StateWriter();
    this.#entries = 0;
    this.#known.clear();
    for (const [userId, { touch, invalid, conversion }] of put) {
      yield* changedBlocks(store, 'touch', userId, bytes, touch);
      yield* changedBlocks(store, 'invalid', userId, bytes, invalid);
      yield* changedBlocks(store, 'conversion', userId, bytes, conversion);
    }
  }

  #putTouch(userId: string, touch: Touch, kind: OverflowKind, isGone = false): void {
    const at = this.#writer.length;
    this.#writer.touch(touch);
    this.#putEntry(userId, kind, at, isGone);
  }

  #putConversion(userId: string, conversion: RememberedConversion): void {
    const at = this.#writer.length;
    this.#writer.conversion(conversion);
    this.#putEntry(userId, 'conversion', at, false);
  }

  /** Takes in the entry that was written from `at` on. */
  #putEntry(userId: string, kind: OverflowKind, at: number, isGone: boolean): void {
    const { bytes } = this.#writer;
    const starts = this.#startsOf(userId)[kind];
    const i = firstNotBefore(bytes, starts, timesAt(bytes, at).timestamp, at);
    const isThere = i < starts.length && compareEntries(bytes, entryAt(starts[i]!), bytes, at) === 0;
    const start = isGone ? ~at : at;
    if (i === starts.length) starts.push(start);
    else starts.splice(i, isThere ? 1 : 0, start);
    this.#entries++;
  }

  #startsOf(userId: string): Starts {
    const known = this.#put.get(userId);
    if (known !== undefined) return known;
    const starts: Starts = { touch: [], invalid: [], conversion: [] };
    this.#put.set(userId, starts);
    return starts;
  }

  /** The entry with an event's id, as one of these kinds; undefined if there is none. */
  #withId({ store, userId, slot, ids }: Asking, role: Role, id: string, kinds: readonly OverflowKind[]) {
    const time = ids.timeOf(store, slot, userId, role, id);
    if (time === undefined) return undefined;
    for (const kind of kinds) {
      for (const entry of this.#between(store, userId, kind, time, time, false)) {
        readIdWords(entry.bytes, entry.at, words, 0);
        if (uuidText(words, 0) === id) return entry;
      }
    }
    return undefined;
  }

  /** A user's entries of events that happened in [from, to], in ms, ascending or descending. */
  *#between(
    store: StateStore,
    userId: string,
    kind: OverflowKind,
    from: number,
    to: number,
    isBack: boolean,
    frozen?: Starts,
  ): Generator<Entry> {
    const { bytes } = this.#writer;
    const starts = (frozen ?? this.#put.get(userId) ?? NONE)[kind];
    // Conversions may be put meanwhile.
    const put = kind === 'conversion' && frozen === undefined ? starts.slice() : starts;
    const [begin, end] = [firstNotBefore(bytes, put, from), firstNotBefore(bytes, put, to + 1)];
    const step = isBack ? -1 : 1;
    let i = isBack ? end - 1 : begin;
    for (const entry of storedBetween({ store, known: this.#known }, kind, userId, from, to, isBack)) {
      let order = -1;
      while (i >= begin && i < end && order < 0) {
        order = step * compareEntries(bytes, entryAt(put[i]!), entry.bytes, entry.at);
        if (order > 0) break;
        if (put[i]! >= 0) yield { bytes, at: put[i]! };
        i += step;
      }
      if (order !== 0) yield entry;
    }
    for (; i >= begin && i < end; i += step) if (put[i]! >= 0) yield { bytes, at: put[i]! };
  }
}

/**
 * Index of the first of some entries, which ascend, that happened at `time`, in ms, or later.
 *
 * @param at where an entry of that time begins in `bytes`, than which the first is not less; -1 for none
 */
function firstNotBefore(bytes: Buffer, starts: readonly number[], time: number, at = -1): number {
  let [low, high] = [0, starts.length];
  // Most come last.
  if (high > 0 && isBefore(bytes, entryAt(starts[high - 1]!), time, at)) return high;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isBefore(bytes, entryAt(starts[middle]!), time, at)) low = middle + 1;
    else high = middle;
  }
  return low;
}

function isBefore(bytes: Buffer, entry: number, time: number, at: number): boolean {
  const { timestamp } = timesAt(bytes, entry);
  return timestamp < time || (timestamp === time && at !== -1 && compareEntries(bytes, entry, bytes, at) < 0);
}

const words = new Int32Array(UUID_WORDS);
