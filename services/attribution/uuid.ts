const NOT_HEX = 0xff;

/** The value of a lower-case hex digit, by its ASCII code. */
const HEX_VALUES = new Uint8Array(256).fill(NOT_HEX);
for (let digit = 0; digit < 16; digit++) HEX_VALUES[digit.toString(16).charCodeAt(0)] = digit;

const HEX_DIGITS = Buffer.from('0123456789abcdef');

/** Where the digit pairs of a UUID's text begin. */
const PAIRS = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34];
const DASHES = [8, 13, 18, 23];
const DASH = '-'.charCodeAt(0);

/** Characters of a UUID. */
export const UUID_LENGTH = 36;

/** Whether a lower-case UUID in ASCII begins at `at`. */
export function isUuid(text: Uint8Array, at: number): boolean {
  for (const dash of DASHES) if (text[at + dash] !== DASH) return false;
  for (const pair of PAIRS) {
    if (HEX_VALUES[text[at + pair]!] === NOT_HEX || HEX_VALUES[text[at + pair + 1]!] === NOT_HEX) return false;
  }
  return true;
}

/** Writes the 16 bytes of a UUID whose text, in ASCII, begins at `at`. */
export function copyUuid(text: Uint8Array, at: number, bytes: Uint8Array, start: number): void {
  for (let i = 0; i < 16; i++) {
    const pair = at + PAIRS[i]!;
    bytes[start + i] = (HEX_VALUES[text[pair]!]! << 4) | HEX_VALUES[text[pair + 1]!]!;
  }
}

/** Writes the 16 bytes of a UUID. */
export function writeUuid(bytes: Buffer, start: number, uuid: string): void {
  bytes.write(uuid.replaceAll('-', ''), start, 'hex');
}

/** The text of the UUID whose 16 bytes begin at `start`. */
export function readUuid(bytes: Buffer, start: number): string {
  const hex = bytes.toString('hex', start, start + 16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** Writes the text, in ASCII, of the UUID whose 16 bytes begin at `start`. */
export function writeUuidText(text: Buffer, at: number, bytes: Buffer, start: number): void {
  for (const dash of DASHES) text[at + dash] = DASH;
  for (let i = 0; i < 16; i++) {
    const byte = bytes[start + i]!;
    text[at + PAIRS[i]!] = HEX_DIGITS[byte >> 4]!;
    text[at + PAIRS[i]! + 1] = HEX_DIGITS[byte & 15]!;
  }
}
