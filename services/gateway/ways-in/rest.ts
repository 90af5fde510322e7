import { Code, ConnectError } from '@connectrpc/connect';
import type { EventType } from '../../contract/event-rules.ts';
import { wrongType } from '../../http/exchange/errors.ts';
import type { HttpRequest, HttpResponse } from '../../http/exchange/http-message.ts';
import { mediaType } from '../../http/exchange/protocol.ts';
import { withSpan } from '../../telemetry/tracing.ts';
import { appendAccepted } from '../append-events.ts';
import { type GatewayDeps, termsOf } from '../deps.ts';
import { acceptJsonBody, acceptNdjson } from '../event/accept-json.ts';
import { appendedJson } from '../response.ts';
import { assertUtf8 } from './body-text.ts';

/**
 * Takes events as JSON, one or up to 1,000 in an array or as NDJSON. Answers 202, or 400 if nothing was accepted, with
 * one result per item in order.
 */
export async function postEvents(
  { headers, body }: HttpRequest,
  deps: GatewayDeps,
  impliedType?: EventType,
): Promise<HttpResponse> {
  const read = readerOf(headers['content-type']);
  assertUtf8(body);
  const outcomes = withSpan('accept', () => read(body, termsOf(deps), impliedType));
  if (outcomes.length === 0) throw new ConnectError(NO_EVENT, Code.InvalidArgument);
  const appended = await appendAccepted(outcomes, deps);
  const status = appended.positions.length > 0 ? 202 : 400;
  return { status, headers: JSON_TYPE, body: appendedJson(appended) };
}

const NO_EVENT = 'the body holds no event: send one as a JSON object, several as an array, or one a line as NDJSON';
const JSON_TYPE = { 'content-type': 'application/json' };
/** What is taken, as an answer lists it. */
const TAKEN = ['application/json', 'application/x-ndjson for an event a line'];
/** Beacons, and pages that may not ask first, can send nothing but text/plain. */
const JSON_NAMES = /^(?:application\/json|text\/json|text\/plain|application\/.+\+json)$/;
/** Lines of JSON go by many names. */
const NDJSON_NAMES =
  /^(?:application|text)\/(?:x-)?(?:ndjson|jsonl|jsonlines|json-lines|json-stream|stream\+json|ldjson)$/;

/** What reads a body of this content type; one without any, such as a Blob's, is JSON. Throws 415 for any other. */
function readerOf(contentType = ''): typeof acceptJsonBody {
  if (contentType === 'application/json' || contentType === '') return acceptJsonBody;
  const type = mediaType(contentType);
  if (NDJSON_NAMES.test(type)) return acceptNdjson;
  if (JSON_NAMES.test(type)) return acceptJsonBody;
  throw wrongType(contentType, TAKEN, Code.InvalidArgument);
}
