import { UUID_WORDS } from '../../contract/uuid.ts';
import { NO_BLOCK } from '../memory/block-pool.ts';
import type { TouchMemory } from '../memory/touch-memory.ts';

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
/** A Bloom filter of 256 bits, of which each of the user's touches has set two. */
export const FILTER = 16;
const FILTER_WORDS = 8;
/** One more than where the user is among those who are open. */
export const PLACE = 24;
export const NO_PLACE = -1;
export const CONVERSION_COUNT = 25;
/** As FILTER, of conversions, in half the bits: there are fewer. */
export const CONVERSION_FILTER = 26;
const CONVERSION_FILTER_BITS = 128;

/** Some ids were moved out of its state. */
export const SPILLED = 1;
/** It is not yet in the store as it is here. */
export const DIRTY = 2;
/** Somebody asked for it since eviction last came by. */
export const REFERENCED = 4;

/** Makes a slot that of a user without touches, none of which the store has. */
export function emptyTouches({ words, times }: TouchMemory, at: number): void {
  words[at + TOUCH_TAIL] = NO_BLOCK;
  words[at + TOUCH_COUNT] = 0;
  words[at + STORED_TOUCHES] = NOT_STORED;
  words.fill(0, at + FILTER, at + FILTER + FILTER_WORDS);
  times[(at >> 1) + FIRST_TOUCH_ARRIVAL] = Number.POSITIVE_INFINITY;
  times[(at >> 1) + LAST_TOUCH_TIMESTAMP] = Number.NEGATIVE_INFINITY;
}

export function emptyConversions({ words, times }: TouchMemory, at: number): void {
  words[at + CONVERSION_TAIL] = NO_BLOCK;
  words[at + CONVERSION_BYTES] = words[at + CONVERSION_COUNT] = 0;
  words[at + STORED_TOUCHES] = NOT_STORED;
  words.fill(0, at + CONVERSION_FILTER, at + CONVERSION_FILTER + CONVERSION_FILTER_BITS / 32);
  times[(at >> 1) + FIRST_CONVERSION_ARRIVAL] = Number.POSITIVE_INFINITY;
  times[(at >> 1) + LAST_CONVERSION_TIMESTAMP] = Number.NEGATIVE_INFINITY;
}

/** Whether both bits of an id are set in a filter whose words begin at `at`. */
export function hasBits(words: Int32Array, at: number, bits: number): boolean {
  return hasBit(words, at, bits & 0xff) && hasBit(words, at, bits >>> 8);
}

export function setBits(words: Int32Array, at: number, bits: number): void {
  setBit(words, at, bits & 0xff);
  setBit(words, at, bits >>> 8);
}

/** The bits of a conversion with this id. */
export function conversionBitsOf(id: Int32Array): number {
  return touchBitsOf(id, 0) & ((CONVERSION_FILTER_BITS - 1) * 0x101);
}

/** The bits of a touch whose id's words are there, one in each of two bytes: of random ids, random ones. */
export function touchBitsOf(id: Int32Array, at: number): number {
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
