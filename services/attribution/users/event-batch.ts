import type { FoldEvent } from '../decision/fold.ts';
import type { RememberedConversion } from '../decision/state.ts';
import { hashOf } from '../memory/string-table.ts';
import { InternedTouch, TOUCH_WORDS, type TouchTexts, touchMemory } from '../memory/touch-memory.ts';
import { NO_USER } from './user-index.ts';
import type { UserTable } from './user-table.ts';

/**
 * The events of some records. A click is nothing but a touch in memory, the number of a slot and an offset. The memory
 * is used again for the next batch: to V8, memory got anew is a reason to mark its whole heap now and then.
 *
 * Users are looked up all at once, `findUsers`: most lookups wait for memory, and in a loop of nothing else the processor
 * waits for many at a time.
 */
export class EventBatch {
  count = 0;
  touches = touchMemory(0);
  /** Undefined for a click. */
  readonly conversions: (RememberedConversion | undefined)[] = [];
  /** Slots of users that were not in the table. */
  readonly added: number[] = [];
  #users: UserTable;
  #slots = new Int32Array(0);
  #offsets = new Float64Array(0);
  /** Where the users' ids are, which are ASCII, and their hashes. */
  readonly #ids: Buffer[] = [];
  #idStarts = new Int32Array(0);
  #idEnds = new Int32Array(0);
  #hashes = new Int32Array(0);
  /** Ids that are not all ASCII. */
  readonly #texts = new Map<number, string>();

  constructor(records: number, users: UserTable) {
    this.#users = users;
    this.begin(records, users);
  }

  /** Empties it, with room for so many records. */
  begin(records: number, users: UserTable): void {
    this.#users = users;
    this.count = this.conversions.length = this.added.length = this.#ids.length = 0;
    this.#texts.clear();
    if (records <= this.#slots.length) return;
    this.touches = touchMemory(records * TOUCH_WORDS);
    this.#slots = new Int32Array(records);
    this.#offsets = new Float64Array(records);
    this.#idStarts = new Int32Array(records);
    this.#idEnds = new Int32Array(records);
    this.#hashes = new Int32Array(records);
  }

  get texts(): TouchTexts {
    return this.#users.texts;
  }

  /** The slot of an event's user. */
  slotOf(i: number): number {
    return this.#slots[i]!;
  }

  offsetOf(i: number): number {
    return this.#offsets[i]!;
  }

  isClick(i: number): boolean {
    return this.conversions[i] === undefined;
  }

  /** The event as the fold takes it. */
  eventAt(i: number): FoldEvent {
    const [offset, userId] = [this.offsetOf(i), this.#users.index.idOf(this.slotOf(i))];
    const conversion = this.conversions[i];
    if (conversion !== undefined) return { kind: 'conversion', userId, offset, conversion };
    return { kind: 'click', userId, offset, touch: new InternedTouch(this.#users.texts, this.touches, touchAt(i)) };
  }

  /** Takes in the event whose touch is at `touchAt(count)`, or this conversion, of a user whose id is these bytes. */
  add(offset: number, bytes: Buffer, start: number, end: number, conversion?: RememberedConversion): void {
    const i = this.count++;
    this.#offsets[i] = offset;
    this.conversions.push(conversion);
    this.#ids.push(bytes);
    this.#idStarts[i] = start;
    this.#idEnds[i] = end;
    this.#hashes[i] = hashOf(bytes, start, end);
  }

  /** The same of a user whose id may be anything. */
  addText(offset: number, userId: string, conversion?: RememberedConversion): void {
    this.#texts.set(this.count, userId);
    this.add(offset, NO_BYTES, 0, 0, conversion);
  }

  /** Finds the slots of the events' users, and adds those that are not there. */
  findUsers(): void {
    const { index } = this.#users;
    index.findHashes(this.#hashes, this.#slots, this.count);
    for (let i = 0; i < this.count; i++) {
      const [start, end, hash] = [this.#idStarts[i]!, this.#idEnds[i]!, this.#hashes[i]!];
      this.#slots[i] = index.find(this.#ids[i]!, start, end, hash, this.#slots[i]!);
    }
    for (const [i, userId] of this.#texts) this.#slots[i] = index.findText(userId);
    for (let i = 0; i < this.count; i++) if (this.#slots[i] === NO_USER) this.#slots[i] = this.#add(i);
    this.#users.see(this.#slots, this.count);
  }

  #add(i: number): number {
    const userId = this.#texts.get(i) ?? latin1(this.#ids[i]!, this.#idStarts[i]!, this.#idEnds[i]!);
    // Another event of the batch may have added it.
    const found = this.#users.index.findText(userId);
    if (found !== NO_USER) return found;
    const slot = this.#users.add(userId);
    this.added.push(slot);
    return slot;
  }
}

const NO_BYTES = Buffer.alloc(0);

/** Where the touch of a click is in its batch's memory. */
export function touchAt(i: number): number {
  return i * TOUCH_WORDS;
}

function latin1(bytes: Buffer, start: number, end: number): string {
  return bytes.toString('latin1', start, end);
}
