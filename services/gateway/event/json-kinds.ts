import type { FieldShape } from '../../contract/event-rules.ts';
import { jsonText } from './received.ts';

/** The JSON of a field with one kind of rule. */
export interface Kind {
  /** What the field must be, for people. */
  name: string;
  /** What the message holds where a field is absent that is not optional. */
  empty: unknown;
  /** What the message holds for a value, in which integers beyond 2^53 are bigints; undefined for any other value. */
  read(value: unknown): unknown;
}

/** Digits can be matched in one way only: in two, a text of 60,000 of them and a letter took 4 s. */
const DECIMAL = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/;
const DIGITS = /^[+-]?\d{1,30}$/;
/** RFC 3339, section 5.6, with seconds and a zone. */
const DATE_TIME = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)$/;

const TEXT: Kind = {
  name: 'text, in quotes',
  empty: '',
  read: (value) => (typeof value === 'string' ? value : undefined),
};
const NUMBER: Kind = {
  name: 'a number such as 19.99, without separators, blanks or currency signs',
  empty: 0,
  read: (value) => {
    if (typeof value === 'number') return value;
    return typeof value === 'bigint' || (typeof value === 'string' && DECIMAL.test(value)) ? Number(value) : undefined;
  },
};
const INTEGER: Kind = { name: 'a whole number, of digits only', empty: 0n, read: readInteger };
const TIME: Kind = {
  name: 'milliseconds since 1970-01-01 UTC, or a time with its zone such as 2026-11-20T12:00:00Z',
  empty: 0n,
  read: (value) => (typeof value === 'string' && DATE_TIME.test(value) ? readDateTime(value) : readInteger(value)),
};
const FLAG: Kind = {
  name: 'true or false, without quotes',
  empty: false,
  read: (value) => (typeof value === 'boolean' ? value : undefined),
};
const TEXTS: Kind = { name: 'an object of texts', empty: {}, read: readTexts };

export const KINDS: Readonly<Record<NonNullable<FieldShape['rule']['case']>, Kind>> = {
  uuid: TEXT,
  text: TEXT,
  currency: TEXT,
  choice: TEXT,
  flag: FLAG,
  time: TIME,
  number: NUMBER,
  integer: INTEGER,
  map: TEXTS,
};

function readInteger(value: unknown): bigint | undefined {
  if (typeof value === 'bigint') return value;
  const isInteger = typeof value === 'string' ? DIGITS.test(value) : isExact(value);
  return isInteger ? BigInt(value as string | number) : undefined;
}

/** Whether a number can't have been rounded when it was read, as 1e17 may have been; or it is beyond any limit. */
function isExact(value: unknown): boolean {
  return Number.isSafeInteger(value) || (Number.isInteger(value) && Math.abs(value as number) > 1e18);
}

/** In ms; what is finer is cut. Undefined for a day or an hour that does not exist. */
function readDateTime(text: string): bigint | undefined {
  const time = Date.parse(text.toUpperCase().replace(' ', 'T'));
  const day = Number(text.slice(8, 10));
  const month = Number(text.slice(5, 7));
  // Date.parse takes February 30 for March 2.
  const exists = new Date(Date.UTC(Number(text.slice(0, 4)), month - 1, day)).getUTCDate() === day;
  return Number.isNaN(time) || !exists ? undefined : BigInt(time);
}

/** Numbers and booleans become text, what nests its JSON; null is left out, as an empty array is, which PHP writes. */
function readTexts(value: unknown): Readonly<Record<string, string>> | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if (Array.isArray(value)) return value.length === 0 ? {} : undefined;
  const given = value as Readonly<Record<string, unknown>>;
  for (const key in given) if (typeof given[key] !== 'string') return textsOf(given);
  return given as Readonly<Record<string, string>>;
}

function textsOf(given: Readonly<Record<string, unknown>>): Record<string, string> {
  const entries = Object.entries(given).flatMap(([key, value]): [string, string][] => {
    if (value === null) return [];
    // Left out for its NUL.
    return [[key, typeof value === 'string' ? value : (jsonText(value) ?? '\0')]];
  });
  return Object.fromEntries(entries);
}
