/**
 * Writers of Protobuf's wire format (protobuf.dev/programming-guides/encoding) for the messages that are encoded by
 * hand because generic code is too slow for them.
 *
 * Each writes at the offset `at` and returns the offset behind what it wrote. Making room is up to the caller: what is
 * beyond the end of `to` is lost without an error. A value out of the documented range is a RangeError. A tag is
 * `field number << 3 | wire type`, in [8, 2^32).
 *
 * All callers share what V8 learns of these functions. So `to` is always a Buffer, never another Uint8Array, whose
 * hidden class would make every write slower; and a number that often is 2^31 or more goes by putNumber, which keeps it
 * out of putVarint: for integers that may be doubles a record of Kafka took 8% longer (measured 2026-11, putRecord).
 */

/** Tags of a map's entries. */
export const ENTRY_KEY = (1 << 3) | 2;
export const ENTRY_VALUE = (2 << 3) | 2;

/** Number of bytes of an integer in [0, 2^53) as a varint; whether it is one, putVarint checks. */
export function varintBytes(value: number): number {
  return value < 0x80 ? 1 : value < 0x4000 ? 2 : longVarintBytes(value);
}

function longVarintBytes(value: number): number {
  let bytes = 3;
  for (let rest = value / 0x4000; rest >= 0x80; rest /= 0x80) bytes++;
  return bytes;
}

/** Writes an integer in [0, 2^53). */
export function putVarint(to: Buffer, at: number, value: number): number {
  let rest = value >>> 0;
  if (rest !== value) return putLongVarint(to, at, value);
  let end = at;
  for (; rest > 0x7f; rest >>>= 7) to[end++] = rest | 0x80;
  to[end] = rest;
  return end + 1;
}

const MAX_INT32 = 0x7fffffff;
/** Greatest integer that a number is exact for, as a big integer: one is compared with a number by a slow call. */
const MAX_EXACT = BigInt(Number.MAX_SAFE_INTEGER);

/** Splits off the lowest four bytes: shifts do for the rest of 25 bits, and take less than divisions. */
function putLongVarint(to: Buffer, at: number, value: number): number {
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`${value} is not an integer in [0, 2^53)`);
  const high = Math.floor(value / 2 ** 28);
  const low = value - high * 2 ** 28;
  for (let i = 0; i < 4; i++) to[at + i] = (low >>> (7 * i)) | 0x80;
  return putVarint(to, at + 4, high | 0);
}

/** Writes a field of an integer in [0, 2^53); none for 0, as proto3 has it. */
export function putNumber(to: Buffer, at: number, tag: number, value: number): number {
  if (value === 0) return at;
  const start = putVarint(to, at, tag);
  return value > MAX_INT32 ? putLongVarint(to, start, value) : putVarint(to, start, value);
}

/** Writes a field of an int64 or uint64, in [-2^63, 2^64); none for 0. Negative ones take ten bytes. */
export function putBigint(to: Buffer, at: number, tag: number, value: bigint): number {
  if (value >= 0n && value <= MAX_EXACT) return putNumber(to, at, tag, Number(value));
  return putBigVarint(to, putVarint(to, at, tag), value);
}

/** Writes an integer in [-2^63, 2^64). */
export function putBigVarint(to: Buffer, at: number, value: bigint): number {
  if (value >= 0n && value <= MAX_EXACT) return putVarint(to, at, Number(value));
  if (value < -(2n ** 63n) || value >= 2n ** 64n) throw new RangeError(`${value} is not in [-2^63, 2^64)`);
  let end = at;
  let rest = BigInt.asUintN(64, value);
  for (; rest > 0x7fn; rest >>= 7n) to[end++] = Number(rest & 0x7fn) | 0x80;
  to[end] = Number(rest);
  return end + 1;
}

/** Writes a field of a double; none for 0. */
export function putDouble(to: Buffer, at: number, tag: number, value: number): number {
  return value === 0 ? at : to.writeDoubleLE(value, putVarint(to, at, tag));
}

/** Writes a field of a text; none for the empty one. */
export function putText(to: Buffer, at: number, tag: number, text: string): number {
  return text === '' ? at : putSizedText(to, putVarint(to, at, tag), text);
}

/** Writes a text in UTF-8 with its length before it, the empty one, too. */
export function putSizedText(to: Buffer, at: number, text: string): number {
  if (text.length < 0x80 && putAscii(to, at + 1, text)) {
    to[at] = text.length;
    return at + 1 + text.length;
  }
  const start = putVarint(to, at, Buffer.byteLength(text));
  return start + to.write(text, start);
}

/** A loop, which for texts this short takes less than a call into the runtime. False if a character is not ASCII. */
function putAscii(to: Buffer, at: number, text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code >= 0x80) return false;
    to[at + i] = code;
  }
  return true;
}

/** Writes a field of the bytes [start, end), of a text or a message; none if there are none. Meant for a few bytes. */
export function putBytes(to: Buffer, at: number, tag: number, bytes: Buffer, start: number, end: number): number {
  return end === start ? at : putSizedBytes(to, putVarint(to, at, tag), bytes, start, end);
}

/** Writes these bytes with their length before them, none, too. */
export function putSizedBytes(to: Buffer, at: number, bytes: Buffer, start: number, end: number): number {
  const first = putVarint(to, at, end - start);
  // A loop, which for so few takes less than a call into the runtime.
  for (let i = start; i < end; i++) to[first + i - start] = bytes[i]!;
  return first + end - start;
}

/** Writes an entry of a map of texts. */
export function putEntry(to: Buffer, at: number, tag: number, key: string, value: string): number {
  const [keyBytes, valueBytes] = [Buffer.byteLength(key), Buffer.byteLength(value)];
  const length = 2 + varintBytes(keyBytes) + keyBytes + varintBytes(valueBytes) + valueBytes;
  const start = putVarint(to, putVarint(to, at, tag), length);
  to[start] = ENTRY_KEY;
  const end = putSizedText(to, start + 1, key);
  to[end] = ENTRY_VALUE;
  return putSizedText(to, end + 1, value);
}
