import { create, toBinary } from '@bufbuild/protobuf';
import {
  type Click,
  type Conversion,
  ConversionSchema,
  type Event,
  EventSchema,
} from '../../gen/ts/clickmesh/v1/event_pb.js';
import { type Rejection, RejectionSchema, RejectReason } from '../../gen/ts/clickmesh/v1/ingest_service_pb.js';
import {
  MAX_ID_BYTES,
  MAX_METADATA_BYTES,
  MAX_METADATA_ENTRIES,
  MAX_TIMESTAMP_AHEAD_MS,
  MAX_VALUE,
  MAX_VALUE_MICROS,
  MIN_TIMESTAMP_MS,
} from '../shared/limits.ts';

/** An event ready for the log. */
export interface Accepted {
  eventId: string;
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

type Arm = Click | Conversion;
type Step = (arm: Arm, now: number) => Fault | undefined;

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
  const arm = event.event.value;
  if (arm === undefined) return rejected('', UNKNOWN_TYPE);
  for (const step of STEPS) {
    const fault = step(arm, now);
    if (fault !== undefined) return rejected(arm.eventId, fault);
  }
  const eventId = arm.eventId.toLowerCase();
  const bytes = toBinary(EventSchema, normalized(arm, eventId), { writeUnknownFields: false });
  return { kind: 'accepted', event: { eventId, userId: arm.userId, bytes } };
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

function requiredFieldsPresent(arm: Arm): Fault | undefined {
  const required = { event_id: arm.eventId, ...ids(arm), timestamp: arm.timestamp };
  const field = Object.entries(required).find(([, value]) => !value)?.[0];
  if (field === undefined) return undefined;
  return { field, reason: RejectReason.REQUIRED, message: `${field} is required` };
}

function eventIdIsUuid(arm: Arm): Fault | undefined {
  if (UUID.test(arm.eventId)) return undefined;
  return { field: 'event_id', reason: RejectReason.NOT_A_UUID, message: 'event_id is not a UUID' };
}

/** A lone surrogate would be stored as another character, and NUL ends strings in many a consumer of the topics. */
function textIsWellFormed(arm: Arm): Fault | undefined {
  const isBroken = (text: string) => text.includes('\0') || !text.isWellFormed();
  const brokenId = Object.entries(ids(arm)).find(([, id]) => isBroken(id))?.[0];
  const field = brokenId ?? (metadataOf(arm).flat().some(isBroken) ? 'metadata' : undefined);
  if (field === undefined) return undefined;
  return { field, reason: RejectReason.MALFORMED, message: `${field} holds NUL or a lone surrogate` };
}

function idsShortEnough(arm: Arm): Fault | undefined {
  const field = Object.entries(ids(arm)).find(([, id]) => Buffer.byteLength(id) > MAX_ID_BYTES)?.[0];
  return field === undefined ? undefined : beyond(field, RejectReason.TOO_LONG, `${MAX_ID_BYTES} bytes`);
}

function metadataFewEnough(arm: Arm): Fault | undefined {
  if (metadataOf(arm).length <= MAX_METADATA_ENTRIES) return undefined;
  return beyond('metadata', RejectReason.TOO_MANY_ENTRIES, `${MAX_METADATA_ENTRIES} entries`);
}

function metadataSmallEnough(arm: Arm): Fault | undefined {
  const bytes = metadataOf(arm).reduce(
    (sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(value),
    0,
  );
  if (bytes <= MAX_METADATA_BYTES) return undefined;
  return beyond('metadata', RejectReason.TOO_LONG, `${MAX_METADATA_BYTES} bytes`);
}

function timestampInRange(arm: Arm, now: number): Fault | undefined {
  if (arm.timestamp >= MIN_TIMESTAMP_MS && arm.timestamp <= now + MAX_TIMESTAMP_AHEAD_MS) return undefined;
  return beyond('timestamp', RejectReason.OUT_OF_RANGE, '[2000-01-01, now + 24 h] in milliseconds');
}

function valueFinite(arm: Arm): Fault | undefined {
  if (!isConversion(arm) || Number.isFinite(arm.value)) return undefined;
  return { field: 'value', reason: RejectReason.NOT_FINITE, message: 'value is not a finite number' };
}

function valueInRange(arm: Arm): Fault | undefined {
  if (!isConversion(arm)) return undefined;
  if (arm.value < 0 || arm.value > MAX_VALUE) return beyond('value', RejectReason.OUT_OF_RANGE, '[0, 1e12]');
  if (arm.valueMicros >= 0n && arm.valueMicros <= MAX_VALUE_MICROS) return undefined;
  return beyond('value_micros', RejectReason.OUT_OF_RANGE, '[0, 1e18]');
}

/** They agree if either is the other's conversion: above 2^53 micros a double can't tell neighbours apart. */
function valuesAgree(arm: Arm): Fault | undefined {
  if (!isConversion(arm) || arm.value === 0 || arm.valueMicros === 0n) return undefined;
  const agree = toMicros(arm.value) === arm.valueMicros || Number(arm.valueMicros) / 1e6 === arm.value;
  if (agree) return undefined;
  const message = 'value_micros is not value in micros: send one of them';
  return { field: 'value_micros', reason: RejectReason.CONTRADICTION, message };
}

function normalized(arm: Arm, eventId: string): Event {
  if (!isConversion(arm)) return create(EventSchema, { event: { case: 'click', value: { ...arm, eventId } } });
  const valueMicros = arm.valueMicros === 0n ? toMicros(arm.value) : arm.valueMicros;
  const value = create(ConversionSchema, { ...arm, eventId, value: 0, valueMicros });
  return create(EventSchema, { event: { case: 'conversion', value } });
}

/** Rounds to nearest. toFixed works on the exact value; multiplying by 1e6 would round twice. */
function toMicros(value: number): bigint {
  return BigInt(value.toFixed(6).replace('.', ''));
}

function ids(arm: Arm): Record<string, string> {
  if (isConversion(arm)) return { user_id: arm.userId, type: arm.type, source: arm.source };
  return { user_id: arm.userId, ad_id: arm.adId, campaign_id: arm.campaignId, source: arm.source };
}

function metadataOf(arm: Arm): [string, string][] {
  return isConversion(arm) ? [] : Object.entries(arm.metadata);
}

function isConversion(arm: Arm): arm is Conversion {
  return arm.$typeName === 'clickmesh.v1.Conversion';
}

function beyond(field: string, reason: RejectReason, limit: string): Fault {
  const verb = reason === RejectReason.OUT_OF_RANGE ? 'must be in' : 'must have at most';
  return { field, reason, limit, message: `${field} ${verb} ${limit}` };
}
