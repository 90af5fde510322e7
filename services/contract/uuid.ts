const NOT_HEX = 0xff;

/** The value of a lower-case hex digit, by its ASCII code. */
const HEX_VALUES = new Uint8Array(256).fill(NOT_HEX);
for (let digit = 0; digit < 16; digit++) HEX_VALUES[digit.toString(16).charCodeAt(0)] = digit;

const HEX_DIGITS = Buffer.from('0123456789abcdef');
const DASH = '-'.charCodeAt(0);

/** Characters of a UUID. */
export const UUID_LENGTH = 36;

/** 32-bit words of a UUID, the first digits in the first one. They compare fast and need no object. */
export const UUID_WORDS = 4;

/**
 * Reads the words of a lower-case UUID whose text, in ASCII, begins at `at`. False if there is none: then the words
 * mean nothing.
 */
export function parseUuid(text: Uint8Array, at: number, words: Int32Array, index: number): boolean {
  wrong = 0;
  words[index] = (digits(text, at) << 16) | digits(text, at + 4);
  words[index + 1] = (digits(text, at + 9) << 16) | digits(text, at + 14);
  words[index + 2] = (digits(text, at + 19) << 16) | digits(text, at + 24);
  words[index + 3] = (digits(text, at + 28) << 16) | digits(text, at + 32);
  const isDashed = text[at + 8] === DASH && text[at + 13] === DASH && text[at + 18] === DASH && text[at + 23] === DASH;
  return isDashed && wrong < 0x10;
}

/** Has a bit above the lowest four once a digit was none. */
let wrong = 0;

/** Four digits. */
function digits(text: Uint8Array, at: number): number {
  const a = HEX_VALUES[text[at]!]!;
  const b = HEX_VALUES[text[at + 1]!]!;
  const c = HEX_VALUES[text[at + 2]!]!;
  const d = HEX_VALUES[text[at + 3]!]!;
  wrong |= a | b | c | d;
  return (a << 12) | (b << 8) | (c << 4) | d;
}

/** Writes the text, in ASCII, of a UUID. */
export function writeUuidText(text: Uint8Array, at: number, words: Int32Array, index: number): void {
  writeDigits(text, at, words[index]! >>> 16);
  writeDigits(text, at + 4, words[index]!);
  text[at + 8] = DASH;
  writeDigits(text, at + 9, words[index + 1]! >>> 16);
  text[at + 13] = DASH;
  writeDigits(text, at + 14, words[index + 1]!);
  text[at + 18] = DASH;
  writeDigits(text, at + 19, words[index + 2]! >>> 16);
  text[at + 23] = DASH;
  writeDigits(text, at + 24, words[index + 2]!);
  writeDigits(text, at + 28, words[index + 3]! >>> 16);
  writeDigits(text, at + 32, words[index + 3]!);
}

/** The last four digits of a number. */
function writeDigits(text: Uint8Array, at: number, value: number): void {
  text[at] = HEX_DIGITS[(value >>> 12) & 15]!;
  text[at + 1] = HEX_DIGITS[(value >>> 8) & 15]!;
  text[at + 2] = HEX_DIGITS[(value >>> 4) & 15]!;
  text[at + 3] = HEX_DIGITS[value & 15]!;
}

const scratch = Buffer.alloc(UUID_LENGTH);

/** The text of a UUID. */
export function uuidText(words: Int32Array, index: number): string {
  writeUuidText(scratch, 0, words, index);
  return scratch.toString('latin1', 0, UUID_LENGTH);
}

/** Reads the words of a UUID. Throws an Error if it is none in lower case. */
export function readUuidText(uuid: string, words: Int32Array, index: number): void {
  scratch.write(uuid, 0, UUID_LENGTH, 'latin1');
  if (uuid.length !== UUID_LENGTH || !parseUuid(scratch, 0, words, index)) throw new Error(`${uuid} is not a UUID`);
}
