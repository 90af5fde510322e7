import { fromJson, toBinary } from '@bufbuild/protobuf';
import { type Event, EventSchema } from '../../gen/ts/clickmesh/v1/event_pb.js';
import { IngestBatchRequestSchema, IngestRequestSchema } from '../../gen/ts/clickmesh/v1/ingest_service_pb.js';
import { generateEvents } from '../../services/cli/generate/journeys.ts';
import type { SeedEvent } from '../../services/cli/generate/seed-events.ts';

/** The same journeys in every run: no duplicates, so that what is sent is what must be counted. */
const JOURNEYS = {
  ...{ users: 100_000, campaigns: 100, seed: 1, end: '2025-12-31', days: 1 },
  ...{ conversionRate: 0.05, duplicates: 0, late: 0.02, disorderMs: 5000, refunds: 0, invalid: 0 },
};

/** Hexadecimal digits at the end of an event_id that number the event. */
const EVENT_DIGITS = 12;
/** Hexadecimal digits at the end of a user_id that number the repetition of the pool. */
const ROUND_DIGITS = 4;

type Encode = (events: SeedEvent[]) => Uint8Array | string;

interface Template {
  body: Buffer;
  /** Where each event's digits are. */
  digits: { event: number; round: number }[];
}

export interface Requests {
  /** A body that was not sent before. */
  next(): Buffer;
}

/**
 * Makes request bodies of `perRequest` events. They are encoded here, once, from a pool of journeys; what is left to do
 * while measuring is to copy a body and number its events. When the pool is used up it repeats with other users: the
 * same ones would click before their conversions of last time, and corrections would be all that is measured.
 */
export function prepareRequests(encode: Encode, perRequest: number, poolEvents: number): Requests {
  const pool = [...generateEvents({ ...JOURNEYS, events: poolEvents })];
  const templates: Template[] = [];
  for (let i = 0; i + perRequest <= pool.length; i += perRequest) {
    templates.push(template(encode, pool.slice(i, i + perRequest)));
  }
  let requests = 0;
  let events = 0;
  return {
    next() {
      const { body, digits } = templates[requests % templates.length]!;
      const round = hex(Math.floor(requests++ / templates.length), ROUND_DIGITS);
      const copy = Buffer.from(body);
      for (const at of digits) {
        copy.write(hex(events++, EVENT_DIGITS), at.event, 'latin1');
        copy.write(round, at.round, 'latin1');
      }
      return copy;
    },
  };
}

/** Every event_id comes before its user_id, in JSON as in protobuf. */
function template(encode: Encode, events: SeedEvent[]): Template {
  const numbered = events.map((event) => ({ ...event, user_id: `${event.user_id}-${hex(0, ROUND_DIGITS)}` }));
  const body = Buffer.from(encode(numbered));
  const digits = numbered.map(({ event_id: eventId, user_id: userId }) => {
    const eventEnd = body.indexOf(eventId) + eventId.length;
    const userEnd = body.indexOf(userId, eventEnd) + userId.length;
    return { event: eventEnd - EVENT_DIGITS, round: userEnd - ROUND_DIGITS };
  });
  return { body, digits };
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0');
}

/** A body of POST /api/v1/events. */
export function restJson([event]: SeedEvent[]): string {
  return JSON.stringify(event);
}

/** An IngestRequest as Connect takes it in JSON. */
export function ingestJson([event]: SeedEvent[]): string {
  return JSON.stringify({ event: eventJson(event!) });
}

export function ingestProto([event]: SeedEvent[]): Uint8Array {
  return toBinary(IngestRequestSchema, { $typeName: 'clickmesh.v1.IngestRequest', event: toEvent(event!) });
}

/** An IngestBatchRequest; an IngestStreamRequest has the same fields. */
export function batchProto(events: SeedEvent[]): Uint8Array {
  const $typeName = 'clickmesh.v1.IngestBatchRequest';
  return toBinary(IngestBatchRequestSchema, { $typeName, events: events.map(toEvent) });
}

function toEvent(event: SeedEvent): Event {
  return fromJson(EventSchema, eventJson(event));
}

function eventJson({ event_type: type, ...fields }: SeedEvent) {
  return { [type]: fields };
}
