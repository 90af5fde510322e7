import { readUuidText, UUID_WORDS, uuidText } from '../../contract/uuid.ts';
import type { Role } from '../decision/kinds.ts';
import { END_OF_TIME, type Overflow, type RememberedConversion, type Touch } from '../decision/state.ts';
import type { OverflowKind } from '../store/keys.ts';
import { changedBlocks, type Entry, entryAt, KnownBlocks, storedBetween } from '../store/overflow-blocks.ts';
import type { StateEntry, StateStore } from '../store/state-store.ts';
import { compareEntries, readIdWords, StoredConversion, StoredTouch, timesAt } from '../store/stored-entries.ts';
import { StateWriter } from '../store/user-codec.ts';
import { INVALID_TOUCH, TOUCH } from '../store/user-format.ts';
import type { SpilledIds } from './spilled-ids.ts';

/** About the memory that an entry takes beside its bytes, its id included. */
const ENTRY_BYTES = 80;

const KINDS: readonly OverflowKind[] = ['touch', 'invalid', 'conversion', 'closedTouch', 'closedConversion'];

/** Where those of a user begin that are not yet in the store, ascending by (timestamp, id); ~ of one that goes. */
type Starts = Record<OverflowKind, number[]>;

const NONE: Starts = { touch: [], invalid: [], conversion: [], closedTouch: [], closedConversion: [] };

/** What is asked for in the name of one user. */
interface Asking {
  store: StateStore;
  userId: string;
  slot: number;
  ids: SpilledIds;
  /** Whether what is closed counts, too. */
  withClosed: boolean;
  /** Those that are not yet in the store, if not those of the time when it is asked. */
  put?: Starts;
}

/**
 * Touches and conversions beside their users' states, in blocks by their times, so that one is found by its time with
 * a seek: those that are not yet in the store, ahead of those that are. Of those for which there is no room, invalid
 * touches lie apart, so that no seek has to pass over them, and when each happened is found by its id, for what
 * corrects it. What is closed lies apart from these. Only what corrects it looks there: seldom enough to look for an id
 * in all of it, which takes less on disk than to know where each lies.
 */
export class OverflowStore {
  #put = new Map<string, Starts>();
  #writer = new StateWriter();
  #entries = 0;
  readonly #known = new KnownBlocks();
  /** Of whom was asked last: events of a user with very many follow on each other. */
  #asked: (Asking & { overflow: Overflow }) | undefined;
  /** What is closed of that user, by kind and id, once more than one was looked for. */
  #closedById = new Map<OverflowKind, Map<string, Entry> | undefined>();

  /** About the memory that it takes, in bytes: up to half of what is written to is free. */
  get bytesUsed(): number {
    return 2 * this.#writer.length + this.#entries * ENTRY_BYTES;
  }

  /** What of a user is in here and in the store. */
  of(store: StateStore, userId: string, slot: number, ids: SpilledIds, withClosed = false): Overflow {
    const asking = { store, userId, slot, ids, withClosed };
    const last = this.#asked;
    if (last !== undefined && isSame(last, asking)) return last.overflow;
    const overflow = this.#of(asking);
    this.#asked = { ...asking, overflow };
    this.#closedById.clear();
    return overflow;
  }

  #of(asking: Asking): Overflow {
    const { userId, slot, ids } = asking;
    const between = this.#allBetween.bind(this, asking);
    const isClosed = this.#isClosed.bind(this, asking);
    return {
      addTouch: (touch, isInvalid) => {
        ids.add(slot, { role: 'touch', touch }, touch.timestamp);
        this.#putTouch(userId, touch, isInvalid ? 'invalid' : 'touch');
      },
      judgeTouch: (touch, isInvalid) => {
        if (isClosed('closedTouch', touch.timestamp, touch.clickId)) {
          this.#putTouch(userId, touch, 'closedTouch', { isInvalid });
          return;
        }
        this.#putTouch(userId, touch, isInvalid ? 'invalid' : 'touch');
        this.#putTouch(userId, touch, isInvalid ? 'touch' : 'invalid', { isGone: true });
      },
      addConversion: (conversion) => {
        ids.add(slot, { role: 'outcome', conversion }, conversion.timestamp);
        this.#putConversion(userId, conversion, 'conversion');
      },
      putConversion: (conversion) => {
        const { timestamp, conversionId } = conversion;
        const kind = isClosed('closedConversion', timestamp, conversionId) ? 'closedConversion' : 'conversion';
        this.#putConversion(userId, conversion, kind);
      },
      closeTouch: (touch, isInvalid) => this.#putTouch(userId, touch, 'closedTouch', { isInvalid }),
      closeConversion: (conversion) => this.#putConversion(userId, conversion, 'closedConversion'),
      touchWithId: (id) => {
        const entry =
          this.#withId(asking, 'touch', id, ['touch', 'invalid']) ?? this.#closedWithId(asking, 'closedTouch', id);
        return entry && new StoredTouch(entry.bytes, entry.at);
      },
      conversionWithId: (id) => {
        const entry =
          this.#withId(asking, 'outcome', id, ['conversion']) ?? this.#closedWithId(asking, 'closedConversion', id);
        return entry && new StoredConversion(entry.bytes, entry.at);
      },
      *touches(from, to, isBack) {
        const touches = between('touch', 'closedTouch', from, to, isBack, TOUCH);
        for (const { bytes, at } of touches) yield new StoredTouch(bytes, at);
      },
      *invalidTouches(from, to, isBack) {
        const touches = between('invalid', 'closedTouch', from, to, isBack, INVALID_TOUCH);
        for (const { bytes, at } of touches) yield new StoredTouch(bytes, at);
      },
      *conversions(from, to, isBack) {
        const conversions = between('conversion', 'closedConversion', from, to, isBack);
        for (const { bytes, at } of conversions) yield new StoredConversion(bytes, at);
      },
    };
  }

  /**
   * What of a user is in here and in the store now: what it reads stays so whatever is put in here later, until the
   * blocks are taken. Asked by time, not by id.
   */
  frozen(store: StateStore, userId: string, slot: number, ids: SpilledIds): (withClosed: boolean) => Overflow {
    const now = this.#put.get(userId) ?? NONE;
    const put = Object.fromEntries(KINDS.map((kind) => [kind, now[kind].slice()])) as Starts;
    return (withClosed) => this.#of({ store, userId, slot, ids, withClosed, put });
  }

  /** Whether a user has any. */
  has(store: StateStore, userId: string): boolean {
    const isIn = (kind: OverflowKind) => !this.#between({ store, userId }, kind, 0, END_OF_TIME, false).next().done;
    return isIn('touch') || isIn('conversion') || isIn('invalid');
  }

  /** The blocks of those that are not yet in the store, where the caller now puts them. */
  *takePuts(store: StateStore): Generator<StateEntry> {
    const [put, { bytes }] = [this.#put, this.#writer];
    this.#closedById.clear();
    this.#put = new Map();
    this.#writer = new StateWriter();
    this.#entries = 0;
    this.#known.clear();
    for (const [userId, starts] of put) {
      for (const kind of KINDS) yield* changedBlocks(store, kind, userId, bytes, starts[kind]);
    }
  }

  #putTouch(userId: string, touch: Touch, kind: OverflowKind, { isInvalid = false, isGone = false } = {}): void {
    const at = this.#writer.length;
    this.#writer.touch(touch, isInvalid);
    this.#putEntry(userId, kind, at, isGone);
  }

  #putConversion(userId: string, conversion: RememberedConversion, kind: OverflowKind): void {
    const at = this.#writer.length;
    this.#writer.conversion(conversion);
    this.#putEntry(userId, kind, at, false);
  }

  /** Takes in the entry that was written from `at` on. */
  #putEntry(userId: string, kind: OverflowKind, at: number, isGone: boolean): void {
    const { bytes } = this.#writer;
    const starts = this.#startsOf(userId)[kind];
    const i = firstNotBefore(bytes, starts, timesAt(bytes, at).timestamp, at);
    const isThere = i < starts.length && compareEntries(bytes, entryAt(starts[i]!), bytes, at) === 0;
    const start = isGone ? ~at : at;
    this.#closedById.delete(kind);
    if (i === starts.length) starts.push(start);
    else starts.splice(i, isThere ? 1 : 0, start);
    this.#entries++;
  }

  #startsOf(userId: string): Starts {
    const known = this.#put.get(userId);
    if (known !== undefined) return known;
    const starts: Starts = { touch: [], invalid: [], conversion: [], closedTouch: [], closedConversion: [] };
    this.#put.set(userId, starts);
    return starts;
  }

  /** The entry with an event's id, as one of these kinds; undefined if there is none. */
  #withId(asking: Asking, role: Role, id: string, kinds: readonly OverflowKind[]) {
    const { store, userId, slot, ids } = asking;
    const time = ids.timeOf(store, slot, userId, role, id);
    if (time === undefined) return undefined;
    for (const kind of kinds) {
      for (const entry of this.#between(asking, kind, time, time, false)) {
        readIdWords(entry.bytes, entry.at, words, 0);
        if (uuidText(words, 0) === id) return entry;
      }
    }
    return undefined;
  }

  /** The entry with an event's id, among those that are closed: the last that arrived, if there are several. */
  #closedWithId(asking: Asking, kind: OverflowKind, id: string): Entry | undefined {
    if (!asking.withClosed) return undefined;
    const all = () => this.#between(asking, kind, 0, END_OF_TIME, false);
    if (this.#closedById.has(kind)) {
      const byId = this.#closedById.get(kind) ?? lastById(all());
      this.#closedById.set(kind, byId);
      return byId.get(id);
    }
    this.#closedById.set(kind, undefined);
    readUuidText(id, words, 0);
    let last: Entry | undefined;
    for (const entry of all()) if (hasId(entry, words)) last = laterOf(last, entry);
    return last;
  }

  #isClosed(asking: Asking, kind: OverflowKind, time: number, id: string): boolean {
    if (!asking.withClosed) return false;
    readUuidText(id, words, 0);
    for (const entry of this.#between(asking, kind, time, time, false)) if (hasId(entry, words)) return true;
    return false;
  }

  /**
   * A user's entries of one kind and, if these count, of another, which is of what is closed.
   *
   * @param only of the latter those that begin so
   */
  #allBetween(
    asking: Asking,
    kind: OverflowKind,
    closed: OverflowKind,
    from: number,
    to: number,
    isBack: boolean,
    only?: number,
  ): Generator<Entry> {
    const entries = this.#between(asking, kind, from, to, isBack);
    if (!asking.withClosed) return entries;
    const others = this.#between(asking, closed, from, to, isBack);
    return merged(entries, only === undefined ? others : beginningWith(only, others), isBack);
  }

  /** A user's entries of events that happened in [from, to], in ms, ascending or descending. */
  *#between(
    { store, userId, put: frozen }: Pick<Asking, 'store' | 'userId' | 'put'>,
    kind: OverflowKind,
    from: number,
    to: number,
    isBack: boolean,
  ): Generator<Entry> {
    const { bytes } = this.#writer;
    const starts = (frozen ?? this.#put.get(userId) ?? NONE)[kind];
    // Conversions may be put meanwhile.
    const put =
      (kind === 'conversion' || kind === 'closedConversion') && frozen === undefined ? starts.slice() : starts;
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

/** Entries of both in their order: each ascends, or descends. */
function* merged(a: Iterator<Entry>, b: Iterator<Entry>, isBack: boolean): Generator<Entry> {
  const step = isBack ? -1 : 1;
  let [left, right] = [a.next(), b.next()];
  while (!left.done || !right.done) {
    if (right.done || (!left.done && step * compare(left.value, right.value) <= 0)) {
      yield left.value;
      left = a.next();
    } else {
      yield right.value;
      right = b.next();
    }
  }
}

function* beginningWith(byte: number, entries: Iterable<Entry>): Generator<Entry> {
  for (const entry of entries) if (entry.bytes[entry.at] === byte) yield entry;
}

function compare(a: Entry, b: Entry): number {
  return compareEntries(a.bytes, a.at, b.bytes, b.at);
}

function lastById(entries: Iterable<Entry>): Map<string, Entry> {
  const byId = new Map<string, Entry>();
  for (const entry of entries) {
    readIdWords(entry.bytes, entry.at, others, 0);
    const id = uuidText(others, 0);
    byId.set(id, laterOf(byId.get(id), entry));
  }
  return byId;
}

/** The one that arrived later. */
function laterOf(a: Entry | undefined, b: Entry): Entry {
  return a === undefined || timesAt(b.bytes, b.at).arrival > timesAt(a.bytes, a.at).arrival ? b : a;
}

function hasId({ bytes, at }: Entry, id: Int32Array): boolean {
  readIdWords(bytes, at, others, 0);
  for (let i = 0; i < UUID_WORDS; i++) if (others[i] !== id[i]) return false;
  return true;
}

function isSame(a: Asking, b: Asking): boolean {
  const isOfSame = a.store === b.store && a.userId === b.userId && a.slot === b.slot && a.ids === b.ids;
  return isOfSame && a.withClosed === b.withClosed;
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

const [words, others] = [new Int32Array(UUID_WORDS), new Int32Array(UUID_WORDS)];
