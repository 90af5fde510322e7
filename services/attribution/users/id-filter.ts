import { UUID_WORDS } from '../../contract/uuid.ts';

/**
 * A Bloom filter split into blocks of 32 bytes, of which an id has one bit in each word: Putze, Sanders, Singler,
 * Cache-, Hash- and Space-Efficient Bloom Filters, 2007; the salts are those of Parquet's.
 */
const SALTS = [0x47b6137b, 0x44974d91, 0x8824ad5b, 0xa2b7289d, 0x705495c7, 0x2df1424b, 0x9efc4947, 0x5c6bfb31];
const BLOCK_WORDS = SALTS.length;

/**
 * Most ids per block: of ids that are not in a part, about 1 in 6,600 seems to be, and each costs a read of the store.
 * With twice as many, it is 1 in 250.
 */
const IDS_PER_BLOCK = 10;

/** Blocks of the first part, which takes 8 KiB. */
const FIRST_BLOCKS = 1 << 8;
/** Blocks of a part for each one of the part before: the more parts, the more to look at. */
const GROWTH = 8;
/** Blocks of a part at most: 2 MiB; more in a filter of which that is less than this share. */
const MOST_BLOCKS = 1 << 16;
const LEAST_SHARE = 1 / 16;
/** Bytes of a filter from which on parts grow no more: an Int32Array of any number of them can be had. */
const MOST_BYTES = 2 ** 32;

interface Part {
  words: Int32Array;
  blocks: number;
  /** Ids that the part still takes. */
  room: number;
  /** Greatest arrival of its ids, in ms. */
  lastArrival: number;
}

/**
 * A filter that finds out which ids were surely not added, with 26 bits for each that was. Beyond its memory it gives
 * up the oldest ids, and rules out none until these may be forgotten.
 */
export class IdFilter {
  readonly #retentionMs: number;
  readonly #mostBytes: number;
  readonly #mostBlocks: number;
  /** Greatest arrival of ids that were given up, and of all, in ms. */
  #lastGivenUp = Number.NEGATIVE_INFINITY;
  #lastArrival = Number.NEGATIVE_INFINITY;
  /** The parts, each but the last one full. */
  #parts: Part[] = [];

  /**
   * @param retentionMs ids may be forgotten that are this much older than one that is added
   * @param mostBytes most bytes of its parts, but that the last one is always there
   */
  constructor(retentionMs: number, mostBytes: number) {
    this.#retentionMs = retentionMs;
    this.#mostBytes = mostBytes;
    let blocks = MOST_BLOCKS;
    while (2 * blocks * 4 * BLOCK_WORDS <= LEAST_SHARE * Math.min(mostBytes, MOST_BYTES)) blocks *= 2;
    this.#mostBlocks = blocks;
  }

  get bytesUsed(): number {
    return this.#parts.reduce((sum, { words }) => sum + words.byteLength, 0);
  }

  /** Whether no id was ever added. */
  get isEmpty(): boolean {
    return this.#parts.length === 0;
  }

  /** @param at where the id begins in `words` */
  add(words: Int32Array, at: number, arrival: number): void {
    let part = this.#parts.at(-1);
    if (part === undefined || part.room === 0) {
      const blocks = part === undefined ? FIRST_BLOCKS : Math.min(GROWTH * part.blocks, this.#mostBlocks);
      this.#parts = this.#parts.filter(({ lastArrival }) => arrival - lastArrival <= this.#retentionMs);
      const words = new Int32Array(blocks * BLOCK_WORDS);
      part = { words, blocks, room: blocks * IDS_PER_BLOCK, lastArrival: arrival };
      this.#parts.push(part);
      this.#giveUp();
    }
    part.room--;
    part.lastArrival = Math.max(part.lastArrival, arrival);
    this.#lastArrival = Math.max(this.#lastArrival, arrival);
    const hash = hashOf(words, at);
    const block = blockOf(part, hash);
    for (let i = 0; i < BLOCK_WORDS; i++) part.words[block + i]! |= bitOf(hash, i);
  }

  /** Whether an id may have been added: true for all that were and may not be forgotten, and for few others. */
  mayHave(words: Int32Array, at: number): boolean {
    if (this.#lastArrival - this.#lastGivenUp <= this.#retentionMs) return true;
    const hash = hashOf(words, at);
    for (const part of this.#parts) if (partHas(part, hash)) return true;
    return false;
  }

  #giveUp(): void {
    while (this.bytesUsed > this.#mostBytes && this.#parts.length > 1) {
      this.#lastGivenUp = Math.max(this.#lastGivenUp, this.#parts.shift()!.lastArrival);
    }
  }
}

function partHas(part: Part, hash: number): boolean {
  const block = blockOf(part, hash);
  for (let i = 0; i < BLOCK_WORDS; i++) if ((part.words[block + i]! & bitOf(hash, i)) === 0) return false;
  return true;
}

/** The word where the block of an id begins. The bits in it come from the whole hash, this from its end. */
function blockOf({ blocks }: Part, hash: number): number {
  return (hash & (blocks - 1)) * BLOCK_WORDS;
}

function bitOf(hash: number, i: number): number {
  return 1 << (Math.imul(hash, SALTS[i]!) >>> 27);
}

/** A hash of all bits of an id: some ids are random in none but their last ones, some in their first. */
function hashOf(words: Int32Array, at: number): number {
  let hash = 0;
  for (let i = 0; i < UUID_WORDS; i++) hash = mix(hash ^ words[at + i]!);
  return hash;
}

/** The finalizer of MurmurHash3, by Austin Appleby. */
function mix(hash: number): number {
  let mixed = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}
