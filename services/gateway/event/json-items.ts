import { escapedText } from './escaped-text.ts';

/** One event as it came: parsed, or why it can't be. Integers beyond 2^53 are bigints. */
export type Item = { json: unknown } | { malformed: string };

/** Where text that isn't all of a body lies in it, for the line and column of a fault. */
interface Place {
  text: string;
  start: number;
  end: number;
  /** Lines before the text. */
  lines: number;
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
const INTEGER = /^-?\d+$/;
const BOM = '\ufeff';

/** Reads one event, of a line of NDJSON or a body. `line` is its number in what it is part of, from 1. */
export function parseItem(bytes: Buffer, line = 1): Item {
  const text = textOf(bytes);
  return parsePart({ text, start: 0, end: text.length, lines: line - 1 });
}

/** Reads the events of a body: those of an array, or the one that it is. Undefined if they can't be told apart. */
export function parseItems(text: string): Item[] | undefined {
  const whole = parsed(text);
  if (whole !== undefined) return Array.isArray(whole.json) ? whole.json.map((json) => ({ json })) : [whole];
  const start = skipBlanks(text, 0);
  return text[start] === '[' ? partsOf(text, start, '') : [parsePart({ text, start: 0, end: text.length, lines: 0 })];
}

/**
 * Reads what the array holds that begins at `start`, one by one, so that what is no JSON spoils no other. Undefined if
 * that can't be told: if anything but `closing` follows the array.
 */
export function partsOf(text: string, start: number, closing: '' | '}'): Item[] | undefined {
  const ranges = membersAt(text, start, closing);
  return ranges?.map((range) => parsePart({ text, ...range, lines: 0 }));
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
  return typeof value === 'number' && !Number.isSafeInteger(value) && INTEGER.test(source) ? BigInt(source) : value;
}

/** Reads one event that is part of a text. */
export function parsePart({ text, start, end, lines }: Place): Item {
  const part = text.slice(start, end);
  const item = parsed(part);
  if (item !== undefined) return item;
  if (looksLikeUtf16(part)) return { malformed: 'UTF-16: send it as UTF-8' };
  const { at, hint } = faultIn(part);
  return { malformed: `not valid JSON ${placeOf(text, start + at, end, lines)}${hint}` };
}

/** Says that a body is no JSON, and where. */
export function jsonFault(text: string): string {
  const item = parsePart({ text, start: 0, end: text.length, lines: 0 });
  return 'malformed' in item ? item.malformed : 'valid JSON';
}

function placeOf(text: string, at: number, end: number, lines: number): string {
  const before = text.slice(0, at).split('\n');
  const found = at >= end ? 'it ends too early' : `found ${JSON.stringify(text.slice(at, Math.min(end, at + 12)))}`;
  return `at line ${lines + before.length}, column ${before.at(-1)!.length + 1}: ${found.toWellFormed()}`;
}

/** ASCII in UTF-16 has a NUL beside each character. */
function looksLikeUtf16(text: string): boolean {
  return text.length >= 4 && (text[0] === '\0') !== (text[1] === '\0') && (text[2] === '\0') !== (text[3] === '\0');
}

// ----------------------------------------------------------------------------------------------------- where JSON ends

/** A mark, a text, or another value. */
const TOKEN = new RegExp(
  String.raw`([{}[\],:])|("(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*")|` +
    String.raw`(?:-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)(?![\w.+-])`,
  'y',
);

/** What may come next. A first value or key may also be the end of its array or object. */
type Expected = 'value' | 'first value' | 'key' | 'first key' | 'colon' | 'comma';

/** Where a text stops being JSON, by the grammar of RFC 8259, and a hint for what is often meant there. */
function faultIn(text: string): { at: number; hint: string } {
  const open: string[] = [];
  let expected: Expected = 'value';
  let at = 0;
  for (;;) {
    at = skipBlanks(text, at);
    if (expected === 'comma' && open.length === 0) break;
    TOKEN.lastIndex = at;
    const match = TOKEN.exec(text);
    const next: Expected | undefined =
      match === null ? undefined : following(match[1], match[2] !== undefined, expected, open);
    if (next === undefined) break;
    expected = next;
    at = TOKEN.lastIndex;
  }
  return { at, hint: hintFor(text.slice(at, at + 12), open.length) };
}

/** What may come after a token; undefined if the token may not be there. */
function following(
  mark: string | undefined,
  isText: boolean,
  expected: Expected,
  open: string[],
): Expected | undefined {
  const atValue = expected === 'value' || expected === 'first value';
  const atKey = expected === 'key' || expected === 'first key';
  if (mark === undefined) return atValue ? 'comma' : atKey && isText ? 'colon' : undefined;
  if (mark === ':') return expected === 'colon' ? 'value' : undefined;
  if (mark === ',') return expected === 'comma' ? (open.at(-1) === '{' ? 'key' : 'value') : undefined;
  if (mark === '{' || mark === '[') {
    if (!atValue) return undefined;
    open.push(mark);
    return mark === '{' ? 'first key' : 'first value';
  }
  const opened = mark === '}' ? '{' : '[';
  const mayEnd = expected === 'comma' || expected === (mark === '}' ? 'first key' : 'first value');
  return mayEnd && open.pop() === opened ? 'comma' : undefined;
}

function hintFor(found: string, depth: number): string {
  if (/^[-+]?(NaN|Infinity|inf)/i.test(found)) return '; JSON has no such number, leave the field out';
  if (/^(None|True|False|undefined)/.test(found)) return '; JSON writes null, true, false';
  if (found.startsWith("'")) return '; JSON has double quotes';
  if (/^[}\]]/.test(found)) return '; a comma too many';
  if (depth === 0 && found.startsWith('{')) return '; one event a line is application/x-ndjson';
  return '';
}

function skipBlanks(text: string, from: number): number {
  let at = from;
  while (' \t\r\n'.includes(text[at] ?? 'x')) at++;
  return at;
}

/** Ranges of what an array holds, told by brackets, quotes and commas alone. */
function membersAt(text: string, start: number, closing: string): { start: number; end: number }[] | undefined {
  const ranges: { start: number; end: number }[] = [];
  let depth = 0;
  let from = start + 1;
  for (let at = start; at < text.length; at++) {
    const mark = text[at];
    if (mark === '"') at = endOfText(text, at);
    else if (mark === '[' || mark === '{') depth++;
    else if (mark === ']' || mark === '}') depth--;
    if (depth > 1 || (depth === 1 && mark !== ',')) continue;
    if (ranges.length > 0 || text.slice(from, at).trim() !== '' || depth === 1) ranges.push({ start: from, end: at });
    if (depth === 0) return text.slice(at + 1).trim() === closing ? ranges : undefined;
    from = at + 1;
  }
  return undefined;
}

/** Where a text in quotes ends, or the line does. */
function endOfText(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === '"' || text[at] === '\n') return at;
  }
  return text.length;
}
