import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import {
  AdjustmentSchema,
  ClickSchema,
  ConversionSchema,
  type Event,
  EventSchema,
  VerdictSchema,
} from '../clickmesh/v1/event_pb.js';

/** What the gateway takes in one call is 1000 events and 1 MiB; a little less leaves room for what surrounds them. */
export const MAX_BATCH_EVENTS = 1000;
export const MAX_BATCH_BYTES = 1_000_000;
/** Tag and length in front of an event. */
const EVENT_OVERHEAD = 5;

/** An event of a click. */
export function click(fields: MessageInitShape<typeof ClickSchema>): Event {
  return create(EventSchema, { event: { case: 'click', value: create(ClickSchema, fields) } });
}

/** An event of a conversion. */
export function conversion(fields: MessageInitShape<typeof ConversionSchema>): Event {
  return create(EventSchema, { event: { case: 'conversion', value: create(ConversionSchema, fields) } });
}

/** An event of an adjustment of a conversion, such as a refund. */
export function adjustment(fields: MessageInitShape<typeof AdjustmentSchema>): Event {
  return create(EventSchema, { event: { case: 'adjustment', value: create(AdjustmentSchema, fields) } });
}

/** An event of a verdict on a click. */
export function verdict(fields: MessageInitShape<typeof VerdictSchema>): Event {
  return create(EventSchema, { event: { case: 'verdict', value: create(VerdictSchema, fields) } });
}

/** Gives the event its id and time, once, so that every attempt to send it has the same. */
export function complete(event: Event): Event {
  const fields = event.event.value;
  if (fields === undefined) return event;
  fields.eventId ||= crypto.randomUUID();
  fields.timestamp ||= BigInt(Date.now());
  return event;
}

/** Bytes it takes in a message. */
export function sizeOf(event: Event): number {
  return toBinary(EventSchema, event).byteLength + EVENT_OVERHEAD;
}

/** Splits events into messages that the gateway takes. */
export function* chunks(events: Iterable<Event>): Generator<Event[]> {
  let chunk: Event[] = [];
  let bytes = 0;
  for (const event of events) {
    const size = sizeOf(event);
    if (chunk.length === MAX_BATCH_EVENTS || (chunk.length > 0 && bytes + size > MAX_BATCH_BYTES)) {
      yield chunk;
      chunk = [];
      bytes = 0;
    }
    chunk.push(event);
    bytes += size;
  }
  if (chunk.length > 0) yield chunk;
}
