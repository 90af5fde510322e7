import { Code, ConnectError } from '@connectrpc/connect';
import type { EventType } from '../../contract/event-rules.ts';
import { MAX_BATCH_ITEMS } from '../../contract/limits.ts';
import { accept, type Outcome, type Terms } from './accept.ts';
import { assertBatchSize } from './batch-size.ts';
import { isObject, type Read, readArm, readItem } from './event-json.ts';
import {
  type Item,
  isBlank,
  itemsOf,
  jsonFault,
  parseBetween,
  parsed,
  parseItem,
  parseItems,
  partsOf,
  textOf,
} from './json-items.ts';

const NEWLINE = 0x0a;

/**
 * Judges the events of a body of the REST API: one, or those of an array. Throws INVALID_ARGUMENT if they can't be told
 * apart, or are too many.
 */
export function acceptJsonBody(body: Buffer, terms: Terms, impliedType?: EventType): Outcome[] {
  const text = textOf(body);
  if (text.trim() === '') return [];
  const items = parseItems(text);
  if (items === undefined) throw notJson(text);
  return items.map((item) => judge(readItem(item, impliedType), terms));
}

/**
 * Judges the events of a body of NDJSON, one a line, which are cut as bytes, so that a broken one spoils no other.
 * Throws INVALID_ARGUMENT for too many.
 */
export function acceptNdjson(body: Buffer, terms: Terms, impliedType?: EventType): Outcome[] {
  const outcomes: Outcome[] = [];
  let events = 0;
  for (let start = 0, line = 1; start < body.length; line++) {
    const newline = body.indexOf(NEWLINE, start);
    const end = newline === -1 ? body.length : newline;
    const bytes = body.subarray(start, end);
    if (!isBlank(bytes) && ++events <= MAX_BATCH_ITEMS) {
      outcomes.push(judge(readItem(parseItem(bytes, line), impliedType), terms));
    }
    start = end + 1;
  }
  assertBatchSize(events);
  return outcomes;
}

const EVENT_BEGINS = /^\s*\{\s*"event"\s*:/;
const EVENTS_BEGIN = /^\s*\{\s*"events"\s*:\s*(?=\[)/;

/**
 * Judges the events of an IngestRequest, IngestBatchRequest or IngestStreamRequest as JSON, each by itself. Throws
 * INVALID_ARGUMENT if they can't be told apart, or are too many.
 */
export function acceptRpcJson(request: Buffer, terms: Terms): Outcome[] {
  const text = textOf(request);
  const whole = parsed(text);
  const items = whole === undefined ? brokenItemsOf(text) : eventsOf(whole.json);
  return items.map((item) => judge(readArm(item), terms));
}

/** The events of a request that is no JSON as a whole. */
function brokenItemsOf(text: string): Item[] {
  const start = EVENTS_BEGIN.exec(text)?.[0].length;
  const parts = start === undefined ? brokenEventOf(text) : partsOf(text, start, '}');
  if (parts === undefined) throw notJson(text);
  return parts;
}

/** Undefined if it is not in the event that the request is no JSON. */
function brokenEventOf(text: string): Item[] | undefined {
  const start = EVENT_BEGINS.exec(text)?.[0].length;
  const end = text.lastIndexOf('}');
  if (start === undefined || end < start || text.slice(end + 1).trim() !== '') return undefined;
  const item = parseBetween(text, start, end);
  return 'malformed' in item ? [item] : undefined;
}

function eventsOf(request: unknown): Item[] {
  if (!isObject(request)) throw invalid('the request must be a JSON object');
  const { event, events } = request;
  if (Array.isArray(events)) return itemsOf(events);
  if (events !== undefined && events !== null) throw invalid('events must be an array');
  return event === undefined || event === null ? [] : [{ json: event }];
}

function judge(read: Read, terms: Terms): Outcome {
  return read.kind === 'event' ? accept(read.event, terms, read.ignored) : read;
}

function notJson(text: string): ConnectError {
  return invalid(`the body is ${jsonFault(text)}`);
}

function invalid(message: string): ConnectError {
  return new ConnectError(message, Code.InvalidArgument);
}
