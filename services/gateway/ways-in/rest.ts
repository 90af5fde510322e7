import type { IncomingHttpHeaders } from 'node:http';
import { Code, ConnectError } from '@connectrpc/connect';
import type { EventType } from '../../contract/event-rules.ts';
import { errorResponse } from '../../http/exchange/errors.ts';
import type { HttpRequest, HttpResponse } from '../../http/exchange/http-message.ts';
import { withSpan } from '../../telemetry/tracing.ts';
import { appendAccepted } from '../append-events.ts';
import type { GatewayDeps } from '../deps.ts';
import { accept } from '../event/accept.ts';
import { type Item, isBlank, parseItem, readItem } from '../event/event-json.ts';
import { appendedJson } from '../response.ts';
import { assertBatchSize } from './ingest-batch.ts';

/**
 * Takes events as JSON, one or up to 1,000 in an array or as NDJSON. Answers 202, or 400 if nothing was accepted, with
 * one result per item in order.
 */
export async function postEvents(
  { headers, body }: HttpRequest,
  { log, now }: GatewayDeps,
  impliedType?: EventType,
): Promise<HttpResponse> {
  const read = READERS.get(headers['content-type'] ?? '') ?? READERS.get(mediaType(headers));
  if (read === undefined || (headers['content-encoding'] ?? 'identity') !== 'identity') {
    return errorResponse(415, 'invalid_argument', `send uncompressed ${[...READERS.keys()].join(', ')}`);
  }
  const items = read(body);
  if (items.length === 0) throw new ConnectError('the body holds no event', Code.InvalidArgument);
  assertBatchSize(items.length);
  const time = now();
  const outcomes = withSpan('accept', () =>
    items.map((item) => {
      const event = readItem(item, impliedType);
      return event.kind === 'event' ? accept(event.event, time) : event;
    }),
  );
  const appended = await appendAccepted(outcomes, log);
  const status = appended.positions.length > 0 ? 202 : 400;
  return { status, headers: JSON_TYPE, body: appendedJson(appended) };
}

const JSON_TYPE = { 'content-type': 'application/json' };
const READERS = new Map([
  ['application/json', readJson],
  ['application/x-ndjson', readNdjson],
  ['application/ndjson', readNdjson],
]);

function mediaType(headers: IncomingHttpHeaders): string {
  const [type] = (headers['content-type'] ?? '').split(';', 1);
  return type!.trim().toLowerCase();
}

function readJson(body: Buffer): Item[] {
  const item = parseItem(body);
  if ('malformed' in item) throw new ConnectError(`the body is ${item.malformed}`, Code.InvalidArgument);
  return Array.isArray(item.json) ? item.json.map((json) => ({ json })) : [item];
}

/** Empty lines are no items. Lines are cut as bytes, so that a broken one spoils no other. */
function readNdjson(body: Buffer): Item[] {
  const items: Item[] = [];
  for (let start = 0; start < body.length; ) {
    const newline = body.indexOf(0x0a, start);
    const end = newline === -1 ? body.length : newline;
    const line = body.subarray(start, end);
    if (!isBlank(line)) items.push(parseItem(line));
    start = end + 1;
  }
  return items;
}
