import { fromJson, toBinary } from '@bufbuild/protobuf';
import { type Event, EventSchema } from '../../gen/ts/clickmesh/v1/event_pb.js';
import { IngestBatchRequestSchema, IngestRequestSchema } from '../../gen/ts/clickmesh/v1/ingest_service_pb.js';
import { generateEvents, type SeedEvent } from '../../services/cli/journeys.ts';

/** The same journeys in every run: no duplicates, so that what is sent is what must be counted. */
const JOURNEYS = {
  ...{ users: 100_000, campaigns: 100, seed: 1, end: '2025-12-31', days: 1 },
  ...{ conversionRate: 0.05, duplicates: 0, late: 0.02, disorderMs: 5000 },
};

/** Hexadecimal digits at the end of an event_id that number the event. */
const SEQUENCE_DIGITS = 12;

interface Template {
  body: Buffer;
  /** Where the sequence digits of each event are. */
  sequenceAt: number[];
}

export interface Requests {
  /** A body that was not sent before: its events have ids of their own. */
  next(): Buffer;
}

/**
 * Makes request bodies of `perRequest` events. They are encoded here, once, from `poolEvents` journeys that repeat;
 * what is left to do while measuring is to copy a body and number its events.
 */
export function prepareRequests(
  encode: (events: SeedEvent[]) => Uint8Array | string,
  perRequest: number,
  poolEvents: number,
): Requests {
  const pool = [...generateEvents({ ...JOURNEYS, events: poolEvents })];
  const templates: Template[] = [];
  for (let i = 0; i + perRequest <= pool.length; i += perRequest) {
    templates.push(template(encode, pool.slice(i, i + perRequest)));
  }
  let requests = 0;
  let sequence = 0;
  return {
    next() {
      const { body, sequenceAt } = templates[requests++ % templates.length]!;
      const copy = Buffer.from(body);
      for (const at of sequenceAt) copy.write((sequence++).toString(16).padStart(SEQUENCE_DIGITS, '0'), at, 'latin1');
      return copy;
    },
  };
}

function template(encode: (events: SeedEvent[]) => Uint8Array | string, events: SeedEvent[]): Template {
  const body = Buffer.from(encode(events));
  const sequenceAt = events.map(({ event_id: id }) => body.indexOf(id) + id.length - SEQUENCE_DIGITS);
  return { body, sequenceAt };
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
