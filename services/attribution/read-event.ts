import { fromBinary } from '@bufbuild/protobuf';
import { EventSchema } from '../../gen/ts/clickmesh/v1/event_pb.js';
import { MAX_TIMESTAMP_MS, MAX_VALUE_MICROS, MIN_TIMESTAMP_MS } from '../shared/limits.ts';
import type { LogRecord } from '../shared/log/event-log.ts';
import type { FoldEvent } from './fold.ts';

/** A record that can't be folded, and why. */
export interface Poison {
  kind: 'poison';
  reason: string;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/**
 * Reads a record of raw-events. What gateways write always passes; the checks keep others' records from breaking what
 * the fold and the tables rely on.
 *
 * @param arrival the partition's clock at this record, in ms
 */
export function readEvent(record: LogRecord, arrival: number): FoldEvent | Poison {
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
  if (!(timestamp >= MIN_TIMESTAMP_MS && timestamp <= MAX_TIMESTAMP_MS)) return poison('timestamp is out of range');
  const { offset } = record;
  if (event.case === 'click') {
    const { adId, campaignId, source } = event.value;
    if (hasNul(userId, adId, campaignId, source)) return poison('an id contains NUL');
    return { kind: 'click', userId, offset, touch: { clickId: eventId, timestamp, arrival, adId, campaignId, source } };
  }
  const { type, valueMicros } = event.value;
  if (hasNul(userId, type)) return poison('an id contains NUL');
  if (valueMicros < 0n || valueMicros > MAX_VALUE_MICROS) return poison('value_micros is out of range');
  const conversion = { conversionId: eventId, timestamp, arrival, type, valueMicros, credits: [] };
  return { kind: 'conversion', userId, offset, conversion };
}

/** Keys end their parts with NUL. */
function hasNul(...ids: string[]): boolean {
  return ids.some((id) => id.includes('\0'));
}

function decode(bytes: Uint8Array) {
  return fromBinary(EventSchema, bytes).event;
}

function poison(reason: string): Poison {
  return { kind: 'poison', reason };
}
