import { create } from '@bufbuild/protobuf';
import type { Event } from '../../../gen/ts/clickmesh/v1/event_pb.js';
import { type Rejection, RejectionSchema, RejectReason } from '../../../gen/ts/clickmesh/v1/ingest_service_pb.js';
import type { IntegerRule, NumberRule } from '../../../gen/ts/clickmesh/v1/rules_pb.js';
import { encodeEvent } from '../../../gen/wire/event-wire.ts';
import { cut } from '../../contract/cut.ts';
import { storedEventId } from '../../contract/event-id.ts';
import {
  type Accepted,
  EVENT_TYPES,
  EVENTS,
  type EventShape,
  type EventType,
  MAX_ID_BYTES,
} from '../../contract/event-rules.ts';
import { HOUR_MS } from '../../contract/limits.ts';
import { exactMicros } from '../../contract/money.ts';
import { isNobody } from '../../contract/nobody.ts';
import { MAX_UTF8_BYTES, withoutBadEntries } from './map-entries.ts';
import { receivedText } from './received.ts';

/** What events are judged by besides the contract. */
export interface Terms {
  /** The gateway's clock, in ms since 1970-01-01 UTC. */
  now: number;
  /** Code of the currency that the mesh counts in, as ISO 4217 has it. */
  currency: string;
}

export type Rejected = {
  kind: 'rejected';
  rejection: Rejection;
  /** Set if nothing but its user is missing, and that may be found. */
  userless?: Userless;
};
/** `ignored` has the names of what was not understood or could not be kept, as Acceptance in the contract says. */
export type Outcome = { kind: 'accepted'; event: Accepted; ignored: readonly string[] } | Rejected;

/** An event whose user is that of another event, which it names. */
export interface Userless {
  /** Types that the other event may be of: the same array for all that may be of the same. */
  types: readonly EventType[];
  /** The field that names it, what that held, as an answer repeats it, and its id as it is stored. */
  field: string;
  received: string;
  id: string;
  /** Judges the event again, as that of this user. */
  withUser(userId: string): Outcome;
}

/** The fault that a step found. `message` starts with the field. */
export interface Fault {
  field: string;
  reason: RejectReason;
  limit?: string;
  message: string;
  received?: string;
}

/** The fields of an event by their local names. */
type Fields = Readonly<Record<string, unknown>>;
/** Returns the first fault, by field number. */
type Step = (shape: EventShape, fields: Fields, terms: Terms) => Fault | undefined;

/** Most names that an answer lists; a name is cut to the length of what was received. */
const MAX_IGNORED = 32;
export const NOTHING_IGNORED: readonly string[] = [];

/** The steps that every event must pass, in this order; the first fault rejects it. */
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
  storedNumbersAgree,
  currencyIsTheMeshs,
];

/**
 * Judges one event by the rules of event.proto and nothing else.
 *
 * @param unknown names that came with it and are not of the contract
 */
export function accept(message: Event, terms: Terms, unknown: readonly string[] = NOTHING_IGNORED): Outcome {
  const { event, $unknown } = message;
  if (event.case === undefined) return rejected('', UNKNOWN_TYPE);
  const shape = EVENTS[event.case];
  const { eventId, userId } = event.value;
  const fields = event.value as unknown as Fields;
  for (const step of STEPS) {
    const fault = step(shape, fields, terms);
    if (fault === undefined) continue;
    const found = rejected(eventId, { received: receivedOf(shape, fields, fault), ...fault });
    const isUserMissing = fault.field === 'user_id' && fault.reason === RejectReason.REQUIRED;
    return isUserMissing ? withoutUser(found, message, terms, unknown) : found;
  }
  const storedId = storedEventId(eventId);
  const leftOut: string[] = [];
  if ($unknown) addFields(leftOut, $unknown);
  if (event.value.$unknown) addFields(leftOut, event.value.$unknown);
  const kept = withStoredIds(shape, withoutBadEntries(shape, event.value, leftOut));
  const bytes = encodeEvent(kept, storedId, microsOf(shape, fields));
  const accepted = { eventId: storedId, eventType: shape.type, userId, bytes };
  return { kind: 'accepted', event: accepted, ignored: namesOf(unknown, leftOut) };
}

const TYPES_BY_ROLE = Map.groupBy(EVENT_TYPES, (type) => EVENTS[type].role);
/** Stands for the user while all else is judged. */
const ANYBODY = 'anybody';

/** The rejection of an event without its user, or of what else is wrong with it, with what its user can be found by. */
function withoutUser(found: Rejected, message: Event, terms: Terms, unknown: readonly string[]): Outcome {
  const { event } = message;
  const { with: having } = EVENTS[event.case!];
  const foundBy = having.text.find(({ localName }) => localName === 'userId')!.rule.value.foundBy;
  const target = having.uuid.find(({ name }) => name === foundBy);
  if (target === undefined) return found;
  const withUser = (userId: string) => {
    const value = { ...event.value, userId };
    return accept({ ...message, event: { ...event, value } as Event['event'] }, terms, unknown);
  };
  const types = TYPES_BY_ROLE.get(target.rule.value.of)!;
  const rest = withUser(ANYBODY);
  if (rest.kind === 'rejected') return rest;
  const sent = (event.value as unknown as Record<string, string>)[target.localName]!;
  return {
    ...found,
    userless: { types, field: foundBy, received: receivedText(sent), id: storedEventId(sent), withUser },
  };
}

/** The event with its references to other events as those are stored. */
function withStoredIds<M extends NonNullable<Event['event']['value']>>({ with: having }: EventShape, event: M): M {
  let stored = event;
  for (const { localName } of having.uuid) {
    if (localName === 'eventId') continue;
    stored = { ...stored, [localName]: storedEventId((event as unknown as Record<string, string>)[localName]!) };
  }
  return stored;
}

/** Adds fields of Protobuf, which have no names here. */
function addFields(names: string[], fields: readonly { no: number }[]): void {
  for (const { no } of fields) names.push(`field ${no}`);
}

function namesOf(unknown: readonly string[], leftOut: readonly string[]): readonly string[] {
  if (unknown.length === 0 && leftOut.length === 0) return NOTHING_IGNORED;
  return [...unknown, ...leftOut].slice(0, MAX_IGNORED).map(cut);
}

/** Makes the rejection of an event. A longer event_id is cut to the size of an id: it goes back in an HTTP header. */
export function rejected(eventId: string, fault: Fault): Rejected {
  const shortId = eventId.slice(0, MAX_ID_BYTES).toWellFormed();
  return { kind: 'rejected', rejection: create(RejectionSchema, { ...fault, eventId: shortId }) };
}

function receivedOf({ fields }: EventShape, event: Fields, { field }: Fault): string {
  const faulty = fields.find(({ name }) => name === field);
  const value = faulty === undefined ? undefined : event[faulty.localName];
  return value ? receivedText(value) : '';
}

const UNKNOWN_TYPE: Fault = {
  field: 'event',
  reason: RejectReason.UNKNOWN_EVENT_TYPE,
  message: `event is none of ${EVENT_TYPES.join(', ')}`,
};

function requiredFieldsPresent({ fields }: EventShape, event: Fields): Fault | undefined {
  for (const { name, localName, required, optional, rule } of fields) {
    if (!required || event[localName] || (optional && event[localName] !== undefined)) continue;
    const message = `${name} is required${rule.case === 'time' ? ': it is missing or 0' : ''}`;
    return { field: name, reason: RejectReason.REQUIRED, message };
  }
  return undefined;
}

/** A lone surrogate would be stored as another character, and NUL ends strings in many a consumer of the topics. */
function textsWellFormed(shape: EventShape, event: Fields): Fault | undefined {
  for (const { name, localName } of WRITTEN.get(shape.type)!) {
    const text = event[localName] as string;
    if (text.isWellFormed() && !text.includes('\0')) continue;
    const message = `${name} has NUL, half of a surrogate pair, or bytes that are not UTF-8: send it as UTF-8 text`;
    return { field: name, reason: RejectReason.MALFORMED, message };
  }
  return undefined;
}

function textsShortEnough(shape: EventShape, event: Fields): Fault | undefined {
  for (const { name, localName, rule } of textsOf(shape)) {
    const { maxBytes } = rule.value;
    const text = event[localName] as string;
    if (text.length * MAX_UTF8_BYTES <= maxBytes) continue;
    const bytes = Buffer.byteLength(text);
    if (bytes <= maxBytes) continue;
    const limit = `${maxBytes} bytes`;
    const message = `${name} must have at most ${limit} of UTF-8: it has ${bytes}`;
    return { field: name, reason: RejectReason.TOO_LONG, limit, message };
  }
  return undefined;
}

/** The fields of each type whose text is stored, or, of an event_id, stands for what is. */
const TEXTS = new Map(
  EVENT_TYPES.map((type) => [type, [...EVENTS[type].with.uuid, ...EVENTS[type].with.text]] as const),
);
/** All that hold text. */
const WRITTEN = new Map(
  EVENT_TYPES.map((type) => {
    const { choice, currency } = EVENTS[type].with;
    return [type, [...TEXTS.get(type)!, ...choice, ...currency]] as const;
  }),
);

function textsOf({ type }: EventShape) {
  return TEXTS.get(type)!;
}

function idsAreSomebodys(shape: EventShape, event: Fields): Fault | undefined {
  for (const { name, localName, rule } of textsOf(shape)) {
    const isId = rule.case === 'uuid' || rule.value.id;
    if (!isId || !isNobody(event[localName] as string)) continue;
    const message = `${name} is a placeholder, not an id: strangers would share it; send the event once the id is known`;
    return { field: name, reason: RejectReason.PLACEHOLDER, message };
  }
  return undefined;
}

function choicesKnown(shape: EventShape, event: Fields): Fault | undefined {
  for (const { name, localName, rule } of shape.with.choice) {
    if (rule.value.values.includes(event[localName] as string)) continue;
    const limit = ANY_OF.format(rule.value.values);
    const message = `${name} must be ${limit}`;
    return { field: name, reason: RejectReason.UNKNOWN_CHOICE, limit, message };
  }
  return undefined;
}

const ANY_OF = new Intl.ListFormat('en', { type: 'disjunction' });

/** What a number would mean where it has no meaning, or counting none as 0, is a guess about money. */
function numberFitsChoice({ stored, with: having }: EventShape, event: Fields): Fault | undefined {
  for (const { localName, rule } of having.choice) {
    if (stored === undefined || rule.value.withoutValue.length === 0) continue;
    const { from, to } = stored;
    const chosen = event[localName] as string;
    const given = [from, to].find((field) => event[field.localName] !== undefined);
    const mayHave = !rule.value.withoutValue.includes(chosen);
    if (mayHave && given === undefined) {
      const message = `${from.name} is required for a ${chosen}: send ${from.name} or ${to.name}`;
      return { field: from.name, reason: RejectReason.REQUIRED, message };
    }
    if (!mayHave && given !== undefined) {
      const message = `${given.name} and ${chosen} contradict each other: a ${chosen} has no ${from.name}`;
      return { field: given.name, reason: RejectReason.CONTRADICTION, message };
    }
  }
  return undefined;
}

function timesInRange(shape: EventShape, event: Fields, { now }: Terms): Fault | undefined {
  for (const { name, localName, rule } of shape.with.time) {
    const { minMs, maxAheadMs } = rule.value;
    const time = Number(event[localName]);
    const [min, max] = [Number(minMs), now + Number(maxAheadMs)];
    if (time >= min && time <= max) continue;
    const earliest = new Date(min).toISOString().slice(0, 10);
    const limit = `[${earliest}, now + ${Number(maxAheadMs) / HOUR_MS} h] in milliseconds`;
    const message = `${name} must be in ${limit}: ${event[localName]} ${lookOf(time, min, max)}`;
    return { field: name, reason: RejectReason.OUT_OF_RANGE, limit, message };
  }
  return undefined;
}

/** What a time out of range looks like, and what to do. All in ms. */
function lookOf(time: number, min: number, max: number): string {
  const isTime = (ms: number) => ms >= min && ms <= max;
  if (isTime(time * 1000)) return 'looks like seconds, multiply by 1,000';
  if (isTime(time / 1000)) return 'looks like microseconds, divide by 1,000';
  if (isTime(time / 1e6)) return 'looks like nanoseconds, divide by 1,000,000';
  const far = Math.abs(time) > MAX_DATE_MS;
  const date = far ? '' : `is ${new Date(time).toISOString()}, `;
  return time > max ? `${date}in the future: check the clock of the sender` : `${date}too early: check its unit`;
}

/** Latest time of a Date (ECMA-262, time range). */
const MAX_DATE_MS = 8.64e15;

function numbersFinite(shape: EventShape, event: Fields): Fault | undefined {
  for (const { name, localName, optional } of shape.with.number) {
    if (Number.isFinite(event[localName]) || (optional && event[localName] === undefined)) continue;
    const received = String(event[localName]);
    return { field: name, reason: RejectReason.NOT_FINITE, message: `${name} is not a finite number`, received };
  }
  return undefined;
}

function numbersInRange(shape: EventShape, event: Fields): Fault | undefined {
  for (const { name, localName, rule } of shape.with.number) {
    const number = event[localName] as number;
    if (number < 0 || number > rule.value.max) return outOfRange(name, rule.value, number);
  }
  for (const { name, localName, rule } of shape.with.integer) {
    const integer = event[localName] as bigint;
    if (integer < 0n || integer > rule.value.max) return outOfRange(name, rule.value, integer);
  }
  return undefined;
}

function outOfRange(field: string, rule: NumberRule | IntegerRule, received: number | bigint): Fault {
  const limit = `[0, ${Number(rule.max).toExponential().replace('+', '')}]`;
  const wayOut = received < 0 && rule.reducedBy !== '' ? takeBack(rule.reducedBy) : '';
  const message = `${field} must be in ${limit}: it is ${received}${wayOut}`;
  return { field, reason: RejectReason.OUT_OF_RANGE, limit, message };
}

/** What somebody does who would send less than nothing. */
function takeBack(type: string): string {
  return `; to take something back, send an event of type ${type}`;
}

/** Number and micros agree if either converts into the other: doubles above 2^53 micros stand for several integers. */
function storedNumbersAgree({ stored }: EventShape, event: Fields): Fault | undefined {
  if (stored === undefined) return undefined;
  const { from, to } = stored;
  const number = event[from.localName] as number | undefined;
  const micros = event[to.localName] as bigint | undefined;
  if (number === undefined || micros === undefined) return undefined;
  // Where they are not optional, an empty one is absent.
  if (!from.optional && (number === 0 || micros === 0n)) return undefined;
  if (exactMicros(number) === micros || Number(micros) / 1e6 === number) return undefined;
  const message = `${to.name} is not ${from.name} in micros: send one of them`;
  return { field: to.name, reason: RejectReason.CONTRADICTION, message };
}

/** Sums of several currencies mean nothing, so a mesh takes one. */
function currencyIsTheMeshs(shape: EventShape, event: Fields, { currency }: Terms): Fault | undefined {
  for (const { name, localName } of shape.with.currency) {
    const sent = event[localName] as string;
    if (sent === '' || sent.toUpperCase() === currency) continue;
    const message = `${name} must be ${currency}, which this mesh counts in: convert the value to ${currency} first`;
    return { field: name, reason: RejectReason.OTHER_CURRENCY, limit: currency, message };
  }
  return undefined;
}

/** The micros to store; 0 for an event without such a field. */
function microsOf({ stored }: EventShape, event: Fields): bigint {
  if (stored === undefined) return 0n;
  const micros = event[stored.to.localName] as bigint | undefined;
  return micros || exactMicros((event[stored.from.localName] as number | undefined) ?? 0);
}
