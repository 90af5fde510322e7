import { type Credit, type DecidedConversion, newUser, type Touch, type UserState } from './state.ts';
import { endOfTouch, hasSameId, mostBytesOfTouch, StoredTouch, writeTouch } from './touch.ts';
import { readUuid, writeUuid } from './uuid.ts';

/**
 * How a user's state lies in memory and in RocksDB: a header of fixed size, the conversions, then the touches in their
 * order, so that a click newer than all others is added at the end.
 *
 * Own format because it is on the hottest path: most clicks are folded on the bytes as they are, and of the touches
 * that a conversion goes past only the times are read.
 */
const FORMAT = 2;
const OVERFLOWED = 1;
const CONVERSION_COUNT = 2;
const TOUCH_COUNT = 4;
const TOUCHES_START = 8;
const LAST_TOUCH_START = 12;
/** The greatest and the least of each list; 0 and Infinity where it is empty. */
const LAST_CLICK_ARRIVAL = 16;
const LAST_CONVERSION_ARRIVAL = 24;
const FIRST_CLICK_ARRIVAL = 32;
const FIRST_CONVERSION_ARRIVAL = 40;
const LAST_CONVERSION_TIMESTAMP = 48;
const HEADER_BYTES = 56;

/** Times of the latest events, by arrival, in ms; 0 where there is none. */
export interface StateAge {
  lastClickArrival: number;
  lastConversionArrival: number;
}

/** A user's state in bytes, of which the first `length` count. */
export interface EncodedUser {
  bytes: Buffer;
  length: number;
}

/** The bytes that count. */
export function bytesOf({ bytes, length }: EncodedUser): Buffer {
  return bytes.subarray(0, length);
}

/** In memory of its own, with room for some clicks more. */
export function encodeUser(user: UserState): EncodedUser {
  const { touches, conversions } = user;
  const writer = new Writer(HEADER_BYTES);
  for (const conversion of conversions) writeConversion(writer, conversion);
  const touchesStart = writer.at;
  let lastTouchStart = touchesStart;
  for (const touch of touches) {
    lastTouchStart = writer.at;
    writer.touch(touch);
  }
  const length = writer.at;
  const bytes = writer.finish(roomFor(length));
  bytes[0] = FORMAT;
  bytes[OVERFLOWED] = user.overflowed ? 1 : 0;
  bytes.writeUInt16LE(conversions.length, CONVERSION_COUNT);
  bytes.writeUInt32LE(touches.length, TOUCH_COUNT);
  bytes.writeUInt32LE(touchesStart, TOUCHES_START);
  bytes.writeUInt32LE(lastTouchStart, LAST_TOUCH_START);
  bytes.writeDoubleLE(greatest(touches, arrivalOf), LAST_CLICK_ARRIVAL);
  bytes.writeDoubleLE(greatest(conversions, arrivalOf), LAST_CONVERSION_ARRIVAL);
  bytes.writeDoubleLE(least(touches, arrivalOf), FIRST_CLICK_ARRIVAL);
  bytes.writeDoubleLE(least(conversions, arrivalOf), FIRST_CONVERSION_ARRIVAL);
  bytes.writeDoubleLE(
    greatest(conversions, ({ timestamp }) => timestamp),
    LAST_CONVERSION_TIMESTAMP,
  );
  return { bytes, length };
}

/**
 * Takes into the header the touches that follow those it knows: RocksDB adds to a user's bytes what `appendClick` added
 * to them in memory, at the end, and leaves the header as it was. Throws an Error if the format is another.
 */
export function settle(bytes: Buffer): Buffer {
  if (bytes[0] !== FORMAT) throw new Error(`user state has format ${bytes[0]}, this build reads ${FORMAT}`);
  let count = bytes.readUInt32LE(TOUCH_COUNT);
  let last = bytes.readUInt32LE(LAST_TOUCH_START);
  let at = count === 0 ? bytes.readUInt32LE(TOUCHES_START) : endOfTouch(bytes, last);
  if (at === bytes.length) return bytes;
  let latest = bytes.readDoubleLE(LAST_CLICK_ARRIVAL);
  let first = bytes.readDoubleLE(FIRST_CLICK_ARRIVAL);
  while (at < bytes.length) {
    const { arrival, end } = new StoredTouch(bytes, at);
    latest = Math.max(latest, arrival);
    first = Math.min(first, arrival);
    count++;
    last = at;
    at = end;
  }
  bytes.writeUInt32LE(count, TOUCH_COUNT);
  bytes.writeUInt32LE(last, LAST_TOUCH_START);
  bytes.writeDoubleLE(latest, LAST_CLICK_ARRIVAL);
  bytes.writeDoubleLE(first, FIRST_CLICK_ARRIVAL);
  return bytes;
}

/** The state's touches are views of `bytes`, whose header must be settled. */
export function decodeUser(bytes: Buffer): UserState {
  const user = newUser();
  user.overflowed = isOverflowed(bytes);
  const reader = new Reader(bytes, HEADER_BYTES);
  const conversions = bytes.readUInt16LE(CONVERSION_COUNT);
  for (let i = 0; i < conversions; i++) user.conversions.push(readConversion(reader));
  const touches = bytes.readUInt32LE(TOUCH_COUNT);
  for (let i = 0; i < touches; i++) user.touches.push(reader.touch());
  return user;
}

/** Reads only what tells whether the user can be dropped. The header must be settled. */
export function decodeAge(bytes: Buffer): StateAge {
  return {
    lastClickArrival: bytes.readDoubleLE(LAST_CLICK_ARRIVAL),
    lastConversionArrival: bytes.readDoubleLE(LAST_CONVERSION_ARRIVAL),
  };
}

export function isOverflowed(bytes: Buffer): boolean {
  return bytes[OVERFLOWED] === 1;
}

/** What a click must find to be added to a user's bytes as they are. */
export interface AppendLimits {
  /** Most touches that a user has. */
  maxTouches: number;
  /** Nothing that arrived before these would be kept; in ms. */
  oldestTouch: number;
  oldestConversion: number;
}

/**
 * Adds a click that is later than all the user's touches and conversions, which is what most clicks are: then it
 * changes no decision. False, and nothing changed, if it isn't, if something would have to go, or if it may be a
 * duplicate; such a click takes the whole fold.
 */
export function appendClick(user: EncodedUser, touch: StoredTouch, limits: AppendLimits): boolean {
  const { bytes, length } = user;
  const count = bytes.readUInt32LE(TOUCH_COUNT);
  if (
    isOverflowed(bytes) ||
    count >= limits.maxTouches ||
    bytes.readDoubleLE(FIRST_CLICK_ARRIVAL) < limits.oldestTouch ||
    bytes.readDoubleLE(FIRST_CONVERSION_ARRIVAL) < limits.oldestConversion ||
    bytes.readDoubleLE(LAST_CONVERSION_TIMESTAMP) >= touch.timestamp
  ) {
    return false;
  }
  if (count > 0) {
    const last = new StoredTouch(bytes, bytes.readUInt32LE(LAST_TOUCH_START));
    if (last.timestamp >= touch.timestamp) return false;
    for (let at = bytes.readUInt32LE(TOUCHES_START); at < length; at = endOfTouch(bytes, at)) {
      if (hasSameId(bytes, at, touch.bytes, touch.start)) return false;
    }
  }
  reserve(user, touch.end - touch.start);
  user.length = writeTouch(user.bytes, length, touch);
  user.bytes.writeUInt32LE(count + 1, TOUCH_COUNT);
  user.bytes.writeUInt32LE(length, LAST_TOUCH_START);
  user.bytes.writeDoubleLE(Math.max(bytes.readDoubleLE(LAST_CLICK_ARRIVAL), touch.arrival), LAST_CLICK_ARRIVAL);
  user.bytes.writeDoubleLE(Math.min(bytes.readDoubleLE(FIRST_CLICK_ARRIVAL), touch.arrival), FIRST_CLICK_ARRIVAL);
  return true;
}

/** Bytes to take where these are needed: few users stay as they are, and memory costs more to get than to have. */
function roomFor(bytes: number): number {
  return Math.max(256, bytes + (bytes >> 2));
}

/** Memory of its own, here and in `finish`: a user that stays would keep all of a pool's 8 KB. */
function reserve(user: EncodedUser, more: number): void {
  const needed = user.length + more;
  if (needed <= user.bytes.length) return;
  const larger = Buffer.allocUnsafeSlow(roomFor(needed));
  user.bytes.copy(larger, 0, 0, user.length);
  user.bytes = larger;
}

function arrivalOf({ arrival }: { arrival: number }): number {
  return arrival;
}

function greatest<T>(items: readonly T[], of: (item: T) => number): number {
  let found = 0;
  for (const item of items) found = Math.max(found, of(item));
  return found;
}

function least<T>(items: readonly T[], of: (item: T) => number): number {
  let found = Number.POSITIVE_INFINITY;
  for (const item of items) found = Math.min(found, of(item));
  return found;
}

function writeConversion(writer: Writer, conversion: DecidedConversion): void {
  writer.uuid(conversion.conversionId);
  writer.double(conversion.timestamp);
  writer.double(conversion.arrival);
  writer.string(conversion.type);
  writer.bigint(conversion.valueMicros);
  writer.count(conversion.credits.length);
  for (const credit of conversion.credits) writeCredit(writer, credit);
}

function readConversion(reader: Reader): DecidedConversion {
  return {
    conversionId: reader.uuid(),
    timestamp: reader.double(),
    arrival: reader.double(),
    type: reader.string(),
    valueMicros: reader.bigint(),
    credits: Array.from({ length: reader.count() }, () => readCredit(reader)),
  };
}

function writeCredit(writer: Writer, { model, touch, creditMicros, valueMicros }: Credit): void {
  writer.string(model);
  writer.touch(touch);
  writer.double(creditMicros);
  writer.bigint(valueMicros);
}

function readCredit(reader: Reader): Credit {
  return {
    model: reader.string(),
    touch: reader.touch(),
    creditMicros: reader.double(),
    valueMicros: reader.bigint(),
  };
}

/** One scratch buffer for all writers: encoding is synchronous, and `finish` copies out. */
let scratch = Buffer.allocUnsafe(64 * 1024);

class Writer {
  at: number;

  constructor(at: number) {
    this.at = at;
  }

  double(value: number): void {
    this.#reserve(8);
    this.at = scratch.writeDoubleLE(value, this.at);
  }

  /** In [0, 2^64). */
  bigint(value: bigint): void {
    this.#reserve(8);
    this.at = scratch.writeBigUInt64LE(value, this.at);
  }

  /** In [0, 2^32). */
  count(value: number): void {
    this.#reserve(4);
    this.at = scratch.writeUInt32LE(value, this.at);
  }

  string(value: string): void {
    this.#reserve(4 + value.length * 3);
    const written = scratch.write(value, this.at + 4, 'utf8');
    this.count(written);
    this.at += written;
  }

  uuid(value: string): void {
    this.#reserve(16);
    writeUuid(scratch, this.at, value);
    this.at += 16;
  }

  touch(touch: Touch): void {
    this.#reserve(touch instanceof StoredTouch ? touch.end - touch.start : mostBytesOfTouch(touch));
    this.at = writeTouch(scratch, this.at, touch);
  }

  finish(room: number): Buffer {
    const bytes = Buffer.allocUnsafeSlow(room);
    scratch.copy(bytes, 0, 0, this.at);
    return bytes;
  }

  #reserve(bytes: number): void {
    if (this.at + bytes <= scratch.length) return;
    const larger = Buffer.allocUnsafe(2 * (scratch.length + bytes));
    scratch.copy(larger, 0, 0, this.at);
    scratch = larger;
  }
}

class Reader {
  #at: number;
  readonly #bytes: Buffer;

  constructor(bytes: Buffer, at: number) {
    this.#bytes = bytes;
    this.#at = at;
  }

  double(): number {
    this.#at += 8;
    return this.#bytes.readDoubleLE(this.#at - 8);
  }

  bigint(): bigint {
    this.#at += 8;
    return this.#bytes.readBigUInt64LE(this.#at - 8);
  }

  count(): number {
    this.#at += 4;
    return this.#bytes.readUInt32LE(this.#at - 4);
  }

  string(): string {
    const length = this.count();
    this.#at += length;
    return this.#bytes.toString('utf8', this.#at - length, this.#at);
  }

  uuid(): string {
    this.#at += 16;
    return readUuid(this.#bytes, this.#at - 16);
  }

  touch(): StoredTouch {
    const touch = new StoredTouch(this.#bytes, this.#at);
    this.#at = touch.end;
    return touch;
  }
}
