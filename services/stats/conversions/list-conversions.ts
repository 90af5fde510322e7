import { fromJson, type JsonValue } from '@bufbuild/protobuf';
import type { ClickHouseClient } from '@clickhouse/client';
import {
  Attributed,
  AttributedSchema,
  type ListConversionsRequest,
  ListConversionsRequestSchema,
  type ListConversionsResponse,
  type ListedConversion,
  ListedConversionSchema,
} from '../../../gen/ts/clickmesh/v1/reports_pb.js';
import { UTC } from '../../contract/report-days.ts';
import { selectBounded } from '../bounded.ts';
import type { StatsDeps } from '../deps.ts';
import { protobufNames } from '../requests/enum-names.ts';
import { type FieldError, unknownValue } from '../requests/field-error.ts';
import { pageTokenOf, positionOf } from '../requests/page-token.ts';
import { textFault } from '../requests/text-fault.ts';
import {
  type Condition,
  CREDITS,
  filterOnTouch,
  INVALID_CLICKS,
  inSpan,
  listOf,
  MAX_DECISIONS_READ,
  ofConversion,
  ofTouch,
  TOUCH_FIELDS,
  TOUCHES,
} from './decisions.ts';
import { PAGE, parseLimit } from './limit.ts';
import { parseScope, type Scope } from './scope.ts';

/**
 * Place of the click that a conversion is listed with: that with the most credit, the newest of them. Of what is not
 * used ClickHouse reads nothing.
 */
const BEST = `
  ${TOUCHES} AS touches,
  ${listOf('click_time')} AS times,
  ${CREDITS} AS credits,
  arrayMax(credits) AS most,
  indexOf(credits, most) AS best`;
/** Without a model all credits are 0, and the newest click has the most. */
const HAS_BEST = "notEmpty(times) AND (most > 0 OR {model:String} = '')";
const TIME_MS = 'toUnixTimestamp64Milli(d.conversion_time)';
const NET = 'value_micros - adjusted_micros';
const TOUCH_COUNT = 'toInt64(if(empty(candidates), length(considered), length(times)) + candidates_left_out)';
const CORRECTIONS = `toInt64(length(corrections) + corrections_left_out + ${INVALID_CLICKS})`;
const LAG = `if(${HAS_BEST}, ${TIME_MS} - times[best], -1)`;

/** What a list is ordered by. */
const ORDERS: Readonly<Record<string, string>> = {
  time: TIME_MS,
  value: NET,
  corrections: CORRECTIONS,
  touches: TOUCH_COUNT,
  lag: LAG,
};

/** Where a page begins: after a conversion, by the order's number, its id and its user. */
type Position = readonly [number: string, conversionId: string, userId: string];

interface Query {
  scope: Scope;
  request: ListConversionsRequest;
  order: string;
  descending: boolean;
  limit: number;
  after: Position | undefined;
}

export async function listConversions(
  { client, timeZone = UTC }: StatsDeps,
  request: ListConversionsRequest,
  signal?: AbortSignal,
): Promise<ListConversionsResponse | FieldError> {
  const query = parse(request, timeZone);
  if ('field' in query) return query;
  const [keys, counted] = await Promise.all([selectKeys(client, query, signal), count(client, query, signal)]);
  const page = keys.slice(0, query.limit);
  const last = page.at(-1);
  const nextPageToken =
    keys.length <= query.limit || last === undefined
      ? ''
      : pageTokenOf(ListConversionsRequestSchema, request, [last.number, last.id, last.user_id]);
  return {
    $typeName: 'clickmesh.v1.ListConversionsResponse',
    conversions: await selectDetails(client, query, page, signal),
    total: BigInt(counted),
    nextPageToken,
  };
}

function parse(request: ListConversionsRequest, timeZone: string): Query | FieldError {
  const scope = parseScope(request, timeZone);
  if ('field' in scope) return scope;
  const { orderBy, userId, model } = request;
  const fault = textFault({ user_id: userId, model });
  if (fault !== undefined) return fault;
  if (!(request.attributed in Attributed)) {
    return unknownValue('attributed', String(request.attributed), protobufNames(AttributedSchema));
  }
  const descending = orderBy === '' || orderBy.startsWith('-');
  const order = orderBy === '' ? 'time' : orderBy.replace(/^-/, '');
  if (!Object.hasOwn(ORDERS, order)) {
    return unknownValue(
      'order_by',
      orderBy,
      Object.keys(ORDERS).flatMap((name) => [name, `-${name}`]),
    );
  }
  const limit = parseLimit(request.limit, PAGE.byDefault, PAGE.most);
  if (typeof limit !== 'number') return limit;
  const after = positionOf(ListConversionsRequestSchema, request, 3);
  if (after !== undefined && 'field' in after) return after;
  return { scope, request, order, descending, limit, after: after as Position | undefined };
}

interface Key {
  number: string;
  id: string;
  user_id: string;
}

function selectKeys(client: ClickHouseClient, query: Query, signal: AbortSignal | undefined): Promise<Key[]> {
  const { sql, params } = matching(query);
  const { order, descending, limit, after } = query;
  const sign = descending ? '-' : '';
  const [number, id, user] = after ?? [];
  const position = after && `AND (${sign}number, id, user_id) > (${sign}{number:Int64}, {id:String}, {user:String})`;
  const statement = {
    query: `
      WITH ${BEST}, ${ORDERS[order]} AS number
      SELECT number, toString(d.conversion_id) AS id, user_id
      FROM conversion_decisions AS d FINAL
      ${sql} ${position ?? ''}
      ORDER BY ${sign}number, id, user_id
      LIMIT ${limit + 1}`,
    query_params: { ...params, number, id, user },
  };
  return selectBounded<Key>(client, statement, signal, MAX_DECISIONS_READ);
}

async function count(client: ClickHouseClient, query: Query, signal: AbortSignal | undefined): Promise<string> {
  const { sql, params } = matching(query);
  const statement = {
    query: `WITH ${BEST} SELECT count() AS total FROM conversion_decisions AS d FINAL ${sql}`,
    query_params: params,
  };
  const [row] = await selectBounded<{ total: string }>(client, statement, signal, MAX_DECISIONS_READ);
  return row!.total;
}

/** PREWHERE and WHERE of those asked for. */
function matching({ scope, request }: Query): Condition {
  const { sql, params } = ofConversion(scope);
  const conditions = [sql];
  params.model = request.model;
  if (request.attributed !== Attributed.UNSPECIFIED) {
    conditions.push(request.attributed === Attributed.YES ? 'attributed' : 'NOT attributed');
  }
  if (request.userId !== '') {
    conditions.push('user_id = {onlyUser:String}');
    params.onlyUser = request.userId;
  }
  if (scope.clicks.length > 0) {
    const ofModel = request.model === '' ? '' : ` AND ${ofTouch('credit')} > 0`;
    const isAsked = `arrayExists(t -> ${matchingTouch(scope, params)}${ofModel}, touches)`;
    const isNoneAsked = scope.clicks.every(({ values, exclude }) => !exclude && values.includes(''));
    conditions.push(isNoneAsked ? `(NOT attributed OR ${isAsked})` : isAsked);
  }
  return { sql: conditions.join(' AND '), params };
}

/** Whether a touch, `t`, is one that all filters on clicks name. */
function matchingTouch({ clicks }: Scope, params: Record<string, unknown>): string {
  const filters = clicks.map((filter) => filterOnTouch(filter, params));
  return filters.length === 0 ? '1' : filters.join(' AND ');
}

/** A listed conversion as it is selected; what changed it is told apart. */
interface Details extends Record<string, JsonValue> {
  conversion_id: string;
  user_id: string;
  kinds: string[];
  cause_type: string;
  invalid_clicks: number;
}

async function selectDetails(
  client: ClickHouseClient,
  { scope, request }: Query,
  keys: readonly Key[],
  signal: AbortSignal | undefined,
): Promise<ListedConversion[]> {
  if (keys.length === 0) return [];
  const { sql, params: ofSpan } = inSpan('d.conversion_time', scope);
  const params: Record<string, unknown> = { ...ofSpan, model: request.model, ids: keys.map(({ id }) => id) };
  const isAsked = matchingTouch(scope, params);
  const fields = TOUCH_FIELDS.map((field, i) => `if(has_best, touches[best].${i + 1}, '') AS ${field}`);
  const statement = {
    query: `
      WITH ${BEST}, ${HAS_BEST} AS has_best
      SELECT toString(d.conversion_id) AS conversion_id, user_id, conversion_type, ${TIME_MS} AS conversion_time,
        value_micros, ${NET} AS net_value_micros, CAST(d.attributed, 'Bool') AS attributed,
        CAST(d.retracted, 'Bool') AS retracted, CAST(d.truncated, 'Bool') AS truncated,
        toUInt32(${TOUCH_COUNT}) AS touch_count, if(has_best, ${LAG}, NULL) AS lag_ms,
        ${fields.join(', ')}, arraySum(t -> if(${isAsked}, ${ofTouch('credit')}, 0), touches) AS credit_micros,
        arrayMap(c -> c.kind, arrayFilter(c -> c.effect IN (1, 2), d.corrections)) AS kinds, cause_type,
        ${INVALID_CLICKS} AS invalid_clicks
      FROM conversion_decisions AS d FINAL
      PREWHERE d.conversion_id IN {ids:Array(UUID)} AND ${sql}`,
    query_params: params,
  };
  const rows = await selectBounded<Details>(client, statement, signal);
  const byKey = new Map(rows.map((row) => [`${row.conversion_id}${row.user_id}`, row]));
  return keys.flatMap((key) => {
    const row = byKey.get(`${key.id}${key.user_id}`);
    return row === undefined ? [] : [listed(row)];
  });
}

function listed({ kinds, cause_type, invalid_clicks, touch_count, ...row }: Details): ListedConversion {
  const causes = {
    late_click: cause_type === 'click',
    refund: kinds.includes('refund'),
    restate: kinds.includes('restate'),
    retract: kinds.includes('retract'),
    verdict: cause_type === 'verdict' || invalid_clicks > 0,
  };
  const corrected_by = Object.entries(causes).flatMap(([name, has]) => (has ? [name] : []));
  return fromJson(ListedConversionSchema, { ...row, touches: touch_count ?? 0, corrected_by });
}
