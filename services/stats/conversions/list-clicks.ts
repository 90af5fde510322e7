import { fromJson, type JsonValue } from '@bufbuild/protobuf';
import {
  type ListClicksRequest,
  ListClicksRequestSchema,
  type ListClicksResponse,
  ListClicksResponseSchema,
} from '../../../gen/ts/clickmesh/v1/reports_pb.js';
import { UTC } from '../../contract/report-days.ts';
import { selectBounded } from '../bounded.ts';
import { type StatsDeps, UNTOLD } from '../deps.ts';
import type { FieldError } from '../requests/field-error.ts';
import { pageTokenOf, positionOf } from '../requests/page-token.ts';
import { textFault } from '../requests/text-fault.ts';
import { PAGE, parseLimit } from './limit.ts';
import { parseSpan, type Span } from './scope.ts';

/** All that there is, in ms since 1970-01-01 UTC. */
const ALWAYS: Span = { from: 0, until: 2 ** 43 };

interface Row extends Record<string, JsonValue> {
  click_id: string;
  click_time: string;
}

export async function listClicks(
  { client, timeZone = UTC, told = UNTOLD }: StatsDeps,
  request: ListClicksRequest,
  signal?: AbortSignal,
): Promise<ListClicksResponse | FieldError> {
  const { userId, startDate, endDate } = request;
  if (userId === '') return { field: 'user_id', message: 'user_id is required' };
  const fault = textFault({ user_id: userId });
  if (fault !== undefined) return fault;
  const span = startDate === '' && endDate === '' ? ALWAYS : parseSpan(request, timeZone);
  if ('field' in span) return span;
  const limit = parseLimit(request.limit, PAGE.byDefault, PAGE.most);
  if (typeof limit !== 'number') return limit;
  const after = positionOf(ListClicksRequestSchema, request, 2);
  if (after !== undefined && 'field' in after) return after;
  const params = {
    ...{ userId, from: String(span.from), until: String(span.until) },
    ...{ time: after?.[0], id: after?.[1], adjustmentMs: told.correctionsForMs },
  };
  const page = pageStatement(after !== undefined, limit + 1);
  const [rows, [counted]] = await Promise.all([
    selectBounded<Row>(client, { query: page, query_params: params }, signal),
    selectBounded<{ total: string }>(client, { query: COUNT, query_params: params }, signal),
  ]);
  const clicks = rows.slice(0, limit);
  const last = clicks.at(-1);
  const isLast = rows.length <= limit || last === undefined;
  return fromJson(ListClicksResponseSchema, {
    clicks,
    total: counted!.total,
    next_page_token: isLast ? '' : pageTokenOf(ListClicksRequestSchema, request, [last.click_time, last.click_id]),
  });
}

const OF_USER = `
  user_id = {userId:String} AND event_type = 'click'
  AND timestamp >= fromUnixTimestamp64Milli({from:Int64}, 'UTC')
  AND timestamp < fromUnixTimestamp64Milli({until:Int64}, 'UTC')`;

const COUNT = `SELECT count() AS total FROM events_distributed FINAL WHERE ${OF_USER}`;

/** Of the verdicts that did not come too late, that which is the last by its time and id. */
const VERDICTS = `
  SELECT target_id, groupArray((timestamp, toString(event_id), kind, _append_time)) AS all_verdicts
  FROM events_distributed FINAL
  WHERE user_id = {userId:String} AND event_type = 'verdict'
  GROUP BY target_id`;

/** How many conversions each click is credited for. */
const CREDITED = `
  SELECT arrayJoin(arrayDistinct(arrayConcat(
      arrayMap(c -> c.click_id, arrayFilter(c -> arraySum(c.credits_micros) > 0, considered)),
      arrayMap(c -> c.click_id, arrayFilter(c -> c.credit_micros > 0, candidates))))) AS click,
    count() AS conversions
  FROM conversion_decisions FINAL
  WHERE user_id = {userId:String} AND NOT retracted AND conversion_id GLOBAL IN (
    SELECT event_id FROM events_distributed WHERE user_id = {userId:String} AND event_type = 'conversion')
  GROUP BY click`;

function pageStatement(isAfter: boolean, rows: number): string {
  const after = isAfter ? 'AND (click_time, click_id) < ({time:Int64}, {id:String})' : '';
  return `
    SELECT click_id, ad_id, campaign_id, source, click_time, metadata,
      CAST(arraySort(arrayFilter(v -> abs(toUnixTimestamp64Milli(v.4) - append_ms) <= {adjustmentMs:Int64},
        all_verdicts))[-1].3 = 'invalid', 'Bool') AS invalid,
      toUInt32(credited.conversions) AS conversions
    FROM (
      SELECT event_id, toString(event_id) AS click_id, ad_id, campaign_id, source, toUnixTimestamp64Milli(timestamp) AS click_time, metadata,
        toUnixTimestamp64Milli(_append_time) AS append_ms
      FROM events_distributed FINAL
      WHERE ${OF_USER} ${after}
      ORDER BY click_time DESC, click_id DESC
      LIMIT ${rows}
    ) AS e
    LEFT JOIN (${VERDICTS}) AS verdicts ON e.event_id = verdicts.target_id
    LEFT JOIN (${CREDITED}) AS credited ON click_id = credited.click
    ORDER BY click_time DESC, click_id DESC`;
}
