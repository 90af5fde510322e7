import { isUtf8 } from 'node:buffer';
import { type IngestResult, type Rejection, RejectReason } from '../../../gen/ts/clickmesh/v1/ingest_service_pb.js';
import { MAX_REQUEST_BYTES } from '../../contract/limits.ts';
import { accept } from '../../gateway/event/accept.ts';
import { type Read, readItem } from '../../gateway/event/event-json.ts';
import { parseItem } from '../../gateway/event/json-items.ts';
import type { Reason } from './reject-file.ts';

/** The escape of a surrogate, which in JSON of valid UTF-8 is the only way to one without its other half. */
const SURROGATE = /\\u[dD][89a-fA-F]/;

/** Reads an event as POST /api/v1/events does. Lone surrogates are found here: on the way to the mesh they are lost. */
export function readEvent(bytes: Buffer): Read {
  const read = readItem(parseItem(bytes));
  if (read.kind === 'rejected' || (isUtf8(bytes) && !SURROGATE.test(bytes.toString('latin1')))) return read;
  const outcome = accept(read.event, { now: Date.now(), currency: 'USD' });
  return outcome.kind === 'rejected' && outcome.rejection.reason === RejectReason.MALFORMED ? outcome : read;
}

/** Why the mesh has rejected an event; undefined if it has accepted it. */
export function rejectionOf({ result }: IngestResult): Reason | undefined {
  if (result.case === 'accepted') return undefined;
  return result.case === 'rejected' ? reasonOf(result.value) : NO_RESULT;
}

export function reasonOf({ reason, field, message, eventId }: Rejection): Reason {
  // A newer mesh may have reasons that have no name here.
  return { reason: RejectReason[reason]?.toLowerCase() ?? `${reason}`, field, message, event_id: eventId };
}

const NO_RESULT: Reason = { reason: 'unspecified', field: '', message: 'the mesh gave no result', event_id: '' };

export const TOO_LONG: Reason = {
  reason: 'too_long',
  field: 'event',
  message: `event must have at most ${MAX_REQUEST_BYTES} bytes`,
  event_id: '',
};
