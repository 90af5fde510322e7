import { fromBinary } from '@bufbuild/protobuf';
import { EventSchema } from '../../../gen/ts/clickmesh/v1/event_pb.js';
import { scanEvent } from '../../../gen/wire/event-wire.ts';
import { MAX_BATCH_ITEMS } from '../../contract/limits.ts';
import { accept, type Outcome } from './accept.ts';

/** The one field of IngestRequest, IngestBatchRequest and IngestStreamRequest: number 1, with its length before it. */
const EVENT = (1 << 3) | 2;

/**
 * Judges the events of a serialized request in their order, each as `accept` does. Undefined if the request is not for
 * this: it can't be decoded, has more events than may be or anything but events. The decoder of all of Protobuf must
 * then tell.
 */
export function acceptBytes(request: Buffer, now: number): Outcome[] | undefined {
  const outcomes: Outcome[] = [];
  let at = 0;
  while (at < request.length) {
    if (request[at++] !== EVENT || outcomes.length === MAX_BATCH_ITEMS) return undefined;
    // At most 1 MiB: three bytes of seven bits.
    let length = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = request[at++];
      if (byte === undefined || shift > 14) return undefined;
      length |= (byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    const end = at + length;
    if (end > request.length) return undefined;
    const outcome = acceptEvent(request, at, end, now);
    if (outcome === undefined) return undefined;
    outcomes.push(outcome);
    at = end;
  }
  return outcomes;
}

function acceptEvent(request: Buffer, start: number, end: number, now: number): Outcome | undefined {
  const event = scanEvent(request, start, end, now);
  if (event !== undefined) return { kind: 'accepted', event };
  try {
    return accept(fromBinary(EventSchema, request.subarray(start, end)), now);
  } catch {
    return undefined;
  }
}
