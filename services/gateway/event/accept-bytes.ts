import { BinaryReader } from '@bufbuild/protobuf/wire';
import { Code, ConnectError } from '@connectrpc/connect';
import { RejectReason } from '../../../gen/ts/clickmesh/v1/ingest_service_pb.js';
import { scanEvent } from '../../../gen/wire/event-wire.ts';
import { MAX_BATCH_ITEMS } from '../../contract/limits.ts';
import { accept, NOTHING_IGNORED, type Outcome, rejected, type Terms } from './accept.ts';
import { assertBatchSize } from './batch-size.ts';
import { decodeEvent } from './decode-event.ts';

/** The one field of IngestRequest, IngestBatchRequest and IngestStreamRequest: number 1, with its length before it. */
const EVENT = (1 << 3) | 2;

/**
 * Judges the events of a serialized IngestRequest, IngestBatchRequest or IngestStreamRequest in their order, each by
 * itself, as `accept` does. Throws INVALID_ARGUMENT if they can't be told apart, or are too many.
 */
export function acceptBytes(request: Buffer, terms: Terms): Outcome[] {
  const outcomes: Outcome[] = [];
  let events = 0;
  for (let at = 0; at < request.length; ) {
    if (request[at] !== EVENT) {
      at = skipField(request, at);
      continue;
    }
    const start = at + 1;
    // At most 1 MiB: three bytes of seven bits.
    let length = 0;
    let byte = 0x80;
    let body = start;
    for (let shift = 0; byte >= 0x80 && shift <= 14; shift += 7) {
      byte = request[body++] ?? 0x80;
      length |= (byte & 0x7f) << shift;
    }
    const end = body + length;
    if (byte >= 0x80 || end > request.length) throw unreadable(at, 'ends behind the request');
    if (++events <= MAX_BATCH_ITEMS) outcomes.push(acceptEvent(request, body, end, terms));
    at = end;
  }
  assertBatchSize(events);
  return outcomes;
}

function acceptEvent(request: Buffer, start: number, end: number, terms: Terms): Outcome {
  const event = scanEvent(request, start, end, terms.now);
  if (event !== undefined) return { kind: 'accepted', event, ignored: NOTHING_IGNORED };
  let decoded: ReturnType<typeof decodeEvent>;
  try {
    decoded = decodeEvent(request.subarray(start, end));
  } catch (error) {
    const message = `the event is no Protobuf of clickmesh.v1.Event: ${(error as Error).message}`;
    return rejected('', { field: 'event', reason: RejectReason.MALFORMED, message });
  }
  return accept(decoded, terms);
}

/** Goes past a field of a newer client. */
function skipField(request: Buffer, at: number): number {
  const reader = new BinaryReader(request.subarray(at));
  try {
    const [number, wireType] = reader.tag();
    if (number === 1) throw new Error('the field of events is of another type');
    reader.skip(wireType, number);
  } catch {
    throw unreadable(at, 'is no event');
  }
  return at + reader.pos;
}

function unreadable(at: number, what: string): ConnectError {
  return new ConnectError(`the request is not valid Protobuf: what begins at byte ${at} ${what}`, Code.InvalidArgument);
}
