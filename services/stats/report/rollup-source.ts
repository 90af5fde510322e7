import { ReportInterval } from '../../../gen/ts/clickmesh/v1/reports_pb.js';
import { DAY_MS } from '../../contract/limits.ts';
import { DAILY_STATS, type Dimension, type Rollup } from '../../contract/rollups.ts';
import { bind } from '../metadata-value.ts';
import type { Filter } from '../requests/filters.ts';
import type { Leg } from './legs.ts';
import { isOfConversion, type ReportQuery } from './report-query.ts';
import { COUNTED, columnOf, periodOf, type Source, shifted } from './report-sql.ts';

/**
 * What daily_stats or a rollup counts, by days of the mesh's time zone. Clicks are counted under the empty model and
 * conversion type; filters are on columns of the sorting key only, and so applied before FINAL.
 */
export function rollupSource(query: ReportQuery, rollup: Rollup): Source {
  const { table, where, column, sumOf } = tableOf(rollup);
  const { interval, by, filters, models } = query;
  const select = (leg: Leg, params: Record<string, unknown>) => {
    const keys = [`${period(interval, leg)} AS period`, ...by.map((dimension, i) => `s.${column(dimension)} AS d${i}`)];
    const sums = [
      'sum(s.clicks) AS clicks',
      'sum(s.invalid_clicks) AS invalid_clicks',
      ...models.flatMap((model, i) => {
        params[`model${i}`] = model;
        return COUNTED.map((name) => `${sumOf(name, `{model${i}:String}`)} AS ${columnOf(i, name)}`);
      }),
    ];
    const conditions = [
      ...where(models.map((_, i) => `{model${i}:String}`)),
      ...daysIn(leg, rollup, params),
      ...filters.map((filter) => filtered(`s.${column(filter.dimension)}`, filter, params)),
    ];
    params.rollup = rollup.name;
    return [grouped([...keys, ...sums], `${table} AS s FINAL`, conditions, keys.length)];
  };
  const unattributed = (leg: Leg, params: Record<string, unknown>) => {
    const sums = [
      ...['toUInt64(0) AS clicks', 'toUInt64(0) AS invalid_clicks'],
      ...COUNTED.map((name) => `${sumOf(name, "''")} AS ${columnOf(0, name)}`),
    ];
    const touch = rollup.dimensions.filter((dimension) => !isOfConversion(dimension));
    const conditions = [
      ...where([]),
      ...daysIn(leg, rollup, params),
      ...touch.map((dimension) => `s.${column(dimension)} = ''`),
      ...filters
        .filter(({ dimension }) => isOfConversion(dimension))
        .map((filter) => filtered(`s.${column(filter.dimension)}`, filter, params)),
    ];
    params.rollup = rollup.name;
    return [grouped(sums, `${table} AS s FINAL`, conditions, 0)];
  };
  return { select, unattributed, settings: '' };
}

/** How a rollup is stored. */
function tableOf({ name, dimensions }: Rollup) {
  if (name === DAILY_STATS.name) {
    return {
      table: 'daily_stats',
      where: (models: readonly string[]) => [`s.model IN (${["''", ...models].join(', ')})`],
      column: (dimension: Dimension): string => dimension,
      sumOf: (column: string, model: string) => `sumIf(s.${column}, s.model = ${model})`,
    };
  }
  return {
    table: 'rollup_stats',
    where: () => ['s.rollup = {rollup:String}'],
    column: (dimension: Dimension) => `dimension_${dimensions.indexOf(dimension) + 1}`,
    sumOf: (column: string, model: string) => `sum(s.${column}[indexOf(s.models, ${model})])`,
  };
}

function grouped(columns: readonly string[], from: string, conditions: readonly string[], keys: number): string {
  const by = keys === 0 ? '' : `GROUP BY ${Array.from({ length: keys }, (_, i) => i + 1).join(', ')}`;
  return `SELECT ${columns.join(', ')} FROM ${from} WHERE ${conditions.join(' AND ')} ${by}`;
}

function daysIn({ start, end, untilSecond }: Leg, { grain }: Rollup, params: Record<string, unknown>): string[] {
  const [first, last] = [bind(params, dateOf(start)), bind(params, dateOf(end))];
  const days = `s.day BETWEEN {${first}:Date32} AND {${last}:Date32}`;
  if (untilSecond === undefined || grain === 'day') return [days];
  return [days, `(s.day < {${last}:Date32} OR s.hour * 3600 < ${untilSecond})`];
}

/** Only what a filter names; clicks have no conversion_type, and are there whatever it says of that. */
export function filtered(
  column: string,
  { dimension, values, exclude }: Filter,
  params: Record<string, unknown>,
): string {
  const named = `${column} ${exclude ? 'NOT IN' : 'IN'} {${bind(params, values)}:Array(String)}`;
  return isOfConversion(dimension) ? `(${column} = '' OR ${named})` : named;
}

/** Of hours the second since 1970-01-01 UTC that they begin at, of longer periods their first day. */
function period(interval: ReportInterval, { shift }: Leg): string {
  const day = shifted(shift, 'toInt32(s.day)');
  if (interval !== ReportInterval.HOUR) return periodOf(interval, day);
  return `toInt64(${day}) * 86400 + s.hour * 3600`;
}

/** YYYY-MM-DD of a day since 1970-01-01. */
export function dateOf(day: number): string {
  return new Date(day * DAY_MS).toISOString().slice(0, 10);
}
