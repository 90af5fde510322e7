import { fromBinary } from '@bufbuild/protobuf';
import { EventSchema } from '../../gen/ts/clickmesh/v1/event_pb.js';
import { MAX_ID_BYTES, MAX_TIMESTAMP_MS, MAX_VALUE_MICROS, MIN_TIMESTAMP_MS } from '../shared/limits.ts';
import type { LogRecord } from '../shared/log/event-log.ts';
import { type EventFields, findFields } from './decode-event.ts';
import type { FoldEvent } from './fold.ts';
import { copyTouch, storeTouch, TOUCH_BYTES } from './touch.ts';
import { UUID_LENGTH } from './uuid.ts';

/** A record that can't be folded, and why. */
export interface Poison {
  kind: 'poison';
  reason: string;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Room for the touches of a batch of records, one after the other. */
export interface TouchSpace {
  bytes: Buffer;
  length: number;
}

export function newTouchSpace(): TouchSpace {
  return { bytes: Buffer.alloc(0), length: 0 };
}

/** Makes room for the touches of these records, if all are clicks, in the place of those before. */
export function clearFor(space: TouchSpace, records: readonly LogRecord[]): void {
  let bytes = 0;
  for (const { value } of records) bytes += TOUCH_BYTES + value.length;
  if (bytes > space.bytes.length) space.bytes = Buffer.allocUnsafeSlow(bytes);
  space.length = 0;
}

/**
 * Reads a record of raw-events. What gateways write always passes; the checks keep others' records from breaking what
 * the fold and the tables rely on.
 *
 * @param arrival the partition's clock at this record, in ms
 * @param space where a click's touch is put
 */
export function readEvent(record: LogRecord, arrival: number, space: TouchSpace): FoldEvent | Poison {
  const fields = findFields(record.value);
  return fields !== undefined && isTimestamp(fields.timestamp) && !hasLongId(fields)
    ? readFields(record, fields, arrival, space)
    : readMessage(record, arrival);
}

function readFields({ offset, value }: LogRecord, fields: EventFields, arrival: number, space: TouchSpace): FoldEvent {
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.length);
  const userId = bytes.toString('latin1', fields.userId, fields.userIdEnd);
  if (fields.kind === 'click') {
    const touch = copyTouch(space.bytes, space.length, value, fields, arrival);
    space.length = touch.end;
    return { kind: 'click', userId, offset, touch };
  }
  const conversion = {
    conversionId: bytes.toString('latin1', fields.eventId, fields.eventId + UUID_LENGTH),
    timestamp: fields.timestamp,
    arrival,
    type: bytes.toString('latin1', fields.type, fields.typeEnd),
    valueMicros: BigInt(fields.valueMicros),
    credits: [],
  };
  return { kind: 'conversion', userId, offset, conversion };
}

/** The same by way of the message, which takes several times as long. */
export function readMessage(record: LogRecord, arrival: number): FoldEvent | Poison {
  let event: ReturnType<typeof decode>;
  try {
    event = decode(record.value);
  } catch (error) {
    return poison(`not an Event: ${(error as Error).message}`);
  }
  if (event.case === undefined) return poison('unknown event type');
  const { eventId, userId } = event.value;
  const timestamp = Number(event.value.timestamp);
  if (!UUID.test(eventId)) return poison('event_id is not a lower-case UUID');
  if (userId === '') return poison('user_id is empty');
  if (!isTimestamp(timestamp)) return poison('timestamp is out of range');
  const { offset } = record;
  if (event.case === 'click') {
    const { adId, campaignId, source } = event.value;
    const ids = [adId, campaignId, source];
    if (hasNul(userId, ...ids)) return poison('an id contains NUL');
    if (ids.some(isTooLong)) return poison(`an id is longer than ${MAX_ID_BYTES} bytes`);
    const touch = storeTouch({ clickId: eventId, timestamp, arrival, adId, campaignId, source });
    return { kind: 'click', userId, offset, touch };
  }
  const { type, valueMicros } = event.value;
  if (hasNul(userId, type)) return poison('an id contains NUL');
  if (valueMicros < 0n || valueMicros > MAX_VALUE_MICROS) return poison('value_micros is out of range');
  const conversion = { conversionId: eventId, timestamp, arrival, type, valueMicros, credits: [] };
  return { kind: 'conversion', userId, offset, conversion };
}

function isTimestamp(ms: number): boolean {
  return ms >= MIN_TIMESTAMP_MS && ms <= MAX_TIMESTAMP_MS;
}

function hasLongId({ adId, adIdEnd, campaignId, campaignIdEnd, source, sourceEnd }: EventFields): boolean {
  return Math.max(adIdEnd - adId, campaignIdEnd - campaignId, sourceEnd - source) > MAX_ID_BYTES;
}

/** Keys end their parts with NUL. */
function hasNul(...ids: string[]): boolean {
  return ids.some((id) => id.includes('\0'));
}

function isTooLong(id: string): boolean {
  return Buffer.byteLength(id) > MAX_ID_BYTES;
}

function decode(bytes: Uint8Array) {
  return fromBinary(EventSchema, bytes).event;
}

function poison(reason: string): Poison {
  return { kind: 'poison', reason };
}
