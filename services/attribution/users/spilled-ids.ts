import { DAY_MS } from '../../contract/limits.ts';
import { readUuidText, UUID_WORDS } from '../../contract/uuid.ts';
import { type AttributionConfig, isForgotten } from '../decision/config.ts';
import { digestOf, UNKNOWN_DIGEST } from '../decision/digest.ts';
import type { FoldEvent } from '../decision/fold.ts';
import { assertNever, ID_ROLES, ROLES, type Role } from '../decision/kinds.ts';
import { arrivalOf, type RememberedEvent, type SpilledId } from '../decision/state.ts';
import { idOf } from '../decision/touch-id.ts';
import { idAt } from '../memory/touch-memory.ts';
import {
  firstSpilledKey,
  OLD_SPILLED_FROM,
  OLD_SPILLED_TO,
  ownerOfOldKey,
  PLACES_FROM,
  PLACES_TO,
  placeKeyOf,
  putId,
  putSpilledKey,
  readSpilledId,
  SPILLED_FROM,
  SPILLED_TO,
  spilledKeyOf,
} from '../store/keys.ts';
import { entriesBetween, type StateEntry, type StateStore } from '../store/state-store.ts';
import { StoredConversion, StoredTouch } from '../store/stored-entries.ts';
import { arrivalOfId, readStoredId, storedId, timeOfPlace } from '../store/stored-ids.ts';
import { readCorrections, readEntries } from '../store/user-codec.ts';
import { type EventBatch, touchAt } from './event-batch.ts';
import { IdFilter } from './id-filter.ts';
import type { UserTable } from './user-table.ts';

/** A build of version 0.1 had buckets of them, without digests: id 4 × i32, little-endian | arrival f64. */
const OLD_ENTRY_BYTES = 24;
const OLD_ARRIVAL = 16;

/** Whole periods are forgotten at once; an id is looked for in each that it may have arrived in: eight for 30 days. */
const PERIOD_MS = 4 * DAY_MS;

/** How an id lies in memory: its words | number of the user and role of the event | digest | next of the same hash. */
const WORDS = 7;
const USER_AND_ROLE = 4;
const DIGEST_WORD = 5;
const NEXT = 6;
const NONE = -1;

/** More ids than are ever not yet in the store; with the bits of an id that are left by the shift less than 2^53. */
const MOST_IDS = 2 ** 27;
const HASH_SHIFT = 6;

/** What all keys of a user's ids begin with, and room for the rest. */
interface Keys {
  spilled: Buffer;
  place: Buffer;
}

/** Users whose states the sweep deletes have numbers from here on; the others those of their slots. */
const SWEPT_USERS = 1 << 29;

/**
 * Ids of events that are no longer in their users' states, be they beside these: those not yet in the store, and which
 * of those that are in it an event may be a duplicate of. Users are known by their slots in the table, where they stay
 * until what changed is stored.
 */
export class SpilledIds {
  readonly #config: AttributionConfig;
  readonly #filter: IdFilter;
  #count = 0;
  #words = new Int32Array(1024 * WORDS);
  #arrivals = new Float64Array(1024);
  /** When those happened that lie beside their users' states, in ms; NaN of others. */
  #times = new Float64Array(1024);
  /** The last id of each hash; NONE if there is none. Their number is a power of two, no less than that of ids. */
  #heads = new Int32Array(1024).fill(NONE);
  readonly #sweptUsers: string[] = [];
  /** Periods before this one were dropped from the store. */
  #firstPeriod = 0;

  /**
   * Reads all spilled ids in the store.
   *
   * @param filterBytes most bytes of the filter; what it can't rule out is read from the store
   */
  constructor(config: AttributionConfig, store: StateStore, filterBytes: number) {
    this.#config = config;
    this.#filter = new IdFilter(config.eventIdMs, filterBytes);
    takeOver(store);
    this.#addStored(store, SPILLED_FROM, SPILLED_TO);
    this.#addStored(store, PLACES_FROM, PLACES_TO);
  }

  #addStored(store: StateStore, from: Buffer, to: Buffer): void {
    for (const { key, value } of entriesBetween(store, from, to)) {
      readSpilledId(key, oneId);
      this.#filter.add(oneId, 0, arrivalOfId(value));
    }
  }

  get filterBytes(): number {
    return this.#filter.bytesUsed;
  }

  /**
   * Takes in an event's id, of the user in this slot.
   *
   * @param time when it happened, in ms, if it lies beside the user's state: there it is found by its id
   */
  add(slot: number, event: RememberedEvent, time = Number.NaN): void {
    if (this.#count === this.#heads.length) this.#grow();
    const i = this.#count++;
    const at = i * WORDS;
    this.#words.set(idOfEvent(event), at);
    this.#words[at + USER_AND_ROLE] = userAndRole(slot, event.role);
    this.#words[at + DIGEST_WORD] = digestOf(event);
    this.#arrivals[i] = arrivalOf(event);
    this.#times[i] = time;
    this.#link(i);
    this.#filter.add(this.#words, at, this.#arrivals[i]!);
  }

  /**
   * Takes in the ids of a user whose state is deleted.
   *
   * @param stored the state
   * @param watermark the partition's clock, in ms
   */
  addSwept(userId: string, stored: Buffer, watermark: number): void {
    const user = SWEPT_USERS + this.#sweptUsers.push(userId) - 1;
    const add = (event: RememberedEvent) => {
      if (!isForgotten(arrivalOf(event), watermark, this.#config.eventIdMs)) this.add(user, event);
    };
    readEntries(stored, {
      touch: (at) => add({ role: 'touch', touch: new StoredTouch(stored, at) }),
      conversion: (at) => add({ role: 'outcome', conversion: new StoredConversion(stored, at) }),
      correction(at, end) {
        const { invalidTouches } = readCorrections(stored.subarray(at, end));
        for (const touch of invalidTouches) add({ role: 'touch', touch });
      },
    });
  }

  /**
   * What is known of an event by its id, or of what it corrects, if that is not yet in the store; undefined if it is
   * not here.
   */
  find(slot: number, event: FoldEvent): SpilledId | undefined {
    const i = this.#find(idOfEvent(event), 0, userAndRole(slot, ID_ROLES[event.role]));
    return i === NONE ? undefined : this.#at(i);
  }

  /** Whether an event's id, which lies at `at` in `words`, is here and not yet in the store. */
  has(slot: number, role: Role, words: Int32Array, at: number): boolean {
    return this.#find(words, at, userAndRole(slot, role)) !== NONE;
  }

  /** When the event with an id happened that lies beside the state of the user in this slot, in ms. */
  timeOf(store: StateStore, slot: number, userId: string, role: Role, eventId: string): number | undefined {
    readUuidText(eventId, oneId, 0);
    const i = this.#find(oneId, 0, userAndRole(slot, role));
    if (i !== NONE && !Number.isNaN(this.#times[i]!)) return this.#times[i];
    const [place] = store.getMany([putId(placeKeyOf(userId, role), oneId, 0)]);
    return place && timeOfPlace(place);
  }

  #find(words: Int32Array, id: number, user: number): number {
    let i = this.#heads[words[id + UUID_WORDS - 1]! & (this.#heads.length - 1)]!;
    while (i !== NONE && !this.#isAt(i * WORDS, words, id, user)) i = this.#words[i * WORDS + NEXT]!;
    return i;
  }

  #at(i: number): SpilledId {
    return { arrival: this.#arrivals[i]!, digest: this.#words[i * WORDS + DIGEST_WORD]! };
  }

  /** What the store knows of those events by their ids, or of what they correct, by the events' places. */
  findStored(store: StateStore, events: EventBatch): Map<number, SpilledId> {
    const found = new Map<number, SpilledId>();
    if (this.#filter.isEmpty) return found;
    const asked: number[] = [];
    const keys: Buffer[] = [];
    for (let i = 0; i < events.count; i++) {
      if (!this.#mayBeStored(events, i)) continue;
      for (const key of this.#keysOf(events.eventAt(i))) {
        asked.push(i);
        keys.push(key);
      }
    }
    if (keys.length === 0) return found;
    store.getMany(keys).forEach((entry, n) => {
      if (entry === undefined) return;
      const [i, known] = [asked[n]!, readStoredId(entry)];
      if (known.arrival > (found.get(i)?.arrival ?? 0)) found.set(i, known);
    });
    return found;
  }

  /** Ids that are not yet in the store, where the caller now puts them: each entry before it takes the next one. */
  *takePuts(table: UserTable): Generator<StateEntry> {
    const byOwner = new Map<number, number[]>();
    for (let i = 0; i < this.#count; i++) {
      const owner = this.#words[i * WORDS + USER_AND_ROLE]!;
      const ids = byOwner.get(owner);
      if (ids === undefined) byOwner.set(owner, [i]);
      else ids.push(i);
    }
    for (const [owner, ids] of byOwner) yield* this.#putsOf(this.#ownerOf(owner, table), ids);
    this.#count = 0;
    this.#heads.fill(NONE);
    this.#sweptUsers.length = 0;
  }

  /** In about the order of their keys: what RocksDB looks at for one is in the processor's cache for the next. */
  *#putsOf([userId, role]: [string, Role], ids: readonly number[]): Generator<StateEntry> {
    const keys: Keys = { spilled: spilledKeyOf(userId, role), place: placeKeyOf(userId, role) };
    const order = new Float64Array(ids.length);
    for (let n = 0; n < ids.length; n++) order[n] = (this.#words[ids[n]! * WORDS]! >>> HASH_SHIFT) * MOST_IDS + ids[n]!;
    order.sort();
    for (let n = 0; n < order.length; n++) {
      const at = order[n]!;
      yield this.#entryAt(at - Math.floor(at / MOST_IDS) * MOST_IDS, keys);
    }
  }

  /** What is stored of an id. */
  #entryAt(i: number, { spilled, place }: Keys): StateEntry {
    const [at, arrival, time] = [i * WORDS, this.#arrivals[i]!, this.#times[i]!];
    const digest = this.#words[at + DIGEST_WORD]!;
    if (!Number.isNaN(time)) return { key: putId(place, this.#words, at), value: storedId({ arrival, digest }, time) };
    return { key: putSpilledKey(spilled, periodOf(arrival), this.#words, at), value: storedId({ arrival, digest }) };
  }

  /**
   * Drops ids from the store that are forgotten when the clock is at `watermark`, in ms, which must be stored before:
   * a fold that goes on from an earlier time looks for them.
   */
  dropForgotten(store: StateStore, watermark: number): void {
    const first = periodOf(Math.max(0, watermark - this.#config.eventIdMs));
    if (first <= this.#firstPeriod) return;
    store.drop(SPILLED_FROM, firstSpilledKey(first));
    this.#firstPeriod = first;
  }

  #ownerOf(userAndRole: number, table: UserTable): [userId: string, role: Role] {
    const user = Math.floor(userAndRole / ROLES.length);
    const userId = user < SWEPT_USERS ? table.index.idOf(user) : this.#sweptUsers[user - SWEPT_USERS]!;
    return [userId, ROLES[userAndRole % ROLES.length]!];
  }

  #mayBeStored(events: EventBatch, i: number): boolean {
    const { role } = events.kinds[i]!;
    switch (role) {
      case 'touch':
        return this.#filter.mayHave(events.touches.words, idAt(touchAt(i)));
      case 'outcome':
      case 'adjustment':
      case 'verdict':
        return this.#filter.mayHave(idOfEvent(events.eventAt(i)), 0);
      default:
        return assertNever(role);
    }
  }

  /** All keys that the id may have, if it is not forgotten. */
  #keysOf(event: FoldEvent): Buffer[] {
    const { userId } = event;
    const role = ID_ROLES[event.role];
    const id = idOfEvent(event);
    const arrival = arrivalOf(event);
    const keys = [putId(placeKeyOf(userId, role), id, 0)];
    const first = periodOf(Math.max(0, arrival - this.#config.eventIdMs));
    for (let period = first; period <= periodOf(arrival); period++) {
      keys.push(putSpilledKey(spilledKeyOf(userId, role), period, id, 0));
    }
    return keys;
  }

  #isAt(at: number, words: Int32Array, id: number, user: number): boolean {
    for (let word = 0; word < UUID_WORDS; word++) if (this.#words[at + word] !== words[id + word]) return false;
    return this.#words[at + USER_AND_ROLE] === user;
  }

  #link(i: number): void {
    const hash = this.#words[i * WORDS + UUID_WORDS - 1]! & (this.#heads.length - 1);
    this.#words[i * WORDS + NEXT] = this.#heads[hash]!;
    this.#heads[hash] = i;
  }

  #grow(): void {
    const [words, arrivals, times] = [this.#words, this.#arrivals, this.#times];
    this.#words = new Int32Array(2 * words.length);
    this.#words.set(words);
    this.#arrivals = new Float64Array(2 * arrivals.length);
    this.#arrivals.set(arrivals);
    this.#times = new Float64Array(2 * times.length);
    this.#times.set(times);
    this.#heads = new Int32Array(2 * arrivals.length).fill(NONE);
    for (let i = 0; i < this.#count; i++) this.#link(i);
  }
}

/** Writes ids that a build of version 0.1 has spilled as this one does. */
function takeOver(store: StateStore): void {
  for (const { key, value } of entriesBetween(store, OLD_SPILLED_FROM, OLD_SPILLED_TO)) {
    const { userId, role } = ownerOfOldKey(key);
    const puts: StateEntry[] = [];
    for (let at = 0; at < value.length; at += OLD_ENTRY_BYTES) {
      for (let word = 0; word < UUID_WORDS; word++) oneId[word] = value.readInt32LE(at + 4 * word);
      const arrival = value.readDoubleLE(at + OLD_ARRIVAL);
      const key = putSpilledKey(spilledKeyOf(userId, role), periodOf(arrival), oneId, 0);
      puts.push({ key, value: storedId({ arrival, digest: UNKNOWN_DIGEST }) });
    }
    store.write({ deletes: [key], puts, appends: [] });
  }
}

const oneId = new Int32Array(UUID_WORDS);

/** The words of an event's id, or of that of what it corrects, until the next call. */
function idOfEvent(event: RememberedEvent | FoldEvent): Int32Array {
  switch (event.role) {
    case 'touch':
      return idOf(event.touch);
    case 'outcome':
      readUuidText(event.conversion.conversionId, oneId, 0);
      return oneId;
    case 'adjustment':
    case 'verdict':
      readUuidText(event.correction.targetId, oneId, 0);
      return oneId;
    default:
      return assertNever(event);
  }
}

function userAndRole(user: number, role: Role): number {
  return user * ROLES.length + ROLES.indexOf(role);
}

/** The period in which an event arrived. */
function periodOf(arrival: number): number {
  return Math.floor(arrival / PERIOD_MS);
}
