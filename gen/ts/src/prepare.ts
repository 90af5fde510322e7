import { check, type Fields } from './checks.ts';
import { Rejected, type Rejection } from './errors.ts';
import { type FieldRule, MAX_CALL_BYTES } from './event-rules.ts';
import type { CompletedEvent, EventInput, EventMessage, EventType } from './events.ts';
import { isEventType, SHAPES, type Shape } from './fields.ts';
import { ExactMoney, kindOf, readTime } from './kinds.ts';
import { cut, escapeBytes, measure, nearest, receivedText } from './texts.ts';

/** An event that was copied, completed and found right: what is queued and sent. */
export interface Prepared {
  event: CompletedEvent;
  /** Most bytes that it takes in a message, as JSON or as Protobuf. */
  bytes: number;
  /** Names of what can't be kept, such as "metadata.gclid". */
  leftOut: readonly string[];
}

const NOTHING: readonly string[] = [];
/** Quotes, colon and comma of an entry in JSON. */
const ENTRY_BYTES = 6;
const TYPES = Object.keys(SHAPES) as EventType[];
/** Longest event_id that a rejection repeats, in characters. */
const MAX_ID = 128;

/**
 * Copies an event, gives it an id and a time where it has none, and judges it by the rules of the contract. `now` is in
 * ms. Never throws: what is no event is rejected as well.
 */
export function prepare(input: EventInput, now: number): Prepared | Rejected {
  try {
    const read = readEvent(input);
    return 'reason' in read ? rejected(read, undefined) : prepareFields(read, now);
  } catch (error) {
    // A getter that throws.
    return rejected(fault('event', 'MALFORMED', `the event can't be read: ${(error as Error)?.message}`), undefined);
  }
}

/** As `prepare`, but judges nothing. Throws Rejected for what is no event. */
export function complete(input: EventInput, now = Date.now()): CompletedEvent {
  const read = readEvent(input);
  if ('reason' in read) throw rejected(read, undefined);
  const { type, given } = read;
  const fields: Record<string, unknown> = { ...given };
  if (read.isNamedByType) delete fields.type;
  const [eventId, timestamp] = [given.eventId ?? randomUuid(), readTime(given.timestamp) ?? given.timestamp ?? now];
  if (typeof given.metadata === 'object') fields.metadata = { ...given.metadata };
  return { ...fields, event: type, eventId, timestamp } as unknown as CompletedEvent;
}

/** An event as it was given. */
interface Given {
  type: EventType;
  given: Readonly<Record<string, unknown>>;
  /** Its `type` is that of the event. */
  isNamedByType: boolean;
  leftOut: string[];
}

function readEvent(input: unknown): Given | Rejection {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) return unknownType('event', input);
  if ('$typeName' in input) return readMessage(input as EventMessage);
  const given = input as Readonly<Record<string, unknown>>;
  const { event, type } = given;
  if (isEventType(event)) return { type: event, given, isNamedByType: false, leftOut: [] };
  if (event !== undefined && event !== null) return unknownType('event', event);
  if (isEventType(type)) return { type, given, isNamedByType: true, leftOut: [] };
  if (typeof type === 'string' && type !== '') return { type: 'conversion', given, isNamedByType: false, leftOut: [] };
  return unknownType('event', type);
}

function unknownType(field: string, received: unknown): Rejection {
  const message = `${field} is none of ${TYPES.join(', ')}`;
  return fault(
    field,
    'UNKNOWN_EVENT_TYPE',
    message,
    received === undefined || received === null ? '' : receivedText(received),
  );
}

/** The fields of a message, whose empty id and time are absent, as all is that Protobuf does not write. */
function readMessage({ event, ...message }: EventMessage): Given | Rejection {
  const { case: type, value } = event ?? {};
  if (!isEventType(type) || value === undefined) return unknownType('event', undefined);
  const { $typeName: _, $unknown = [], ...fields } = value as Record<string, unknown> & { $unknown?: { no: number }[] };
  const unknown = [...((message as { $unknown?: { no: number }[] }).$unknown ?? []), ...$unknown];
  for (const { localName, optional } of SHAPES[type].rules) {
    const field = fields[localName];
    if (!optional && (field === '' || field === 0 || field === 0n)) delete fields[localName];
  }
  return { type, given: fields, isNamedByType: false, leftOut: unknown.map(({ no }) => `field ${no}`) };
}

function prepareFields({ type, given, isNamedByType, leftOut }: Given, now: number): Prepared | Rejected {
  const shape = SHAPES[type];
  const fields: Fields = { event: type, eventId: undefined };
  let first: Rejection | undefined;
  for (const name in given) {
    if (name === 'event' || (isNamedByType && name === 'type')) continue;
    const value = given[name];
    if (value === undefined || value === null) continue;
    const rule = shape.byName.get(name);
    const found = rule === undefined ? unknownName(shape, name, value) : readField(rule, value, fields, leftOut);
    first ??= found;
  }
  fields.eventId ??= first?.field === 'event_id' ? '' : (textOf(given.eventId) ?? randomUuid());
  if (first?.field !== 'timestamp') fields.timestamp ??= now;
  first ??= spreadMoney(shape, fields);
  const bytes = first ?? check(shape, fields, now);
  // Bigints are no JSON.
  for (const name in fields) if (typeof fields[name] === 'bigint') fields[name] = String(fields[name]);
  const event = fields as unknown as CompletedEvent;
  if (typeof bytes !== 'number') return rejected(bytes, event);
  const all = bytes + keepEntries(shape, fields, leftOut);
  if (all > MAX_CALL_BYTES) {
    const limit = `${MAX_CALL_BYTES} bytes`;
    return rejected({ ...fault('event', 'TOO_LONG', `event must have at most ${limit}: it has ${all}`), limit }, event);
  }
  return { event, bytes: all, leftOut: leftOut.length === 0 ? NOTHING : leftOut };
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function readField(rule: FieldRule, value: unknown, fields: Fields, leftOut: string[]): Rejection | undefined {
  const kind = kindOf(rule);
  const read = kind.read(value);
  if (read !== undefined) fields[rule.localName] = read;
  else if (rule.kind === 'map') leftOut.push(rule.name);
  else return fault(rule.name, 'MALFORMED', `${rule.name} must be ${kind.name}`, receivedText(value));
  return undefined;
}

/** Names that people use for a value, in any case of letters. */
const VALUE_NAMES = /^(?:value|revenue|amount|price|total|sum)(?:_?(?:micros|cents|usd|eur))?$/i;

function unknownName(shape: Shape, name: string, value: unknown): Rejection {
  const isMoney = shape.money !== undefined && VALUE_NAMES.test(name);
  const meant = isMoney ? shape.money!.from.localName : nearest(name, shape.byName.keys());
  const known = [...shape.byName.keys()].join(', ');
  const hint = meant === undefined ? `a ${shape.type} has ${known}` : `did you mean ${meant}?`;
  const shown = cut(name);
  return fault(shown, 'MALFORMED', `${shown} is not known: ${hint}`, receivedText(value));
}

/** Puts a value that came as decimal text where all of its digits count. */
function spreadMoney({ money }: Shape, fields: Fields): Rejection | undefined {
  if (money === undefined) return undefined;
  const { from, to } = money;
  const exact = fields[from.localName];
  if (!(exact instanceof ExactMoney)) return undefined;
  const number = Number(exact.micros) / 1e6;
  const given = fields[to.localName];
  delete fields[from.localName];
  // The checks name the field that was given.
  if (number > Number(from.max)) fields[from.localName] = number;
  else if (given === undefined) fields[to.localName] = exact.micros;
  else if (given !== exact.micros) {
    return fault(to.name, 'CONTRADICTION', `${to.name} is not ${from.name} in micros: send one of them`);
  }
  return undefined;
}

/** Leaves out of the maps what can't be kept. Returns the bytes that they had. */
function keepEntries({ maps }: Shape, fields: Fields, leftOut: string[]): number {
  let all = 0;
  for (const { name, localName, maxEntries, maxBytes } of maps) {
    const texts = fields[localName] as Record<string, string | undefined> | undefined;
    if (texts === undefined) continue;
    let entries = 0;
    let bytes = 0;
    for (const key in texts) {
      const text = texts[key];
      const size = text === undefined ? -1 : sizeOf(key, text);
      all += size < 0 ? 0 : size + escapes + ENTRY_BYTES;
      if (size >= 0 && entries < maxEntries! && bytes + size <= maxBytes!) {
        entries++;
        bytes += size;
        continue;
      }
      delete texts[key];
      leftOut.push(`${name}.${key}`);
    }
  }
  return all;
}

/** Bytes that JSON adds to the entry measured last. */
let escapes = 0;

/** Bytes of an entry of a map; -1 if it can't be kept. */
function sizeOf(key: string, text: string): number {
  const keyBytes = measure(key);
  escapes = escapeBytes;
  const bytes = measure(text);
  escapes += escapeBytes;
  return keyBytes < 0 || bytes < 0 ? -1 : keyBytes + bytes;
}

function fault(field: string, reason: Rejection['reason'], message: string, received = ''): Rejection {
  return { field, reason, message, limit: '', received };
}

function rejected(rejection: Rejection, event: CompletedEvent | undefined): Rejected {
  const id = event?.eventId ?? '';
  const time = event?.timestamp ?? 0;
  return new Rejected(rejection, typeof id === 'string' ? id.slice(0, MAX_ID) : '', Number(time), event);
}

/** A UUID of version 4. Pages over plain http have no crypto.randomUUID. */
function randomUuid(): string {
  if (typeof crypto.randomUUID === 'function') return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}
