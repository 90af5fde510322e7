import { create, toBinary } from '@bufbuild/protobuf';
import {
  type Acceptance,
  AcceptanceSchema,
  IngestBatchResponseSchema,
  IngestResponseSchema,
  type IngestResult,
  IngestResultSchema,
  type Rejection,
  RejectReason,
} from '../../gen/ts/clickmesh/v1/ingest_service_pb.js';
import { UUID_LENGTH } from '../contract/uuid.ts';
import { putNumber } from '../contract/wire.ts';
import type { RecordPosition } from '../log/event-log.ts';
import type { Appended } from './append-events.ts';
import type { Outcome } from './event/accept.ts';

type AcceptedOutcome = Extract<Outcome, { kind: 'accepted' }>;

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
export function encodeResponse({ event, ignored }: AcceptedOutcome, position: RecordPosition): Uint8Array {
  const { eventId } = event;
  if (ignored.length > 0) {
    return toBinary(
      IngestResponseSchema,
      create(IngestResponseSchema, { acceptance: acceptance(eventId, position, ignored) }),
    );
  }
  const bytes = Buffer.allocUnsafe(2 + MAX_ACCEPTANCE_BYTES);
  bytes[0] = ACCEPTANCE;
  const end = putAcceptance(bytes, 2, eventId, position);
  bytes[1] = end - 2;
  return bytes.subarray(0, end);
}

/** Returns a serialized IngestBatchResponse: one result per event, in order. */
export function encodeBatchResponse({ outcomes, positions }: Appended): Buffer {
  const unusual = unusualResults(outcomes, positions);
  const unusualBytes = unusual.reduce((sum, { length }) => sum + length, 0);
  const most = positions.length * (4 + MAX_ACCEPTANCE_BYTES) + unusualBytes + MAX_COUNTS_BYTES;
  const bytes = Buffer.allocUnsafe(most);
  let accepted = 0;
  let encoded = 0;
  let end = 0;
  for (const outcome of outcomes) {
    const position = outcome.kind === 'accepted' ? positions[accepted++] : undefined;
    if (outcome.kind === 'accepted' && outcome.ignored.length === 0) {
      end = putAcceptedResult(bytes, end, outcome.event.eventId, position!);
    } else {
      const result = unusual[encoded++]!;
      bytes.set(result, end);
      end += result.length;
    }
  }
  end = putNumber(bytes, end, ACCEPTED_COUNT, accepted);
  end = putNumber(bytes, end, REJECTED_COUNT, outcomes.length - accepted);
  return bytes.subarray(0, end);
}

/**
 * Encodes a response for each event that was rejected or has ignored names, of its result alone: together they are one
 * response's results.
 */
function unusualResults(outcomes: Appended['outcomes'], positions: Appended['positions']): Uint8Array[] {
  const results: Uint8Array[] = [];
  let accepted = 0;
  for (const outcome of outcomes) {
    const position = outcome.kind === 'accepted' ? positions[accepted++] : undefined;
    if (outcome.kind === 'accepted' && outcome.ignored.length === 0) continue;
    const result: IngestResult['result'] =
      outcome.kind === 'accepted'
        ? { case: 'accepted', value: acceptance(outcome.event.eventId, position!, outcome.ignored) }
        : { case: 'rejected', value: outcome.rejection };
    const response = create(IngestBatchResponseSchema, { results: [create(IngestResultSchema, { result })] });
    results.push(toBinary(IngestBatchResponseSchema, response));
  }
  return results;
}

function acceptance(eventId: string, { partition, offset }: RecordPosition, ignored: readonly string[]): Acceptance {
  return create(AcceptanceSchema, { eventId, partition, offset: BigInt(offset), ignored: [...ignored] });
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
  for (let index = 0; index < outcomes.length; index++) {
    const outcome = outcomes[index]!;
    if (index > 0) results += ',';
    if (outcome.kind === 'rejected') {
      results += JSON.stringify(rejectionJson(outcome.rejection, index));
    } else {
      const { partition, offset } = positions[accepted++]!;
      const { event, ignored } = outcome;
      results += `{"event_id":"${event.eventId}","status":"accepted","partition":${partition},"offset":${offset}`;
      results += ignored.length === 0 ? '}' : `,"ignored":${JSON.stringify(ignored)}}`;
    }
  }
  return `{"accepted":${accepted},"rejected":${outcomes.length - accepted},"results":[${results}]}`;
}

function rejectionJson({ eventId, field, reason, limit, received, message }: Rejection, index: number): object {
  const name = RejectReason[reason].toLowerCase();
  return { event_id: eventId, status: 'rejected', index, field, reason: name, limit, received, message };
}
