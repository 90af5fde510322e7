import { fromBinary } from '@bufbuild/protobuf';
import type { ConnectError } from '@connectrpc/connect';
import { EventSchema } from '../../gen/ts/clickmesh/v1/event_pb.js';
import {
  type IngestResult,
  type IngestStreamResponse,
  type Rejection,
  RejectionSchema,
  RejectReason,
} from '../../gen/ts/clickmesh/v1/ingest_service_pb.js';
import type { NewRecord } from '../../services/log/event-log.ts';
import type { TestGateway } from '../fixtures/gateway.ts';
import type { Verdict } from './table.ts';

/** The user of the good events that go before and behind an event by ways that take several. */
export const COMPANION = 'companion';

/** What an answer says of an event. */
export interface Answer {
  /** The id of an accepted event. */
  eventId?: string;
  ignored?: readonly string[];
  rejectedId?: string;
  rejected?: string;
  message?: string;
  failed?: string;
  /** Companions that the answer says were accepted. */
  companions: number;
}

/** Sends an event and returns what became of it, by the answer and in the log, which must agree. */
export async function verdictOf({ log }: TestGateway, send: () => Promise<Answer>): Promise<Verdict> {
  const appended: NewRecord[] = [];
  log.beforeAppend = (records) => void appended.push(...records);
  const { eventId, companions, ...told } = await send();
  const others = appended.filter(({ key }) => key !== COMPANION);
  const kept = appended.length - others.length;
  if (kept !== companions) return { failed: `${companions} companions accepted, ${kept} stored` };
  if (told.failed !== undefined) return { failed: `${others.length} stored: ${told.failed}` };
  if (told.rejected !== undefined) return others.length === 0 ? unplaced(told) : { failed: 'rejected, but stored' };
  const [record] = others;
  if (record === undefined || others.length > 1) return { failed: `accepted, but ${others.length} stored` };
  const { event } = fromBinary(EventSchema, record.value);
  if (eventId !== undefined && event.value?.eventId !== eventId)
    return { failed: `accepted as ${eventId}, stored as ${event.value?.eventId}` };
  if (event.value?.userId !== record.key) return { failed: `stored under the key ${record.key}` };
  return { stored: storedFields(record.value), ...told };
}

/** Where a fault of JSON is depends on what is around the event. */
export function unplaced({ message, ...others }: Verdict): Verdict {
  return { ...others, message: message?.replace(/line \d+, column \d+/, 'line N, column M') };
}

/** The JSON of each field of a stored event, but for those that it or any record of the log does not have. */
export function storedFields(value: Uint8Array): Record<string, string> {
  const { event } = fromBinary(EventSchema, value);
  const arm = EventSchema.fields.find(({ name }) => name === event.case);
  const fields = arm!.message!.fields.map(({ name, localName }) => {
    const held = (event.value as unknown as Record<string, unknown>)[localName];
    return [name, typeof held === 'bigint' ? String(held) : JSON.stringify(held)] as const;
  });
  return Object.fromEntries(fields.filter(([name, held]) => held !== undefined && !isNeverStored(name, held)));
}

function isNeverStored(name: string, held: string): boolean {
  return (name === 'value' && held === '0') || (name === 'currency' && held === '""');
}

/** A result of the REST API. */
export interface RestResult {
  status: 'accepted' | 'rejected';
  event_id: string;
  ignored?: string[];
  field: string;
  reason: string;
  message: string;
  received?: string;
}

export function ofRestResult(result: RestResult, companions: number): Answer {
  const { status, event_id: eventId, ignored = [], field, reason, message, received = '' } = result;
  if (status === 'accepted') return { eventId, ignored, companions };
  return { rejectedId: eventId, rejected: `${field} ${reason} ${received}`.trim(), message, companions };
}

export function ofRejection(rejection: Rejection, companions: number): Answer {
  const { eventId: rejectedId, field, reason, message, received } = rejection;
  const name = RejectReason[reason]?.toLowerCase();
  return { rejectedId, rejected: `${field} ${name} ${received}`.trim(), message, companions };
}

/** The result between those of two companions. */
export function ofResults(results: readonly IngestResult[]): Answer {
  const [before, middle, after] = results;
  const companions = [before, after].filter((one) => one?.result.case === 'accepted').length;
  return middle === undefined ? { failed: `${results.length} results`, companions } : ofResult(middle, companions);
}

export function ofResult({ result }: IngestResult, companions = 0): Answer {
  if (result.case === 'rejected') return ofRejection(result.value, companions);
  if (result.case !== 'accepted') return { failed: 'a result without a case', companions };
  return { eventId: result.value.eventId, ignored: result.value.ignored, companions };
}

/** The answer to a stream of an event between two companions; it names no accepted ids. */
export function ofStream({ accepted, rejections, ignored }: IngestStreamResponse): Answer {
  const [rejected] = rejections;
  if (rejected === undefined) return { ignored: ignored.map(({ name }) => name), companions: Number(accepted) - 1 };
  if (rejected.index !== 1n || rejections.length > 1) return { failed: 'others were rejected', companions: 0 };
  return ofRejection(rejected.rejection!, Number(accepted));
}

/** The error of a call with one event, or of one that failed as a whole. */
export function ofError(error: ConnectError): Answer {
  const [rejection] = error.findDetails(RejectionSchema);
  if (rejection === undefined) return { failed: error.message, companions: 0 };
  if (error.rawMessage !== rejection.message)
    return { failed: `${error.message}: ${rejection.message}`, companions: 0 };
  return ofRejection(rejection, 0);
}
