import { isUtf8 } from 'node:buffer';

/** A byte that is not UTF-8 becomes the lone surrogate U+DC00 + byte, as Python's surrogateescape has it (PEP 383). */
const ESCAPE = 0xdc00;
/** Smallest code point that takes so many bytes (RFC 3629): a smaller one written longer is not UTF-8. */
const LEAST = [0, 0, 0x80, 0x800, 0x10000];
const SUPPLEMENT = 0x10000;
const MAX_CODE_POINT = 0x10ffff;

/** The text of bytes: what is UTF-8 in them as it is, each other byte as a lone surrogate, which no UTF-8 has. */
export function escapedText(bytes: Uint8Array): string {
  const { buffer, byteOffset, length } = bytes;
  const whole = Buffer.from(buffer, byteOffset, length);
  return isUtf8(whole) ? whole.toString() : withEscapes(whole);
}

function withEscapes(bytes: Buffer): string {
  const units = new Uint16Array(bytes.length);
  let count = 0;
  for (let at = 0; at < bytes.length; ) {
    const first = bytes[at]!;
    const size = sizeOf(first);
    const point = codePoint(bytes, at, size);
    if (point === -1) units[count++] = ESCAPE + first;
    else if (point < SUPPLEMENT) units[count++] = point;
    else {
      units[count++] = 0xd800 + ((point - SUPPLEMENT) >> 10);
      units[count++] = 0xdc00 + (point & 0x3ff);
    }
    at += point === -1 ? 1 : size;
  }
  return Buffer.from(units.buffer, 0, 2 * count).toString('utf16le');
}

/** Bytes of a character that begins with this one; 0 if none does. */
function sizeOf(first: number): number {
  if (first < 0x80) return 1;
  if (first < 0xc0 || first >= 0xf8) return 0;
  return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

/** The character of `size` bytes that begins here; -1 if none does. */
function codePoint(bytes: Buffer, at: number, size: number): number {
  if (size <= 1) return size === 1 ? bytes[at]! : -1;
  let point = bytes[at]! & (0x7f >> size);
  for (let i = at + 1; i < at + size; i++) {
    const byte = bytes[i] ?? 0;
    if ((byte & 0xc0) !== 0x80) return -1;
    point = (point << 6) | (byte & 0x3f);
  }
  const isSurrogate = point >= 0xd800 && point < 0xe000;
  return point < LEAST[size]! || point > MAX_CODE_POINT || isSurrogate ? -1 : point;
}
