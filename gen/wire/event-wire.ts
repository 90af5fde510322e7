// Generated from proto/clickmesh/v1/event.proto by test/codegen/wire-code.ts: `npm run generate`.
import type { Accepted } from '../../services/contract/event-rules.ts';
import {
  putBigint,
  putEntry,
  putText,
  putVarint,
  varintBytes,
} from '../../services/contract/wire.ts';
import {
  hadUpperCase,
  lastDouble,
  lastInteger,
  passAscii,
  passHead,
  passId,
  passInteger,
  passMap,
  passOptionalDouble,
  passOptionalInteger,
  passText,
  passUuid,
  passUuidText,
  skipMap,
  withLowerCaseUuid,
  withMicros,
} from '../../services/contract/wire-reader.ts';
import type { Adjustment, Click, Conversion, Verdict } from '../ts/clickmesh/v1/event_pb.js';

/** The longest event that passes accept, in bytes. */
export const MAX_EVENT_BYTES = 5072;

/**
 * Judges an event as it lies in the bytes of a request, from `start` to `end`: what is accepted here is, to the
 * byte, what `accept` makes of it once it is decoded. Undefined for whatever is unusual, right or wrong: types that
 * are sent seldom, fields out of their order, texts of 128 bytes or more, a number in two fields, and every fault.
 * Those are for `accept`.
 *
 * @param now in ms since 1970-01-01 UTC
 */
export function scanEvent(bytes: Buffer, start: number, end: number, now: number): Accepted | undefined {
  switch (bytes[start]) {
    case 0x0a:
      return scanClick(bytes, start, end, now);
    case 0x12:
      return scanConversion(bytes, start, end, now);
    default:
      return undefined;
  }
}

function scanClick(bytes: Buffer, start: number, end: number, now: number): Accepted | undefined {
  let at = passHead(bytes, start, end);
  const eventIdStart = at + 2;
  at = passUuid(bytes, at, end, 0x0a);
  const eventIdEnd = at;
  const isUpperCase = hadUpperCase();
  const userIdStart = at + 2;
  at = passId(bytes, at, end, 0x12);
  const userIdEnd = at;
  at = passId(bytes, at, end, 0x1a);
  at = passId(bytes, at, end, 0x22);
  at = passText(bytes, at, end, 0x2a);
  at = passInteger(bytes, at, end, 0x30, 946684800000, now + 86400000);
  at = passMap(bytes, at, end, 0x3a, 32, 4096);
  if (at !== end) return undefined;
  const eventId = bytes.toString('latin1', eventIdStart, eventIdEnd);
  const event = bytes.subarray(start, end);
  return {
    eventId: isUpperCase ? eventId.toLowerCase() : eventId,
    eventType: 'click',
    userId: bytes.toString('utf8', userIdStart, userIdEnd),
    bytes: isUpperCase ? withLowerCaseUuid(event, event[1]! < 0x80 ? 4 : 5) : event,
  };
}

function scanConversion(bytes: Buffer, start: number, end: number, now: number): Accepted | undefined {
  let at = passHead(bytes, start, end);
  const body = at;
  const eventIdStart = at + 2;
  at = passUuid(bytes, at, end, 0x0a);
  const eventIdEnd = at;
  const isUpperCase = hadUpperCase();
  const userIdStart = at + 2;
  at = passId(bytes, at, end, 0x12);
  const userIdEnd = at;
  at = passText(bytes, at, end, 0x1a);
  const valueStart = at;
  at = passOptionalDouble(bytes, at, end, 0x21, 562949953);
  const value = lastDouble();
  const valueEnd = at;
  at = passText(bytes, at, end, 0x2a);
  at = passInteger(bytes, at, end, 0x30, 946684800000, now + 86400000);
  const valueMicrosStart = at;
  at = passOptionalInteger(bytes, at, end, 0x38, 562949953421311);
  const valueMicros = lastInteger();
  const valueMicrosEnd = at;
  at = passMap(bytes, at, end, 0x42, 32, 4096);
  if (at !== end || (value !== 0 && valueMicros !== 0)) return undefined;
  const eventId = bytes.toString('latin1', eventIdStart, eventIdEnd);
  const event = withMicros(bytes, 0x12, body, valueStart, valueEnd, valueMicrosStart, valueMicrosEnd, end, 0x38, value, valueMicros);
  return {
    eventId: isUpperCase ? eventId.toLowerCase() : eventId,
    eventType: 'conversion',
    userId: bytes.toString('utf8', userIdStart, userIdEnd),
    bytes: isUpperCase ? withLowerCaseUuid(event, event[1]! < 0x80 ? 4 : 5) : event,
  };
}

/** Where events are put together, the message from START on, so that there is room for the head that tells its length. */
const scratch = Buffer.allocUnsafeSlow(MAX_EVENT_BYTES);
const START = 4;

/**
 * The bytes of an Event that passed accept, as toBinary gives them but for unknown fields.
 *
 * @param eventId what to write for the event's own
 * @param micros what to write where a number is stored as micros; the number itself is left out
 */
export function encodeEvent(event: Click | Conversion | Adjustment | Verdict, eventId: string, micros: bigint): Buffer {
  switch (event.$typeName) {
    case 'clickmesh.v1.Click':
      return wrapped(0x0a, putClick(event, eventId, micros));
    case 'clickmesh.v1.Conversion':
      return wrapped(0x12, putConversion(event, eventId, micros));
    case 'clickmesh.v1.Adjustment':
      return wrapped(0x1a, putAdjustment(event, eventId, micros));
    case 'clickmesh.v1.Verdict':
      return wrapped(0x22, putVerdict(event, eventId, micros));
  }
}

/** The case of Event: its head goes before the message that ends here. A copy. */
function wrapped(tag: number, end: number): Buffer {
  const length = end - START;
  const start = START - 1 - varintBytes(length);
  scratch[start] = tag;
  putVarint(scratch, start + 1, length);
  return Buffer.from(scratch.subarray(start, end));
}

function putClick(event: Click, eventId: string, _micros: bigint): number {
  let at = START;
  at = putText(scratch, at, 0x0a, eventId);
  at = putText(scratch, at, 0x12, event.userId);
  at = putText(scratch, at, 0x1a, event.adId);
  at = putText(scratch, at, 0x22, event.campaignId);
  at = putText(scratch, at, 0x2a, event.source);
  at = putBigint(scratch, at, 0x30, event.timestamp);
  for (const key in event.metadata) at = putEntry(scratch, at, 0x3a, key, event.metadata[key]!);
  return at;
}

function putConversion(event: Conversion, eventId: string, micros: bigint): number {
  let at = START;
  at = putText(scratch, at, 0x0a, eventId);
  at = putText(scratch, at, 0x12, event.userId);
  at = putText(scratch, at, 0x1a, event.type);
  at = putText(scratch, at, 0x2a, event.source);
  at = putBigint(scratch, at, 0x30, event.timestamp);
  at = putBigint(scratch, at, 0x38, micros);
  for (const key in event.metadata) at = putEntry(scratch, at, 0x42, key, event.metadata[key]!);
  return at;
}

function putAdjustment(event: Adjustment, eventId: string, micros: bigint): number {
  let at = START;
  at = putText(scratch, at, 0x0a, eventId);
  at = putText(scratch, at, 0x12, event.userId);
  at = putText(scratch, at, 0x1a, event.conversionId);
  at = putText(scratch, at, 0x22, event.kind);
  at = putBigint(scratch, at, 0x30, event.timestamp);
  at = putBigint(scratch, at, 0x38, micros);
  at = putText(scratch, at, 0x42, event.reason);
  return at;
}

function putVerdict(event: Verdict, eventId: string, _micros: bigint): number {
  let at = START;
  at = putText(scratch, at, 0x0a, eventId);
  at = putText(scratch, at, 0x12, event.userId);
  at = putText(scratch, at, 0x1a, event.clickId);
  at = putVarint(scratch, putVarint(scratch, at, 0x20), event.valid ? 1 : 0);
  at = putText(scratch, at, 0x2a, event.reason);
  at = putBigint(scratch, at, 0x30, event.timestamp);
  return at;
}

/** A click as it lies in its bytes: where its texts, all of them ASCII without NUL, begin and end. */
export interface ClickFields {
  kind: 'click';
  eventId: number;
  userId: number;
  userIdEnd: number;
  adId: number;
  adIdEnd: number;
  campaignId: number;
  campaignIdEnd: number;
  source: number;
  sourceEnd: number;
  /** In ms. */
  timestamp: number;
  /** Where its entries begin and end. */
  metadata: number;
  metadataEnd: number;
}

/** A conversion as it lies in its bytes: where its texts, all of them ASCII without NUL, begin and end. */
export interface ConversionFields {
  kind: 'conversion';
  eventId: number;
  userId: number;
  userIdEnd: number;
  type: number;
  typeEnd: number;
  source: number;
  sourceEnd: number;
  /** In ms. */
  timestamp: number;
  valueMicros: number;
  /** Where its entries begin and end. */
  metadata: number;
  metadataEnd: number;
}

export type EventFields = ClickFields | ConversionFields;

/**
 * Finds the fields of an event in the bytes of its record. Undefined for whatever is unusual, right or wrong: types
 * that are sent seldom, fields out of their order or unknown, texts that are not ASCII or of 128 bytes or more, an
 * event_id not as long as a UUID, numbers of more than 49 bits, and what breaks a rule. Those are for a decoder of all
 * of Protobuf, which finds the same in all others. Whether the event_id is a UUID is not looked at. The answer is valid
 * until the next call.
 */
export function findFields(bytes: Buffer, start: number, end: number): EventFields | undefined {
  switch (bytes[start]) {
    case 0x0a:
      return findClick(bytes, start, end);
    case 0x12:
      return findConversion(bytes, start, end);
    default:
      return undefined;
  }
}

const foundClick: ClickFields = {
  kind: 'click',
  eventId: 0,
  userId: 0,
  userIdEnd: 0,
  adId: 0,
  adIdEnd: 0,
  campaignId: 0,
  campaignIdEnd: 0,
  source: 0,
  sourceEnd: 0,
  timestamp: 0,
  metadata: 0,
  metadataEnd: 0,
};

function findClick(bytes: Buffer, start: number, end: number): ClickFields | undefined {
  let at = passHead(bytes, start, end);
  foundClick.eventId = at + 2;
  at = passUuidText(bytes, at, end, 0x0a);
  foundClick.userId = at + 2;
  at = passAscii(bytes, at, end, 0x12);
  foundClick.userIdEnd = at;
  foundClick.adId = at + 2;
  at = passAscii(bytes, at, end, 0x1a);
  foundClick.adIdEnd = at;
  foundClick.campaignId = at + 2;
  at = passAscii(bytes, at, end, 0x22);
  foundClick.campaignIdEnd = at;
  foundClick.source = at + 2;
  at = passAscii(bytes, at, end, 0x2a);
  foundClick.sourceEnd = at;
  at = passInteger(bytes, at, end, 0x30, 946684800000, 7258118400000);
  foundClick.timestamp = lastInteger();
  foundClick.metadata = at;
  at = skipMap(bytes, at, end, 0x3a);
  foundClick.metadataEnd = at;
  return at === end ? foundClick : undefined;
}

const foundConversion: ConversionFields = {
  kind: 'conversion',
  eventId: 0,
  userId: 0,
  userIdEnd: 0,
  type: 0,
  typeEnd: 0,
  source: 0,
  sourceEnd: 0,
  timestamp: 0,
  valueMicros: 0,
  metadata: 0,
  metadataEnd: 0,
};

function findConversion(bytes: Buffer, start: number, end: number): ConversionFields | undefined {
  let at = passHead(bytes, start, end);
  foundConversion.eventId = at + 2;
  at = passUuidText(bytes, at, end, 0x0a);
  foundConversion.userId = at + 2;
  at = passAscii(bytes, at, end, 0x12);
  foundConversion.userIdEnd = at;
  foundConversion.type = at + 2;
  at = passAscii(bytes, at, end, 0x1a);
  foundConversion.typeEnd = at;
  foundConversion.source = at + 2;
  at = passAscii(bytes, at, end, 0x2a);
  foundConversion.sourceEnd = at;
  at = passInteger(bytes, at, end, 0x30, 946684800000, 7258118400000);
  foundConversion.timestamp = lastInteger();
  at = passOptionalInteger(bytes, at, end, 0x38, 562949953421311);
  foundConversion.valueMicros = lastInteger();
  foundConversion.metadata = at;
  at = skipMap(bytes, at, end, 0x42);
  foundConversion.metadataEnd = at;
  return at === end ? foundConversion : undefined;
}
