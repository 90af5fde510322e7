import type { FieldRule } from './event-rules.ts';
import { jsonText } from './texts.ts';

/** How a field of one kind is read from what a caller has. */
export interface Kind {
  /** What the field must be, for people. */
  name: string;
  /** What the event holds for a value; undefined for what the field can't be. */
  read(value: unknown): unknown;
}

/** A value in micros, exact, of a decimal text. */
export class ExactMoney {
  readonly micros: bigint;

  constructor(micros: bigint) {
    this.micros = micros;
  }
}

const DECIMAL = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/;
/** Decimal text that is converted digit by digit, of a size that any limit of the contract is below. */
const PLAIN_DECIMAL = /^\+?(\d{0,30})(?:\.(\d{0,6})(\d*))?$/;
const DIGITS = /^[+-]?\d{1,30}$/;
/** RFC 3339, section 5.6, with seconds and a zone. */
const DATE_TIME = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)$/;

const TEXT: Kind = { name: 'text, in quotes', read: (value) => (typeof value === 'string' ? value : undefined) };

const KINDS: Readonly<Record<FieldRule['kind'], Kind>> = {
  uuid: TEXT,
  text: TEXT,
  currency: TEXT,
  choice: TEXT,
  flag: { name: 'true or false, without quotes', read: (value) => (typeof value === 'boolean' ? value : undefined) },
  time: {
    name: 'milliseconds since 1970-01-01 UTC, or a time with its zone such as 2026-11-20T12:00:00Z',
    read: readTime,
  },
  number: { name: 'a number such as 19.99, without separators, blanks or currency signs', read: readNumber },
  integer: { name: 'a whole number, of digits only', read: readInteger },
  map: { name: 'an object of texts', read: readTexts },
};

export function kindOf(rule: FieldRule): Kind {
  return KINDS[rule.kind];
}

function readNumber(value: unknown): number | ExactMoney | undefined {
  if (typeof value === 'number') return value;
  if (typeof value === 'bigint') return Number(value);
  if (typeof value !== 'string' || !DECIMAL.test(value)) return undefined;
  const plain = PLAIN_DECIMAL.exec(value);
  if (plain === null) return Number(value);
  const [, whole = '', micros = '', rest = ''] = plain;
  const roundsUp = rest >= '5';
  return new ExactMoney(BigInt(whole + micros.padEnd(6, '0')) + (roundsUp ? 1n : 0n));
}

function readInteger(value: unknown): bigint | undefined {
  if (typeof value === 'bigint') return value;
  const isInteger = typeof value === 'string' ? DIGITS.test(value) : isExact(value);
  return isInteger ? BigInt((value as string | number).toString().replace('+', '')) : undefined;
}

/** Whether a number can't have been rounded when it was read, as 1e17 may have been; or it is beyond any limit. */
function isExact(value: unknown): boolean {
  return (
    Number.isSafeInteger(value) ||
    (Number.isInteger(value) && Math.abs(value as number) > 1e18 && (value as number) < 1e21)
  );
}

/** In ms. One beyond 2^53, which is beyond any limit, stays a bigint for the rejection to repeat. */
export function readTime(value: unknown): number | bigint | undefined {
  if (typeof value === 'number') return Number.isInteger(value) ? value : undefined;
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? undefined : value.getTime();
  if (typeof value !== 'string') return undefined;
  if (DATE_TIME.test(value)) return readDateTime(value);
  return DIGITS.test(value) ? readTime(readInteger(value)) : undefined;
}

/** Undefined for a day or an hour that does not exist. */
function readDateTime(text: string): number | undefined {
  const time = Date.parse(text.toUpperCase().replace(' ', 'T'));
  const day = Number(text.slice(8, 10));
  // Date.parse takes February 30 for March 2.
  const date = new Date(Date.UTC(Number(text.slice(0, 4)), Number(text.slice(5, 7)) - 1, day));
  return Number.isNaN(time) || date.getUTCDate() !== day ? undefined : time;
}

/** The texts of a map; undefined for an entry that has none. */
function readTexts(value: unknown): Record<string, unknown> | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const texts: Record<string, unknown> = {};
  if (Array.isArray(value)) return value.length === 0 ? texts : undefined;
  const given = value as Readonly<Record<string, unknown>>;
  for (const key in given) {
    const entry = given[key];
    if (entry === undefined) continue;
    const text = entry === null ? undefined : typeof entry === 'object' ? jsonText(entry) : plainText(entry);
    if (key !== '__proto__') texts[key] = text;
    else Object.defineProperty(texts, key, { value: text, ...OWN });
  }
  return texts;
}

/** As any other property, where assigning would set the prototype. */
const OWN = { configurable: true, enumerable: true, writable: true };

function plainText(entry: unknown): string | undefined {
  return typeof entry === 'function' || typeof entry === 'symbol' ? undefined : String(entry);
}
