import { readUuidText, UUID_WORDS } from '../../contract/uuid.ts';
import type { AttributionConfig } from '../decision/config.ts';
import { dayOf } from '../decision/effects.ts';
import type { FoldEvent } from '../decision/fold.ts';
import { assertNever, ROLES, type Role } from '../decision/kinds.ts';
import { arrivalOf, type RememberedEvent } from '../decision/state.ts';
import { idOf } from '../decision/touch-id.ts';
import { idAt } from '../memory/touch-memory.ts';
import { SPILLED_FROM, SPILLED_TO, spilledKey } from '../store/keys.ts';
import { entriesBetween, type StateEntry, type StateStore } from '../store/state-store.ts';
import { type EventBatch, touchAt } from './event-batch.ts';
import { IdFilter } from './id-filter.ts';
import { SPILLED } from './user-slots.ts';
import type { UserTable } from './user-table.ts';

/**
 * How spilled ids lie in the store: those of a user that arrived on the same day are spread over buckets by their last
 * bits, and what is new is added at the end of its bucket, by RocksDB: id 4 × i32 | arrival f64, little-endian.
 */
const ENTRY_BYTES = 24;
const ARRIVAL = 16;

/** Buckets of a user, a role and a day: of a million ids a day, each has 24 kB. */
const BUCKETS = 1 << 10;

/** How an id lies in memory: its words | slot of the user and role of the event | next of the same hash. */
const WORDS = 6;
const USER_AND_ROLE = 4;
const NEXT = 5;
const NONE = -1;

/**
 * Event ids that were spilled from their users' states: those not yet in the store, and which of those that are in it
 * an event may be a duplicate of. Users are known by their slots in the table, where they stay until what changed is
 * stored.
 */
export class SpilledIds {
  readonly #config: AttributionConfig;
  readonly #filter: IdFilter;
  #count = 0;
  #words = new Int32Array(1024 * WORDS);
  #arrivals = new Float64Array(1024);
  /** The last id of each hash; NONE if there is none. Their number is a power of two, no less than that of ids. */
  #heads = new Int32Array(1024).fill(NONE);

  /**
   * Reads all spilled ids in the store.
   *
   * @param filterBytes most bytes of the filter; what it can't rule out is read from the store
   */
  constructor(config: AttributionConfig, store: StateStore, filterBytes: number) {
    this.#config = config;
    this.#filter = new IdFilter(Math.max(...Object.values(config.retentionMs)), filterBytes);
    for (const { value } of entriesBetween(store, SPILLED_FROM, SPILLED_TO)) this.#addStored(value);
  }

  get filterBytes(): number {
    return this.#filter.bytesUsed;
  }

  /** Takes in an event's id, of the user in this slot. */
  add(slot: number, event: RememberedEvent): void {
    if (this.#count === this.#heads.length) this.#grow();
    const i = this.#count++;
    const at = i * WORDS;
    this.#words.set(idOfEvent(event), at);
    this.#words[at + USER_AND_ROLE] = userAndRole(slot, event.role);
    this.#arrivals[i] = arrivalOf(event);
    this.#link(i);
    this.#filter.add(this.#words, at, this.#arrivals[i]!);
  }

  /** When the event's id arrived, in ms, if it is not yet in the store; undefined if it is not here. */
  arrivalOf(slot: number, event: RememberedEvent): number | undefined {
    const id = idOfEvent(event);
    const user = userAndRole(slot, event.role);
    let i = this.#heads[id[UUID_WORDS - 1]! & (this.#heads.length - 1)]!;
    while (i !== NONE && !this.#isAt(i * WORDS, id, user)) i = this.#words[i * WORDS + NEXT]!;
    return i === NONE ? undefined : this.#arrivals[i];
  }

  /** Arrivals of those events' ids, in ms, that the store has of users with spilled ids, by the events' places. */
  storedArrivals(store: StateStore, events: EventBatch, table: UserTable): Map<number, number> {
    const asked: number[] = [];
    const keys: Buffer[] = [];
    for (let i = 0; i < events.count; i++) {
      if (!table.slots.has(events.slots[i]!, SPILLED) || !this.#mayBeStored(events, i)) continue;
      for (const key of this.#keysOf(events.eventAt(i))) {
        asked.push(i);
        keys.push(key);
      }
    }
    const arrivals = new Map<number, number>();
    if (keys.length === 0) return arrivals;
    store.getMany(keys).forEach((bucket, n) => {
      const i = asked[n]!;
      const arrival = bucket && lastArrival(bucket, idOfEvent(events.eventAt(i)));
      if (arrival !== undefined) arrivals.set(i, Math.max(arrival, arrivals.get(i) ?? 0));
    });
    return arrivals;
  }

  /** Bytes to add to the store's buckets, which the caller now does: each entry before it takes the next one. */
  *takeAppends(table: UserTable): Generator<StateEntry> {
    const all = Array.from({ length: this.#count }, (_, i) => i);
    this.#count = 0;
    this.#heads.fill(NONE);
    for (const [user, ids] of Map.groupBy(all, (i) => this.#words[i * WORDS + USER_AND_ROLE]!)) {
      const [userId, role] = [table.index.idOf(Math.floor(user / ROLES.length)), ROLES[user % ROLES.length]!];
      const buckets = Map.groupBy(ids, (i) => dayOf(this.#arrivals[i]!) * BUCKETS + bucketOf(this.#words, i * WORDS));
      for (const [dayAndBucket, ids] of buckets) {
        const [day, bucket] = [Math.floor(dayAndBucket / BUCKETS), dayAndBucket % BUCKETS];
        yield { key: spilledKey({ userId, role, day, bucket }), value: this.#entries(ids) };
      }
    }
  }

  /** Puts ids together in the order in which they were spilled: a bucket is the same however it was cut into writes. */
  #entries(ids: readonly number[]): Buffer {
    const bytes = Buffer.allocUnsafe(ids.length * ENTRY_BYTES);
    ids.forEach((i, n) => {
      const at = n * ENTRY_BYTES;
      for (let word = 0; word < UUID_WORDS; word++) bytes.writeInt32LE(this.#words[i * WORDS + word]!, at + 4 * word);
      bytes.writeDoubleLE(this.#arrivals[i]!, at + ARRIVAL);
    });
    return bytes;
  }

  #mayBeStored(events: EventBatch, i: number): boolean {
    const { role } = events.kinds[i]!;
    switch (role) {
      case 'touch':
        return this.#filter.mayHave(events.touches.words, idAt(touchAt(i)));
      case 'outcome':
        readUuidText(events.conversions[i]!.conversionId, oneId, 0);
        return this.#filter.mayHave(oneId, 0);
      default:
        return assertNever(role);
    }
  }

  /** Keys of all buckets that an event's id may be in, if it arrived within retention. */
  #keysOf(event: FoldEvent): Buffer[] {
    const { role, userId } = event;
    const bucket = bucketOf(idOfEvent(event), 0);
    const arrival = arrivalOf(event);
    const keys: Buffer[] = [];
    const firstDay = dayOf(Math.max(0, arrival - this.#config.retentionMs[role]));
    for (let day = firstDay; day <= dayOf(arrival); day++) keys.push(spilledKey({ userId, role, day, bucket }));
    return keys;
  }

  #addStored(bucket: Buffer): void {
    for (let at = 0; at < bucket.length; at += ENTRY_BYTES) {
      for (let word = 0; word < UUID_WORDS; word++) oneId[word] = bucket.readInt32LE(at + 4 * word);
      this.#filter.add(oneId, 0, bucket.readDoubleLE(at + ARRIVAL));
    }
  }

  #isAt(at: number, id: Int32Array, user: number): boolean {
    for (let word = 0; word < UUID_WORDS; word++) if (this.#words[at + word] !== id[word]) return false;
    return this.#words[at + USER_AND_ROLE] === user;
  }

  #link(i: number): void {
    const hash = this.#words[i * WORDS + UUID_WORDS - 1]! & (this.#heads.length - 1);
    this.#words[i * WORDS + NEXT] = this.#heads[hash]!;
    this.#heads[hash] = i;
  }

  #grow(): void {
    const [words, arrivals] = [this.#words, this.#arrivals];
    this.#words = new Int32Array(2 * words.length);
    this.#words.set(words);
    this.#arrivals = new Float64Array(2 * arrivals.length);
    this.#arrivals.set(arrivals);
    this.#heads = new Int32Array(2 * arrivals.length).fill(NONE);
    for (let i = 0; i < this.#count; i++) this.#link(i);
  }
}

const oneId = new Int32Array(UUID_WORDS);

/** The words of an event's id, until the next call. */
function idOfEvent(event: RememberedEvent): Int32Array {
  switch (event.role) {
    case 'touch':
      return idOf(event.touch);
    case 'outcome':
      readUuidText(event.conversion.conversionId, oneId, 0);
      return oneId;
    default:
      return assertNever(event);
  }
}

function userAndRole(slot: number, role: Role): number {
  return slot * ROLES.length + ROLES.indexOf(role);
}

/** @param at where an id begins in `words` */
function bucketOf(words: Int32Array, at: number): number {
  return words[at + UUID_WORDS - 1]! & (BUCKETS - 1);
}

/** Last arrival of an id in a bucket, in ms; undefined if the bucket doesn't have it. */
function lastArrival(bucket: Buffer, id: Int32Array): number | undefined {
  let last: number | undefined;
  for (let at = 0; at < bucket.length; at += ENTRY_BYTES) {
    let word = 0;
    while (word < UUID_WORDS && bucket.readInt32LE(at + 4 * word) === id[word]) word++;
    if (word === UUID_WORDS) last = Math.max(last ?? 0, bucket.readDoubleLE(at + ARRIVAL));
  }
  return last;
}
