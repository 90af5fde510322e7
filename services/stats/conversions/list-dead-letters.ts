import { create, fromJson, type JsonValue } from '@bufbuild/protobuf';
import {
  type DeadLetter,
  DeadLetterSchema,
  type ListDeadLettersRequest,
  ListDeadLettersRequestSchema,
  type ListDeadLettersResponse,
  ListDeadLettersResponseSchema,
} from '../../../gen/ts/clickmesh/v1/reports_pb.js';
import { type SetAsideLetter, setAsideOf } from '../../contract/dead-letters.ts';
import { type EventLog, OffsetOutOfRange } from '../../log/event-log.ts';
import { readRange } from '../../log/read-range.ts';
import { selectBounded } from '../bounded.ts';
import type { StatsDeps } from '../deps.ts';
import type { FieldError } from '../requests/field-error.ts';
import { pageTokenOf, positionOf } from '../requests/page-token.ts';
import { PAGE, parseLimit } from './limit.ts';

/** Bytes of a record's value that are shown. */
const MAX_VALUE_BYTES = 4096;
/** Letters of a partition of raw-events.DLT, the newest, that are looked through, and most of all that are shown. */
const NEWEST_LETTERS = 100;

interface Row extends Record<string, JsonValue> {
  topic: string;
  partition: number;
  offset: string;
  arrival_time: string;
}

/** Throws LogUnavailable. */
export async function listDeadLetters(
  { client, log }: Pick<StatsDeps, 'client' | 'log'>,
  request: ListDeadLettersRequest,
  signal?: AbortSignal,
): Promise<ListDeadLettersResponse | FieldError> {
  const limit = parseLimit(request.limit, PAGE.byDefault, PAGE.most);
  if (typeof limit !== 'number') return limit;
  const after = positionOf(ListDeadLettersRequestSchema, request, 4);
  if (after !== undefined && 'field' in after) return after;
  const [time, topic, partition, offset] = after ?? [];
  const position =
    '(arrival_time, topic, _partition, _offset) < ({time:Int64}, {topic:String}, {partition:UInt32}, {offset:UInt64})';
  const page = {
    query: `
      SELECT topic, _partition AS partition, _offset AS offset, toUnixTimestamp64Milli(_append_time) AS arrival_time,
        toValidUTF8(error) AS error, base64Encode(substring(raw, 1, ${MAX_VALUE_BYTES})) AS value
      FROM ingest_errors FINAL
      ${after === undefined ? '' : `WHERE ${position}`}
      ORDER BY arrival_time DESC, topic DESC, _partition DESC, _offset DESC
      LIMIT ${limit + 1}`,
    query_params: { time, topic, partition, offset },
  };
  const [rows, [counted], setAside] = await Promise.all([
    selectBounded<Row>(client, page, signal),
    selectBounded<{ total: string }>(
      client,
      { query: 'SELECT count() AS total FROM ingest_errors FINAL', query_params: {} },
      signal,
    ),
    log === undefined || after !== undefined ? [] : newestSetAside(log),
  ]);
  const letters = rows.slice(0, limit);
  const last = letters.at(-1);
  const next = last && [last.arrival_time, last.topic, String(last.partition), last.offset];
  const isLast = rows.length <= limit || next === undefined;
  const answer = fromJson(ListDeadLettersResponseSchema, {
    dead_letters: letters,
    total: counted!.total,
    next_page_token: isLast ? '' : pageTokenOf(ListDeadLettersRequestSchema, request, next),
  });
  answer.setAside = setAside;
  return answer;
}

/** What was set aside, as far as the newest letters of each partition tell, newest first. */
async function newestSetAside(log: Pick<EventLog, 'read' | 'offsets'>): Promise<DeadLetter[]> {
  const found: DeadLetter[] = [];
  for (const [partition, { start, end }] of (await log.offsets('raw-events.DLT')).entries()) {
    const newest = { start: Math.max(start, end - NEWEST_LETTERS), end };
    try {
      for await (const records of readRange(log, 'raw-events.DLT', partition, newest)) {
        for (const { headers, value } of records) {
          const letter = setAsideOf(headers);
          if (letter !== undefined) found.push(deadLetterOf(partition, letter, value));
        }
      }
    } catch (error) {
      // Retention dropped them meanwhile.
      if (!(error instanceof OffsetOutOfRange)) throw error;
    }
  }
  return found.sort((a, b) => Number(b.arrivalTime - a.arrivalTime)).slice(0, NEWEST_LETTERS);
}

function deadLetterOf(partition: number, { offset, arrival, reason }: SetAsideLetter, value: Uint8Array): DeadLetter {
  return create(DeadLetterSchema, {
    topic: 'raw-events',
    partition,
    offset: BigInt(offset),
    arrivalTime: BigInt(arrival),
    error: reason,
    value: Uint8Array.from(value.subarray(0, MAX_VALUE_BYTES)),
  });
}
