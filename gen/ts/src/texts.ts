import { BLANKS, NOBODY } from './event-rules.ts';

/** Most characters of what was received that a rejection repeats. */
const MAX_CUT = 64;

/** Bytes that JSON adds to a text beside its quotes, of the text measured last. */
export let escapeBytes = 0;

/** Bytes of a text in UTF-8; -1 if it has NUL or half of a surrogate pair, which no field may have. */
export function measure(text: string): number {
  escapeBytes = 0;
  let bytes = text.length;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x20) {
      if (unit === 0) return -1;
      escapeBytes += 5;
    } else if (unit < 0x80) {
      if (unit === 0x22 || unit === 0x5c) escapeBytes++;
    } else if (unit < 0x800) bytes++;
    else if (unit < 0xd800 || unit > 0xdfff) bytes += 2;
    else {
      const next = text.charCodeAt(++i);
      if (unit > 0xdbff || !(next >= 0xdc00 && next <= 0xdfff)) return -1;
      bytes += 2;
    }
  }
  return bytes;
}

/** Whether an id is nobody's, such as "undefined": what programs write where there is none. */
export function isNobody(id: string): boolean {
  const first = id.charCodeAt(0);
  // No text of nobody begins with these letters; ids in hexadecimal mostly do not either.
  if (first > 0x30 && first < 0x7b && !SUSPECT.test(id)) return false;
  return NOBODY.some((pattern) => pattern.test(id)) || isBlank(id);
}

const SUSPECT = /^[uUnN[<]/;

function isBlank(text: string): boolean {
  for (const character of text) {
    const point = character.codePointAt(0)!;
    if (!BLANKS.some(([first, last]) => point >= first && point <= last)) return false;
  }
  return true;
}

/** What a field held, as JSON, for a rejection to repeat. */
export function receivedText(value: unknown): string {
  if (typeof value === 'string') return cut(JSON.stringify(value.slice(0, MAX_CUT)));
  if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  return cut(jsonText(value) ?? '');
}

/** The JSON of a value, in which bigints are text; undefined if it has none. */
export function jsonText(value: unknown): string | undefined {
  try {
    return JSON.stringify(value, (_, inner) => (typeof inner === 'bigint' ? String(inner) : inner));
  } catch {
    // It holds itself.
    return undefined;
  }
}

/** A text as an answer repeats it: well-formed, and short. */
export function cut(text: string): string {
  return wellFormed(text.length <= MAX_CUT ? text : `${text.slice(0, MAX_CUT - 1)}…`);
}

/** A text without halves of surrogate pairs, in place of which U+FFFD stands. */
export function wellFormed(text: string): string {
  return text.replace(/\p{Surrogate}/gu, '\ufffd');
}

/** The nearest of the names, if it is near enough to have been meant. */
export function nearest(name: string, names: Iterable<string>): string | undefined {
  const wanted = plain(name);
  let best: string | undefined;
  let least = Math.floor(Math.max(wanted.length, 3) / 3) + 1;
  for (const candidate of names) {
    const distance = distanceOf(wanted, plain(candidate));
    if (distance < least) {
      least = distance;
      best = candidate;
    }
  }
  return best;
}

function plain(name: string): string {
  return name.slice(0, MAX_CUT).replaceAll('_', '').toLowerCase();
}

/** Levenshtein's: how many letters are to be changed, added or left out. */
function distanceOf(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 0; i < a.length; i++) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j++) {
      next.push(Math.min(next[j]! + 1, row[j + 1]! + 1, row[j]! + (a[i] === b[j] ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length]!;
}
