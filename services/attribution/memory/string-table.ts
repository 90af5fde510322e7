const FIRST_BYTES = 16 * 1024;
const FIRST_TEXTS = 1024;
/** Bytes that a text takes beside its own, up to half of which are free: a start, a hash, two places of the table. */
const BYTES_OF_A_TEXT = 40;
/** Most texts of which strings are kept, too: those of some thousands of campaigns that are asked for all the time. */
const MOST_STRINGS = 10_000;

/**
 * Texts that many touches have in common, each kept once and named by a number. In a touch's place of fixed size there
 * is room for numbers; and to compare, count or copy a text takes no string of it.
 *
 * Texts are only ever added. The owner of numbers checks `bytesUsed`, and at some size forgets all numbers and begins
 * anew: most are of ads that no longer run.
 */
export class StringTable {
  /** All texts, one after the other, in UTF-8. */
  bytes: Buffer = Buffer.allocUnsafeSlow(FIRST_BYTES);
  #count = 0;
  /** Where each text begins, and behind the last one where the next will. */
  #starts = new Uint32Array(FIRST_TEXTS + 1);
  #hashes = new Int32Array(FIRST_TEXTS);
  /** Numbers by hash, by linear probing; -1 where none is. At most half is in use. */
  #table = new Int32Array(2 * FIRST_TEXTS).fill(-1);
  readonly #strings = new KeptItems<string>(MOST_STRINGS);
  /** Whether a text has NUL. */
  hasNul = false;

  /** About the memory that it takes. */
  get bytesUsed(): number {
    return this.#starts[this.#count]! + this.#count * BYTES_OF_A_TEXT;
  }

  /** The number of the text in these bytes, which is taken in if it is new. */
  numberOf(from: Uint8Array, start: number, end: number): number {
    const hash = hashOf(from, start, end);
    const mask = this.#table.length - 1;
    let place = hash & mask;
    for (; ; place = (place + 1) & mask) {
      const number = this.#table[place]!;
      if (number === -1) break;
      if (this.#hashes[number] === hash && this.#isEqual(number, from, start, end)) return number;
    }
    this.#table[place] = this.#count;
    return this.#add(hash, from, start, end);
  }

  /** Where a text begins in `bytes`. */
  startOf(number: number): number {
    return this.#starts[number]!;
  }

  /** Where it ends. */
  endOf(number: number): number {
    return this.#starts[number + 1]!;
  }

  /** A hash of a text, which is the same in all tables. */
  hashAt(number: number): number {
    return this.#hashes[number]!;
  }

  textOf(number: number): string {
    return this.#strings.get(number) ?? this.#strings.put(number, this.readText(number));
  }

  /** The text, of which no string is kept. */
  readText(number: number): string {
    return this.bytes.toString('utf8', this.startOf(number), this.endOf(number));
  }

  #isEqual(number: number, from: Uint8Array, start: number, end: number): boolean {
    const begin = this.#starts[number]!;
    if (this.#starts[number + 1]! - begin !== end - start) return false;
    // A few bytes: a loop takes less than a call into the runtime.
    for (let i = start; i < end; i++) if (from[i] !== this.bytes[begin + i - start]) return false;
    return true;
  }

  #add(hash: number, from: Uint8Array, start: number, end: number): number {
    const number = this.#count++;
    const begin = this.#starts[number]!;
    if (begin + end - start > this.bytes.length) this.bytes = larger(this.bytes, end - start);
    for (let i = start; i < end; i++) {
      this.bytes[begin + i - start] = from[i]!;
      if (from[i] === 0) this.hasNul = true;
    }
    this.#hashes[number] = hash;
    this.#starts[number + 1] = begin + end - start;
    if (this.#count === this.#hashes.length) this.#grow();
    return number;
  }

  #grow(): void {
    const size = 2 * this.#hashes.length;
    const [starts, hashes] = [new Uint32Array(size + 1), new Int32Array(size)];
    starts.set(this.#starts);
    hashes.set(this.#hashes);
    [this.#starts, this.#hashes] = [starts, hashes];
    const table = new Int32Array(2 * size).fill(-1);
    const mask = table.length - 1;
    for (const number of this.#table) {
      if (number === -1) continue;
      let place = hashes[number]! & mask;
      while (table[place] !== -1) place = (place + 1) & mask;
      table[place] = number;
    }
    this.#table = table;
  }
}

/** Items by number, of which at most so many are kept: all are dropped then, as making them anew costs little. */
export class KeptItems<T> {
  readonly #most: number;
  readonly #items: (T | undefined)[] = [];
  #count = 0;

  constructor(most: number) {
    this.#most = most;
  }

  get(number: number): T | undefined {
    return this.#items[number];
  }

  /** Keeps an item that is not there, and returns it. */
  put(number: number, item: T): T {
    if (this.#count === this.#most) {
      // Emptied it would have to grow up to the next number again.
      this.#items.fill(undefined);
      this.#count = 0;
    }
    // Without gaps: an array with gaps V8 keeps as a hash table.
    while (this.#items.length <= number) this.#items.push(undefined);
    this.#items[number] = item;
    this.#count++;
    return item;
  }
}

/** FNV-1a, 32 bits (datatracker.ietf.org/doc/html/draft-eastlake-fnv). */
const FNV_PRIME = 0x01000193;
const FNV_OFFSET = 0x811c9dc5 | 0;

/** A hash of bytes, any 32 bits, whose low bits depend on all of them. */
export function hashOf(bytes: Uint8Array, start: number, end: number): number {
  let hash = FNV_OFFSET;
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ bytes[i]!, FNV_PRIME);
  return hash ^ (hash >>> 15);
}

function larger(bytes: Buffer, more: number): Buffer {
  const grown = Buffer.allocUnsafeSlow(2 * bytes.length + more);
  bytes.copy(grown);
  return grown;
}

/** Whether a text in ASCII is that of these bytes. */
export function isText(text: string, bytes: Uint8Array, start: number, end: number): boolean {
  if (text.length !== end - start) return false;
  for (let i = start; i < end; i++) if (text.charCodeAt(i - start) !== bytes[i]) return false;
  return true;
}
