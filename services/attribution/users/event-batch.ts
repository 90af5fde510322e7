import type { FoldEvent } from '../decision/fold.ts';
import { assertNever, type CorrectingKind, type Kind, type OutcomeKind } from '../decision/kinds.ts';
import type { Correction, RememberedConversion } from '../decision/state.ts';
import { hashOf } from '../memory/string-table.ts';
import { InternedTouch, TOUCH_WORDS, type TouchTexts, touchMemory } from '../memory/touch-memory.ts';
import { NO_USER } from './user-index.ts';
import type { UserTable } from './user-table.ts';

/** What a batch keeps of an event in an object: of a touch, nothing. */
type ObjectOf<K extends Kind> = K extends OutcomeKind
  ? RememberedConversion
  : K extends CorrectingKind
    ? Correction
    : undefined;

/**
 * The events of some records. A touch is nothing but what lies in memory, the number of a slot and an offset. The
 * memory is used again for the next batch: newly allocated memory makes V8 mark its whole heap now and then.
 *
 * Users are looked up all at once, `findUsers`: most lookups wait for memory, and in a loop of nothing else the
 * processor waits for many at a time.
 */
export class EventBatch {
  count = 0;
  /** Of the first `count` events, as all lists here: one that is emptied would grow anew with every batch. */
  readonly kinds: Kind[] = [];
  /** The touches, each at `touchAt` of its event. */
  touches = touchMemory(0);
  /** The conversions and corrections; undefined for a touch. */
  readonly objects: (RememberedConversion | Correction | undefined)[] = [];
  offsets = new Float64Array(0);
  /** The slots of the events' users, once they are found. */
  slots = new Int32Array(0);
  /** Offset of the first event that was left out, Infinity if none was. */
  cutOffset = Number.POSITIVE_INFINITY;
  /** Slots of users that were not in the table. */
  readonly added: number[] = [];
  #users: UserTable;
  /** Bytes that the users' ids lie in, if they are ASCII. */
  readonly #ids: Buffer[] = [];
  #idStarts = new Int32Array(0);
  #idEnds = new Int32Array(0);
  #hashes = new Int32Array(0);
  /** Users' ids that are not all ASCII, by the places of their events. */
  readonly #texts = new Map<number, string>();

  constructor(records: number, users: UserTable) {
    this.#users = users;
    this.begin(records, users);
  }

  /** Empties the batch and makes room for so many records. */
  begin(records: number, users: UserTable): void {
    this.#users = users;
    this.count = this.added.length = 0;
    this.objects.fill(undefined);
    this.#ids.fill(NO_BYTES);
    this.#texts.clear();
    this.cutOffset = Number.POSITIVE_INFINITY;
    if (records <= this.slots.length) return;
    this.touches = touchMemory(records * TOUCH_WORDS);
    this.slots = new Int32Array(records);
    this.offsets = new Float64Array(records);
    this.#idStarts = new Int32Array(records);
    this.#idEnds = new Int32Array(records);
    this.#hashes = new Int32Array(records);
  }

  get texts(): TouchTexts {
    return this.#users.texts;
  }

  /** Leaves out the events from this place on. */
  cut(i: number): void {
    if (i >= this.count) return;
    this.cutOffset = this.offsets[i]!;
    this.count = i;
  }

  /** Leaves out the events from the first one of a user on whom `findUsers` added, and forgets users added since. */
  cutAtAdded(first: number): void {
    this.cut(this.slots.indexOf(this.added[first]!));
    for (let i = first; i < this.added.length; i++) this.#users.remove(this.added[i]!);
    this.added.length = first;
  }

  /** The event as the fold takes it. */
  eventAt(i: number): FoldEvent {
    const [offset, userId] = [this.offsets[i]!, this.#users.index.idOf(this.slots[i]!)];
    const kind = this.kinds[i]!;
    switch (kind.role) {
      case 'touch':
        return { role: kind.role, type: kind.type, userId, offset, touch: this.touchAt(i) };
      case 'outcome':
        return {
          role: kind.role,
          type: kind.type,
          userId,
          offset,
          conversion: this.objects[i] as RememberedConversion,
        };
      case 'adjustment':
        return { role: kind.role, type: kind.type, userId, offset, correction: this.objects[i] as Correction };
      case 'verdict':
        return { role: kind.role, type: kind.type, userId, offset, correction: this.objects[i] as Correction };
      default:
        return assertNever(kind);
    }
  }

  /** An event that is a touch. */
  touchAt(i: number): InternedTouch {
    return new InternedTouch(this.#users.texts, this.touches, touchAt(i));
  }

  /** Takes in the touch that lies at `touchAt(count)`, or another event, of a user whose id is these bytes. */
  add<K extends Kind>(kind: K, offset: number, bytes: Buffer, start: number, end: number, of: ObjectOf<K>): void {
    const i = this.count++;
    this.kinds[i] = kind;
    this.offsets[i] = offset;
    this.objects[i] = of;
    this.#ids[i] = bytes;
    this.#idStarts[i] = start;
    this.#idEnds[i] = end;
    this.#hashes[i] = hashOf(bytes, start, end);
  }

  /** Takes in an event as `add` does, of a user whose id may be any text. */
  addText<K extends Kind>(kind: K, offset: number, userId: string, of: ObjectOf<K>): void {
    this.#texts.set(this.count, userId);
    this.add(kind, offset, NO_BYTES, 0, 0, of);
  }

  /** Finds the slots of the events' users, and adds those that are not there. */
  findUsers(): void {
    const { index } = this.#users;
    index.findHashes(this.#hashes, this.slots, this.count);
    for (let i = 0; i < this.count; i++) {
      const [start, end, hash] = [this.#idStarts[i]!, this.#idEnds[i]!, this.#hashes[i]!];
      this.slots[i] = index.find(this.#ids[i]!, start, end, hash, this.slots[i]!);
    }
    for (const [i, userId] of this.#texts) this.slots[i] = index.findText(userId);
    for (let i = 0; i < this.count; i++) if (this.slots[i] === NO_USER) this.slots[i] = this.#add(i);
    this.#users.see(this.slots, this.count);
  }

  #add(i: number): number {
    const userId = this.#texts.get(i) ?? this.#ids[i]!.toString('latin1', this.#idStarts[i]!, this.#idEnds[i]!);
    // Another event of the batch may have added it.
    const found = this.#users.index.findText(userId);
    if (found !== NO_USER) return found;
    const slot = this.#users.add(userId);
    this.added.push(slot);
    return slot;
  }
}

const NO_BYTES = Buffer.alloc(0);

/** Where a touch lies in its batch's memory, by the event's place in the batch. */
export function touchAt(i: number): number {
  return i * TOUCH_WORDS;
}
