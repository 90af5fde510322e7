import { Interval } from '../../gen/ts/clickmesh/v1/stats_service_pb.js';
import { DAY_MS } from '../contract/limits.ts';
import { DAILY_STATS, type Dimension, isMetadata, type Rollup } from '../contract/rollups.ts';
import { DEFAULT_BY, type StatsQuery } from './query.ts';

/** The first day of the period that a day is in. */
const FIRST_DAY = { [Interval.WEEKLY]: 'toMonday(s.day)', [Interval.MONTHLY]: 'toStartOfMonth(s.day)' };

/** A query and its parameters, which the server binds: none is ever put into the text. */
export interface Statement {
  query: string;
  query_params: Record<string, unknown>;
}

/** What is counted of clicks, of conversions, and what is counted of both beside it. */
const CLICKS = ['clicks'];
const CONVERSIONS = ['conversions_micros', 'revenue_micros'];
const GROSS = { clicks: ['invalid_clicks'], conversions: ['retracted_micros', 'adjusted_micros', 'refunds_micros'] };

/** Sums that a query asks for, by their columns in the tables, and how rows are grouped. */
interface Sums {
  clicks: readonly string[];
  conversions: readonly string[];
  by: readonly Dimension[];
  /** Of unattributed conversions only, or of none. */
  unattributed: boolean;
}

/**
 * The exact sums, the first `limit`: date, what rows are by, clicks, conversions_micros, revenue_micros; with gross
 * numbers invalid_clicks, retracted_micros, adjusted_micros, refunds_micros.
 */
export function statsStatement(query: StatsQuery, limit: number): Statement {
  return sorted('*', query, sumsOf(query), `LIMIT ${limit}`);
}

/** As statsStatement, of unattributed conversions by date. */
export function unattributedStatement(query: StatsQuery): Statement {
  return sorted('*', query, unattributedSums(query));
}

/** The sums as reports show them: date, what rows are by, clicks, conversions, revenue, cvr. */
export function reportStatement(query: StatsQuery): Statement {
  const sums = sumsOf(query);
  const columns = ['date', ...sums.by.map(quoted), 'clicks', ...MONEY_COLUMNS];
  return sorted([...columns, ...ratioColumns(query)].join(', '), query, sums);
}

/** As reportStatement, of unattributed conversions by date. */
export function unattributedReport(query: StatsQuery): Statement {
  const columns = ['date', ...MONEY_COLUMNS, ...(query.gross ? GROSS_COLUMNS : [])];
  return sorted(columns.join(', '), query, unattributedSums(query));
}

/** Micros, an Int128, as a number of units with all of its digits. */
function decimal(micros: string): string {
  return `reinterpret(${micros}, 'Decimal(38, 6)')`;
}

const MONEY_COLUMNS = ['conversions_micros / 1e6 AS conversions', `${decimal('revenue_micros')} AS revenue`];

const GROSS_COLUMNS = [
  '(conversions_micros + retracted_micros) / 1e6 AS gross_conversions',
  `${decimal('revenue_micros + adjusted_micros')} AS gross_revenue`,
  `${decimal('refunds_micros')} AS refunds`,
];

function ratioColumns({ gross }: StatsQuery): string[] {
  const cvr = 'if(clicks = 0, NULL, conversions / clicks) AS cvr';
  return gross ? [cvr, 'invalid_clicks', ...GROSS_COLUMNS] : [cvr];
}

function sumsOf({ by = DEFAULT_BY, gross }: StatsQuery): Sums {
  return {
    clicks: gross ? [...CLICKS, ...GROSS.clicks] : CLICKS,
    conversions: gross ? [...CONVERSIONS, ...GROSS.conversions] : CONVERSIONS,
    by,
    unattributed: false,
  };
}

function unattributedSums({ gross }: StatsQuery): Sums {
  return {
    ...{ clicks: [], by: [], unattributed: true },
    conversions: gross ? [...CONVERSIONS, ...GROSS.conversions] : CONVERSIONS,
  };
}

/** Memory of a report's sums, and of their sorting, in bytes, beyond which it goes on on disk. */
const SPILL_BYTES = 256 << 20;

/**
 * Rows of daily_stats are stored in the order of a report by day, and so can be summed while they are read, without a
 * table of the sums. Of a rollup only the days come in order: it pays where there are as many sums as rows. Where there
 * are few, of one campaign, or of longer periods, a table takes half of the time (2.4 million rows by ad, 2026-11).
 */
function isSummedInOrder({ rollup, interval, campaignId }: StatsQuery): boolean {
  if (rollup.name === DAILY_STATS.name) return true;
  return campaignId === '' && (interval === Interval.DAILY || interval === Interval.HOURLY);
}

function sorted(columns: string, query: StatsQuery, sums: Sums, limit = ''): Statement {
  const { query: unsorted, query_params } = sumsStatement(query, sums);
  return {
    query: `
      SELECT ${columns} FROM (${unsorted})
      ORDER BY ${['date', ...sums.by.map(quoted)].join(', ')} ${limit}
      SETTINGS max_bytes_before_external_group_by = ${SPILL_BYTES}, max_bytes_before_external_sort = ${SPILL_BYTES},
        optimize_aggregation_in_order = ${isSummedInOrder(query) ? 1 : 0},
        do_not_merge_across_partitions_select_final = 1,
        optimize_move_to_prewhere_if_final = 1, enable_extended_results_for_datetime_functions = 1,
        optimize_skip_unused_shards = 1`,
    query_params,
  };
}

/** A rollup's table, its dimensions as columns, and the sum of a column of conversions under the model asked for. */
interface Source {
  table: string;
  columns: ReadonlyMap<Dimension, string>;
  where: readonly string[];
  sumOfModel(column: string): string;
}

function sourceOf({ name, dimensions }: Rollup): Source {
  if (name === DAILY_STATS.name) {
    const columns = new Map(dimensions.map((each) => [each, each] as const));
    // Rows are of one model each. Those of unattributed conversions have none; they are asked for by an empty one.
    const where = ["model IN ('', {model:String})"];
    const sumOfModel = (column: string) => `sumIf(s.${column}, s.model = {model:String})`;
    return { table: 'daily_stats', columns, where, sumOfModel };
  }
  const columns = new Map(dimensions.map((dimension, i) => [dimension, `dimension_${i + 1}`] as const));
  const sumOfModel = (column: string) => `sum(s.${column}[indexOf(s.models, {model:String})])`;
  return { table: 'rollup_stats', columns, where: ['rollup = {rollup:String}'], sumOfModel };
}

/**
 * Clicks are counted under the empty model and conversion type, which every model and type shares. Filters are on
 * columns of the sorting key only: they may then be applied before FINAL, which makes reports on one campaign cheap.
 */
function sumsStatement(query: StatsQuery, asked: Sums): Statement {
  const { interval, rollup, campaignId, source, conversionType } = query;
  const { table, columns, where, sumOfModel } = sourceOf(rollup);
  const column = (dimension: Dimension) => columns.get(dimension)!;
  const ofTouch = rollup.dimensions.filter((dimension) => dimension !== 'conversion_type');
  const filters = asked.unattributed
    ? ofTouch.map((dimension) => `${column(dimension)} = ''`)
    : [
        campaignId && `${column('campaign_id')} = {campaignId:String}`,
        source && `${column('source')} = {source:String}`,
      ];
  const types = asked.unattributed ? '{conversionType:String}' : "'', {conversionType:String}";
  const filter = [...where, ...filters, conversionType && `${column('conversion_type')} IN (${types})`];
  const [dates, date] = datesOf(interval, rollup);
  const spans = spansOf(query);
  const settings = spans.length === 1 ? '' : ' SETTINGS max_threads = 1';
  const model = asked.unattributed ? '' : query.model;
  const texts = { model, campaignId, source, conversionType, rollup: rollup.name };
  const query_params: Record<string, unknown> = texts;
  const keys = [...dates, ...asked.by.map((dimension) => `s.${column(dimension)} AS ${quoted(dimension)}`)];
  const summed = spans.map(([first, last], i) => {
    query_params[`start${i}`] = dateOf(first);
    query_params[`end${i}`] = dateOf(last);
    const span = `day BETWEEN {start${i}:Date32} AND {end${i}:Date32}`;
    const condition = [span, ...filter].filter(Boolean).join(' AND ');
    return `${sums(keys, asked, `${table} AS s FINAL WHERE ${condition}`, sumOfModel)}${settings}`;
  });
  const days = summed.join(' UNION ALL ');
  if (date === undefined) return { query: days, query_params };
  // Only days are summed while they are read; of their sums there are few.
  return { query: sums([`${date} AS date`, ...asked.by.map(quoted)], asked, `(${days}) AS s`, sumOf), query_params };
}

/** A dimension as the name of a column; those of metadata have points in their names. */
function quoted(dimension: Dimension): string {
  return isMetadata(dimension) ? `\`${dimension}\`` : dimension;
}

/** What rows are grouped by while they are read, and what then, if not the same. */
function datesOf(interval: StatsQuery['interval'], rollup: Rollup): [read: string[], then: string | undefined] {
  switch (interval) {
    case Interval.DAILY:
      return [['s.day AS date'], undefined];
    case Interval.HOURLY:
      return [["concat(toString(s.day), 'T', leftPad(toString(s.hour), 2, '0'), ':00Z') AS date"], undefined];
    default:
      // Of daily_stats days are summed while they are read, without a table; else there are the fewer sums the better.
      if (rollup.name === DAILY_STATS.name) return [['s.day AS day'], FIRST_DAY[interval]];
      return [[`${FIRST_DAY[interval]} AS first_day`], 's.first_day'];
  }
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

function sumOf(column: string): string {
  return `sum(s.${column})`;
}

/** @param ofConversions the sum of what is counted of conversions in a column */
function sums(keys: readonly string[], asked: Sums, from: string, ofConversions: (column: string) => string): string {
  const { clicks, conversions } = asked;
  const summed = [
    ...clicks.map((name) => `${sumOf(name)} AS ${name}`),
    ...conversions.map((name) => `${ofConversions(name)} AS ${name}`),
  ];
  return `
    SELECT ${[...keys, ...summed].join(', ')}
    FROM ${from}
    GROUP BY ${keys.map((_, i) => i + 1).join(', ')}
    HAVING (${[...clicks, ...conversions].map((name) => `${name} != 0`).join(' OR ')})`;
}
