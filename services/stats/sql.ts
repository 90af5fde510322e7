import { Interval } from '../../gen/ts/clickmesh/v1/stats_service_pb.js';
import { DAY_MS } from '../contract/limits.ts';
import type { StatsQuery } from './query.ts';

/** The first day of the period that a day is in. */
const FIRST_DAY = {
  [Interval.DAILY]: 's.day',
  [Interval.WEEKLY]: 'toMonday(s.day)',
  [Interval.MONTHLY]: 'toStartOfMonth(s.day)',
};

/** A query and its parameters, which the server binds: none is ever put into the text. */
export interface Statement {
  query: string;
  query_params: Record<string, unknown>;
}

/** The exact sums, the first `limit`: date, campaign_id, source, clicks, conversions_micros, revenue_micros. */
export function statsStatement(query: StatsQuery, limit: number): Statement {
  return sorted('*', query, `LIMIT ${limit}`);
}

/** The sums as reports show them: date, campaign_id, source, clicks, conversions, revenue, cvr. */
export function reportStatement(query: StatsQuery): Statement {
  const columns = `date, campaign_id, source, clicks, conversions_micros / 1e6 AS conversions,
    revenue_micros / 1e6 AS revenue, if(clicks = 0, NULL, conversions / clicks) AS cvr`;
  return sorted(columns, query);
}

/** Memory of a report's sums, and of their sorting, in bytes, beyond which it goes on on disk. */
const SPILL_BYTES = 256 << 20;

/** Rows are stored in this order, and so can be summed while they are read. */
function sorted(columns: string, query: StatsQuery, limit = ''): Statement {
  const { query: unsorted, query_params } = sumsStatement(query);
  return {
    query: `
      SELECT ${columns} FROM (${unsorted})
      ORDER BY date, campaign_id, source ${limit}
      SETTINGS max_bytes_before_external_group_by = ${SPILL_BYTES}, max_bytes_before_external_sort = ${SPILL_BYTES},
        optimize_aggregation_in_order = 1, do_not_merge_across_partitions_select_final = 1,
        optimize_move_to_prewhere_if_final = 1, enable_extended_results_for_datetime_functions = 1,
        optimize_skip_unused_shards = 1`,
    query_params,
  };
}

/**
 * Clicks are counted under the empty model and conversion type, which every model and type shares. Filters are on
 * columns of the sorting key only: they may then be applied before FINAL, which makes reports on one campaign cheap.
 */
function sumsStatement(query: StatsQuery): Statement {
  const { interval, model, campaignId, source, conversionType } = query;
  const filters = [
    `model IN ('', {model:String})`,
    campaignId && 'campaign_id = {campaignId:String}',
    source && 'source = {source:String}',
    conversionType && `conversion_type IN ('', {conversionType:String})`,
  ];
  const where = filters.filter(Boolean).join(' AND ');
  const date = interval === Interval.DAILY ? 's.day AS date' : 's.day AS day';
  const spans = spansOf(query);
  const settings = spans.length === 1 ? '' : ' SETTINGS max_threads = 1';
  const query_params: Record<string, unknown> = { model, campaignId, source, conversionType };
  const summed = spans.map(([first, last], i) => {
    query_params[`start${i}`] = dateOf(first);
    query_params[`end${i}`] = dateOf(last);
    const span = `day BETWEEN {start${i}:Date32} AND {end${i}:Date32}`;
    return sums(date, 'daily_stats', `FINAL WHERE ${span} AND ${where}`) + settings;
  });
  const days = summed.join(' UNION ALL ');
  // Only days are summed while they are read; of their sums there are few.
  const sumsOfAll = interval === Interval.DAILY ? days : sums(`${FIRST_DAY[interval]} AS date`, `(${days})`);
  return { query: sumsOfAll, query_params };
}

/** Most spans of days that a report on all campaigns is divided into. */
const SPANS = 4;

/**
 * First and last days of spans that are summed at the same time: what is summed while it is read is summed by one
 * thread. A campaign has too few rows for that to pay.
 */
function spansOf({ start, end, campaignId }: StatsQuery): [first: number, last: number][] {
  const length = Math.ceil((end - start + 1) / (campaignId === '' ? SPANS : 1));
  const spans: [number, number][] = [];
  for (let day = start; day <= end; day += length) spans.push([day, Math.min(day + length - 1, end)]);
  return spans;
}

/** YYYY-MM-DD of a day since 1970-01-01. */
function dateOf(day: number): string {
  return new Date(day * DAY_MS).toISOString().slice(0, 10);
}

function sums(date: string, from: string, where = ''): string {
  return `
    SELECT ${date}, campaign_id, source,
      sum(s.clicks) AS clicks,
      sum(s.conversions_micros) AS conversions_micros,
      sum(s.revenue_micros) AS revenue_micros
    FROM ${from} AS s ${where}
    GROUP BY 1, 2, 3
    HAVING clicks != 0 OR conversions_micros != 0 OR revenue_micros != 0`;
}
