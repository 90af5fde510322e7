import { isUtf8 } from 'node:buffer';
import type { Event } from '../../../gen/ts/clickmesh/v1/event_pb.js';
import { type IngestResult, type Rejection, RejectReason } from '../../../gen/ts/clickmesh/v1/ingest_service_pb.js';
import { EVENTS } from '../../contract/event-rules.ts';
import { MAX_REQUEST_BYTES } from '../../contract/limits.ts';
import { accept } from '../../gateway/event/accept.ts';
import { type Read, readItem } from '../../gateway/event/event-json.ts';
import { parseItem } from '../../gateway/event/json-items.ts';
import { withoutBadEntries } from '../../gateway/event/map-entries.ts';
import type { Reason } from './reject-file.ts';

/** The escape of a surrogate, which in JSON of valid UTF-8 is the only way to one without its other half. */
const SURROGATE = /\\u[dD][89a-fA-F]/;

/**
 * Reads an event as POST /api/v1/events does. Lone surrogates, which stand for bytes that are not UTF-8, too, are dealt
 * with here: on the way to the mesh they would become other characters. So is what can't be kept of maps, whose entries
 * may take more bytes in Protobuf than in JSON.
 *
 * @param line of the input, from 1
 */
export function readEvent(bytes: Buffer, line: number): Read {
  const read = readItem(parseItem(bytes, line));
  if (read.kind === 'rejected') return read;
  const fits = integersFit(read.event);
  if (!fits || !isUtf8(bytes) || SURROGATE.test(bytes.toString('latin1'))) {
    // What depends on the clock and the currency of the mesh is left to the mesh.
    const outcome = accept(read.event, { now: Date.now(), currency: '' });
    const isSettled = outcome.kind === 'rejected' && (!fits || outcome.rejection.reason === RejectReason.MALFORMED);
    if (isSettled) return outcome;
  }
  return asKept(read);
}

/** Whether Protobuf can hold the integers of an event; those that it can't are beyond any limit. */
function integersFit({ event }: Event): boolean {
  const values = event.value as unknown as Readonly<Record<string, bigint | undefined>>;
  const { time, integer } = EVENTS[event.case!].with;
  return [...time, ...integer].every(({ localName }) => {
    const value = values[localName] ?? 0n;
    return BigInt.asIntN(64, value) === value;
  });
}

/** The event with what the mesh keeps of its maps; the names of other entries are among those that are ignored. */
function asKept(read: Extract<Read, { kind: 'event' }>): Read {
  const { event } = read.event;
  const leftOut: string[] = [];
  const value = withoutBadEntries(EVENTS[event.case!], event.value!, leftOut);
  if (leftOut.length === 0) return read;
  const kept = { ...read.event, event: { ...event, value } as typeof event };
  return { ...read, event: kept, ignored: [...read.ignored, ...leftOut] };
}

/** Why the mesh has rejected an event, or the names that it has ignored of one that it accepted. */
export function outcomeOf({ result }: IngestResult): Reason | readonly string[] {
  if (result.case === 'accepted') return result.value.ignored;
  return result.case === 'rejected' ? reasonOf(result.value) : NO_RESULT;
}

export function reasonOf({ reason, field, message, received, eventId }: Rejection): Reason {
  // A newer mesh may have reasons that have no name here.
  return { reason: RejectReason[reason]?.toLowerCase() ?? `${reason}`, field, message, received, event_id: eventId };
}

const NO_RESULT: Reason = {
  reason: 'unspecified',
  field: '',
  message: 'the mesh gave no result',
  received: '',
  event_id: '',
};

export const TOO_LONG: Reason = {
  reason: 'too_long',
  field: 'event',
  message: `event must have at most ${MAX_REQUEST_BYTES} bytes`,
  received: '',
  event_id: '',
};
