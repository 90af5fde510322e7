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
  select(leg: Leg, params: Record<string, unknown>): string[];
  /** As `select`, of conversions that no click is credited for, as if of the only model; without keys. */
  unattributed(leg: Leg, params: Record<string, unknown>): string[];
  /** Of a query that reads it. */
  settings: string;
}

/** What is counted under the model that has this place. */
export function columnOf(model: number, counted: Counted): string {
  return `m${model}_${counted}`;
}

/** Memory of an answer's sums, and of their sorting, in bytes, beyond which it goes on on disk. */
const SPILL_BYTES = 256 << 20;

/**
 * A page of rows: keys, `model` if rows are by it, sums, and with `p_` before their names those compared with. Totals
 * are made of the very same rows, while more events come in: so an answer reconciles in itself. Beside these they have,
 * named with `u_` and `pu_`, what no click is credited for, which is in no row; and with `a_`, what is compared with
 * twice. Rows by model have what is counted under their own; clicks are in the row of each, so in totals that often.
 */
export function pageStatement(query: ReportQuery, source: Source, legs: readonly Leg[]): Statement {
  const params: Record<string, unknown> = { models: query.models };
  const from = legs.flatMap((leg) => [
    ...source.select(leg, params).map((select) => credited(query, select, leg)),
    ...(leg.shift.kind === 'to' ? [] : source.unattributed(leg, params)).map((select) =>
      uncredited(query, select, leg),
    ),
  ]);
  const keys = [...keyNames(query), ...(query.groupBy.includes('model') ? ['model'] : [])];
  const isCounted = rowSums(query, legs).map(({ name }) => `${name} != 0`);
  const columns = [...rowSums(query, legs), ...totalSums(query, legs)].map(({ name, sum }) => `${sum} AS ${name}`);
  const selected = [...keyNames(query).map((name) => `u.${name} AS ${name}`), ...modelOf(query), ...columns];
  return {
    query: `SELECT ${selected.join(', ')}
      FROM (${from.join(' UNION ALL ')}) AS u ${eachModel(query)}
      GROUP BY ${keys.join(', ')} WITH TOTALS
      HAVING ${isCounted.join(' OR ')}
      ORDER BY ${orderOf(query).join(', ')}
      LIMIT ${query.limit} OFFSET ${query.offset}
      SETTINGS exact_rows_before_limit = 1, totals_mode = 'before_having', ${settingsOf(source)}`,
    query_params: params,
  };
}

function settingsOf({ settings }: Source): string {
  return `max_bytes_before_external_group_by = ${SPILL_BYTES}, max_bytes_before_external_sort = ${SPILL_BYTES},
    do_not_merge_across_partitions_select_final = 1, optimize_move_to_prewhere_if_final = 1,
    enable_extended_results_for_datetime_functions = 1, optimize_skip_unused_shards = 1${settings}`;
}

function keyNames({ by }: ReportQuery): string[] {
  return ['period', ...by.map((_, i) => `d${i}`)];
}

/** All columns of a select are named: a union goes by their order. */
function credited(query: ReportQuery, select: string, leg: Leg): string {
  const own = [...keyNames(query), 'clicks', 'invalid_clicks', ...modelColumns(query)];
  return `SELECT ${[...own, ...legColumns(leg), ...COUNTED.map((name) => `0 AS u_${name}`)].join(', ')} FROM (${select})`;
}

function uncredited(query: ReportQuery, select: string, leg: Leg): string {
  const none = ['toInt64(0) AS period', ...query.by.map((_, i) => `'' AS d${i}`)];
  const zeros = ['clicks', 'invalid_clicks', ...modelColumns(query)].map((name) => `0 AS ${name}`);
  const own = COUNTED.map((name) => `t.${columnOf(0, name)} AS u_${name}`);
  return `SELECT ${[...none, ...zeros, ...legColumns(leg), ...own].join(', ')} FROM (${select}) AS t`;
}

function legColumns({ isBefore, shift }: Leg): string[] {
  return [`${isBefore} AS is_before`, `${shift.kind === 'to'} AS is_again`];
}

function modelColumns({ models }: ReportQuery): string[] {
  return models.flatMap((_, i) => COUNTED.map((name) => columnOf(i, name)));
}

function modelOf({ groupBy }: ReportQuery): string[] {
  return groupBy.includes('model') ? ['{models:Array(String)}[place] AS model'] : [];
}

/** Gives each model a row of its own. */
function eachModel({ groupBy, models }: ReportQuery): string {
  return groupBy.includes('model') ? `ARRAY JOIN ${JSON.stringify(models.map((_, i) => i + 1))} AS place` : '';
}

interface Sum {
  name: string;
  sum: string;
}

/** Sums that a row has. */
function rowSums(query: ReportQuery, legs: readonly Leg[]): Sum[] {
  const sides = [{ side: '', of: 'NOT u.is_before' }];
  if (legs.some(({ isBefore }) => isBefore)) sides.push({ side: 'p_', of: 'u.is_before' });
  return sides.flatMap(({ side, of }) => sumsWhere(query, side, of));
}

/** Sums that only totals have. */
function totalSums(query: ReportQuery, legs: readonly Leg[]): Sum[] {
  const once = query.groupBy.includes('model') ? ' AND place = 1' : '';
  const hasBefore = legs.some(({ isBefore }) => isBefore);
  const own = COUNTED.flatMap((name) => [
    { name: `u_${name}`, sum: `sumIf(u.u_${name}, NOT u.is_before${once})` },
    ...(hasBefore ? [{ name: `pu_${name}`, sum: `sumIf(u.u_${name}, u.is_before${once})` }] : []),
  ]);
  return legs.some(({ shift }) => shift.kind === 'to') ? [...own, ...sumsWhere(query, 'a_', 'u.is_again')] : own;
}

function sumsWhere({ groupBy, models }: ReportQuery, side: string, of: string): Sum[] {
  const clicks = ['clicks', 'invalid_clicks'].map((name) => ({ name: side + name, sum: `sumIf(u.${name}, ${of})` }));
  const ofModels = models.flatMap((_, i) => {
    const isOwn = groupBy.includes('model') ? ` AND place = ${i + 1}` : '';
    return COUNTED.map((counted) => {
      const name = columnOf(i, counted);
      return { name: side + name, sum: `sumIf(u.${name}, ${of}${isOwn})` };
    });
  });
  return [...clicks, ...ofModels];
}

function orderOf({ order, groupBy, by, models }: ReportQuery): string[] {
  const ofRow = groupBy.map((name) => (name === 'model' ? name : `d${by.indexOf(name)}`));
  const first = firstOf(order, by, groupBy.includes('model'), models);
  return [...(first === undefined ? [] : [`${first}${order.descending ? ' DESC' : ''}`]), 'period', ...ofRow];
}

function firstOf(
  order: Order,
  by: readonly Dimension[],
  isByModel: boolean,
  models: readonly string[],
): string | undefined {
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
      return measured(order, isByModel ? models.map((_, i) => i) : [order.model]);
  }
}

/** @param places of models: of all, of which the row has one */
function measured({ measure }: Extract<Order, { kind: 'model' }>, places: readonly number[]): string {
  const column = (counted: Counted) => `(${places.map((place) => columnOf(place, counted)).join(' + ')})`;
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
