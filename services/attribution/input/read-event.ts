import { fromBinary } from '@bufbuild/protobuf';
import { EventSchema } from '../../../gen/ts/clickmesh/v1/event_pb.js';
import { MAX_ID_BYTES, MAX_TIMESTAMP_MS, MAX_VALUE_MICROS, MIN_TIMESTAMP_MS } from '../../contract/limits.ts';
import { parseUuid, UUID_LENGTH, UUID_WORDS } from '../../contract/uuid.ts';
import type { LogRecord } from '../../log/event-log.ts';
import type { FoldEvent } from '../decision/fold.ts';
import type { DecidedConversion, Touch } from '../decision/state.ts';
import { hashOf } from '../memory/string-table.ts';
import {
  InternedTouch,
  idAt,
  putFields,
  putTouch,
  TOUCH_WORDS,
  type TouchTexts,
  touchMemory,
} from '../memory/touch-memory.ts';
import { NO_USER } from '../users/user-index.ts';
import type { UserTable } from '../users/user-table.ts';
import { type EventFields, findFields } from './decode-event.ts';

/** A record that can't be folded, and why. */
export interface Poison {
  kind: 'poison';
  reason: string;
}

/** An event for who has its bytes no more. */
type Message =
  | { kind: 'click'; userId: string; touch: Touch }
  | { kind: 'conversion'; userId: string; conversion: DecidedConversion };

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

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
  readonly conversions: (DecidedConversion | undefined)[] = [];
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
  add(offset: number, bytes: Buffer, start: number, end: number, conversion?: DecidedConversion): void {
    const i = this.count++;
    this.#offsets[i] = offset;
    this.conversions.push(conversion);
    this.#ids.push(bytes);
    this.#idStarts[i] = start;
    this.#idEnds[i] = end;
    this.#hashes[i] = hashOf(bytes, start, end);
  }

  /** The same of a user whose id may be anything. */
  addText(offset: number, userId: string, conversion?: DecidedConversion): void {
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

/**
 * Reads a record of raw-events into a batch, or says why it can't be folded. What gateways write always passes; the
 * checks keep others' records from breaking what the fold and the tables rely on.
 *
 * @param arrival the partition's clock at this record, in ms
 */
export function readEvent(record: LogRecord, arrival: number, batch: EventBatch): Poison | undefined {
  const { bytes, start, end, offset } = record;
  const fields = findFields(bytes, start, end);
  if (fields === undefined || !isTimestamp(fields.timestamp) || hasLongId(fields)) {
    return readMessage(record, arrival, batch);
  }
  if (fields.kind === 'click') {
    if (!readTouch(bytes, fields, arrival, batch)) return readMessage(record, arrival, batch);
    batch.add(offset, bytes, fields.userId, fields.userIdEnd);
    return undefined;
  }
  if (!parseUuid(bytes, fields.eventId, conversionId, 0)) return readMessage(record, arrival, batch);
  const conversion = {
    conversionId: latin1(bytes, fields.eventId, fields.eventId + UUID_LENGTH),
    timestamp: fields.timestamp,
    arrival,
    type: latin1(bytes, fields.type, fields.typeEnd),
    valueMicros: BigInt(fields.valueMicros),
    credits: [],
  };
  batch.add(offset, bytes, fields.userId, fields.userIdEnd, conversion);
  return undefined;
}

const conversionId = new Int32Array(UUID_WORDS);

/** False if the click's id is no UUID. */
function readTouch(bytes: Uint8Array, click: EventFields, arrival: number, { touches, texts, count }: EventBatch) {
  const at = touchAt(count);
  if (!parseUuid(bytes, click.eventId, touches.words, idAt(at))) return false;
  const { timestamp, campaignId, campaignIdEnd, source, sourceEnd } = click;
  const ad = texts.ads.numberOf(bytes, click.adId, click.adIdEnd);
  const placement = texts.placementOf(bytes, campaignId, campaignIdEnd, source, sourceEnd);
  putFields(touches, at, { timestamp, arrival, ad, placement });
  return true;
}

/** The same by way of the message, which takes several times as long. */
export function readMessage(record: LogRecord, arrival: number, batch: EventBatch): Poison | undefined {
  const message = decodeMessage(record.value, arrival);
  if (message.kind === 'poison') return message;
  if (message.kind === 'click') putTouch(batch.touches, touchAt(batch.count), message.touch, batch.texts);
  const conversion = message.kind === 'conversion' ? message.conversion : undefined;
  batch.addText(record.offset, message.userId, conversion);
  return undefined;
}

function decodeMessage(value: Uint8Array, arrival: number): Message | Poison {
  let event: ReturnType<typeof decode>;
  try {
    event = decode(value);
  } catch (error) {
    return poison(`not an Event: ${(error as Error).message}`);
  }
  if (event.case === undefined) return poison('unknown event type');
  const { eventId, userId } = event.value;
  const timestamp = Number(event.value.timestamp);
  if (!UUID.test(eventId)) return poison('event_id is not a lower-case UUID');
  if (userId === '') return poison('user_id is empty');
  if (!isTimestamp(timestamp)) return poison('timestamp is out of range');
  if (event.case === 'click') {
    const { adId, campaignId, source } = event.value;
    const ids = [adId, campaignId, source];
    if (hasNul(userId, ...ids)) return poison('an id contains NUL');
    if (ids.some(isTooLong)) return poison(`an id is longer than ${MAX_ID_BYTES} bytes`);
    return { kind: 'click', userId, touch: { clickId: eventId, timestamp, arrival, adId, campaignId, source } };
  }
  const { type, valueMicros } = event.value;
  if (hasNul(userId, type)) return poison('an id contains NUL');
  if (valueMicros < 0n || valueMicros > MAX_VALUE_MICROS) return poison('value_micros is out of range');
  const conversion = { conversionId: eventId, timestamp, arrival, type, valueMicros, credits: [] };
  return { kind: 'conversion', userId, conversion };
}

function isTimestamp(ms: number): boolean {
  return ms >= MIN_TIMESTAMP_MS && ms <= MAX_TIMESTAMP_MS;
}

function hasLongId({ adId, adIdEnd, campaignId, campaignIdEnd, source, sourceEnd }: EventFields): boolean {
  return (
    adIdEnd - adId > MAX_ID_BYTES || campaignIdEnd - campaignId > MAX_ID_BYTES || sourceEnd - source > MAX_ID_BYTES
  );
}

/** Keys end their parts with NUL. */
function hasNul(...ids: string[]): boolean {
  return ids.some((id) => id.includes('\0'));
}

function isTooLong(id: string): boolean {
  return Buffer.byteLength(id) > MAX_ID_BYTES;
}

function latin1(bytes: Buffer, start: number, end: number): string {
  return bytes.toString('latin1', start, end);
}

function decode(bytes: Uint8Array) {
  return fromBinary(EventSchema, bytes).event;
}

function poison(reason: string): Poison {
  return { kind: 'poison', reason };
}
