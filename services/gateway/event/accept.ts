import { create } from '@bufbuild/protobuf';
import type { Click, Conversion, Event } from '../../../gen/ts/clickmesh/v1/event_pb.js';
import { type Rejection, RejectionSchema, RejectReason } from '../../../gen/ts/clickmesh/v1/ingest_service_pb.js';
import {
  MAX_ID_BYTES,
  MAX_METADATA_BYTES,
  MAX_METADATA_ENTRIES,
  MAX_TIMESTAMP_AHEAD_MS,
  MAX_VALUE,
  MAX_VALUE_MICROS,
  MIN_TIMESTAMP_MS,
} from '../../contract/limits.ts';
import { exactMicros } from '../../contract/money.ts';
import { encodeEvent } from './encode-event.ts';

/** An event ready for the log. */
export interface Accepted {
  eventId: string;
  eventType: 'click' | 'conversion';
  /** The record's key. */
  userId: string;
  /** The record's value: a serialized Event, normalized. */
  bytes: Uint8Array;
}

export type Rejected = { kind: 'rejected'; rejection: Rejection };
export type Outcome = { kind: 'accepted'; event: Accepted } | Rejected;

/** What a step found wrong. `message` starts with the field. */
export interface Fault {
  field: string;
  reason: RejectReason;
  limit?: string;
  message: string;
}

type EventCase = Click | Conversion;
type Step = (eventCase: EventCase, now: number) => Fault | undefined;

/** Of a character of JavaScript, of which an emoji has two. */
const MAX_UTF8_BYTES = 3;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** What every event must pass, in this order; the first fault rejects it. */
const STEPS: readonly Step[] = [
  requiredFieldsPresent,
  eventIdIsUuid,
  textIsWellFormed,
  idsShortEnough,
  metadataFewEnough,
  metadataSmallEnough,
  timestampInRange,
  valueFinite,
  valueInRange,
  valuesAgree,
];

/** Judges one event by the rules of event.proto. `now` is in ms since 1970-01-01 UTC. Pure. */
export function accept(event: Event, now: number): Outcome {
  const eventCase = event.event.value;
  if (eventCase === undefined) return rejected('', UNKNOWN_TYPE);
  for (const step of STEPS) {
    const fault = step(eventCase, now);
    if (fault !== undefined) return rejected(eventCase.eventId, fault);
  }
  const eventId = eventCase.eventId.toLowerCase();
  const eventType = isConversion(eventCase) ? 'conversion' : 'click';
  const bytes = encodeEvent(eventCase, eventId, isConversion(eventCase) ? microsOf(eventCase) : 0n);
  return { kind: 'accepted', event: { eventId, eventType, userId: eventCase.userId, bytes } };
}

/** The rejection of an event. A longer event_id is cut to the size of an id: it goes back in an HTTP header. */
export function rejected(eventId: string, fault: Fault): Rejected {
  const shortId = eventId.slice(0, MAX_ID_BYTES).toWellFormed();
  return { kind: 'rejected', rejection: create(RejectionSchema, { ...fault, eventId: shortId }) };
}

const UNKNOWN_TYPE: Fault = {
  field: 'event',
  reason: RejectReason.UNKNOWN_EVENT_TYPE,
  message: 'event is neither a click nor a conversion',
};

function requiredFieldsPresent(eventCase: EventCase): Fault | undefined {
  const missingId = eventCase.eventId === '' ? 'event_id' : firstId(eventCase, isEmpty);
  const field = missingId ?? (eventCase.timestamp === 0n ? 'timestamp' : undefined);
  if (field === undefined) return undefined;
  return { field, reason: RejectReason.REQUIRED, message: `${field} is required` };
}

function isEmpty(text: string): boolean {
  return text === '';
}

function eventIdIsUuid(eventCase: EventCase): Fault | undefined {
  if (UUID.test(eventCase.eventId)) return undefined;
  return { field: 'event_id', reason: RejectReason.NOT_A_UUID, message: 'event_id is not a UUID' };
}

/** A lone surrogate would be stored as another character, and NUL ends strings in many a consumer of the topics. */
function textIsWellFormed(eventCase: EventCase): Fault | undefined {
  const field = firstId(eventCase, isBroken) ?? (hasBrokenMetadata(eventCase) ? 'metadata' : undefined);
  if (field === undefined) return undefined;
  return { field, reason: RejectReason.MALFORMED, message: `${field} holds NUL or a lone surrogate` };
}

function isBroken(text: string): boolean {
  return text.includes('\0') || !text.isWellFormed();
}

function hasBrokenMetadata(eventCase: EventCase): boolean {
  const metadata = metadataOf(eventCase);
  for (const key in metadata) if (isBroken(key) || isBroken(metadata[key]!)) return true;
  return false;
}

function idsShortEnough(eventCase: EventCase): Fault | undefined {
  const field = firstId(eventCase, isTooLong);
  return field === undefined ? undefined : beyond(field, RejectReason.TOO_LONG, `${MAX_ID_BYTES} bytes`);
}

function isTooLong(id: string): boolean {
  return id.length * MAX_UTF8_BYTES > MAX_ID_BYTES && Buffer.byteLength(id) > MAX_ID_BYTES;
}

function metadataFewEnough(eventCase: EventCase): Fault | undefined {
  if (Object.keys(metadataOf(eventCase)).length <= MAX_METADATA_ENTRIES) return undefined;
  return beyond('metadata', RejectReason.TOO_MANY_ENTRIES, `${MAX_METADATA_ENTRIES} entries`);
}

function metadataSmallEnough(eventCase: EventCase): Fault | undefined {
  const metadata = metadataOf(eventCase);
  let characters = 0;
  for (const key in metadata) characters += key.length + metadata[key]!.length;
  if (characters * MAX_UTF8_BYTES <= MAX_METADATA_BYTES) return undefined;
  let bytes = 0;
  for (const key in metadata) bytes += Buffer.byteLength(key) + Buffer.byteLength(metadata[key]!);
  if (bytes <= MAX_METADATA_BYTES) return undefined;
  return beyond('metadata', RejectReason.TOO_LONG, `${MAX_METADATA_BYTES} bytes`);
}

function timestampInRange(eventCase: EventCase, now: number): Fault | undefined {
  if (eventCase.timestamp >= MIN_TIMESTAMP_MS && eventCase.timestamp <= now + MAX_TIMESTAMP_AHEAD_MS) return undefined;
  return beyond('timestamp', RejectReason.OUT_OF_RANGE, '[2000-01-01, now + 24 h] in milliseconds');
}

function valueFinite(eventCase: EventCase): Fault | undefined {
  if (!isConversion(eventCase) || Number.isFinite(eventCase.value)) return undefined;
  return { field: 'value', reason: RejectReason.NOT_FINITE, message: 'value is not a finite number' };
}

function valueInRange(eventCase: EventCase): Fault | undefined {
  if (!isConversion(eventCase)) return undefined;
  if (eventCase.value < 0 || eventCase.value > MAX_VALUE)
    return beyond('value', RejectReason.OUT_OF_RANGE, '[0, 1e12]');
  if (eventCase.valueMicros >= 0n && eventCase.valueMicros <= MAX_VALUE_MICROS) return undefined;
  return beyond('value_micros', RejectReason.OUT_OF_RANGE, '[0, 1e18]');
}

/** They agree if either is the other's conversion: above 2^53 micros a double can't tell neighbours apart. */
function valuesAgree(eventCase: EventCase): Fault | undefined {
  if (!isConversion(eventCase) || eventCase.value === 0 || eventCase.valueMicros === 0n) return undefined;
  const agree =
    exactMicros(eventCase.value) === eventCase.valueMicros || Number(eventCase.valueMicros) / 1e6 === eventCase.value;
  if (agree) return undefined;
  const message = 'value_micros is not value in micros: send one of them';
  return { field: 'value_micros', reason: RejectReason.CONTRADICTION, message };
}

function microsOf({ value, valueMicros }: Conversion): bigint {
  return valueMicros === 0n ? exactMicros(value) : valueMicros;
}

const NO_METADATA: Click['metadata'] = {};

/** The field of the first id, but for event_id, that fails a test; undefined if none does. */
function firstId(eventCase: EventCase, fails: (id: string) => boolean): string | undefined {
  if (fails(eventCase.userId)) return 'user_id';
  if (isConversion(eventCase) && fails(eventCase.type)) return 'type';
  if (isClick(eventCase) && fails(eventCase.adId)) return 'ad_id';
  if (isClick(eventCase) && fails(eventCase.campaignId)) return 'campaign_id';
  return fails(eventCase.source) ? 'source' : undefined;
}

function metadataOf(eventCase: EventCase): Click['metadata'] {
  return isClick(eventCase) ? eventCase.metadata : NO_METADATA;
}

function isClick(eventCase: EventCase): eventCase is Click {
  return eventCase.$typeName === 'clickmesh.v1.Click';
}

function isConversion(eventCase: EventCase): eventCase is Conversion {
  return eventCase.$typeName === 'clickmesh.v1.Conversion';
}

function beyond(field: string, reason: RejectReason, limit: string): Fault {
  const verb = reason === RejectReason.OUT_OF_RANGE ? 'must be in' : 'must have at most';
  return { field, reason, limit, message: `${field} ${verb} ${limit}` };
}
