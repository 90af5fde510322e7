import { create, toBinary } from '@bufbuild/protobuf';
import {
  IngestBatchResponseSchema,
  IngestResultSchema,
  type Rejection,
  RejectReason,
} from '../../gen/ts/clickmesh/v1/ingest_service_pb.js';
import { UUID_LENGTH } from '../contract/uuid.ts';
import { putNumber } from '../contract/wire.ts';
import type { RecordPosition } from '../log/event-log.ts';
import type { Appended } from './append-events.ts';

/** Protobuf tags: field number << 3 | wire type. */
const ACCEPTANCE = (1 << 3) | 2;
const RESULT = (1 << 3) | 2;
const ACCEPTED_RESULT = (1 << 3) | 2;
const EVENT_ID = (1 << 3) | 2;
const PARTITION = (2 << 3) | 0;
const OFFSET = (3 << 3) | 0;
const ACCEPTED_COUNT = (2 << 3) | 0;
const REJECTED_COUNT = (3 << 3) | 0;

/** Most bytes of an Acceptance: an id, an int32 and an integer of 53 bits, with tags. Its length takes one byte. */
const MAX_ACCEPTANCE_BYTES = 2 + UUID_LENGTH + 6 + 9;
/** Most bytes that the two counts take, with their tags. */
const MAX_COUNTS_BYTES = 12;

/** Returns a serialized IngestResponse. */
export function encodeResponse(eventId: string, position: RecordPosition): Buffer {
  const bytes = Buffer.allocUnsafe(2 + MAX_ACCEPTANCE_BYTES);
  bytes[0] = ACCEPTANCE;
  const end = putAcceptance(bytes, 2, eventId, position);
  bytes[1] = end - 2;
  return bytes.subarray(0, end);
}

/** Returns a serialized IngestBatchResponse: one result per event, in order. */
export function encodeBatchResponse({ outcomes, positions }: Appended): Buffer {
  const rejections = outcomes.length - positions.length === 0 ? [] : rejectedResults(outcomes);
  const rejectedBytes = rejections.reduce((sum, { length }) => sum + length, 0);
  const most = positions.length * (4 + MAX_ACCEPTANCE_BYTES) + rejectedBytes + MAX_COUNTS_BYTES;
  const bytes = Buffer.allocUnsafe(most);
  let accepted = 0;
  let rejected = 0;
  let end = 0;
  for (const outcome of outcomes) {
    if (outcome.kind === 'accepted') {
      end = putAcceptedResult(bytes, end, outcome.event.eventId, positions[accepted++]!);
    } else {
      const result = rejections[rejected++]!;
      bytes.set(result, end);
      end += result.length;
    }
  }
  end = putNumber(bytes, end, ACCEPTED_COUNT, accepted);
  end = putNumber(bytes, end, REJECTED_COUNT, rejected);
  return bytes.subarray(0, end);
}

/** Encodes a response for each rejected event, of its result alone: together they are one response's results. */
function rejectedResults(outcomes: Appended['outcomes']): Uint8Array[] {
  return outcomes.flatMap((outcome) => {
    if (outcome.kind === 'accepted') return [];
    const result = create(IngestResultSchema, { result: { case: 'rejected', value: outcome.rejection } });
    return [toBinary(IngestBatchResponseSchema, create(IngestBatchResponseSchema, { results: [result] }))];
  });
}

function putAcceptedResult(bytes: Buffer, at: number, eventId: string, position: RecordPosition): number {
  const start = at + 4;
  const end = putAcceptance(bytes, start, eventId, position);
  bytes[at] = RESULT;
  bytes[at + 1] = end - at - 2;
  bytes[at + 2] = ACCEPTED_RESULT;
  bytes[at + 3] = end - start;
  return end;
}

function putAcceptance(bytes: Buffer, at: number, eventId: string, { partition, offset }: RecordPosition): number {
  bytes[at] = EVENT_ID;
  bytes[at + 1] = UUID_LENGTH;
  bytes.write(eventId, at + 2, 'latin1');
  const end = putNumber(bytes, at + 2 + UUID_LENGTH, PARTITION, partition);
  return putNumber(bytes, end, OFFSET, offset);
}

/** What POST /api/v1/events answers: JSON, put together by hand because an accepted event has nothing to escape. */
export function appendedJson({ outcomes, positions }: Appended): string {
  let results = '';
  let accepted = 0;
  for (const outcome of outcomes) {
    if (results !== '') results += ',';
    if (outcome.kind === 'rejected') {
      results += JSON.stringify(rejectionJson(outcome.rejection));
    } else {
      const { partition, offset } = positions[accepted++]!;
      const { eventId } = outcome.event;
      results += `{"event_id":"${eventId}","status":"accepted","partition":${partition},"offset":${offset}}`;
    }
  }
  return `{"accepted":${accepted},"rejected":${outcomes.length - accepted},"results":[${results}]}`;
}

function rejectionJson({ eventId, field, reason, limit, message }: Rejection): object {
  return { event_id: eventId, status: 'rejected', field, reason: RejectReason[reason].toLowerCase(), limit, message };
}
