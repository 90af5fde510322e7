import { UUID_WORDS } from '../../contract/uuid.ts';
import { type AttributionConfig, isForgotten } from '../decision/config.ts';
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
  touchMemory,
} from '../memory/touch-memory.ts';
import { readIdWords, type StateWriter, type Times } from '../store/user-codec.ts';
import { NO_USER, UserIndex } from './user-index.ts';
import {
  CONVERSION_BYTES,
  CONVERSION_COUNT,
  CONVERSION_FILTER,
  CONVERSION_TAIL,
  COUNTED,
  conversionBitsOf,
  DIRTY,
  emptyConversions,
  emptyTouches,
  FILTER,
  FIRST_CONVERSION_ARRIVAL,
  FIRST_TOUCH_ARRIVAL,
  FLAGS,
  hasBits,
  LAST_CONVERSION_TIMESTAMP,
  LAST_TOUCH_TIMESTAMP,
  NOT_STORED,
  PLACE,
  REFERENCED,
  SLOT_WORDS,
  SPILLED,
  STORED_CONVERSIONS,
  STORED_TOUCHES,
  setBits,
  TOUCH_COUNT,
  TOUCH_TAIL,
  touchBitsOf,
} from './user-slot.ts';

const TOUCHES_IN_BLOCK = Math.floor(CONTENT_BYTES / (4 * TOUCH_WORDS));
const FIRST_SLOTS = 1024;
/** What a user takes in the index, about: its id and a place in three lists. */
const INDEX_BYTES = 64;

/**
 * The users of a partition that are in memory. Each has a slot, which holds what is asked most, and two chains of blocks:
 * its touches, and its conversions as they are stored. No JavaScript object is made of any of it before somebody asks:
 * collecting garbage would go past millions of them, again and again.
 */
export class UserTable {
  readonly index = new UserIndex();
  readonly texts = new TouchTexts();
  readonly #blocks = new BlockPool();
  #slots = touchMemory(FIRST_SLOTS * SLOT_WORDS);
  #dirty: number[] = [];
  #dirtyBytes = 0;
  #hand = 0;

  /** About the memory that it takes. */
  get bytesUsed(): number {
    return this.index.count * (4 * SLOT_WORDS + INDEX_BYTES) + this.#blocks.used * BLOCK_BYTES + this.texts.bytesUsed;
  }

  /** Of those users that changed since `takeDirty`. */
  get dirtyBytes(): number {
    return this.#dirtyBytes;
  }

  /** A slot for a user that is not there, with nothing in it. */
  add(userId: string): number {
    const slot = this.index.add(userId);
    if ((slot + 1) * SLOT_WORDS > this.#slots.words.length) this.#grow();
    const at = slot * SLOT_WORDS;
    const { words } = this.#slots;
    words.fill(0, at, at + SLOT_WORDS);
    emptyTouches(this.#slots, at);
    emptyConversions(this.#slots, at);
    words[at + FLAGS] = REFERENCED;
    return slot;
  }

  /**
   * Somebody asks for these users: eviction goes past them once. Looks at what will be looked at of them next, so that it
   * is near when it is.
   *
   * @param slots of which the first `count` count
   */
  see(slots: Int32Array, count: number): void {
    const { words } = this.#slots;
    for (let i = 0; i < count; i++) words[slots[i]! * SLOT_WORDS + FLAGS]! |= REFERENCED;
    for (let i = 0; i < count; i++) {
      const block = words[slots[i]! * SLOT_WORDS + TOUCH_TAIL]!;
      if (block !== NO_BLOCK) this.#blocks.before(block);
    }
  }

  hasSpilled(slot: number): boolean {
    return (this.#slots.words[slot * SLOT_WORDS + FLAGS]! & SPILLED) !== 0;
  }

  setSpilled(slot: number): void {
    this.#slots.words[slot * SLOT_WORDS + FLAGS]! |= SPILLED;
  }

  /** Where the user is among those whose state is taken apart; NO_PLACE if it isn't. */
  placeOf(slot: number): number {
    return this.#slots.words[slot * SLOT_WORDS + PLACE]! - 1;
  }

  setPlace(slot: number, place: number): void {
    this.#slots.words[slot * SLOT_WORDS + PLACE] = place + 1;
  }

  /**
   * Adds a click that is later than all the user's touches and conversions, which is what most clicks are: then it
   * changes no decision. False, and nothing changed, if it isn't, if something would have to go, or if it may be a
   * duplicate; such a click takes the whole fold.
   */
  appendClick(slot: number, from: TouchMemory, start: number, limits: AttributionConfig): boolean {
    const at = slot * SLOT_WORDS;
    const { words, times } = this.#slots;
    const time = at >> 1;
    const timestamp = from.times[start >> 1]!;
    if (
      timestamp <= times[time + LAST_TOUCH_TIMESTAMP]! ||
      timestamp <= times[time + LAST_CONVERSION_TIMESTAMP]! ||
      words[at + TOUCH_COUNT]! >= limits.maxTouches ||
      this.#mustGo(at, from.times[(start >> 1) + 1]!, limits) ||
      this.#hasTouch(at, from.words, start)
    ) {
      return false;
    }
    this.putTouch(slot, from, start);
    this.touched(slot);
    return true;
  }

  /**
   * Whether a conversion with this id is new to the user and nothing of the user has to go for it; then its touches
   * decide it. If not, it takes the whole fold.
   *
   * @param arrival of the conversion, in ms
   */
  takesConversion(slot: number, id: Int32Array, arrival: number, limits: AttributionConfig): boolean {
    const at = slot * SLOT_WORDS;
    const { words } = this.#slots;
    return (
      words[at + CONVERSION_COUNT]! < limits.maxTouches &&
      !hasBits(words, at + CONVERSION_FILTER, conversionBitsOf(id)) &&
      !this.#mustGo(at, arrival, limits)
    );
  }

  /** Adds a touch behind all others. */
  putTouch(slot: number, from: TouchMemory, start: number): void {
    const at = slot * SLOT_WORDS;
    const { words, times } = this.#slots;
    const count = words[at + TOUCH_COUNT]!++;
    const place = count % TOUCHES_IN_BLOCK;
    if (place === 0) this.#extend(at + TOUCH_TAIL);
    const block = words[at + TOUCH_TAIL]!;
    copyTouch(from, start, this.#blocks.pageOf(block), wordOf(block) + HEAD_WORDS + place * TOUCH_WORDS);
    const time = at >> 1;
    times[time + LAST_TOUCH_TIMESTAMP] = from.times[start >> 1]!;
    times[time + FIRST_TOUCH_ARRIVAL] = Math.min(times[time + FIRST_TOUCH_ARRIVAL]!, from.times[(start >> 1) + 1]!);
    setBits(words, at + FILTER, touchBitsOf(from.words, idAt(start)));
  }

  /**
   * The user's touches, copied to `space`.
   *
   * @param since whose timestamps are less, in ms, may be left out
   */
  touchesOf(slot: number, space: TouchSpace, since = Number.NEGATIVE_INFINITY): InternedTouch[] {
    const { words } = this.#slots;
    const latestFirst: InternedTouch[] = [];
    let left = words[slot * SLOT_WORDS + TOUCH_COUNT]!;
    for (let block = words[slot * SLOT_WORDS + TOUCH_TAIL]!; left > 0; block = this.#blocks.before(block)) {
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

  /** Tells where the user's touches are, from the `first` on. */
  forEachTouch(slot: number, first: number, look: (memory: TouchMemory, at: number) => void): void {
    const { words } = this.#slots;
    const count = words[slot * SLOT_WORDS + TOUCH_COUNT]!;
    const begin = Math.floor(first / TOUCHES_IN_BLOCK);
    const end = Math.ceil(count / TOUCHES_IN_BLOCK);
    const chain = this.#blocks.follow(words[slot * SLOT_WORDS + TOUCH_TAIL]!, begin, end);
    for (let i = begin; i < end; i++) {
      const page = this.#blocks.pageOf(chain[i]!);
      const at = wordOf(chain[i]!) + HEAD_WORDS;
      const last = Math.min(TOUCHES_IN_BLOCK, count - i * TOUCHES_IN_BLOCK);
      for (let place = Math.max(0, first - i * TOUCHES_IN_BLOCK); place < last; place++) {
        look(page, at + place * TOUCH_WORDS);
      }
    }
  }

  clearTouches(slot: number): void {
    this.#blocks.give(this.#slots.words[slot * SLOT_WORDS + TOUCH_TAIL]!);
    emptyTouches(this.#slots, slot * SLOT_WORDS);
  }

  /** Adds a conversion, as it is stored, behind all others. */
  putConversion(slot: number, from: Buffer, start: number, end: number, times: Times): void {
    const at = slot * SLOT_WORDS;
    const { words, times: all } = this.#slots;
    for (let i = start; i < end; ) {
      const place = words[at + CONVERSION_BYTES]! % CONTENT_BYTES;
      if (place === 0) this.#extend(at + CONVERSION_TAIL);
      const block = words[at + CONVERSION_TAIL]!;
      const to = 4 * (wordOf(block) + HEAD_WORDS) + place;
      const { bytes } = this.#blocks.pageOf(block);
      const part = Math.min(CONTENT_BYTES - place, end - i);
      for (let j = 0; j < part; j++) bytes[to + j] = from[i + j]!;
      words[at + CONVERSION_BYTES]! += part;
      i += part;
    }
    words[at + CONVERSION_COUNT]!++;
    readIdWords(from, start, oneId, 0);
    setBits(words, at + CONVERSION_FILTER, conversionBitsOf(oneId));
    const time = at >> 1;
    all[time + FIRST_CONVERSION_ARRIVAL] = Math.min(all[time + FIRST_CONVERSION_ARRIVAL]!, times.arrival);
    all[time + LAST_CONVERSION_TIMESTAMP] = Math.max(all[time + LAST_CONVERSION_TIMESTAMP]!, times.timestamp);
  }

  /** Adds the user's conversions as they are stored, from the byte `first` on, to what is written. */
  copyConversions(slot: number, first: number, to: StateWriter): void {
    const { words } = this.#slots;
    const length = words[slot * SLOT_WORDS + CONVERSION_BYTES]!;
    to.reserve(length - first);
    const begin = Math.floor(first / CONTENT_BYTES);
    const end = Math.ceil(length / CONTENT_BYTES);
    const chain = this.#blocks.follow(words[slot * SLOT_WORDS + CONVERSION_TAIL]!, begin, end);
    for (let i = begin; i < end; i++) {
      const from = 4 * (wordOf(chain[i]!) + HEAD_WORDS);
      const before = i * CONTENT_BYTES;
      const { bytes } = this.#blocks.pageOf(chain[i]!);
      to.copy(bytes, from + Math.max(0, first - before), from + Math.min(CONTENT_BYTES, length - before));
    }
  }

  clearConversions(slot: number): void {
    this.#blocks.give(this.#slots.words[slot * SLOT_WORDS + CONVERSION_TAIL]!);
    emptyConversions(this.#slots, slot * SLOT_WORDS);
  }

  /** The user has changed. */
  touched(slot: number): void {
    const at = slot * SLOT_WORDS;
    const { words } = this.#slots;
    const bytes = this.#bytesOf(at);
    if ((words[at + FLAGS]! & DIRTY) === 0) {
      words[at + FLAGS]! |= DIRTY;
      this.#dirty.push(slot);
      this.#dirtyBytes += bytes;
    } else {
      this.#dirtyBytes += bytes - words[at + COUNTED]!;
    }
    words[at + COUNTED] = bytes;
  }

  /** The users that changed since the last call, which the caller now stores. */
  takeDirty(): number[] {
    const taken = this.#dirty;
    this.#dirty = [];
    this.#dirtyBytes = 0;
    return taken;
  }

  /**
   * What of a user is not in the store as it is here: touches from this one on, and conversions from this byte on.
   * Undefined if the store's differ in more.
   */
  unstored(slot: number): { touches: number; conversions: number } | undefined {
    const at = slot * SLOT_WORDS;
    const { words } = this.#slots;
    if (words[at + STORED_TOUCHES] === NOT_STORED) return undefined;
    return { touches: words[at + STORED_TOUCHES]!, conversions: words[at + STORED_CONVERSIONS]! };
  }

  /** The store has the user as it is here. */
  stored(slot: number): void {
    const at = slot * SLOT_WORDS;
    const { words } = this.#slots;
    words[at + FLAGS]! &= ~DIRTY;
    words[at + STORED_TOUCHES] = words[at + TOUCH_COUNT]!;
    words[at + STORED_CONVERSIONS] = words[at + CONVERSION_BYTES]!;
  }

  /**
   * Forgets users that were not asked for lately, until no more than these bytes are taken; none whose changes are not
   * stored. By the clock algorithm (Corbató, "A paging experiment with the Multics system", 1969), nearly "least
   * recently used" at the price of a flag: a hand goes round, clears marks, and evicts users without one.
   */
  evict(budgetBytes: number): void {
    // Two rounds take the mark from all and come back to each.
    for (let steps = 2 * this.index.end; steps > 0 && this.bytesUsed > budgetBytes; steps--) {
      this.#hand = this.#hand + 1 < this.index.end ? this.#hand + 1 : 0;
      const flags = this.#slots.words[this.#hand * SLOT_WORDS + FLAGS]!;
      if (!this.index.has(this.#hand) || (flags & DIRTY) !== 0) continue;
      if ((flags & REFERENCED) !== 0) this.#slots.words[this.#hand * SLOT_WORDS + FLAGS]! &= ~REFERENCED;
      else this.#remove(this.#hand);
    }
  }

  /** Forgets a user, unless what has changed of it is not yet stored: then the answer is false. */
  drop(userId: string): boolean {
    const slot = this.index.findText(userId);
    if (slot === NO_USER) return true;
    if ((this.#slots.words[slot * SLOT_WORDS + FLAGS]! & DIRTY) !== 0) return false;
    this.#remove(slot);
    return true;
  }

  #remove(slot: number): void {
    if ((this.#slots.words[slot * SLOT_WORDS + FLAGS]! & DIRTY) !== 0) throw new Error('R-5: the user is not stored');
    this.clearTouches(slot);
    this.clearConversions(slot);
    this.index.remove(slot);
  }

  #bytesOf(at: number): number {
    const { words } = this.#slots;
    const touchBlocks = Math.ceil(words[at + TOUCH_COUNT]! / TOUCHES_IN_BLOCK);
    const conversionBlocks = Math.ceil(words[at + CONVERSION_BYTES]! / CONTENT_BYTES);
    return 4 * SLOT_WORDS + INDEX_BYTES + (touchBlocks + conversionBlocks) * BLOCK_BYTES;
  }

  /** Whether something of the user is too old when an event arrives, or ids were moved out of its state. */
  #mustGo(at: number, arrival: number, limits: AttributionConfig): boolean {
    const { words, times } = this.#slots;
    return (
      (words[at + FLAGS]! & SPILLED) !== 0 ||
      isForgotten(times[(at >> 1) + FIRST_TOUCH_ARRIVAL]!, arrival, limits.retentionMs.touch) ||
      isForgotten(times[(at >> 1) + FIRST_CONVERSION_ARRIVAL]!, arrival, limits.retentionMs.outcome)
    );
  }

  /** Whether the user has the click already. Most new ones are told by the filter; of the others all are looked at. */
  #hasTouch(at: number, from: Int32Array, start: number): boolean {
    const { words } = this.#slots;
    if (!hasBits(words, at + FILTER, touchBitsOf(from, idAt(start)))) return false;
    let left = words[at + TOUCH_COUNT]!;
    for (let block = words[at + TOUCH_TAIL]!; left > 0; block = this.#blocks.before(block)) {
      const page = this.#blocks.pageOf(block).words;
      const begin = wordOf(block) + HEAD_WORDS;
      const before = firstInBlock(left - 1);
      const end = begin + (left - before) * TOUCH_WORDS;
      for (let touch = begin; touch < end; touch += TOUCH_WORDS) if (hasSameId(page, touch, from, start)) return true;
      left = before;
    }
    return false;
  }

  /** Puts a block behind a chain, whose last one is in this word. */
  #extend(tail: number): void {
    const { words } = this.#slots;
    words[tail] = this.#blocks.take(words[tail]!);
  }

  #grow(): void {
    const larger = touchMemory(2 * this.#slots.words.length);
    larger.words.set(this.#slots.words);
    this.#slots = larger;
  }
}

/** Which is the first touch in the block that has this one. */
function firstInBlock(touch: number): number {
  return touch - (touch % TOUCHES_IN_BLOCK);
}

const oneId = new Int32Array(UUID_WORDS);
