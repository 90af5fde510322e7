import { create } from '@bufbuild/protobuf';
import type { Event } from '../../../gen/ts/clickmesh/v1/event_pb.js';
import { type Rejection, RejectionSchema, RejectReason } from '../../../gen/ts/clickmesh/v1/ingest_service_pb.js';
import { encodeEvent } from '../../../gen/wire/event-wire.ts';
import { type Accepted, EVENT_TYPES, EVENTS, type EventShape, MAX_ID_BYTES } from '../../contract/event-rules.ts';
import { HOUR_MS } from '../../contract/limits.ts';
import { exactMicros } from '../../contract/money.ts';

export type Rejected = { kind: 'rejected'; rejection: Rejection };
export type Outcome = { kind: 'accepted'; event: Accepted } | Rejected;

/** The fault that a step found. `message` starts with the field. */
export interface Fault {
  field: string;
  reason: RejectReason;
  limit?: string;
  message: string;
}

/** The fields of an event by their local names. */
type Fields = Readonly<Record<string, unknown>>;
/** Returns the first fault, by field number. `now` is in ms since 1970-01-01 UTC. */
type Step = (shape: EventShape, fields: Fields, now: number) => Fault | undefined;

/** A character of JavaScript, of which an emoji has two, takes at most so many bytes of UTF-8. */
const MAX_UTF8_BYTES = 3;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** The steps that every event must pass, in this order; the first fault rejects it. */
const STEPS: readonly Step[] = [
  requiredFieldsPresent,
  idsAreUuids,
  textsWellFormed,
  textsShortEnough,
  mapsFewEnough,
  mapsSmallEnough,
  timesInRange,
  numbersFinite,
  numbersInRange,
  storedNumbersAgree,
];

/** Judges one event by the rules of event.proto and nothing else. `now` is in ms since 1970-01-01 UTC. */
export function accept({ event }: Event, now: number): Outcome {
  if (event.case === undefined) return rejected('', UNKNOWN_TYPE);
  const shape = EVENTS[event.case];
  const { eventId, userId } = event.value;
  const fields = event.value as unknown as Fields;
  for (const step of STEPS) {
    const fault = step(shape, fields, now);
    if (fault !== undefined) return rejected(eventId, fault);
  }
  const storedId = eventId.toLowerCase();
  const bytes = encodeEvent(event.value, storedId, microsOf(shape, fields));
  return { kind: 'accepted', event: { eventId: storedId, eventType: shape.type, userId, bytes } };
}

/** Makes the rejection of an event. A longer event_id is cut to the size of an id: it goes back in an HTTP header. */
export function rejected(eventId: string, fault: Fault): Rejected {
  const shortId = eventId.slice(0, MAX_ID_BYTES).toWellFormed();
  return { kind: 'rejected', rejection: create(RejectionSchema, { ...fault, eventId: shortId }) };
}

const UNKNOWN_TYPE: Fault = {
  field: 'event',
  reason: RejectReason.UNKNOWN_EVENT_TYPE,
  message: `event is none of ${EVENT_TYPES.join(', ')}`,
};

function requiredFieldsPresent({ fields }: EventShape, event: Fields): Fault | undefined {
  for (const { name, localName, required } of fields) {
    if (!required || event[localName]) continue;
    return { field: name, reason: RejectReason.REQUIRED, message: `${name} is required` };
  }
  return undefined;
}

function idsAreUuids(shape: EventShape, event: Fields): Fault | undefined {
  for (const { name, localName } of shape.with.uuid) {
    const id = event[localName] as string;
    if (id === '' || UUID.test(id)) continue;
    return { field: name, reason: RejectReason.NOT_A_UUID, message: `${name} is not a UUID` };
  }
  return undefined;
}

/** A lone surrogate would be stored as another character, and NUL ends strings in many a consumer of the topics. */
function textsWellFormed(shape: EventShape, event: Fields): Fault | undefined {
  for (const { name, localName } of shape.with.text) if (isBroken(event[localName] as string)) return broken(name);
  for (const { name, localName } of shape.with.map) {
    const texts = event[localName] as Texts;
    for (const key in texts) if (isBroken(key) || isBroken(texts[key]!)) return broken(name);
  }
  return undefined;
}

type Texts = Readonly<Record<string, string>>;

function isBroken(text: string): boolean {
  return text.includes('\0') || !text.isWellFormed();
}

function broken(field: string): Fault {
  return { field, reason: RejectReason.MALFORMED, message: `${field} holds NUL or a lone surrogate` };
}

function textsShortEnough(shape: EventShape, event: Fields): Fault | undefined {
  for (const { name, localName, rule } of shape.with.text) {
    const { maxBytes } = rule.value;
    const text = event[localName] as string;
    if (text.length * MAX_UTF8_BYTES <= maxBytes || Buffer.byteLength(text) <= maxBytes) continue;
    return beyond(name, RejectReason.TOO_LONG, `${maxBytes} bytes`);
  }
  return undefined;
}

function mapsFewEnough(shape: EventShape, event: Fields): Fault | undefined {
  for (const { name, localName, rule } of shape.with.map) {
    const { maxEntries } = rule.value;
    if (Object.keys(event[localName] as Texts).length <= maxEntries) continue;
    return beyond(name, RejectReason.TOO_MANY_ENTRIES, `${maxEntries} entries`);
  }
  return undefined;
}

function mapsSmallEnough(shape: EventShape, event: Fields): Fault | undefined {
  for (const { name, localName, rule } of shape.with.map) {
    const { maxBytes } = rule.value;
    const texts = event[localName] as Texts;
    let characters = 0;
    for (const key in texts) characters += key.length + texts[key]!.length;
    if (characters * MAX_UTF8_BYTES <= maxBytes) continue;
    let bytes = 0;
    for (const key in texts) bytes += Buffer.byteLength(key) + Buffer.byteLength(texts[key]!);
    if (bytes > maxBytes) return beyond(name, RejectReason.TOO_LONG, `${maxBytes} bytes`);
  }
  return undefined;
}

function timesInRange(shape: EventShape, event: Fields, now: number): Fault | undefined {
  for (const { name, localName, rule } of shape.with.time) {
    const { minMs, maxAheadMs } = rule.value;
    const time = event[localName] as bigint;
    if (time >= minMs && time <= now + Number(maxAheadMs)) continue;
    const earliest = new Date(Number(minMs)).toISOString().slice(0, 10);
    const limit = `[${earliest}, now + ${Number(maxAheadMs) / HOUR_MS} h] in milliseconds`;
    return beyond(name, RejectReason.OUT_OF_RANGE, limit);
  }
  return undefined;
}

function numbersFinite(shape: EventShape, event: Fields): Fault | undefined {
  for (const { name, localName } of shape.with.number) {
    if (Number.isFinite(event[localName])) continue;
    return { field: name, reason: RejectReason.NOT_FINITE, message: `${name} is not a finite number` };
  }
  return undefined;
}

function numbersInRange(shape: EventShape, event: Fields): Fault | undefined {
  for (const { name, localName, rule } of shape.with.number) {
    const number = event[localName] as number;
    if (number < 0 || number > rule.value.max) return outOfRange(name, rule.value.max);
  }
  for (const { name, localName, rule } of shape.with.integer) {
    const integer = event[localName] as bigint;
    if (integer < 0n || integer > rule.value.max) return outOfRange(name, Number(rule.value.max));
  }
  return undefined;
}

function outOfRange(field: string, max: number): Fault {
  return beyond(field, RejectReason.OUT_OF_RANGE, `[0, ${max.toExponential().replace('+', '')}]`);
}

/** Number and micros agree if either converts into the other: doubles above 2^53 micros stand for several integers. */
function storedNumbersAgree({ stored }: EventShape, event: Fields): Fault | undefined {
  if (stored === undefined) return undefined;
  const { from, to } = stored;
  const number = event[from.localName] as number;
  const micros = event[to.localName] as bigint;
  if (number === 0 || micros === 0n) return undefined;
  if (exactMicros(number) === micros || Number(micros) / 1e6 === number) return undefined;
  const message = `${to.name} is not ${from.name} in micros: send one of them`;
  return { field: to.name, reason: RejectReason.CONTRADICTION, message };
}

/** The micros to store; 0 for an event without such a field. */
function microsOf({ stored }: EventShape, event: Fields): bigint {
  if (stored === undefined) return 0n;
  const micros = event[stored.to.localName] as bigint;
  return micros === 0n ? exactMicros(event[stored.from.localName] as number) : micros;
}

function beyond(field: string, reason: RejectReason, limit: string): Fault {
  const verb = reason === RejectReason.OUT_OF_RANGE ? 'must be in' : 'must have at most';
  return { field, reason, limit, message: `${field} ${verb} ${limit}` };
}
