import { ReportInterval } from '../../../gen/ts/clickmesh/v1/reports_pb.js';
import type { Dimension } from '../../contract/rollups.ts';
import type { Statement } from '../sql.ts';
import type { Leg, Shift } from './legs.ts';
import type { Order } from './order.ts';
import type { ReportQuery } from './report-query.ts';

/** What is counted under a model, by the names of the tables' columns. */
export const COUNTED = [
  'conversions_micros',
  'revenue_micros',
  'retracted_micros',
  'adjusted_micros',
  'refunds_micros',
] as const;
export type Counted = (typeof COUNTED)[number];

/** What an answer is counted from. */
export interface Source {
  /**
   * Selects of what is counted in a leg, to be added up: `period`, `d0` and so on of the dimensions, `clicks`,
   * `invalid_clicks`, and of each model what is counted under it, named by `columnOf`. Puts parameters into `params`.
   */
  select(leg: Leg, keys: Keys, params: Record<string, unknown>): string[];
  /** As `select`, of conversions that no click is credited for, as if of the only model; without dimensions. */
  unattributed(leg: Leg, params: Record<string, unknown>): string[];
  /** Of a query that reads it. */
  settings: string;
}

/** What rows are grouped by. */
export interface Keys {
  /** By time, or not at all. */
  hasPeriod: boolean;
  by: readonly Dimension[];
}

/** What is counted under the model that has this place. */
export function columnOf(model: number, counted: Counted): string {
  return `m${model}_${counted}`;
}

/** Memory of an answer's sums, and of their sorting, in bytes, beyond which it goes on on disk. */
const SPILL_BYTES = 256 << 20;

/** A page of rows: keys, `model` if rows are by it, sums, and with `p_` before their names those compared with. */
export function pageStatement(query: ReportQuery, source: Source, legs: readonly Leg[]): Statement {
  const params: Record<string, unknown> = { models: query.models };
  const keys = { hasPeriod: true, by: query.by };
  const summed = sumsOf(query, source, legs, keys, params);
  const isByModel = query.groupBy.includes('model');
  const grouped = `${summed} GROUP BY ${keyNames(keys).join(', ')}`;
  const having = `(${sumNames(query, legs)
    .map((name) => `${name} != 0`)
    .join(' OR ')})`;
  const rows = isByModel ? byModel(query, legs, keys, grouped) : `${grouped} HAVING ${having}`;
  return {
    query: `${rows}
      ORDER BY ${orderOf(query).join(', ')}
      LIMIT ${query.limit} OFFSET ${query.offset}
      SETTINGS exact_rows_before_limit = 1, ${settingsOf(source)}`,
    query_params: params,
  };
}

/** One row, of all that matches: as a page's rows, without keys. */
export function totalsStatement(query: ReportQuery, source: Source, legs: readonly Leg[]): Statement {
  const params: Record<string, unknown> = {};
  const each = legs.filter(({ shift }) => shift.kind !== 'to');
  const summed = sumsOf(query, source, each, { hasPeriod: false, by: [] }, params);
  return { query: `${summed} SETTINGS ${settingsOf(source)}`, query_params: params };
}

/** As totalsStatement, of conversions that no click is credited for, as if of the first model. */
export function unattributedStatement(query: ReportQuery, source: Source, legs: readonly Leg[]): Statement {
  const params: Record<string, unknown> = {};
  const each = legs.filter(({ shift }) => shift.kind !== 'to');
  const from = each.flatMap((leg) => source.unattributed(leg, params).map((select) => ofLeg(select, leg)));
  const ofOne = { ...query, models: [''] };
  return { query: `${added(ofOne, each, [], from)} SETTINGS ${settingsOf(source)}`, query_params: params };
}

function settingsOf({ settings }: Source): string {
  return `max_bytes_before_external_group_by = ${SPILL_BYTES}, max_bytes_before_external_sort = ${SPILL_BYTES},
    do_not_merge_across_partitions_select_final = 1, optimize_move_to_prewhere_if_final = 1,
    enable_extended_results_for_datetime_functions = 1, optimize_skip_unused_shards = 1${settings}`;
}

/** Selects keys and sums of all legs, to be grouped by the keys. */
function sumsOf(
  query: ReportQuery,
  source: Source,
  legs: readonly Leg[],
  keys: Keys,
  params: Record<string, unknown>,
): string {
  const from = legs.flatMap((leg) => source.select(leg, keys, params).map((select) => ofLeg(select, leg)));
  return added(query, legs, keyNames(keys), from);
}

function ofLeg(select: string, { isBefore }: Leg): string {
  return `SELECT *, ${isBefore} AS is_before FROM (${select})`;
}

/** Adds up what was selected of legs, each on its side. */
function added(query: ReportQuery, legs: readonly Leg[], keys: readonly string[], from: readonly string[]): string {
  const hasBefore = legs.some(({ isBefore }) => isBefore);
  const sums = sumNames(query, []).map((name) => `sumIf(u.${name}, NOT u.is_before) AS ${name}`);
  const before = hasBefore ? sumNames(query, []).map((name) => `sumIf(u.${name}, u.is_before) AS p_${name}`) : [];
  return `SELECT ${[...keys.map((key) => `u.${key} AS ${key}`), ...sums, ...before].join(', ')}
    FROM (${from.join(' UNION ALL ')}) AS u`;
}

function keyNames({ hasPeriod, by }: Keys): string[] {
  return [...(hasPeriod ? ['period'] : []), ...by.map((_, i) => `d${i}`)];
}

/** Sums of a row, and with a leg that is compared with those of that. */
function sumNames({ models }: Pick<ReportQuery, 'models'>, legs: readonly Leg[]): string[] {
  const names = ['clicks', 'invalid_clicks', ...models.flatMap((_, i) => COUNTED.map((name) => columnOf(i, name)))];
  return legs.some(({ isBefore }) => isBefore) ? [...names, ...names.map((name) => `p_${name}`)] : names;
}

/** A row for each model of what is grouped, under which it is as if it were the first. */
function byModel({ models }: ReportQuery, legs: readonly Leg[], keys: Keys, grouped: string): string {
  const sides = legs.some(({ isBefore }) => isBefore) ? ['', 'p_'] : [''];
  const clicks = sides.flatMap((side) => ['clicks', 'invalid_clicks'].map((name) => side + name));
  const ofModel = sides.flatMap((side) =>
    COUNTED.map((name) => {
      const all = models.map((_, i) => `g.${side}${columnOf(i, name)}`);
      return `[${all.join(', ')}][place] AS ${side}${columnOf(0, name)}`;
    }),
  );
  const columns = [...keyNames(keys), ...clicks].map((name) => `g.${name} AS ${name}`);
  const names = [...clicks, ...sides.flatMap((side) => COUNTED.map((name) => side + columnOf(0, name)))];
  return `SELECT * FROM (
      SELECT ${[...columns, '{models:Array(String)}[place] AS model', ...ofModel].join(', ')}
      FROM (${grouped}) AS g ARRAY JOIN ${JSON.stringify(models.map((_, i) => i + 1))} AS place
    ) WHERE ${names.map((name) => `${name} != 0`).join(' OR ')}`;
}

function orderOf({ order, groupBy, by, models }: ReportQuery): string[] {
  const ofRow = groupBy.map((name) => (name === 'model' ? name : `d${by.indexOf(name)}`));
  const first = firstOf(order, by, models);
  return [...(first === undefined ? [] : [`${first}${order.descending ? ' DESC' : ''}`]), 'period', ...ofRow];
}

function firstOf(order: Order, by: readonly Dimension[], models: readonly string[]): string | undefined {
  switch (order.kind) {
    case 'date':
      return order.descending ? 'period' : undefined;
    case 'dimension':
      return order.name === 'model' ? order.name : `d${by.indexOf(order.name)}`;
    case 'clicks':
      return order.measure;
    case 'spread': {
      const conversions = models.map((_, i) => columnOf(i, 'conversions_micros')).join(', ');
      return `greatest(${conversions}) - least(${conversions})`;
    }
    case 'model':
      return measured(order);
  }
}

function measured({ measure, model }: Extract<Order, { kind: 'model' }>): string {
  const column = (counted: Counted) => columnOf(model, counted);
  switch (measure) {
    case 'conversions':
      return column('conversions_micros');
    case 'revenue':
      return column('revenue_micros');
    case 'refunds':
      return column('refunds_micros');
    case 'gross_conversions':
      return `${column('conversions_micros')} + ${column('retracted_micros')}`;
    case 'gross_revenue':
      return `${column('revenue_micros')} + ${column('adjusted_micros')}`;
    case 'cvr':
      return `if(clicks = 0, NULL, ${column('conversions_micros')} / clicks)`;
  }
}

/** The key of the period that a day is in that counts with another: days since 1970-01-01 of its first. */
export function periodOf(interval: ReportInterval, day: string): string {
  switch (interval) {
    case ReportInterval.WEEK:
      return `toInt64(${day} - (${day} + 3) % 7)`;
    case ReportInterval.MONTH:
      return `toInt64(toInt32(toStartOfMonth(toDate32(${day}))))`;
    case ReportInterval.NONE:
      return 'toInt64(0)';
    default:
      return `toInt64(${day})`;
  }
}

/** The day, as a number, that a day counts with. */
export function shifted(shift: Shift, day: string): string {
  switch (shift.kind) {
    case 'none':
      return day;
    case 'days':
      return `(${day} + ${shift.days})`;
    case 'year':
      return `toInt32(addYears(toDate32(${day}), 1))`;
    case 'to':
      return `toInt32(${shift.day})`;
  }
}
