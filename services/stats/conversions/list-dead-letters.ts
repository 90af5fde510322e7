import { fromJson, type JsonValue } from '@bufbuild/protobuf';
import type { ClickHouseClient } from '@clickhouse/client';
import {
  type ListDeadLettersRequest,
  ListDeadLettersRequestSchema,
  type ListDeadLettersResponse,
  ListDeadLettersResponseSchema,
} from '../../../gen/ts/clickmesh/v1/reports_pb.js';
import { selectBounded } from '../bounded.ts';
import type { FieldError } from '../requests/field-error.ts';
import { pageTokenOf, positionOf } from '../requests/page-token.ts';
import { PAGE, parseLimit } from './limit.ts';

/** Bytes of a record's value that are shown. */
const MAX_VALUE_BYTES = 4096;

interface Row extends Record<string, JsonValue> {
  topic: string;
  partition: number;
  offset: string;
  arrival_time: string;
}

export async function listDeadLetters(
  client: ClickHouseClient,
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
  const [rows, [counted]] = await Promise.all([
    selectBounded<Row>(client, page, signal),
    selectBounded<{ total: string }>(
      client,
      { query: 'SELECT count() AS total FROM ingest_errors FINAL', query_params: {} },
      signal,
    ),
  ]);
  const letters = rows.slice(0, limit);
  const last = letters.at(-1);
  const next = last && [last.arrival_time, last.topic, String(last.partition), last.offset];
  const isLast = rows.length <= limit || next === undefined;
  return fromJson(ListDeadLettersResponseSchema, {
    dead_letters: letters,
    total: counted!.total,
    next_page_token: isLast ? '' : pageTokenOf(ListDeadLettersRequestSchema, request, next),
  });
}
