import type { Rejection } from './errors.ts';
import type { CompletedEvent } from './events.ts';
import type { Prepared } from './prepare.ts';
import type { Answer } from './sender.ts';

/** An event in the JSON of the contract: its fields under the name of its type. */
export function connectJson({ event }: Prepared): string {
  return `{"${event.event}":${fieldsJson(event)}}`;
}

/** An event in the JSON of the REST API. */
export function restJson({ event }: Prepared): string {
  return `{"event_type":"${event.event}",${fieldsJson(event).slice(1)}`;
}

function fieldsJson({ event: _, ...fields }: CompletedEvent): string {
  return JSON.stringify(fields);
}

/** An IngestResult in the JSON of the contract, where what is empty is left out. */
interface ResultJson {
  accepted?: { eventId?: string; partition?: number; offset?: string; ignored?: string[] };
  rejected?: Partial<Rejection>;
}

export function answerOf({ accepted, rejected }: ResultJson): Answer {
  if (accepted !== undefined) {
    const { eventId = '', partition = 0, offset = '0', ignored = [] } = accepted;
    return { accepted: { storedId: eventId, partition, offset: Number(offset), ignored } };
  }
  const { field = '', reason = '', limit = '', message = '', received = '' } = rejected ?? {};
  const short = (reason.replace('REJECT_REASON_', '') || 'UNSPECIFIED') as Rejection['reason'];
  return { rejected: { field, reason: short, limit, message, received } };
}

/** A result in the JSON of the REST API. */
interface RestResultJson extends Partial<Rejection> {
  event_id?: string;
  status: string;
  partition?: number;
  offset?: number;
  ignored?: string[];
}

export function restAnswerOf({ status, event_id, offset, reason, ...others }: RestResultJson): Answer {
  if (status === 'accepted') return answerOf({ accepted: { ...others, eventId: event_id, offset: String(offset) } });
  return answerOf({ rejected: { ...others, reason: reason?.toUpperCase() as Rejection['reason'] } });
}
