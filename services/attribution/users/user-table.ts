import assert from 'node:assert/strict';
import { metadataKeysOf, type Rollup } from '../../contract/rollups.ts';
import { UUID_WORDS } from '../../contract/uuid.ts';
import { isForgotten } from '../decision/config.ts';
import { mustClose } from '../decision/retention.ts';
import { NOTHING_CLOSED } from '../decision/state.ts';
import { BLOCK_BYTES, BlockPool, CONTENT_BYTES, HEAD_WORDS, NO_BLOCK, wordOf } from '../memory/block-pool.ts';
import {
  copyTouch,
  hasSameId,
  type InternedTouch,
  idAt,
  TOUCH_WORDS,
  type TouchMemory,
  type TouchSpace,
  TouchTexts,
} from '../memory/touch-memory.ts';
import type { LongestApart } from '../store/longest-apart.ts';
import { readIdWords, timesAt } from '../store/stored-entries.ts';
import type { StateWriter } from '../store/user-codec.ts';
import { NO_USER, UserIndex } from './user-index.ts';
import {
  CLOSED,
  CONVERSIONS,
  CORRECTED,
  DIRTY,
  filterBitsOf,
  type List,
  OVERFLOW,
  REFERENCED,
  SLOT_BYTES,
  TOUCHES,
  UserSlots,
} from './user-slots.ts';

const TOUCHES_IN_BLOCK = Math.floor(CONTENT_BYTES / (4 * TOUCH_WORDS));
/** About the bytes that the object of a buffer takes, and its place in a map. */
const BUFFER_BYTES = 200;
/** About the bytes that a number takes in a map. */
const LAST_CLOSED_BYTES = 50;
const NONE = Buffer.alloc(0);
/** About the bytes that a user takes in the index: its id and a place in three lists. */
const INDEX_BYTES = 64;

type Within = Pick<LongestApart, 'config' | 'longestApartMs' | 'closedSeenUntil'>;

/**
 * The users of a partition that are in memory. Each has a slot, which holds what is read most, and two chains of
 * blocks: its touches, and its conversions as they are stored. JavaScript objects are made of it only on request:
 * collecting garbage would go past millions of them, again and again.
 */
export class UserTable {
  readonly index = new UserIndex();
  readonly slots = new UserSlots();
  readonly texts: TouchTexts;
  readonly #blocks = new BlockPool();
  /** Corrections and invalid touches of the few users that have some, as they are stored. */
  readonly #corrections = new Map<number, Buffer>();
  #correctionBytes = 0;
  /** Of users of whom something lies beside the state as closed, when the last conversion of that arrived, in ms. */
  readonly #lastClosed = new Map<number, number>();
  #dirty: number[] = [];
  /** About the memory, in bytes, of users that changed since `takeDirty`. */
  dirtyBytes = 0;
  #hand = 0;

  /** @param rollups by whose dimensions clicks are counted */
  constructor(rollups: readonly Rollup[] = []) {
    this.texts = new TouchTexts(metadataKeysOf(rollups));
  }

  /** About the memory that the table takes, in bytes. */
  get bytesUsed(): number {
    const inMaps = this.#correctionBytes + this.#lastClosed.size * LAST_CLOSED_BYTES;
    const ofUsers = this.index.count * (SLOT_BYTES + INDEX_BYTES) + inMaps;
    return ofUsers + this.#blocks.used * BLOCK_BYTES + this.texts.bytesUsed;
  }

  /** Takes in a user that is not there, with nothing in its slot. */
  add(userId: string): number {
    const slot = this.index.add(userId);
    this.slots.begin(slot);
    return slot;
  }

  /**
   * Marks users as asked for: eviction goes past them once. Reads what the next steps read of them, so that the
   * processor has it in its cache by then.
   *
   * @param asked slots, of which the first `count` count
   */
  see(asked: Int32Array, count: number): void {
    for (let i = 0; i < count; i++) this.slots.set(asked[i]!, REFERENCED);
    for (let i = 0; i < count; i++) {
      const block = this.slots.tail(asked[i]!, TOUCHES);
      if (block !== NO_BLOCK) this.#blocks.before(block);
    }
  }

  /**
   * Whether all that the fold would do with a touch is to add it to the user, as with most: later than all of the
   * user's touches and conversions, they change no decision. False if in doubt: if something might have to go, or the
   * touch be a duplicate of one of them.
   */
  takesTouch(slot: number, from: TouchMemory, start: number, within: Within): boolean {
    const timestamp = from.times[start >> 1]!;
    return (
      timestamp > this.slots.lastTimestamp(slot, TOUCHES) &&
      timestamp > this.slots.lastTimestamp(slot, CONVERSIONS) &&
      !this.slots.has(slot, OVERFLOW) &&
      this.slots.count(slot, TOUCHES) < within.config.maxTouches &&
      !this.#mustGo(slot, from.times[(start >> 1) + 1]!, within) &&
      !this.#hasTouch(slot, from.words, start)
    );
  }

  /**
   * Whether all that the fold would do with a conversion is to decide it by the user's touches and add it to the user.
   * False if in doubt, as in `takesTouch`.
   *
   * @param id of the conversion
   * @param arrival of the conversion, in ms
   */
  takesConversion(slot: number, id: Int32Array, arrival: number, within: Within): boolean {
    return (
      this.slots.count(slot, CONVERSIONS) < within.config.maxTouches &&
      !this.slots.has(slot, OVERFLOW) &&
      !this.slots.mayHave(slot, CONVERSIONS, filterBitsOf(id, 0)) &&
      !this.#mustGo(slot, arrival, within)
    );
  }

  /** Adds a touch behind all others. */
  putTouch(slot: number, from: TouchMemory, start: number): void {
    const { slots } = this;
    const place = slots.size(slot, TOUCHES) % TOUCHES_IN_BLOCK;
    if (place === 0) this.#extend(slot, TOUCHES);
    const block = slots.tail(slot, TOUCHES);
    copyTouch(from, start, this.#blocks.pageOf(block), wordOf(block) + HEAD_WORDS + place * TOUCH_WORDS);
    slots.noteAdded(slot, TOUCHES, 1, from.times, start >> 1, filterBitsOf(from.words, idAt(start)));
  }

  /**
   * Copies the user's touches to `space`.
   *
   * @param since touches with lesser timestamps, in ms, may be left out
   */
  touchesOf(slot: number, space: TouchSpace, since = Number.NEGATIVE_INFINITY): InternedTouch[] {
    const latestFirst: InternedTouch[] = [];
    let left = this.slots.count(slot, TOUCHES);
    for (let block = this.slots.tail(slot, TOUCHES); left > 0; block = this.#blocks.before(block)) {
      const page = this.#blocks.pageOf(block);
      const begin = wordOf(block) + HEAD_WORDS;
      const before = firstInBlock(left - 1);
      space.reserve(left - before);
      for (let at = begin + (left - 1 - before) * TOUCH_WORDS; at >= begin; at -= TOUCH_WORDS) {
        // They ascend by time.
        if (page.times[at >> 1]! < since) return latestFirst.reverse();
        latestFirst.push(space.copy(page, at));
      }
      left = before;
    }
    return latestFirst.reverse();
  }

  /** Calls back with where each of the user's touches lies, from the `first` on. */
  forEachTouch(slot: number, first: number, look: (memory: TouchMemory, at: number) => void): void {
    const count = this.slots.count(slot, TOUCHES);
    const begin = Math.floor(first / TOUCHES_IN_BLOCK);
    const end = Math.ceil(count / TOUCHES_IN_BLOCK);
    const chain = this.#blocks.follow(this.slots.tail(slot, TOUCHES), begin, end);
    for (let i = begin; i < end; i++) {
      const page = this.#blocks.pageOf(chain[i]!);
      const at = wordOf(chain[i]!) + HEAD_WORDS;
      const last = Math.min(TOUCHES_IN_BLOCK, count - i * TOUCHES_IN_BLOCK);
      for (let place = Math.max(0, first - i * TOUCHES_IN_BLOCK); place < last; place++) {
        look(page, at + place * TOUCH_WORDS);
      }
    }
  }

  clear(slot: number, list: List): void {
    this.#blocks.give(this.slots.tail(slot, list));
    this.slots.clear(slot, list);
  }

  /** Adds a conversion, as it is stored, behind all others. */
  putConversion(slot: number, from: Buffer, start: number, end: number): void {
    const { slots } = this;
    let place = slots.size(slot, CONVERSIONS) % CONTENT_BYTES;
    for (let i = start; i < end; ) {
      if (place === 0) this.#extend(slot, CONVERSIONS);
      const block = slots.tail(slot, CONVERSIONS);
      const to = 4 * (wordOf(block) + HEAD_WORDS) + place;
      const { bytes } = this.#blocks.pageOf(block);
      const part = Math.min(CONTENT_BYTES - place, end - i);
      for (let j = 0; j < part; j++) bytes[to + j] = from[i + j]!;
      place = (place + part) % CONTENT_BYTES;
      i += part;
    }
    readIdWords(from, start, oneId, 0);
    const { timestamp, arrival } = timesAt(from, start);
    oneTimes[0] = timestamp;
    oneTimes[1] = arrival;
    slots.noteAdded(slot, CONVERSIONS, end - start, oneTimes, 0, filterBitsOf(oneId, 0));
  }

  /** Adds the user's conversions as they are stored, from the byte `first` on, to what is written. */
  copyConversions(slot: number, first: number, to: StateWriter): void {
    const length = this.slots.size(slot, CONVERSIONS);
    to.reserve(length - first);
    const begin = Math.floor(first / CONTENT_BYTES);
    const end = Math.ceil(length / CONTENT_BYTES);
    const chain = this.#blocks.follow(this.slots.tail(slot, CONVERSIONS), begin, end);
    for (let i = begin; i < end; i++) {
      const from = 4 * (wordOf(chain[i]!) + HEAD_WORDS);
      const before = i * CONTENT_BYTES;
      const { bytes } = this.#blocks.pageOf(chain[i]!);
      to.copy(bytes, from + Math.max(0, first - before), from + Math.min(CONTENT_BYTES, length - before));
    }
  }

  /** The user's corrections and invalid touches, as they are stored. */
  corrections(slot: number): Buffer {
    return this.slots.has(slot, CORRECTED) ? this.#corrections.get(slot)! : NONE;
  }

  /** Gives the user these corrections and invalid touches in place of those there were. */
  putCorrections(slot: number, bytes: Buffer): void {
    this.#dropCorrections(slot);
    this.slots.noteRewritten(slot);
    if (bytes.length === 0) return;
    this.slots.set(slot, CORRECTED);
    this.#corrections.set(slot, bytes);
    this.#correctionBytes += bytes.length + BUFFER_BYTES;
  }

  /** As `UserState` has it. */
  lastClosed(slot: number): number {
    return this.slots.has(slot, CLOSED) ? this.#lastClosed.get(slot)! : NOTHING_CLOSED;
  }

  /** Notes when the last conversion arrived that lies beside the user's state as closed. */
  noteClosed(slot: number, lastClosed: number): void {
    if (lastClosed === this.lastClosed(slot)) return;
    this.slots.noteRewritten(slot);
    if (lastClosed === NOTHING_CLOSED) {
      this.slots.unset(slot, CLOSED);
      this.#lastClosed.delete(slot);
      return;
    }
    this.slots.set(slot, CLOSED);
    this.#lastClosed.set(slot, lastClosed);
  }

  /** Notes that the user has changed. */
  touched(slot: number): void {
    const bytes = this.#bytesOf(slot);
    if (this.slots.has(slot, DIRTY)) {
      this.dirtyBytes += bytes - this.slots.dirtyBytes(slot);
    } else {
      this.slots.set(slot, DIRTY);
      this.#dirty.push(slot);
      this.dirtyBytes += bytes;
    }
    this.slots.setDirtyBytes(slot, bytes);
  }

  /** Returns the users that changed since the last call, which the caller now stores. */
  takeDirty(): number[] {
    const taken = this.#dirty;
    this.#dirty = [];
    this.dirtyBytes = 0;
    return taken;
  }

  /**
   * Evicts users that were not asked for recently, until the table takes no more than these bytes; none whose changes
   * are not stored. By the clock algorithm (Corbató, "A paging experiment with the Multics system", 1969): a hand goes
   * round, clears the mark of users that were asked for, and evicts users without it. That is nearly "least recently
   * used" at the price of a flag.
   */
  evict(budgetBytes: number): void {
    // Two rounds clear all marks and come back to each user.
    for (let steps = 2 * this.index.end; steps > 0 && this.bytesUsed > budgetBytes; steps--) {
      this.#hand = this.#hand + 1 < this.index.end ? this.#hand + 1 : 0;
      if (!this.index.has(this.#hand) || this.slots.has(this.#hand, DIRTY)) continue;
      if (this.slots.has(this.#hand, REFERENCED)) this.slots.unset(this.#hand, REFERENCED);
      else this.remove(this.#hand);
    }
  }

  /** Removes a user; false if it isn't removed, as it has changes that are not yet stored. */
  drop(userId: string): boolean {
    const slot = this.index.findText(userId);
    if (slot === NO_USER) return true;
    if (this.slots.has(slot, DIRTY)) return false;
    this.remove(slot);
    return true;
  }

  /** Removes the user in a slot. Throws an Error if it has changes that are not yet stored. */
  remove(slot: number): void {
    assert(!this.slots.has(slot, DIRTY), 'R-5: the user is not stored');
    this.clear(slot, TOUCHES);
    this.clear(slot, CONVERSIONS);
    this.#dropCorrections(slot);
    this.noteClosed(slot, NOTHING_CLOSED);
    this.index.remove(slot);
  }

  #dropCorrections(slot: number): void {
    if (!this.slots.has(slot, CORRECTED)) return;
    this.#correctionBytes -= this.corrections(slot).length + BUFFER_BYTES;
    this.#corrections.delete(slot);
    this.slots.unset(slot, CORRECTED);
  }

  /** Puts a block behind those that a list lies in. */
  #extend(slot: number, list: List): void {
    this.slots.setTail(slot, list, this.#blocks.take(this.slots.tail(slot, list)));
  }

  #bytesOf(slot: number): number {
    const touchBlocks = Math.ceil(this.slots.count(slot, TOUCHES) / TOUCHES_IN_BLOCK);
    const conversionBlocks = Math.ceil(this.slots.size(slot, CONVERSIONS) / CONTENT_BYTES);
    const blockBytes = (touchBlocks + conversionBlocks) * BLOCK_BYTES;
    return SLOT_BYTES + INDEX_BYTES + blockBytes + this.corrections(slot).length;
  }

  /**
   * Whether something of the user is forgotten when an event arrives, as `expire` has it, or what comes may have been
   * corrected already.
   */
  #mustGo(slot: number, arrival: number, within: Within): boolean {
    const { slots } = this;
    const { retentionMs } = within.config;
    const first = slots.firstArrival(slot, CONVERSIONS);
    return (
      this.slots.has(slot, CORRECTED) ||
      (arrival <= within.closedSeenUntil && this.slots.has(slot, CLOSED)) ||
      isForgotten(this.slots.firstArrival(slot, TOUCHES), arrival, retentionMs.touch) ||
      isForgotten(first, arrival, retentionMs.outcome) ||
      mustClose(within, arrival, first, slots.count(slot, CONVERSIONS), slots.count(slot, TOUCHES))
    );
  }

  /** Whether the user has the touch already. The filter rules out most new ones; else all are compared. */
  #hasTouch(slot: number, from: Int32Array, start: number): boolean {
    if (!this.slots.mayHave(slot, TOUCHES, filterBitsOf(from, idAt(start)))) return false;
    let left = this.slots.count(slot, TOUCHES);
    for (let block = this.slots.tail(slot, TOUCHES); left > 0; block = this.#blocks.before(block)) {
      const page = this.#blocks.pageOf(block).words;
      const begin = wordOf(block) + HEAD_WORDS;
      const before = firstInBlock(left - 1);
      const end = begin + (left - before) * TOUCH_WORDS;
      for (let touch = begin; touch < end; touch += TOUCH_WORDS) if (hasSameId(page, touch, from, start)) return true;
      left = before;
    }
    return false;
  }
}

/** Index of the first touch in the block that has this one. */
function firstInBlock(touch: number): number {
  return touch - (touch % TOUCHES_IN_BLOCK);
}

const oneId = new Int32Array(UUID_WORDS);
const oneTimes = new Float64Array(2);
