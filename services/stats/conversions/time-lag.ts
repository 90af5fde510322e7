import { fromJson } from '@bufbuild/protobuf';
import {
  type TimeLagRequest,
  type TimeLagResponse,
  TimeLagResponseSchema,
} from '../../../gen/ts/clickmesh/v1/reports_pb.js';
import { UTC } from '../../contract/report-days.ts';
import { isMetadata } from '../../contract/rollups.ts';
import { selectBounded } from '../bounded.ts';
import type { StatsDeps } from '../deps.ts';
import { modelFault } from '../models.ts';
import type { FieldError } from '../requests/field-error.ts';
import { textFault } from '../requests/text-fault.ts';
import { filterOn, filterOnMetadata, ofConversion } from './decisions.ts';
import { saturated } from './paths.ts';
import { parseScope } from './scope.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Where buckets begin, in ms: about twice as far each time, but daily in the first week. The last one has no end. */
const BEGINS = [
  ...[0, 1, 5, 15, 30].map((minutes) => minutes * MINUTE),
  ...[1, 2, 4, 8, 12].map((hours) => hours * HOUR),
  ...[1, 2, 3, 4, 5, 6, 7, 10, 14, 21, 30, 45, 60, 90, 180, 365].map((days) => days * DAY),
];
/** The end that is told of the last: no window is longer than this. */
const END = 100 * 365 * DAY;

interface Row {
  bucket: string;
  conversions_micros: string;
  revenue: string;
}

export async function timeLag(
  { client, models, timeZone = UTC }: StatsDeps,
  request: TimeLagRequest,
  signal?: AbortSignal,
): Promise<TimeLagResponse | FieldError> {
  const scope = parseScope(request, timeZone);
  if ('field' in scope) return scope;
  const model = request.model || models[0]!;
  const fault = textFault({ model }) ?? (await modelFault(client, model, models, signal));
  if (fault !== undefined) return fault;
  const { sql, params } = ofConversion(scope);
  const filters = scope.clicks.map((filter) => {
    const { dimension } = filter;
    if (isMetadata(dimension)) return filterOnMetadata('click_id', dimension, filter, params);
    return filterOn(dimension, filter, params);
  });
  const where = [sql, 'model = {model:String}', 'NOT conversion_retracted', ...filters].join(' AND ');
  const query_params = { ...params, model, begins: BEGINS };
  const lags = `
    SELECT toUnixTimestamp64Milli(conversion_time) - toUnixTimestamp64Milli(click_time) AS lag, credit_micros,
      value_micros
    FROM attributed_events FINAL
    ${where}`;
  const [rows, [quantiles]] = await Promise.all([
    selectBounded<Row>(
      client,
      {
        query: `
          SELECT roundDown(lag, {begins:Array(Int64)}) AS bucket, sum(credit_micros) AS conversions_micros,
            sum(toInt128(value_micros)) AS revenue
          FROM (${lags}) GROUP BY bucket ORDER BY bucket`,
        query_params,
      },
      signal,
    ),
    selectBounded<{ lags: string[]; conversions: string }>(
      client,
      {
        query: `
          SELECT quantilesExactWeighted(0.5, 0.9, 0.99)(lag, toUInt64(credit_micros)) AS lags, count() AS conversions
          FROM (${lags}) WHERE credit_micros > 0`,
        query_params,
      },
      signal,
    ),
  ]);
  const [p50, p90, p99] = quantiles!.conversions === '0' ? [] : quantiles!.lags;
  const buckets = withoutGaps(rows);
  return fromJson(TimeLagResponseSchema, {
    buckets,
    ...(p50 === undefined ? {} : { p50_ms: p50, p90_ms: p90!, p99_ms: p99! }),
  });
}

/** The buckets from the first to the last that has something. */
function withoutGaps(rows: readonly Row[]) {
  const byBegin = new Map(rows.map((row) => [Number(row.bucket), row]));
  const first = BEGINS.findIndex((begin) => byBegin.has(begin));
  const last = BEGINS.findLastIndex((begin) => byBegin.has(begin));
  if (first < 0) return [];
  return BEGINS.slice(first, last + 1).map((begin, i) => ({
    from_ms: String(begin),
    to_ms: String(BEGINS[first + i + 1] ?? END),
    conversions_micros: byBegin.get(begin)?.conversions_micros ?? '0',
    revenue_micros: saturated(byBegin.get(begin)?.revenue ?? '0'),
  }));
}
