import { UUID_WORDS } from '../../contract/uuid.ts';
import { NO_BLOCK } from '../memory/block-pool.ts';
import { touchMemory } from '../memory/touch-memory.ts';

const FIRST_SLOTS = 1024;

/**
 * Bytes of a slot: f64 from its beginning, then words of i32. Lists have their places side by side: touches at the ones
 * named here, conversions at the next ones.
 */
export const SLOT_BYTES = 128;
const SLOT_TIMES = SLOT_BYTES / 8;
const SLOT_WORDS = SLOT_BYTES / 4;
const FIRST_ARRIVAL = 0;
const LAST_TIMESTAMP = 2;
const TAIL = 8;
const COUNT = 10;
const SIZE = 12;
const STORED_SIZE = 14;
const FLAGS = 16;
const DIRTY_BYTES = 17;
const PLACE = 18;
/** Bloom filters: of 256 bits for touches, and of 128 for conversions, of which there are fewer. */
const FILTER = 20;
const FILTER_WORDS = 8;
const FILTER_BITS = [0xffff, 0x7f7f] as const;

/** Lists of a user. */
export const TOUCHES = 0;
export const CONVERSIONS = 1;
export type List = typeof TOUCHES | typeof CONVERSIONS;

/** Flag of a user with ids that were spilled from its state and are not yet stored. */
export const SPILLED = 1;
/** Flag of a user that the store does not have as it is in memory. */
export const DIRTY = 2;
/** Flag of a user with corrections, or touches that are invalid. */
export const CORRECTED = 8;
/** Flag of a user that was asked for since eviction last came by. */
export const REFERENCED = 4;

/** Flag of a user for whose touches, or conversions, there was no room in its state. */
export const OVERFLOW = 16;

/** Flag of a user of whom something lies beside the state as closed. */
export const CLOSED = 32;

export const NO_PLACE = -1;
const NOT_STORED = -1;

/** What is read most of each user in memory, in slots of two cache lines. */
export class UserSlots {
  #words: Int32Array = new Int32Array(0);
  #times: Float64Array = new Float64Array(0);

  /** Makes a slot that of a user with nothing in it, whom the store does not have. */
  begin(slot: number): void {
    if ((slot + 1) * SLOT_WORDS > this.#words.length) this.#grow();
    this.#words.fill(0, slot * SLOT_WORDS, (slot + 1) * SLOT_WORDS);
    this.clear(slot, TOUCHES);
    this.clear(slot, CONVERSIONS);
    this.set(slot, REFERENCED);
  }

  has(slot: number, flag: number): boolean {
    return (this.#words[slot * SLOT_WORDS + FLAGS]! & flag) !== 0;
  }

  set(slot: number, flag: number): void {
    this.#words[slot * SLOT_WORDS + FLAGS]! |= flag;
  }

  unset(slot: number, flag: number): void {
    this.#words[slot * SLOT_WORDS + FLAGS]! &= ~flag;
  }

  /** Index of the user among the batch's open ones; NO_PLACE if it isn't open. */
  placeOf(slot: number): number {
    return this.#words[slot * SLOT_WORDS + PLACE]! - 1;
  }

  setPlace(slot: number, place: number): void {
    this.#words[slot * SLOT_WORDS + PLACE] = place + 1;
  }

  /** Number of touches or conversions. */
  count(slot: number, list: List): number {
    return this.#words[slot * SLOT_WORDS + COUNT + list]!;
  }

  /** Number of touches; bytes of conversions. */
  size(slot: number, list: List): number {
    return this.#words[slot * SLOT_WORDS + SIZE + list]!;
  }

  /** The last of the blocks that a list lies in; NO_BLOCK if it is empty. */
  tail(slot: number, list: List): number {
    return this.#words[slot * SLOT_WORDS + TAIL + list]!;
  }

  setTail(slot: number, list: List, block: number): void {
    this.#words[slot * SLOT_WORDS + TAIL + list] = block;
  }

  /**
   * Arrival of the list's event that arrived first, in ms; Infinity if the list is empty. Of touches, some may have
   * arrived before that are kept for longer.
   */
  firstArrival(slot: number, list: List): number {
    return this.#times[slot * SLOT_TIMES + FIRST_ARRIVAL + list]!;
  }

  /** Notes that no touch is to go before one that arrived then would. */
  noteKept(slot: number, arrival: number): void {
    this.#times[slot * SLOT_TIMES + FIRST_ARRIVAL + TOUCHES] = arrival;
  }

  /** Greatest timestamp in a list, in ms; -Infinity if the list is empty. */
  lastTimestamp(slot: number, list: List): number {
    return this.#times[slot * SLOT_TIMES + LAST_TIMESTAMP + list]!;
  }

  /** False if no event of a list has an id with these `filterBitsOf`. */
  mayHave(slot: number, list: List, bits: number): boolean {
    const at = slot * SLOT_WORDS + FILTER + list * FILTER_WORDS;
    const two = bits & FILTER_BITS[list];
    return hasBit(this.#words, at, two & 0xff) && hasBit(this.#words, at, two >>> 8);
  }

  /**
   * Notes that a touch or conversion was added to a list. Its timestamp and arrival lie in `times` from `from` on: as
   * arguments they would be objects, two for each event.
   */
  noteAdded(slot: number, list: List, size: number, times: Float64Array, from: number, bits: number): void {
    const time = slot * SLOT_TIMES + list;
    this.#times[time + FIRST_ARRIVAL] = Math.min(this.#times[time + FIRST_ARRIVAL]!, times[from + 1]!);
    this.#times[time + LAST_TIMESTAMP] = Math.max(this.#times[time + LAST_TIMESTAMP]!, times[from]!);
    const at = slot * SLOT_WORDS;
    this.#words[at + COUNT + list]!++;
    this.#words[at + SIZE + list]! += size;
    const two = bits & FILTER_BITS[list];
    setBit(this.#words, at + FILTER + list * FILTER_WORDS, two & 0xff);
    setBit(this.#words, at + FILTER + list * FILTER_WORDS, two >>> 8);
  }

  /** Empties a list, which is then not the one that the store has. */
  clear(slot: number, list: List): void {
    const at = slot * SLOT_WORDS + list;
    this.#words[at + TAIL] = NO_BLOCK;
    this.#words[at + COUNT] = this.#words[at + SIZE] = 0;
    this.#words[at + STORED_SIZE] = NOT_STORED;
    const filter = slot * SLOT_WORDS + FILTER + list * FILTER_WORDS;
    this.#words.fill(0, filter, Math.min(filter + FILTER_WORDS, (slot + 1) * SLOT_WORDS));
    this.#times[slot * SLOT_TIMES + FIRST_ARRIVAL + list] = Number.POSITIVE_INFINITY;
    this.#times[slot * SLOT_TIMES + LAST_TIMESTAMP + list] = Number.NEGATIVE_INFINITY;
  }

  /** Bytes by which the user counts in the table's `dirtyBytes`. */
  dirtyBytes(slot: number): number {
    return this.#words[slot * SLOT_WORDS + DIRTY_BYTES]!;
  }

  setDirtyBytes(slot: number, bytes: number): void {
    this.#words[slot * SLOT_WORDS + DIRTY_BYTES] = bytes;
  }

  /** Whether the store has the user's lists up to their stored sizes, so that the rest can be appended there. */
  isAppendable(slot: number): boolean {
    return this.storedSize(slot, TOUCHES) !== NOT_STORED && this.storedSize(slot, CONVERSIONS) !== NOT_STORED;
  }

  storedSize(slot: number, list: List): number {
    return this.#words[slot * SLOT_WORDS + STORED_SIZE + list]!;
  }

  /** Notes that the store has the user as it is here. */
  noteStored(slot: number): void {
    const at = slot * SLOT_WORDS;
    this.unset(slot, DIRTY | SPILLED);
    for (const list of [TOUCHES, CONVERSIONS]) this.#words[at + STORED_SIZE + list] = this.#words[at + SIZE + list]!;
  }

  /** Notes that the store can't have the user by adding to what it has. */
  noteRewritten(slot: number): void {
    this.#words[slot * SLOT_WORDS + STORED_SIZE] = NOT_STORED;
  }

  /** Notes that the user has more than its state, which the head of the stored state has to say. */
  noteOverflow(slot: number): void {
    if (this.has(slot, OVERFLOW)) return;
    this.set(slot, OVERFLOW);
    this.#words[slot * SLOT_WORDS + STORED_SIZE] = NOT_STORED;
  }

  #grow(): void {
    const { words, times } = touchMemory(Math.max(FIRST_SLOTS * SLOT_WORDS, 2 * this.#words.length));
    words.set(this.#words);
    [this.#words, this.#times] = [words, times];
  }
}

/** Numbers of an id's two bits in a filter, each in a byte: random for random ids. */
export function filterBitsOf(id: Int32Array, at: number): number {
  const mixed = id[at]! ^ id[at + UUID_WORDS - 1]!;
  const one = (mixed ^ (mixed >>> 8) ^ (mixed >>> 16) ^ (mixed >>> 24)) & 0xff;
  // Fibonacci hashing: Knuth, The Art of Computer Programming, volume 3, 6.4.
  const other = Math.imul(mixed, 0x9e3779b1) >>> 24;
  return one | (other << 8);
}

function hasBit(words: Int32Array, at: number, bit: number): boolean {
  return (words[at + (bit >> 5)]! & (1 << (bit & 31))) !== 0;
}

function setBit(words: Int32Array, at: number, bit: number): void {
  words[at + (bit >> 5)]! |= 1 << (bit & 31);
}
