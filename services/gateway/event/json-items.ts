import { assertBatchSize } from './batch-size.ts';
import { escapedText } from './escaped-text.ts';
import { faultIn, skipBlanks } from './json-fault.ts';

/** One event as it came: parsed, or why it can't be. Integers beyond 2^53 are bigints. */
export type Item = { json: unknown } | { malformed: string };

/** Where an event lies in a text, for the line and column of a fault. */
interface Place {
  start: number;
  end: number;
  /** Lines before the one that it begins in. */
  lines: number;
  /** Where that line begins in the text. */
  lineStart: number;
}

declare global {
  /** What ECMAScript added with "JSON.parse source text access". */
  interface JSON {
    parse(text: string, reviver: (key: string, value: unknown, context: { source: string }) => unknown): unknown;
    /** An object that JSON.stringify writes as this text. */
    rawJSON(text: string): object;
  }
}

/** Digits, where a value may be, of an integer that a double may not hold: 2^53 has 16. */
const LONG_NUMBER = /[:,[\s]-?\d{16}/;
/** Longer ones are numbers as others are, beyond any limit. */
const INTEGER = /^(-?\d{1,30})(?:\.0{1,30})?$/;
const BOM = '\ufeff';

/** Reads one event, of a line of NDJSON or a body. `line` is its number in what it is part of, from 1. */
export function parseItem(bytes: Buffer, line = 1): Item {
  const text = textOf(bytes);
  return parsePart(text, { ...wholeOf(text), lines: line - 1 });
}

/**
 * Reads the events of a body: those of an array, or the one that it is. Undefined if they can't be told apart. Throws
 * INVALID_ARGUMENT for too many.
 */
export function parseItems(text: string): Item[] | undefined {
  const whole = parsed(text);
  if (whole !== undefined) return Array.isArray(whole.json) ? itemsOf(whole.json) : [whole];
  const start = skipBlanks(text, 0);
  return text[start] === '[' ? partsOf(text, start, '') : [{ malformed: jsonFault(text) }];
}

/** The items of an array that was parsed. Throws INVALID_ARGUMENT for too many. */
export function itemsOf(array: readonly unknown[]): Item[] {
  assertBatchSize(array.length);
  return array.map((json) => ({ json }));
}

/**
 * Reads what the array holds that begins at `start`, one by one, so that what is no JSON spoils no other. Undefined if
 * that can't be told: if anything but `closing` follows the array. Throws INVALID_ARGUMENT for too many.
 */
export function partsOf(text: string, start: number, closing: '' | '}'): Item[] | undefined {
  const places = placesAt(text, start, closing);
  if (places === undefined) return undefined;
  assertBatchSize(places.length);
  return places.map((place) => parsePart(text, place));
}

function wholeOf(text: string): Place {
  return { start: 0, end: text.length, lines: 0, lineStart: 0 };
}

/** The text of a body, without a BOM. Bytes that are not UTF-8 are lone surrogates in it. */
export function textOf(bytes: Buffer): string {
  const text = escapedText(bytes);
  return text.startsWith(BOM) ? text.slice(BOM.length) : text;
}

/** Whether a line holds no event. */
export function isBlank(line: Buffer): boolean {
  return line.length === 0 || (line[0]! <= 0x20 && line.toString('latin1').trim() === '');
}

/** Undefined for what is not JSON. */
export function parsed(text: string): { json: unknown } | undefined {
  try {
    return { json: LONG_NUMBER.test(text) ? JSON.parse(text, exactly) : JSON.parse(text) };
  } catch {
    return undefined;
  }
}

function exactly(_: string, value: unknown, { source }: { source: string }): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return value;
  const integer = INTEGER.exec(source)?.[1];
  return integer === undefined ? value : BigInt(integer);
}

/** Reads one event that is part of a text. */
function parsePart(text: string, place: Place): Item {
  return parsed(text.slice(place.start, place.end)) ?? { malformed: faultAt(text, place) };
}

/** Reads one event, from `start` to `end` in a text. */
export function parseBetween(text: string, start: number, end: number): Item {
  return parsePart(text, { start, end, ...lineAt(text, start) });
}

/** What a text that is no JSON is instead, and where that shows. */
export function jsonFault(text: string): string {
  return faultAt(text, wholeOf(text));
}

/** As jsonFault, of an event that is no JSON. */
function faultAt(text: string, place: Place): string {
  const part = text.slice(place.start, place.end);
  if (looksLikeUtf16(part)) return 'UTF-16: send it as UTF-8';
  if (part.trim() === '' && place.end < text.length) {
    return `not valid JSON ${describe(text, { ...place, end: text.length }, part.length)}; a comma too many`;
  }
  const { at, hint } = faultIn(part);
  return `not valid JSON ${describe(text, place, at)}${hint}`;
}

/** @param offset of the fault in the event */
function describe(text: string, { start, end, lines, lineStart }: Place, offset: number): string {
  const at = start + offset;
  const before = text.slice(start, at).split('\n');
  const column = before.length === 1 ? at - lineStart : before.at(-1)!.length;
  const found = at >= end ? 'it ends too early' : `found ${JSON.stringify(text.slice(at, Math.min(end, at + 12)))}`;
  return `at line ${lines + before.length}, column ${column + 1}: ${found.toWellFormed()}`;
}

/** ASCII in UTF-16 has a NUL beside each character. */
function looksLikeUtf16(text: string): boolean {
  return text.length >= 4 && (text[0] === '\0') !== (text[1] === '\0') && (text[2] === '\0') !== (text[3] === '\0');
}

/** Places of what an array holds, told by brackets, quotes and commas alone. */
function placesAt(text: string, start: number, closing: string): Place[] | undefined {
  const places: Place[] = [];
  const { lines: before, lineStart: beginning } = lineAt(text, start);
  let [depth, lines, lineStart] = [0, before, beginning];
  let from = { start: start + 1, lines, lineStart };
  for (let at = start; at < text.length; at++) {
    const mark = text[at];
    if (mark === '"') at = endOfText(text, at);
    else if (mark === '[' || mark === '{') depth++;
    else if (mark === ']' || mark === '}') depth--;
    else if (mark === '\n') {
      lines++;
      lineStart = at + 1;
    }
    if (depth > 1 || (depth === 1 && mark !== ',')) continue;
    if (places.length > 0 || depth === 1 || text.slice(from.start, at).trim() !== '') places.push({ ...from, end: at });
    if (depth === 0) return text.slice(at + 1).trim() === closing ? places : undefined;
    from = { start: at + 1, lines, lineStart };
  }
  return undefined;
}

function lineAt(text: string, at: number): Pick<Place, 'lines' | 'lineStart'> {
  const lines = text.slice(0, at).split('\n');
  return { lines: lines.length - 1, lineStart: at - lines.at(-1)!.length };
}

/** Where a text in quotes ends, or before the end of the line that it is not closed in. */
function endOfText(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] === '"') return at;
    if (text[at] === '\n') return at - 1;
    if (text[at] === '\\' && text[at + 1] !== '\n') at++;
  }
  return text.length;
}
