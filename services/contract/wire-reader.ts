import { isUtf8 } from 'node:buffer';
import { exactMicros, fastMicros } from './money.ts';
import { isNobodyAt } from './nobody.ts';
import { ENTRY_KEY, ENTRY_VALUE, putNumber, putVarint, varintBytes } from './wire.ts';

/**
 * Readers of Protobuf's wire format for the generated code that scans events (gen/wire): each looks at one field at the
 * offset `at` and returns the offset behind it, or FAILED if it is not there as a writer of Protobuf puts it, in its
 * shortest form and within its limits. Failing is no verdict: a decoder of all of Protobuf must then tell. FAILED as
 * `at` leads to FAILED, so only the last answer need be looked at.
 *
 * `bytes` is always a Buffer, for the same reason as in wire.ts. Nothing behind `end` is taken for part of the message,
 * though a reader may look at it.
 */
export const FAILED = -1;

/** Bytes of a UUID as text. */
const UUID_BYTES = 36;
/** Longest varint that is read: 49 bits. */
const MAX_VARINT_BYTES = 7;
/** A text of fewer bytes has a length of one byte; longer ones are left to the decoder. */
const SHORT_TEXT_BYTES = 0x80;
/** Longest map that is read. */
const MAX_ENTRIES = 64;

/** Classes of the bytes in a UUID; those of none are 0. */
const DIGIT = 1;
const UPPER_CASE = 2;
const DIGITS = new Uint8Array(256);
for (const digit of Buffer.from('0123456789abcdef')) DIGITS[digit] = DIGIT;
for (const digit of Buffer.from('ABCDEF')) DIGITS[digit] = UPPER_CASE;
const DASH = 0x2d;
const ZERO = 0x30;

let integer = 0;
let double = 0;
let digits = 0;

/** The last integer that was read, 0 if its field was absent. */
export function lastInteger(): number {
  return integer;
}

/** The last double that was read, 0 if its field was absent. */
export function lastDouble(): number {
  return double;
}

/** Whether the last UUID that was read has a letter in upper case. */
export function hadUpperCase(): boolean {
  return (digits & UPPER_CASE) !== 0;
}

/** Reads the tag and length of a message that ends at `end`; returns where its fields begin. */
export function passHead(bytes: Buffer, at: number, end: number): number {
  const start = passVarint(bytes, at + 1, end);
  return start + integer === end ? start : FAILED;
}

/** Reads a UUID in either case of letters, but for the nil UUID. */
export function passUuid(bytes: Buffer, at: number, end: number, tag: number): number {
  const start = at + 2;
  const stop = start + UUID_BYTES;
  if (bytes[at] !== tag || bytes[at + 1] !== UUID_BYTES || stop > end) return FAILED;
  digits = 0;
  for (let i = 0; i < UUID_BYTES; i++) {
    const byte = bytes[start + i]!;
    const digit = DIGITS[byte]!;
    const isDash = i === 8 || i === 13 || i === 18 || i === 23;
    if (isDash ? byte !== DASH : digit === 0) return FAILED;
    digits |= digit;
  }
  return bytes[start] === ZERO && isNobodyAt(bytes, start, stop) ? FAILED : stop;
}

/** The bytes with the UUID that begins at `start` in lower case: a copy. */
export function withLowerCaseUuid(bytes: Buffer, start: number): Buffer {
  const lower = Buffer.from(bytes);
  for (let i = start; i < start + UUID_BYTES; i++) if (DIGITS[lower[i]!] === UPPER_CASE) lower[i]! += 0x20;
  return lower;
}

/** Goes past a text of exactly the length of a UUID, whatever it holds. */
export function passUuidText(bytes: Buffer, at: number, end: number, tag: number): number {
  const stop = at + 2 + UUID_BYTES;
  return bytes[at] === tag && bytes[at + 1] === UUID_BYTES && stop <= end ? stop : FAILED;
}

/** Reads a text of 1 to 127 bytes of UTF-8 without NUL. */
export function passText(bytes: Buffer, at: number, end: number, tag: number): number {
  const length = bytes[at + 1]!;
  if (bytes[at] !== tag || !(length > 0 && length < SHORT_TEXT_BYTES)) return FAILED;
  return passCharacters(bytes, at + 2, end, length);
}

/** As passText, of an id of somebody. */
export function passId(bytes: Buffer, at: number, end: number, tag: number): number {
  const stop = passText(bytes, at, end, tag);
  return stop !== FAILED && isNobodyAt(bytes, at + 2, stop) ? FAILED : stop;
}

/** Reads a text of 1 to 127 bytes of ASCII without NUL. */
export function passAscii(bytes: Buffer, at: number, end: number, tag: number): number {
  const length = bytes[at + 1]!;
  const stop = at + 2 + length;
  if (bytes[at] !== tag || !(length > 0 && length < SHORT_TEXT_BYTES) || stop > end) return FAILED;
  for (let i = at + 2; i < stop; i++) {
    const byte = bytes[i]!;
    if (byte === 0 || byte >= 0x80) return FAILED;
  }
  return stop;
}

/** As passText, of a text that may be absent. */
export function passOptionalText(bytes: Buffer, at: number, end: number, tag: number): number {
  return at === end || bytes[at] !== tag ? at : passText(bytes, at, end, tag);
}

/** As passAscii, of a text that may be absent. */
export function passOptionalAscii(bytes: Buffer, at: number, end: number, tag: number): number {
  return at === end || bytes[at] !== tag ? at : passAscii(bytes, at, end, tag);
}

/** Reads UTF-8 without NUL. */
function passCharacters(bytes: Buffer, start: number, end: number, length: number): number {
  const stop = start + length;
  if (start < 0 || stop > end) return FAILED;
  let i = start;
  while (i < stop && bytes[i]! > 0 && bytes[i]! < 0x80) i++;
  return i === stop ? stop : passUnicode(bytes, start, stop);
}

function passUnicode(bytes: Buffer, start: number, stop: number): number {
  const text = bytes.subarray(start, stop);
  return isUtf8(text) && !text.includes(0) ? stop : FAILED;
}

/** Reads an integer in [min, max], both below 2^49, that must be there. */
export function passInteger(bytes: Buffer, at: number, end: number, tag: number, min: number, max: number): number {
  if (bytes[at] !== tag) return FAILED;
  const stop = passVarint(bytes, at + 1, end);
  return integer >= min && integer <= max ? stop : FAILED;
}

/** Reads an integer in [0, max] that may be absent. Writers leave out 0, but it may be there. */
export function passOptionalInteger(bytes: Buffer, at: number, end: number, tag: number, max: number): number {
  integer = 0;
  if (at === end || bytes[at] !== tag) return at;
  return passInteger(bytes, at, end, tag, 0, max);
}

/** Reads a double in [0, max] that may be absent. */
export function passOptionalDouble(bytes: Buffer, at: number, end: number, tag: number, max: number): number {
  double = 0;
  if (at === end || bytes[at] !== tag) return at;
  const stop = at + 9;
  if (stop > end) return FAILED;
  double = bytes.readDoubleLE(at + 1);
  return double >= 0 && double <= max ? stop : FAILED;
}

/** Where the keys of a map's entries begin, each at the byte that tells its length. */
const keys = new Uint32Array(MAX_ENTRIES);

/**
 * Reads the entries of a map of texts. Fails where a decoder would not keep them in their order: for a key that comes
 * twice, or looks like a number, which an object puts before others.
 */
export function passMap(
  bytes: Buffer,
  at: number,
  end: number,
  tag: number,
  maxEntries: number,
  maxBytes: number,
): number {
  let next = at;
  let entries = 0;
  let size = 0;
  while (next >= 0 && next < end && bytes[next] === tag) {
    const key = passVarint(bytes, next + 1, end) + 1;
    const stop = key - 1 + integer;
    const value = passEntryText(bytes, key - 1, end, ENTRY_KEY);
    size += integer;
    if (entries === maxEntries || isDigit(bytes[key + 1]!) || isAmong(bytes, key, entries)) return FAILED;
    next = passEntryText(bytes, value, end, ENTRY_VALUE);
    size += integer;
    if (next !== stop) return FAILED;
    keys[entries++] = key;
  }
  return size <= maxBytes ? next : FAILED;
}

/** Reads a text, maybe empty, and leaves its length in `integer`. */
function passEntryText(bytes: Buffer, at: number, end: number, tag: number): number {
  if (bytes[at] !== tag) return FAILED;
  const start = passVarint(bytes, at + 1, end);
  return passCharacters(bytes, start, end, integer);
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}

function isAmong(bytes: Buffer, key: number, entries: number): boolean {
  for (let i = 0; i < entries; i++) if (isSameKey(bytes, key, keys[i]!)) return true;
  return false;
}

/** Compares the lengths with the texts. For keys of 128 bytes or more it may see a match that is none. */
function isSameKey(bytes: Buffer, a: number, b: number): boolean {
  const length = bytes[a]!;
  for (let i = 0; i <= length; i++) if (bytes[a + i] !== bytes[b + i]) return false;
  return true;
}

/** Goes past the entries of a map of texts. */
export function skipMap(bytes: Buffer, at: number, end: number, tag: number): number {
  let next = at;
  while (next >= 0 && next < end && bytes[next] === tag) {
    const key = passVarint(bytes, next + 1, end);
    const stop = key + integer;
    next = passEntryText(bytes, passEntryText(bytes, key, end, ENTRY_KEY), end, ENTRY_VALUE);
    if (next !== stop) return FAILED;
  }
  return next;
}

/**
 * Finds what the entries of a map of texts, which `skipMap` passes, have under a key: where it begins, its length in
 * `lastInteger`. FAILED and 0 if they have none. Of a key that comes twice the last counts, as for a decoder.
 */
export function findValue(bytes: Buffer, at: number, end: number, key: Buffer): number {
  let found = FAILED;
  let length = 0;
  for (let next = at; next < end; ) {
    const entry = passVarint(bytes, next + 1, end);
    next = entry + integer;
    const start = passVarint(bytes, entry + 1, end);
    const stop = start + integer;
    const value = passVarint(bytes, stop + 1, end);
    if (!isText(bytes, start, stop, key)) continue;
    found = value;
    length = integer;
  }
  integer = length;
  return found;
}

function isText(bytes: Buffer, start: number, stop: number, text: Buffer): boolean {
  if (stop - start !== text.length) return false;
  for (let i = start; i < stop; i++) if (bytes[i] !== text[i - start]) return false;
  return true;
}

/** Reads a varint of at most 49 bits in its shortest form into `integer`. */
function passVarint(bytes: Buffer, at: number, end: number): number {
  let value = 0;
  let scale = 1;
  for (let i = at; i < end && i < at + MAX_VARINT_BYTES; i++) {
    const byte = bytes[i]!;
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) {
      integer = value;
      return byte === 0 && i > at ? FAILED : i + 1;
    }
    scale *= 0x80;
  }
  return FAILED;
}

/**
 * An event that is stored without its number and with that number's micros: a copy of the bytes from `body` to `end`
 * without [numberStart, numberEnd), and with the micros in place of [microsStart, microsEnd), behind a head.
 *
 * @param tag of the event's case
 * @param number in currency units; 0 if `sentMicros` is not
 */
export function withMicros(
  bytes: Buffer,
  tag: number,
  body: number,
  numberStart: number,
  numberEnd: number,
  microsStart: number,
  microsEnd: number,
  end: number,
  microsTag: number,
  number: number,
  sentMicros: number,
): Buffer {
  const fast = fastMicros(number);
  const micros = (fast < 0 ? Number(exactMicros(number)) : fast) + sentMicros;
  const microsBytes = micros === 0 ? 0 : varintBytes(microsTag) + varintBytes(micros);
  const length = numberStart - body + (microsStart - numberEnd) + microsBytes + (end - microsEnd);
  const event = Buffer.allocUnsafe(1 + varintBytes(length) + length);
  event[0] = tag;
  let at = putVarint(event, 1, length);
  at += bytes.copy(event, at, body, numberStart);
  at += bytes.copy(event, at, numberEnd, microsStart);
  at = putNumber(event, at, microsTag, micros);
  bytes.copy(event, at, microsEnd, end);
  return event;
}
