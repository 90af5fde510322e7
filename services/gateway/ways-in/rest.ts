import type { IncomingHttpHeaders } from 'node:http';
import { Code, ConnectError } from '@connectrpc/connect';
import type { EventType } from '../../contract/event-rules.ts';
import { errorResponse } from '../../http/exchange/errors.ts';
import type { HttpRequest, HttpResponse } from '../../http/exchange/http-message.ts';
import { withSpan } from '../../telemetry/tracing.ts';
import { appendAccepted } from '../append-events.ts';
import { type GatewayDeps, termsOf } from '../deps.ts';
import { acceptJsonBody, acceptNdjson } from '../event/accept-json.ts';
import { appendedJson } from '../response.ts';
import { assertBatchSize } from './ingest-batch.ts';

/**
 * Takes events as JSON, one or up to 1,000 in an array or as NDJSON. Answers 202, or 400 if nothing was accepted, with
 * one result per item in order.
 */
export async function postEvents(
  { headers, body }: HttpRequest,
  deps: GatewayDeps,
  impliedType?: EventType,
): Promise<HttpResponse> {
  const read = READERS.get(headers['content-type'] ?? '') ?? READERS.get(mediaType(headers));
  if (read === undefined || (headers['content-encoding'] ?? 'identity') !== 'identity') {
    return errorResponse(415, 'invalid_argument', `send uncompressed ${[...READERS.keys()].join(', ')}`);
  }
  const outcomes = withSpan('accept', () => read(body, termsOf(deps), impliedType));
  if (outcomes.length === 0) throw new ConnectError('the body holds no event', Code.InvalidArgument);
  assertBatchSize(outcomes.length);
  const appended = await appendAccepted(outcomes, deps.log);
  const status = appended.positions.length > 0 ? 202 : 400;
  return { status, headers: JSON_TYPE, body: appendedJson(appended) };
}

const JSON_TYPE = { 'content-type': 'application/json' };
const READERS = new Map([
  ['application/json', acceptJsonBody],
  ['application/x-ndjson', acceptNdjson],
  ['application/ndjson', acceptNdjson],
]);

function mediaType(headers: IncomingHttpHeaders): string {
  const [type] = (headers['content-type'] ?? '').split(';', 1);
  return type!.trim().toLowerCase();
}
