import { fromJson, type JsonObject } from '@bufbuild/protobuf';
import type { ClickHouseClient } from '@clickhouse/client';
import {
  type ListConflictsRequest,
  ListConflictsRequestSchema,
  type ListConflictsResponse,
  ListConflictsResponseSchema,
} from '../../../gen/ts/clickmesh/v1/reports_pb.js';
import { storedEventId } from '../../contract/event-id.ts';
import { EVENT_TYPES } from '../../contract/event-rules.ts';
import { selectBounded } from '../bounded.ts';
import { type FieldError, unknownValue } from '../requests/field-error.ts';
import { pageTokenOf, positionOf } from '../requests/page-token.ts';
import { textFault } from '../requests/text-fault.ts';
import type { Statement } from '../sql.ts';
import { PAGE, parseLimit } from './limit.ts';

/** An EventConflict in JSON, and when it arrived, in ms. */
interface Row extends JsonObject {
  event_type: string;
  event_id: string;
  user_id: string;
  version: string;
  arrival_time: string;
}

/** Events that came again with other content, those that arrived last first, each with what was kept of its id. */
export async function listConflicts(
  client: ClickHouseClient,
  request: ListConflictsRequest,
  signal?: AbortSignal,
): Promise<ListConflictsResponse | FieldError> {
  const { userId, eventType, eventId } = request;
  const fault = textFault({ user_id: userId, event_id: eventId });
  if (fault !== undefined) return fault;
  if (eventType !== '' && !(EVENT_TYPES as string[]).includes(eventType)) {
    return unknownValue('event_type', eventType, EVENT_TYPES);
  }
  const limit = parseLimit(request.limit, PAGE.byDefault, PAGE.most);
  if (typeof limit !== 'number') return limit;
  const after = positionOf(ListConflictsRequestSchema, request, POSITION.length);
  if (after !== undefined && 'field' in after) return after;
  const query_params = {
    ...{ userId, eventType, eventId: eventId && storedEventId(eventId) },
    ...Object.fromEntries((after ?? []).map((value, i) => [`after${i}`, value])),
  };
  const select = <Row>(query: string) => selectBounded<Row>(client, { query, query_params }, signal);
  const [rows, [counted]] = await Promise.all([
    select<Row>(pageQuery(request, after !== undefined, limit + 1)),
    select<{ total: string }>(`SELECT count() AS total FROM event_conflicts AS e FINAL ${where(request)}`),
  ]);
  const page = rows.slice(0, limit);
  const kept = await selectBounded<Row>(client, keptStatement(page), signal);
  const keptByKey = new Map(kept.map(({ arrival_time: _, ...event }) => [keyOf(event as Row), event]));
  const last = page.at(-1);
  const next = last && POSITION.map((column) => String(last[column]));
  return fromJson(ListConflictsResponseSchema, {
    conflicts: page.map(({ arrival_time, ...event }) => {
      const first = keptByKey.get(keyOf(event as Row));
      return { not_kept: event, ...(first && { kept: first }), arrival_time };
    }),
    total: counted!.total,
    next_page_token: rows.length > limit && next ? pageTokenOf(ListConflictsRequestSchema, request, next) : '',
  });
}

/** What rows are sorted by, and their types. */
const POSITION = ['arrival_time', 'user_id', 'event_type', 'event_id', 'version'] as const;
const TYPES = ['Int64', 'String', 'String', 'String', 'UInt64'];

/**
 * The fields of EventConflict that the type of an event has. The source of a conversion is not compared.
 *
 * @param offset column of the record's offset
 */
function fields(offset: string): string {
  const ofTarget = "event_type IN ('adjustment', 'verdict')";
  return `toString(event_type) AS event_type, toString(event_id) AS event_id, user_id,
    toUnixTimestamp64Milli(timestamp) AS timestamp, ad_id, toString(campaign_id) AS campaign_id,
    if(event_type = 'click', toString(source), '') AS source, toString(conversion_type) AS conversion_type,
    value_micros, ${offset} AS version, if(${ofTarget}, toString(target_id), '') AS target_id,
    toString(kind) AS kind, toUnixTimestamp64Milli(_append_time) AS arrival_time`;
}

function where({ userId, eventType, eventId }: ListConflictsRequest): string {
  const conditions = [
    userId && 'e.user_id = {userId:String}',
    eventType && 'e.event_type = {eventType:String}',
    eventId && 'e.event_id = {eventId:UUID}',
  ].filter(Boolean);
  return conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`;
}

function pageQuery(request: ListConflictsRequest, hasPosition: boolean, limit: number): string {
  const position = TYPES.map((type, i) => `{after${i}:${type}}`).join(', ');
  return `
    SELECT * FROM (SELECT ${fields('version')} FROM event_conflicts AS e FINAL ${where(request)})
    ${hasPosition ? `WHERE (${POSITION.join(', ')}) < (${position})` : ''}
    ORDER BY ${POSITION.map((column) => `${column} DESC`).join(', ')}
    LIMIT ${limit}`;
}

/** The events that were kept under the ids of some. */
function keptStatement(rows: readonly Row[]): Statement {
  return {
    query: `
      SELECT ${fields('_offset')} FROM events_distributed AS e FINAL
      WHERE (e.user_id, e.event_type, e.event_id) IN
        (SELECT arrayJoin(arrayZip({users:Array(String)}, {types:Array(String)}, {ids:Array(UUID)})))`,
    query_params: {
      users: rows.map(({ user_id }) => user_id),
      types: rows.map(({ event_type }) => event_type),
      ids: rows.map(({ event_id }) => event_id),
    },
  };
}

function keyOf({ user_id, event_type, event_id }: Row): string {
  return [user_id, event_type, event_id].join('\0');
}
