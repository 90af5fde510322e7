import { fromJson, type JsonValue } from '@bufbuild/protobuf';
import {
  type PathLengthRequest,
  type PathLengthResponse,
  PathLengthResponseSchema,
  type TopPathsRequest,
  type TopPathsResponse,
  TopPathsResponseSchema,
  type TopTouchesRequest,
  type TopTouchesResponse,
  TopTouchesResponseSchema,
} from '../../../gen/ts/clickmesh/v1/reports_pb.js';
import { UTC } from '../../contract/report-days.ts';
import { selectBounded } from '../bounded.ts';
import type { StatsDeps } from '../deps.ts';
import { type FieldError, unknownValue } from '../requests/field-error.ts';
import {
  type Condition,
  filterOnTouch,
  listOf,
  MAX_DECISIONS_READ,
  ofConversion,
  TOUCHES,
  type TouchField,
} from './decisions.ts';
import { parseLimit } from './limit.ts';
import { parseScope, type Scope } from './scope.ts';

const PATHS = { byDefault: 50, most: 1000 };
const STEPS = { byDefault: 8, most: 20 };
const VALUES = { byDefault: 1000, most: 10_000 };
/** What a step can be. */
const DIMENSIONS = ['campaign_id', 'ad_id', 'source'] as const satisfies TouchField[];

const NET = 'value_micros - adjusted_micros';

/** A row of the paths, with what all of them have together. */
interface Path extends Record<string, JsonValue> {
  all_conversions: string;
  all_revenue: string;
  all_paths: string;
}

export async function topPaths(
  { client, timeZone = UTC }: StatsDeps,
  request: TopPathsRequest,
  signal?: AbortSignal,
): Promise<TopPathsResponse | FieldError> {
  const scope = parseScope(request, timeZone);
  if ('field' in scope) return scope;
  const dimension = DIMENSIONS.find((each) => each === (request.dimension || DIMENSIONS[0]));
  if (dimension === undefined) return unknownValue('dimension', request.dimension, DIMENSIONS);
  const steps = request.maxSteps || STEPS.byDefault;
  if (steps > STEPS.most) {
    return { field: 'max_steps', message: `max_steps must be in [1, ${STEPS.most}]: it is ${request.maxSteps}` };
  }
  const limit = parseLimit(request.limit, PATHS.byDefault, PATHS.most);
  if (typeof limit !== 'number') return limit;
  const { sql, params } = matching(scope);
  const list = listOf(dimension);
  const isLong = request.minTouches > 0 ? 'AND length(every) + candidates_left_out >= {min_touches:UInt32}' : '';
  // Steps joined by NUL, which none has, take two thirds of the time that a list of them takes, and sort as that.
  const statement = {
    query: `
      SELECT splitByChar('\\0', path) AS steps, CAST(is_longer, 'Bool') AS longer, count() AS conversions,
        sum(toInt128(net)) AS revenue, quantileExact(0.5)(first_lag) AS median_lag_ms,
        quantileExact(0.5)(last_lag) AS median_last_lag_ms, sum(count()) OVER () AS all_conversions,
        sum(sum(toInt128(net))) OVER () AS all_revenue, count() OVER () AS all_paths
      FROM (
        WITH ${list} AS every, ${request.collapseRepeats ? 'arrayCompact(every)' : 'every'} AS told,
          ${listOf('click_time')} AS times
        SELECT arrayStringConcat(arrayReverse(arraySlice(told, 1, ${steps})), '\\0') AS path,
          length(told) > ${steps} OR candidates_left_out > 0 AS is_longer, ${NET} AS net,
          toUnixTimestamp64Milli(conversion_time) - times[-1] AS first_lag,
          toUnixTimestamp64Milli(conversion_time) - times[1] AS last_lag
        FROM conversion_decisions FINAL
        ${sql} AND attributed ${isLong}
      )
      GROUP BY path, is_longer
      ORDER BY conversions DESC, revenue DESC, path, is_longer
      LIMIT ${limit}`,
    query_params: { ...params, min_touches: request.minTouches },
  };
  const rows = await selectBounded<Path>(client, statement, signal, MAX_DECISIONS_READ);
  const { all_conversions = '0', all_revenue = '0', all_paths = '0' } = rows[0] ?? {};
  return fromJson(TopPathsResponseSchema, {
    paths: rows.map(({ all_conversions: _, all_revenue: __, all_paths: ___, revenue, ...path }) => ({
      ...path,
      revenue_micros: saturated(revenue as string),
      share: Number(path.conversions) / Number(all_conversions),
    })),
    ...{ conversions: all_conversions, total_paths: all_paths, revenue_micros: saturated(all_revenue) },
  });
}

export async function topTouches(
  { client, timeZone = UTC }: StatsDeps,
  request: TopTouchesRequest,
  signal?: AbortSignal,
): Promise<TopTouchesResponse | FieldError> {
  const scope = parseScope(request, timeZone);
  if ('field' in scope) return scope;
  const dimension = DIMENSIONS.find((each) => each === (request.dimension || DIMENSIONS[0]));
  if (dimension === undefined) return unknownValue('dimension', request.dimension, DIMENSIONS);
  const limit = parseLimit(request.limit, VALUES.byDefault, VALUES.most);
  if (typeof limit !== 'number') return limit;
  const { sql, params } = matching(scope);
  const statement = {
    query: `
      SELECT value, count() AS conversions, sum(toInt128(net)) AS revenue, count() OVER () AS all_values,
        sum(countIf(nth = 1)) OVER () AS all_conversions
      FROM (
        SELECT arrayDistinct(${listOf(dimension)}) AS touched, ${NET} AS net
        FROM conversion_decisions FINAL
        ${sql} AND attributed
      )
      ARRAY JOIN touched AS value, arrayEnumerate(touched) AS nth
      GROUP BY value
      ORDER BY conversions DESC, value
      LIMIT ${limit}`,
    query_params: params,
  };
  const rows = await selectBounded<Record<string, JsonValue>>(client, statement, signal, MAX_DECISIONS_READ);
  const { all_values = '0', all_conversions = '0' } = rows[0] ?? {};
  return fromJson(TopTouchesResponseSchema, {
    values: rows.map(({ value, conversions, revenue }) => ({
      ...{ value: value!, conversions: conversions!, revenue_micros: saturated(revenue as string) },
    })),
    ...{ conversions: all_conversions, total_values: all_values },
  });
}

export async function pathLength(
  { client, timeZone = UTC }: StatsDeps,
  request: PathLengthRequest,
  signal?: AbortSignal,
): Promise<PathLengthResponse | FieldError> {
  const scope = parseScope(request, timeZone);
  if ('field' in scope) return scope;
  const { sql, params } = matching(scope);
  const statement = {
    query: `
      SELECT toUInt32(length(${listOf('source')}) + candidates_left_out) AS touches, count() AS conversions,
        sum(toInt128(${NET})) AS revenue
      FROM conversion_decisions FINAL
      ${sql}
      GROUP BY touches
      ORDER BY touches`,
    query_params: params,
  };
  const rows = await selectBounded<Record<string, JsonValue>>(client, statement, signal, MAX_DECISIONS_READ);
  const buckets = rows.map(({ revenue, ...row }) => ({ ...row, revenue_micros: saturated(revenue as string) }));
  return fromJson(PathLengthResponseSchema, { buckets });
}

/**
 * PREWHERE and WHERE of conversions that count, whose valid touches pass the filters: one does those that name, none
 * the others.
 */
function matching({ clicks, ...scope }: Scope): Condition {
  const { sql, params } = ofConversion(scope);
  params.model = '';
  const on = (filter: Scope['clicks'][number]) => filterOnTouch(filter, params);
  const named = clicks.filter(({ exclude }) => !exclude).map(on);
  const excluded = clicks.filter(({ exclude }) => exclude).map((filter) => on({ ...filter, exclude: false }));
  const conditions = [sql, 'NOT retracted'];
  if (named.length > 0) conditions.push(`arrayExists(t -> ${named.join(' AND ')}, ${TOUCHES})`);
  for (const each of excluded) conditions.push(`NOT arrayExists(t -> ${each}, ${TOUCHES})`);
  return { sql: conditions.join(' AND '), params };
}

const MAX_INT64 = 2n ** 63n - 1n;

/** The nearest int64 to a sum. */
export function saturated(sum: string): string {
  const micros = BigInt(sum);
  if (micros > MAX_INT64) return String(MAX_INT64);
  return String(micros < -MAX_INT64 - 1n ? -MAX_INT64 - 1n : micros);
}
