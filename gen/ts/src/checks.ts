import type { Rejection } from './errors.ts';
import type { FieldRule } from './event-rules.ts';
import type { Shape } from './fields.ts';
import { escapeBytes, isNobody, measure, receivedText } from './texts.ts';

/** The fields of an event that were read, by their local names; what is absent is undefined. */
export type Fields = Record<string, unknown>;

type Fault = Omit<Rejection, 'limit' | 'received'> & Partial<Rejection>;
/** Returns the first fault, by field number. `now` is in ms. */
type Step = (shape: Shape, fields: Fields, now: number) => Fault | undefined;

const HOUR_MS = 3_600_000;
/** Latest time of a Date (ECMA-262, time range). */
const MAX_DATE_MS = 8.64e15;
/** Bytes of JSON that numbers, names and braces of an event take at most. */
const FRAME_BYTES = 320;

/** The steps that every event must pass, in the order of the gateway; the first fault rejects it. */
const STEPS: readonly Step[] = [
  requiredFieldsPresent,
  textsWellFormed,
  textsShortEnough,
  idsAreSomebodys,
  choicesKnown,
  numberFitsChoice,
  timesInRange,
  numbersFinite,
  numbersInRange,
  moneyAgrees,
];

/** Bytes that the texts of the event checked last take in JSON. */
let textBytes = 0;

/** Returns what is wrong with an event by the contract; else the most bytes that it takes, as JSON or as Protobuf. */
export function check(shape: Shape, fields: Fields, now: number): Rejection | number {
  textBytes = 0;
  for (const step of STEPS) {
    const fault = step(shape, fields, now);
    if (fault !== undefined) return { limit: '', received: receivedOf(shape, fields, fault.field), ...fault };
  }
  return FRAME_BYTES + textBytes;
}

function receivedOf({ rules }: Shape, fields: Fields, field: string): string {
  const faulty = rules.find(({ name }) => name === field);
  const value = faulty && fields[faulty.localName];
  return value ? receivedText(value) : '';
}

function requiredFieldsPresent({ required }: Shape, fields: Fields): Fault | undefined {
  for (const { name, localName, kind, optional, foundBy } of required) {
    const value = fields[localName];
    if (value || (optional && value !== undefined)) continue;
    // The gateway finds it.
    if (foundBy !== undefined && value === undefined) continue;
    const message = `${name} is required${kind === 'time' ? ': it is missing or 0' : ''}`;
    return { field: name, reason: 'REQUIRED', message };
  }
  return undefined;
}

/** Bytes of each text of the event checked last, in the order of Shape.written. */
const sizes: number[] = [];

function textsWellFormed({ written }: Shape, fields: Fields): Fault | undefined {
  for (let i = 0; i < written.length; i++) {
    const { name, localName } = written[i]!;
    const text = fields[localName] as string | undefined;
    sizes[i] = 0;
    if (text === undefined) continue;
    const bytes = measure(text);
    if (bytes < 0) {
      const message = `${name} has NUL, half of a surrogate pair, or bytes that are not UTF-8: send it as UTF-8 text`;
      return { field: name, reason: 'MALFORMED', message };
    }
    sizes[i] = bytes;
    textBytes += bytes + escapeBytes;
  }
  return undefined;
}

/** `texts` is the begin of `written`. */
function textsShortEnough({ texts }: Shape): Fault | undefined {
  for (let i = 0; i < texts.length; i++) {
    const { name, maxBytes } = texts[i]!;
    if (sizes[i]! <= maxBytes!) continue;
    const limit = `${maxBytes} bytes`;
    const message = `${name} must have at most ${limit} of UTF-8: it has ${sizes[i]}`;
    return { field: name, reason: 'TOO_LONG', limit, message };
  }
  return undefined;
}

function idsAreSomebodys({ ids }: Shape, fields: Fields): Fault | undefined {
  for (const { name, localName } of ids) {
    const id = fields[localName] as string | undefined;
    if (!id || !isNobody(id)) continue;
    const why = 'strangers would share it; send the event once the id is known';
    const message = `${name} is a placeholder, not an id: ${why}`;
    return { field: name, reason: 'PLACEHOLDER', message };
  }
  return undefined;
}

function choicesKnown({ choices }: Shape, fields: Fields): Fault | undefined {
  for (const { name, localName, values } of choices) {
    if (values!.includes(fields[localName] as string)) continue;
    const limit = `${values!.slice(0, -1).join(', ')}, or ${values!.at(-1)}`;
    return { field: name, reason: 'UNKNOWN_CHOICE', limit, message: `${name} must be ${limit}` };
  }
  return undefined;
}

/** What a number would mean where it has no meaning, or counting none as 0, is a guess about money. */
function numberFitsChoice({ choices, money }: Shape, fields: Fields): Fault | undefined {
  for (const { localName, withoutValue = [] } of choices) {
    if (money === undefined || withoutValue.length === 0) continue;
    const { from, to } = money;
    const chosen = fields[localName] as string;
    const given = [from, to].find((field) => fields[field.localName] !== undefined);
    const mayHave = !withoutValue.includes(chosen);
    if (mayHave && given === undefined) {
      const message = `${from.name} is required for a ${chosen}: send ${from.name} or ${to.name}`;
      return { field: from.name, reason: 'REQUIRED', message };
    }
    if (!mayHave && given !== undefined) {
      const message = `${given.name} and ${chosen} contradict each other: a ${chosen} has no ${from.name}`;
      return { field: given.name, reason: 'CONTRADICTION', message };
    }
  }
  return undefined;
}

function timesInRange({ times }: Shape, fields: Fields, now: number): Fault | undefined {
  for (const rule of times) {
    const sent = fields[rule.localName] as number | bigint;
    const time = Number(sent);
    const [min, max] = [rule.minMs!, now + rule.maxAheadMs!];
    if (time >= min && time <= max) continue;
    const earliest = new Date(min).toISOString().slice(0, 10);
    const limit = `[${earliest}, now + ${rule.maxAheadMs! / HOUR_MS} h] in milliseconds`;
    const message = `${rule.name} must be in ${limit}: ${sent} ${lookOf(time, min, max)}`;
    return { field: rule.name, reason: 'OUT_OF_RANGE', limit, message };
  }
  return undefined;
}

/** What a time out of range looks like, and what to do. All in ms. */
function lookOf(time: number, min: number, max: number): string {
  const isTime = (ms: number) => ms >= min && ms <= max;
  if (isTime(time * 1000)) return 'looks like seconds, multiply by 1,000';
  if (isTime(time / 1000)) return 'looks like microseconds, divide by 1,000';
  if (isTime(time / 1e6)) return 'looks like nanoseconds, divide by 1,000,000';
  const date = Math.abs(time) > MAX_DATE_MS ? '' : `is ${new Date(time).toISOString()}, `;
  return time > max ? `${date}in the future: check the clock of the sender` : `${date}too early: check its unit`;
}

function numbersFinite({ numbers }: Shape, fields: Fields): Fault | undefined {
  for (const { name, localName } of numbers) {
    const number = fields[localName];
    if (number === undefined || Number.isFinite(number)) continue;
    return { field: name, reason: 'NOT_FINITE', message: `${name} is not a finite number`, received: String(number) };
  }
  return undefined;
}

function numbersInRange({ numbers, integers }: Shape, fields: Fields): Fault | undefined {
  return outOfRange(numbers, fields) ?? outOfRange(integers, fields);
}

function outOfRange(rules: readonly FieldRule[], fields: Fields): Fault | undefined {
  for (const { name, localName, max, reducedBy } of rules) {
    const number = fields[localName] as number | bigint | undefined;
    if (number === undefined || (number >= 0 && number <= max!)) continue;
    const limit = `[0, ${Number(max).toExponential().replace('+', '')}]`;
    const isTakenBack = number < 0 && reducedBy !== undefined;
    const wayOut = isTakenBack ? `; to take something back, send an event of type ${reducedBy}` : '';
    const message = `${name} must be in ${limit}: it is ${number}${wayOut}`;
    return { field: name, reason: 'OUT_OF_RANGE', limit, message };
  }
  return undefined;
}

/** Number and micros agree if either converts into the other: doubles above 2^53 micros stand for several integers. */
function moneyAgrees({ money }: Shape, fields: Fields): Fault | undefined {
  if (money === undefined) return undefined;
  const { from, to } = money;
  const number = fields[from.localName] as number | undefined;
  const micros = fields[to.localName] as bigint | undefined;
  if (number === undefined || micros === undefined) return undefined;
  // Where they are not optional, an empty one is absent.
  if (!from.optional && (number === 0 || micros === 0n)) return undefined;
  if (BigInt(number.toFixed(6).replace('.', '')) === micros || Number(micros) / 1e6 === number) return undefined;
  const message = `${to.name} is not ${from.name} in micros: send one of them`;
  return { field: to.name, reason: 'CONTRADICTION', message };
}
