import { UUID_WORDS } from '../../contract/uuid.ts';
import { END_OF_TIME } from '../decision/state.ts';
import { type OverflowKind, overflowKey, overflowKeysFrom, timeOfOverflowKey } from './keys.ts';
import { keyAfter, type StateEntry, type StateStore } from './state-store.ts';
import { compareEntries, conversionBytes, endOfTouch, readIdWords, timesAt } from './stored-entries.ts';
import { TOUCH } from './user-format.ts';

/**
 * Touches and conversions that their users' states have no room for, in blocks of some entries one after the other,
 * ascending by (timestamp, id), under a key that none of them is less than and all entries of blocks before are. So an
 * event is found by its time with a seek, and many that come in order take few writes. An empty block is none: the
 * sweep deletes it.
 */

/** Entries of a block at most: of touches some 3 kilobytes, which a seek reads for one of them. */
const MOST_ENTRIES = 32;

/** Blocks read at once where more are asked for than the first. */
const SLICE = 4;

/** Where an entry lies. */
export interface Entry {
  bytes: Buffer;
  at: number;
}

interface Block extends StateEntry {
  /** When its first event happened, in ms. */
  time: number;
}

/** Two blocks with none between them; undefined where there is none. */
interface Gap {
  before: Block | undefined;
  after: Block | undefined;
}

/** Places of one kind that are known at most: conversions ask by turns for the oldest and the newest of touches. */
const MOST_GAPS = 4;

/** Blocks around the places where one user's were looked for last, which most are looked for next. */
export class KnownBlocks {
  #store: StateStore | undefined;
  #userId = '';
  readonly #gaps: Record<OverflowKind, Gap[]> = { touch: [], invalid: [], conversion: [] };

  /** Forgets all: blocks are about to be stored. */
  clear(): void {
    this.#store = undefined;
  }

  /** The last block that begins before `time`, in ms, and the first one that does not. */
  around(store: StateStore, kind: OverflowKind, userId: string, time: number): Gap {
    if (this.#store !== store || this.#userId !== userId) this.#begin(store, userId);
    const gaps = this.#gaps[kind];
    for (let i = 0; i < gaps.length; i++) {
      const { before, after } = gaps[i]!;
      if ((before === undefined || before.time < time) && (after === undefined || after.time >= time)) return gaps[i]!;
    }
    const key = overflowKeysFrom(kind, userId, time);
    const [before] = store.scanBack(overflowKeysFrom(kind, userId, 0), key, 1);
    const [after] = store.scan(key, overflowKeysFrom(kind, userId, END_OF_TIME), 1);
    if (gaps.length === MOST_GAPS) gaps.shift();
    const gap = { before: before && blockAt(before), after: after && blockAt(after) };
    gaps.push(gap);
    return gap;
  }

  #begin(store: StateStore, userId: string): void {
    this.#store = store;
    this.#userId = userId;
    for (const gaps of Object.values(this.#gaps)) gaps.length = 0;
  }
}

function blockAt({ key, value }: StateEntry): Block {
  return { key, value, time: timeOfOverflowKey(key) };
}

/** A user's entries of events that happened in [from, to], in ms, ascending or descending. */
export function* storedBetween(
  { store, known }: { store: StateStore; known: KnownBlocks },
  kind: OverflowKind,
  userId: string,
  from: number,
  to: number,
  isBack: boolean,
): Generator<Entry> {
  const { before, after } = known.around(store, kind, userId, isBack ? to + 1 : from);
  if (before !== undefined) yield* entriesOf(before.value, from, to, isBack);
  const next = isBack ? before : after;
  // One that begins before all is the last that may have some.
  if (next === undefined || (isBack ? next.time < from : next.time > to)) return;
  if (!isBack) yield* entriesOf(next.value, from, to, isBack);
  const first = isBack ? overflowKeysFrom(kind, userId, 0) : keyAfter(next.key);
  const end = isBack ? next.key : overflowKeysFrom(kind, userId, to + 1);
  for (const block of blocksBetween(store, first, end, isBack)) {
    yield* entriesOf(block.value, from, to, isBack);
    if (isBack && timeOfOverflowKey(block.key) < from) return;
  }
}

function* blocksBetween(store: StateStore, from: Buffer, to: Buffer, isBack: boolean): Generator<StateEntry> {
  let [first, end] = [from, to];
  for (;;) {
    const blocks = isBack ? store.scanBack(first, end, SLICE) : store.scan(first, end, SLICE);
    yield* blocks;
    if (blocks.length < SLICE) return;
    const last = blocks.at(-1)!.key;
    if (isBack) end = last;
    else first = keyAfter(last);
  }
}

function* entriesOf(block: Buffer, from: number, to: number, isBack: boolean): Generator<Entry> {
  const starts = startsOf(block);
  if (isBack) starts.reverse();
  for (const at of starts) {
    const { timestamp } = timesAt(block, at);
    if (timestamp >= from && timestamp <= to) yield { bytes: block, at };
  }
}

/** Where each entry of a block begins. */
function startsOf(block: Buffer): number[] {
  const starts: number[] = [];
  for (let at = 0; at < block.length; at = endOfEntry(block, at)) starts.push(at);
  return starts;
}

function endOfEntry(bytes: Buffer, at: number): number {
  return bytes[at] === TOUCH ? endOfTouch(bytes, at) : at + conversionBytes(bytes, at);
}

/** When the event of a block arrived that arrived last, in ms; -Infinity of an empty one. */
export function lastArrival(block: Buffer): number {
  return Math.max(...startsOf(block).map((at) => timesAt(block, at).arrival));
}

/**
 * Puts a user's entries into blocks, in place of those with the same times and ids. Returns the blocks that change,
 * which the caller now stores: each before it takes the next one.
 *
 * @param starts where the entries begin in `bytes`, ascending by (timestamp, id); ~ of one that goes
 */
export function* changedBlocks(
  store: StateStore,
  kind: OverflowKind,
  userId: string,
  bytes: Buffer,
  starts: readonly number[],
): Generator<StateEntry> {
  const [begin, behind] = [overflowKeysFrom(kind, userId, 0), overflowKeysFrom(kind, userId, END_OF_TIME)];
  const keyOf = (of: Buffer, at: number) => {
    readIdWords(of, at, words, 0);
    return overflowKey(kind, userId, timesAt(of, at).timestamp, words);
  };
  for (let first = 0, end = 0; first < starts.length; first = end) {
    const key = keyOf(bytes, entryAt(starts[first]!));
    const [block] = store.scanBack(begin, keyAfter(key), 1);
    const [next] = store.scan(keyAfter(key), behind, 1);
    const isBeforeNext = (start: number) =>
      next === undefined || Buffer.compare(keyOf(bytes, entryAt(start)), next.key) < 0;
    for (end = first + 1; end < starts.length && isBeforeNext(starts[end]!); ) end++;
    const old = block?.value ?? NONE;
    const merged = merge(old, bytes, starts, first, end);
    if (merged.length === 0 && block !== undefined) yield { key: block.key, value: NONE };
    const each = Math.ceil(merged.length / Math.ceil(merged.length / MOST_ENTRIES));
    for (let i = 0; i < merged.length; i += each) {
      const start = merged[i]!;
      const own = i === 0 ? (block?.key ?? key) : keyOf(start < 0 ? old : bytes, entryAt(start));
      yield { key: own, value: blockOf(merged, i, Math.min(i + each, merged.length), old, bytes) };
    }
  }
}

/** Where an entry begins, be its place given with ~. */
export function entryAt(start: number): number {
  return start < 0 ? ~start : start;
}

/** Where the entries begin that a block has with some others, ascending: in `bytes`, or, with ~, in the block. */
function merge(block: Buffer, bytes: Buffer, starts: readonly number[], first: number, end: number): number[] {
  const merged: number[] = [];
  const olds = startsOf(block);
  for (let i = first, j = 0; i < end || j < olds.length; ) {
    const order = i === end ? 1 : j === olds.length ? -1 : compareEntries(bytes, entryAt(starts[i]!), block, olds[j]!);
    if (order > 0) merged.push(~olds[j]!);
    else if (starts[i]! >= 0) merged.push(starts[i]!);
    if (order >= 0) j++;
    if (order <= 0) i++;
  }
  return merged;
}

/** Copies entries, as `merge` has them, one after the other. */
function blockOf(merged: readonly number[], from: number, to: number, old: Buffer, bytes: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let i = from; i < to; ) {
    const of = merged[i]! < 0 ? old : bytes;
    const start = entryAt(merged[i]!);
    let end = start;
    // Those that came one after the other are copied as one.
    while (i < to && merged[i]! < 0 === (of === old) && entryAt(merged[i]!) === end) {
      end = endOfEntry(of, end);
      i++;
    }
    parts.push(of.subarray(start, end));
  }
  return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
}

const NONE = Buffer.alloc(0);
const words = new Int32Array(UUID_WORDS);
