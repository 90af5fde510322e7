import { isUtf8 } from 'node:buffer';
import type { Event } from '../../../gen/ts/clickmesh/v1/event_pb.js';
import { RejectReason } from '../../../gen/ts/clickmesh/v1/ingest_service_pb.js';
import { EVENT_TYPES, EVENTS, type EventShape, type EventType, type FieldShape } from '../../contract/event-rules.ts';
import { type Fault, type Rejected, rejected } from './accept.ts';

export type Read = { kind: 'event'; event: Event } | Rejected;

type JsonObject = Readonly<Record<string, unknown>>;

/** The JSON of a field with one kind of rule. */
interface JsonKind {
  /** What the field must be, for people. */
  name: string;
  matches(value: unknown): boolean;
  /** Returns what the message holds for a value that matches, or for undefined: the empty value. */
  read(value: unknown): unknown;
}

const TEXT: JsonKind = {
  name: 'a string',
  matches: (value) => typeof value === 'string',
  read: (value) => value ?? '',
};
const NUMBER: JsonKind = {
  name: 'a number, without quotes',
  matches: (value) => typeof value === 'number',
  read: (value) => value ?? 0,
};
const INTEGER: JsonKind = {
  name: 'an integer, without quotes',
  matches: Number.isSafeInteger,
  read: (value) => BigInt((value as number | undefined) ?? 0),
};
const TEXTS: JsonKind = {
  name: 'an object of strings',
  matches: (value) => isObject(value) && Object.values(value).every((text) => typeof text === 'string'),
  read: (value) => value ?? {},
};

const KINDS: Readonly<Record<NonNullable<FieldShape['rule']['case']>, JsonKind>> = {
  uuid: TEXT,
  text: TEXT,
  time: INTEGER,
  number: NUMBER,
  integer: INTEGER,
  map: TEXTS,
};

/** An empty message of each type, to begin with: so all of a type have one hidden class, whichever fields are sent. */
const EMPTY = Object.fromEntries(EVENT_TYPES.map((type) => [type, emptyMessage(EVENTS[type])]));

function emptyMessage({ message, fields }: EventShape): object {
  const empty = fields.map(({ localName, rule }) => [localName, KINDS[rule.case!].read(undefined)]);
  return { $typeName: message.typeName, ...Object.fromEntries(empty) };
}

/** One event as it came: parsed, or why it can't be. */
export type Item = { json: unknown } | { malformed: string };

export function parseItem(text: Buffer): Item {
  if (!isUtf8(text)) return { malformed: 'not UTF-8' };
  try {
    return { json: JSON.parse(text.toString()) };
  } catch {
    return { malformed: 'not valid JSON' };
  }
}

/** Whether a line of NDJSON is no item. */
export function isBlank(line: Buffer): boolean {
  return line.toString('latin1').trim() === '';
}

/**
 * Reads one event of the REST API: snake_case fields beside the discriminator `event_type`. Missing and null fields are
 * left empty, which accept judges; unknown fields are ignored.
 *
 * @param impliedType of an endpoint that takes one type of event only
 */
export function readItem(item: Item, impliedType?: EventType): Read {
  if ('malformed' in item) return malformed('', 'event', item.malformed);
  const { json } = item;
  if (!isObject(json)) return malformed('', 'event', 'the event must be a JSON object');
  const eventId = typeof json.event_id === 'string' ? json.event_id : '';
  const type = json.event_type ?? impliedType;
  if (type === undefined) return rejected(eventId, MISSING_TYPE);
  if (!isEventType(type)) return rejected(eventId, UNKNOWN_TYPE);
  const message: Record<string, unknown> = { ...EMPTY[type] };
  for (const { name, localName, rule } of EVENTS[type].fields) {
    const value = json[name] ?? undefined;
    if (value === undefined) continue;
    const kind = KINDS[rule.case!];
    if (!kind.matches(value)) return malformed(eventId, name, `${name} must be ${kind.name}`);
    message[localName] = kind.read(value);
  }
  const event = { case: type, value: message } as unknown as Event['event'];
  return { kind: 'event', event: { $typeName: 'clickmesh.v1.Event', event } };
}

/** The rejection of an item that can't be read. */
function malformed(eventId: string, field: string, message: string): Rejected {
  return rejected(eventId, { field, reason: RejectReason.MALFORMED, message });
}

const ANY_OF = new Intl.ListFormat('en', { type: 'disjunction' });
const MISSING_TYPE: Fault = {
  field: 'event_type',
  reason: RejectReason.REQUIRED,
  message: 'event_type is required',
};
const UNKNOWN_TYPE: Fault = {
  field: 'event_type',
  reason: RejectReason.UNKNOWN_EVENT_TYPE,
  message: `event_type must be ${ANY_OF.format(EVENT_TYPES.map((type) => `"${type}"`))}`,
};

function isEventType(type: unknown): type is EventType {
  return typeof type === 'string' && Object.hasOwn(EVENTS, type);
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
