import { hashOf, isText } from '../memory/string-table.ts';

export const NO_USER = -1;
const FIRST_SLOTS = 1024;

/** Index of users' slots by their ids. Slots are numbers from 0 on; those of removed users are taken again. */
export class UserIndex {
  #ids: (string | undefined)[] = [];
  #hashes = new Int32Array(FIRST_SLOTS);
  /** The next slot of the same bucket, or the next free one; NO_USER at the end. */
  #next = new Int32Array(FIRST_SLOTS);
  /** The first slot of each bucket. */
  #buckets = new Int32Array(FIRST_SLOTS).fill(NO_USER);
  #free = NO_USER;
  /** Number of users. */
  count = 0;

  /** Number that all slots are less than. */
  get end(): number {
    return this.#ids.length;
  }

  has(slot: number): boolean {
    return this.#ids[slot] !== undefined;
  }

  idOf(slot: number): string {
    return this.#ids[slot]!;
  }

  /**
   * Finds for each hash the first slot of a user whose id has it; NO_USER if there is none.
   *
   * @param slots where to put them, at the first `count` places
   */
  findHashes(hashes: Int32Array, slots: Int32Array, count: number): void {
    // A loop for each step, so that the processor waits for the memory of many at a time.
    for (let i = 0; i < count; i++) slots[i] = this.#first(hashes[i]!);
    for (let i = 0; i < count; i++) {
      let slot = slots[i]!;
      while (slot !== NO_USER && this.#hashes[slot] !== hashes[i]) slot = this.#next[slot]!;
      slots[i] = slot;
    }
  }

  /**
   * The slot of the user whose id is these bytes, all of them ASCII, of this hash; NO_USER if it is not there.
   *
   * @param from what `findHashes` found for it
   */
  find(bytes: Uint8Array, start: number, end: number, hash: number, from = this.#first(hash)): number {
    for (let slot = from; slot !== NO_USER; slot = this.#next[slot]!) {
      if (this.#hashes[slot] === hash && isText(this.#ids[slot]!, bytes, start, end)) return slot;
    }
    return NO_USER;
  }

  findText(userId: string): number {
    const hash = hashOfText(userId);
    for (let slot = this.#first(hash); slot !== NO_USER; slot = this.#next[slot]!) {
      if (this.#ids[slot] === userId) return slot;
    }
    return NO_USER;
  }

  /** Takes in a user that is not there. */
  add(userId: string): number {
    const slot = this.#free === NO_USER ? this.#ids.length : this.#free;
    if (slot === this.#ids.length) {
      if (slot === this.#next.length) this.#grow();
    } else {
      this.#free = this.#next[slot]!;
    }
    this.#ids[slot] = userId;
    this.#hashes[slot] = hashOfText(userId);
    this.count++;
    this.#link(slot);
    return slot;
  }

  remove(slot: number): void {
    const bucket = this.#hashes[slot]! & (this.#buckets.length - 1);
    if (this.#buckets[bucket] === slot) {
      this.#buckets[bucket] = this.#next[slot]!;
    } else {
      let before = this.#buckets[bucket]!;
      while (this.#next[before] !== slot) before = this.#next[before]!;
      this.#next[before] = this.#next[slot]!;
    }
    this.#ids[slot] = undefined;
    this.#next[slot] = this.#free;
    this.#free = slot;
    this.count--;
  }

  #first(hash: number): number {
    return this.#buckets[hash & (this.#buckets.length - 1)]!;
  }

  #link(slot: number): void {
    const bucket = this.#hashes[slot]! & (this.#buckets.length - 1);
    this.#next[slot] = this.#buckets[bucket]!;
    this.#buckets[bucket] = slot;
  }

  /** Makes room for twice as many users; only when every slot is taken. */
  #grow(): void {
    const size = 2 * this.#next.length;
    const [hashes, next] = [new Int32Array(size), new Int32Array(size)];
    hashes.set(this.#hashes);
    [this.#hashes, this.#next, this.#buckets] = [hashes, next, new Int32Array(size).fill(NO_USER)];
    for (let slot = 0; slot < this.#ids.length; slot++) this.#link(slot);
  }
}

function hashOfText(text: string): number {
  const bytes = Buffer.from(text);
  return hashOf(bytes, 0, bytes.length);
}
