import { UUID_WORDS } from './uuid.ts';

/**
 * How a user lies in the table's memory: a slot of 128 bytes, which holds what is asked most. Times in f64, then words in
 * i32.
 */

/** Words of a slot: a whole number of cache lines. */
export const SLOT_WORDS = 32;
/** Numbers of a slot's f64. The first of none is Infinity, the last of none -Infinity. */
export const FIRST_TOUCH_ARRIVAL = 0;
export const FIRST_CONVERSION_ARRIVAL = 1;
export const LAST_TOUCH_TIMESTAMP = 2;
export const LAST_CONVERSION_TIMESTAMP = 3;
/** Numbers of its words. Of a chain of blocks it has the last. */
export const TOUCH_TAIL = 8;
export const TOUCH_COUNT = 9;
export const CONVERSION_TAIL = 10;
export const CONVERSION_BYTES = 11;
/** So many touches, and bytes of conversions, are in the store as they are here. */
export const STORED_TOUCHES = 12;
export const STORED_CONVERSIONS = 13;
export const NOT_STORED = -1;
export const FLAGS = 14;
/** Bytes that dirtyBytes has for it. */
export const COUNTED = 15;
/** A bit for each of 256 values that ids are hashed to: those of the user's touches are set. */
export const FILTER = 16;
export const FILTER_WORDS = 8;
/** One more than where the user is among those who are open. */
export const PLACE = 24;
export const NO_PLACE = -1;
export const CONVERSION_COUNT = 25;
/** As FILTER, of conversions, in half the bits: there are fewer. */
export const CONVERSION_FILTER = 26;
export const CONVERSION_FILTER_BITS = 128;

/** Some ids were moved out of its state. */
export const OVERFLOWED = 1;
/** It is not yet in the store as it is here. */
export const DIRTY = 2;
/** Somebody asked for it since eviction last came by. */
export const SEEN = 4;

/** Whether a bit of a filter, whose words begin at `at`, is set. */
export function hasBit(words: Int32Array, at: number, bit: number): boolean {
  return (words[at + (bit >> 5)]! & (1 << (bit & 31))) !== 0;
}

export function setBit(words: Int32Array, at: number, bit: number): void {
  words[at + (bit >> 5)]! |= 1 << (bit & 31);
}

/** The bit of a conversion with this id. */
export function conversionBitOf(id: Int32Array): number {
  return touchBitOf(id, 0) & (CONVERSION_FILTER_BITS - 1);
}

/** The bit of a touch whose id's words are there: of random ids, random ones. */
export function touchBitOf(id: Int32Array, at: number): number {
  const mixed = id[at]! ^ id[at + UUID_WORDS - 1]!;
  return (mixed ^ (mixed >>> 8) ^ (mixed >>> 16) ^ (mixed >>> 24)) & 0xff;
}
