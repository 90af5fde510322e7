import type { Event } from '../../../gen/ts/clickmesh/v1/event_pb.js';
import { RejectReason } from '../../../gen/ts/clickmesh/v1/ingest_service_pb.js';
import { cut } from '../../contract/cut.ts';
import { EVENT_TYPES, EVENTS, type EventShape, type EventType, type FieldShape } from '../../contract/event-rules.ts';
import { type Fault, NOTHING_IGNORED, type Rejected, rejected } from './accept.ts';
import type { Item } from './json-items.ts';
import { KINDS, type Kind } from './json-kinds.ts';
import { receivedText } from './received.ts';

/** An event that was read, with the names that came with it and are not of the contract; or why it can't be. */
export type Read = { kind: 'event'; event: Event; ignored: readonly string[] } | Rejected;

type JsonObject = Readonly<Record<string, unknown>>;
type Message = Record<string, unknown>;

/** An empty message of each type, to begin with: so all of a type have one hidden class, whichever fields are sent. */
const EMPTY = Object.fromEntries(EVENT_TYPES.map((type) => [type, emptyMessage(EVENTS[type])]));
/** Fields of each type by their names, as the contract and as TypeScript spell them. */
const FIELDS = Object.fromEntries(EVENT_TYPES.map((type) => [type, fieldsByName(EVENTS[type])]));

function emptyMessage({ message, fields }: EventShape): object {
  const empty = fields.map(({ localName, optional, rule }) => [
    localName,
    optional ? undefined : KINDS[rule.case!].empty,
  ]);
  return { $typeName: message.typeName, ...Object.fromEntries(empty) };
}

/** The discriminator of the REST API is among them, as no field. */
function fieldsByName({ fields }: EventShape): ReadonlyMap<string, FieldShape | undefined> {
  const names = fields.flatMap((field) => [[field.name, field] as const, [field.localName, field] as const]);
  return new Map<string, FieldShape | undefined>([...names, ['event_type', undefined], ['eventType', undefined]]);
}

/**
 * Reads one event of the REST API: its fields beside the discriminator `event_type`. Missing and null fields are left
 * empty, which accept judges.
 *
 * @param impliedType of an endpoint that takes one type of event only
 */
export function readItem(item: Item, impliedType?: EventType): Read {
  if ('malformed' in item) return malformed('', 'event', `the event is ${item.malformed}`);
  const { json } = item;
  if (!isObject(json)) return malformed('', 'event', 'the event must be a JSON object', json);
  const eventId = idOf(json);
  const sent = json.event_type ?? json.eventType ?? undefined;
  const type = sent ?? impliedType;
  if (type === undefined) return rejected(eventId, missingType(json));
  if (!isEventType(type)) return rejected(eventId, { ...UNKNOWN_TYPE, received: receivedText(type) });
  if (impliedType !== undefined && type !== impliedType) return otherType(eventId, type, impliedType);
  return readFields(json, type, eventId);
}

/** Reads one event in the JSON of the contract: an object with the event's fields under the name of its type. */
export function readArm(item: Item): Read {
  if ('malformed' in item) return malformed('', 'event', `the event is ${item.malformed}`);
  const { json } = item;
  if (!isObject(json)) return malformed('', 'event', 'the event must be a JSON object', json);
  const arms = EVENT_TYPES.filter((type) => json[type] !== undefined && json[type] !== null);
  const [type] = arms;
  if (type === undefined) return rejected(idOf(json), json.event_type === undefined ? NO_ARM : FLAT_EVENT);
  if (arms.length > 1)
    return contradiction('', 'event', `the event is both ${arms.join(' and ')}: send each by itself`);
  const fields = json[type];
  if (!isObject(fields)) return malformed('', type, `${type} must be a JSON object`, fields);
  const eventId = idOf(fields);
  const sent = fields.event_type ?? fields.eventType ?? type;
  if (sent !== type) return otherType(eventId, sent, type);
  const read = readFields(fields, type, eventId);
  const beside = Object.keys(json).filter((name) => !isEventType(name));
  if (read.kind === 'rejected' || beside.length === 0) return read;
  return { ...read, ignored: [...beside, ...read.ignored] };
}

function readFields(json: JsonObject, type: EventType, eventId: string): Read {
  const fields = FIELDS[type]!;
  const message: Message = { ...EMPTY[type] };
  const unknown: string[] = [];
  const leftOut: string[] = [];
  for (const name in json) {
    const field = fields.get(name);
    const value = json[name];
    if (field === undefined) {
      if (!fields.has(name)) unknown.push(name);
      continue;
    }
    if (value === null) continue;
    if (isTwice(json, field, name)) return twice(eventId, field);
    const kind: Kind = KINDS[field.rule.case!];
    const read = kind.read(value);
    if (read !== undefined) message[field.localName] = read;
    if (field.rule.case === 'map') addNullEntries(leftOut, field.name, value);
    else if (read === undefined) return malformed(eventId, field.name, `${field.name} must be ${kind.name}`, value);
  }
  const misnamed = unknown.length > 0 ? misnamedValue(EVENTS[type], json, unknown) : undefined;
  if (misnamed !== undefined) return rejected(eventId, misnamed);
  const ignored = unknown.length + leftOut.length > 0 ? [...unknown, ...leftOut] : NOTHING_IGNORED;
  const event = { case: type, value: message } as unknown as Event['event'];
  return { kind: 'event', event: { $typeName: 'clickmesh.v1.Event', event }, ignored };
}

/** Whether a field came in both of its spellings. */
function isTwice(json: JsonObject, { name, localName }: FieldShape, sent: string): boolean {
  return sent === localName && name !== localName && json[name] !== undefined && json[name] !== null;
}

/** Adds the names of a map's entries that have no text, or of the map if it is none. */
function addNullEntries(leftOut: string[], name: string, value: unknown): void {
  if (isObject(value)) {
    for (const key in value) if (value[key] === null) leftOut.push(`${name}.${key}`);
  } else if (!Array.isArray(value) || value.length > 0) leftOut.push(name);
}

/** Names that people use for a value, in any case of letters. */
const VALUE_NAMES = /^(?:value|revenue|amount|price|total|sum)(?:_?(?:micros|cents|usd|eur))?$/i;

/**
 * The fault of an event without the number that its type may have, which has one under a name that is not known:
 * counting it as 0 would be a wrong number, and its id would be spent.
 */
function misnamedValue(
  { type, stored, with: having }: EventShape,
  json: JsonObject,
  unknown: readonly string[],
): Fault | undefined {
  if (stored === undefined) return undefined;
  const { from, to } = stored;
  for (const { name, localName } of [from, to]) {
    if ((json[name] ?? undefined) !== undefined || (json[localName] ?? undefined) !== undefined) return undefined;
  }
  const found = unknown.flatMap((name) => numbersUnder(name, json[name]))[0];
  if (found === undefined) return undefined;
  if (from.optional && isWithoutValue(having.choice, json)) return undefined;
  const none = from.optional ? '' : `, or ${from.name} 0 if it has none`;
  const advice = `send the value of ${withArticle(type)} as ${from.name}${none}`;
  const message = `${cut(found.name)} is not known and has a number: ${advice}`;
  const received = receivedText(found.value);
  return { field: cut(found.name), reason: RejectReason.MISNAMED_VALUE, message, received };
}

/** Whether an event of what it has chosen has no value. */
function isWithoutValue(choices: EventShape['with']['choice'], json: JsonObject): boolean {
  return choices.some(({ name, localName, rule }) =>
    rule.value.withoutValue.includes((json[name] ?? json[localName]) as string),
  );
}

function withArticle(type: EventType): string {
  return `${/^[aeiou]/.test(type) ? 'an' : 'a'} ${type}`;
}

function numbersUnder(name: string, value: unknown): { name: string; value: unknown }[] {
  if (isNumeric(value)) return [{ name, value }];
  if (!isObject(value)) return [];
  const inside = Object.keys(value).filter((key) => VALUE_NAMES.test(key) && isNumeric(value[key]));
  return inside.map((key) => ({ name: `${name}.${key}`, value: value[key] }));
}

function isNumeric(value: unknown): boolean {
  return KINDS.number.read(value) !== undefined;
}

/** The id to answer a rejection with. */
function idOf(json: JsonObject): string {
  const id = json.event_id ?? json.eventId;
  return typeof id === 'string' ? id : '';
}

/** The rejection of an item that can't be read. */
function malformed(eventId: string, field: string, message: string, value?: unknown): Rejected {
  const received = value === undefined ? '' : receivedText(value);
  return rejected(eventId, { field, reason: RejectReason.MALFORMED, message, received });
}

function contradiction(eventId: string, field: string, message: string): Rejected {
  return rejected(eventId, { field, reason: RejectReason.CONTRADICTION, message });
}

function twice(eventId: string, { name, localName }: FieldShape): Rejected {
  return contradiction(eventId, name, `${name} came twice, as ${name} and as ${localName}: send one of them`);
}

function otherType(eventId: string, sent: unknown, type: EventType): Rejected {
  const received = receivedText(sent);
  const message = `event_type is ${received}, but this is where ${withArticle(type)} is sent`;
  return rejected(eventId, { field: 'event_type', reason: RejectReason.CONTRADICTION, message, received });
}

const ANY_OF = new Intl.ListFormat('en', { type: 'disjunction' });
const TYPES = ANY_OF.format(EVENT_TYPES.map((type) => `"${type}"`));
const MISSING_TYPE: Fault = {
  field: 'event_type',
  reason: RejectReason.REQUIRED,
  message: `event_type is required: ${TYPES}`,
};
const WRAPPED_EVENTS: Fault = {
  ...MISSING_TYPE,
  message: `${MISSING_TYPE.message}; several events are an array, without an object around it`,
};
const WRAPPED_FIELDS: Fault = {
  ...MISSING_TYPE,
  message: `${MISSING_TYPE.message}; it stands beside the fields of the event, without an object around them`,
};
const UNKNOWN_TYPE: Fault = {
  field: 'event_type',
  reason: RejectReason.UNKNOWN_EVENT_TYPE,
  message: `event_type must be ${TYPES}`,
};
const NO_ARM: Fault = {
  field: 'event',
  reason: RejectReason.UNKNOWN_EVENT_TYPE,
  message: `event is none of ${EVENT_TYPES.join(', ')}`,
};

/** The JSON of the REST API, where that of the contract belongs. */
const FLAT_EVENT: Fault = {
  ...NO_ARM,
  message: `${NO_ARM.message}: its fields belong into an object under the name of its type`,
};

function missingType(json: JsonObject): Fault {
  if (Array.isArray(json.events)) return WRAPPED_EVENTS;
  return EVENT_TYPES.some((type) => isObject(json[type])) ? WRAPPED_FIELDS : MISSING_TYPE;
}

function isEventType(type: unknown): type is EventType {
  return typeof type === 'string' && Object.hasOwn(EVENTS, type);
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
