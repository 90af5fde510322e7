import { ReportInterval } from '../../../gen/ts/clickmesh/v1/reports_pb.js';
import { type Dimension, isMetadata } from '../../contract/rollups.ts';
import { BOUNDS } from '../bounded.ts';
import { bind, metadataValue } from '../metadata-value.ts';
import type { Leg } from './legs.ts';
import { isOfConversion, neededBy, type ReportQuery } from './report-query.ts';
import { COUNTED, type Counted, columnOf, periodOf, type Source, shifted } from './report-sql.ts';
import { dateOf, filtered } from './rollup-source.ts';

type Params = Record<string, unknown>;

/**
 * What the events say, and the credits and decisions on them, whatever rollups there are and by the days of any time
 * zone. Clicks are judged anew by their verdicts.
 *
 * @param correctionsForMs how far from its click's arrival that of a verdict may be, in ms
 */
export function eventsSource(query: ReportQuery, correctionsForMs: number): Source {
  return {
    select(leg, params) {
      params.zone = query.timeZone;
      params.correctionsForMs = correctionsForMs;
      for (const [i, model] of query.models.entries()) params[`model${i}`] = model;
      return [clicks(query, leg, params), credited(query, leg, params)];
    },
    unattributed(leg, params) {
      params.zone = query.timeZone;
      return [unattributed(query, leg, params)];
    },
    settings: `, ${BOUNDS}`,
  };
}

function clicks(query: ReportQuery, leg: Leg, params: Params): string {
  const of = (dimension: Dimension) => {
    if (isOfConversion(dimension)) return "''";
    return isMetadata(dimension) ? metadataValue('e.metadata', dimension, params) : `toString(e.${dimension})`;
  };
  const filters = query.filters.filter(({ dimension }) => !isOfConversion(dimension));
  const selected = keysOf(query, leg, 'e.timestamp', of);
  const conditions = [
    "e.event_type = 'click'",
    ...timesIn(leg, 'e.timestamp', params),
    ...filters.map((filter) => filtered(of(filter.dimension), filter, params)),
  ];
  const zeros = query.models.flatMap((_, i) => COUNTED.map((name) => `toInt128(0) AS ${columnOf(i, name)}`));
  const counted = ['countIf(NOT is_invalid) AS clicks', 'countIf(is_invalid) AS invalid_clicks', ...zeros];
  return `SELECT ${[...selected.names, ...counted].join(', ')}
    FROM (
      SELECT ${[
        ...selected.columns,
        `arrayFilter(v -> abs(v.4 - toUnixTimestamp64Milli(e._append_time)) <= {correctionsForMs:Int64},
        j.verdicts)[-1].3 = 'invalid' AS is_invalid`,
      ].join(', ')}
      FROM (SELECT * FROM events_distributed AS e FINAL WHERE ${conditions.join(' AND ')}) AS e
      LEFT JOIN (
        SELECT user_id, target_id, arraySort(groupArray((toUnixTimestamp64Milli(timestamp), toString(event_id),
          toString(kind), toUnixTimestamp64Milli(_append_time)))) AS verdicts
        FROM events_distributed FINAL
        WHERE event_type = 'verdict'
        GROUP BY user_id, target_id
      ) AS j ON e.user_id = j.user_id AND e.event_id = j.target_id
    ) GROUP BY ${selected.names.join(', ')}`;
}

function credited(query: ReportQuery, leg: Leg, params: Params): string {
  const metadata = neededBy(query).filter(isMetadata);
  const of = (dimension: Dimension) =>
    isMetadata(dimension) ? `t.v${metadata.indexOf(dimension)}` : `toString(a.${dimension})`;
  const time = query.isByClick ? 'a.click_time' : 'a.conversion_time';
  const selected = keysOf(query, leg, time, of);
  const conditions = [
    `a.model IN (${query.models.map((_, i) => `{model${i}:String}`).join(', ')})`,
    ...timesIn(leg, time, params),
    ...query.filters.map((filter) => filtered(of(filter.dimension), filter, params)),
  ];
  const sums = query.models.flatMap((_, i) =>
    COUNTED.map((name) => `sumIf(toInt128(${OF_CREDIT[name]}), a.model = {model${i}:String}) AS ${columnOf(i, name)}`),
  );
  const values = metadata.map((each, i) => `${metadataValue('metadata', each, params)} AS v${i}`);
  const touches = `LEFT JOIN (
      SELECT user_id, event_id, ${values.join(', ')}
      FROM events_distributed FINAL
      WHERE event_type = 'click'
    ) AS t ON a.user_id = t.user_id AND a.click_id = t.event_id`;
  return `SELECT ${[...selected.columns, 'toUInt64(0) AS clicks', 'toUInt64(0) AS invalid_clicks', ...sums].join(', ')}
    FROM (SELECT * FROM attributed_events FINAL) AS a ${metadata.length === 0 ? '' : touches}
    WHERE ${conditions.join(' AND ')} GROUP BY ${selected.names.join(', ')}`;
}

/** Of a credit, what is counted under its model. */
const OF_CREDIT: Readonly<Record<Counted, string>> = {
  conversions_micros: 'if(a.conversion_retracted, 0, a.credit_micros)',
  revenue_micros: 'a.value_micros',
  retracted_micros: 'if(a.conversion_retracted, a.credit_micros, 0)',
  adjusted_micros: 'a.adjusted_micros',
  refunds_micros: 'a.refunds_micros',
};

/** Of a decision that credits nobody. */
const OF_DECISION: Readonly<Record<Counted, string>> = {
  conversions_micros: 'if(d.retracted, 0, 1000000)',
  revenue_micros: 'd.value_micros - d.adjusted_micros',
  retracted_micros: 'if(d.retracted, 1000000, 0)',
  adjusted_micros: 'd.adjusted_micros',
  refunds_micros: 'd.refunds_micros',
};

function unattributed({ filters }: ReportQuery, leg: Leg, params: Params): string {
  const ofType = filters.filter(({ dimension }) => isOfConversion(dimension));
  const conditions = [
    'NOT d.attributed',
    ...timesIn(leg, 'd.conversion_time', params),
    ...ofType.map((filter) => filtered('toString(d.conversion_type)', filter, params)),
  ];
  const sums = COUNTED.map((name) => `sum(toInt128(${OF_DECISION[name]})) AS ${columnOf(0, name)}`);
  return `SELECT ${['toUInt64(0) AS clicks', 'toUInt64(0) AS invalid_clicks', ...sums].join(', ')}
    FROM (SELECT * FROM conversion_decisions FINAL) AS d WHERE ${conditions.join(' AND ')}`;
}

function keysOf(query: ReportQuery, leg: Leg, time: string, of: (dimension: Dimension) => string) {
  return {
    columns: [
      `${periodAt(query.interval, leg, time)} AS period`,
      ...query.by.map((dimension, i) => `${of(dimension)} AS d${i}`),
    ],
    names: ['period', ...query.by.map((_, i) => `d${i}`)],
  };
}

/** Seconds of a time, and of the zone's clocks then: as if those were UTC. */
const second = (time: string) => `intDiv(toUnixTimestamp64Milli(${time}), 1000)`;
const ahead = (time: string) => `timezoneOffset(toTimeZone(${time}, {zone:String}))`;
const local = (time: string) => `(${second(time)} + ${ahead(time)})`;

/** Of hours the second since 1970-01-01 UTC that they begin at, of longer periods their first day. */
function periodAt(interval: ReportInterval, { shift }: Leg, time: string): string {
  const day = shifted(shift, `toInt32(intDiv(${local(time)}, 86400))`);
  if (interval !== ReportInterval.HOUR) return periodOf(interval, day);
  const hour = `(toInt64(${day}) * 86400 + intDiv(${local(time)} % 86400, 3600) * 3600)`;
  if (shift.kind === 'none') return `toInt64(${hour} - ${ahead(time)})`;
  // The clocks may have changed since.
  return `toInt64(${hour} - ${ahead(`toDateTime64(${hour} - ${ahead(time)}, 0, 'UTC')`)})`;
}

/** The times of a leg's days; no zone is a whole day from UTC, by whose days parts of tables are left out. */
function timesIn({ start, end, untilSecond }: Leg, time: string, params: Params): string[] {
  const [first, last] = [bind(params, dateOf(start - 1)), bind(params, dateOf(end + 2))];
  const day = `intDiv(${local(time)}, 86400)`;
  const times = [
    `${time} >= toDateTime64({${first}:String}, 3, 'UTC') AND ${time} < toDateTime64({${last}:String}, 3, 'UTC')`,
    `${day} BETWEEN ${start} AND ${end}`,
  ];
  return untilSecond === undefined ? times : [...times, `(${day} < ${end} OR ${local(time)} % 86400 < ${untilSecond})`];
}
