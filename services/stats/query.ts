import { type GetStatsRequest, Interval, IntervalSchema } from '../../gen/ts/clickmesh/v1/stats_service_pb.js';
import { UTC } from '../contract/report-days.ts';
import {
  DAILY_STATS,
  type Dimension,
  dimensionNamed,
  FIELDS,
  isMetadata,
  MAX_DIMENSIONS,
  type Rollup,
} from '../contract/rollups.ts';
import { type Days, parseDays } from './requests/dates.ts';
import { protobufNames } from './requests/enum-names.ts';
import { type FieldError, unknownValue } from './requests/field-error.ts';
import { textFault } from './requests/text-fault.ts';

/** A checked request, its defaults filled in. */
export interface StatsQuery extends Days {
  interval: Interval.DAILY | Interval.WEEKLY | Interval.MONTHLY | Interval.HOURLY;
  /** What answers it: by all that it is by and filtered by. */
  rollup: Rollup;
  /** What rows are by; undefined if by campaign and source, as where nothing else is said. */
  by: readonly Dimension[] | undefined;
  gross: boolean;
  unattributed: boolean;
  model: string;
  /** Zone of its days: the setting. */
  timeZone: string;
  /** All when empty, as `source` and `conversionType`. */
  campaignId: string;
  source: string;
  conversionType: string;
}

/** A query with all rollups that can answer it, at least one, that which takes the least first. */
export type AnswerableQuery = Omit<StatsQuery, 'rollup'> & { rollups: readonly Rollup[] };

/** What rows are by if a request does not say. */
export const DEFAULT_BY: readonly Dimension[] = ['campaign_id', 'source'];

/**
 * A request's query, or the first field that can't be answered.
 *
 * @param defaultModel the one meant by an empty one
 * @param rollups those that the mesh keeps beside DAILY_STATS
 * @param timeZone zone of the days that these are by, and of those asked for
 */
export function parseQuery(
  request: GetStatsRequest,
  defaultModel: string,
  rollups: readonly Rollup[],
  timeZone: string,
): AnswerableQuery | FieldError {
  const { startDate, endDate, campaignId, source, conversionType, gross, unattributed } = request;
  const days = parseDays(startDate, endDate);
  if ('field' in days) return days;
  const interval = request.interval || Interval.DAILY;
  if (!isInterval(interval)) return unknownValue('interval', String(interval), protobufNames(IntervalSchema));
  const model = request.model || defaultModel;
  const texts = { campaign_id: campaignId, source, conversion_type: conversionType, model };
  const fault = textFault(texts);
  if (fault !== undefined) return fault;
  const by = parseBy(request.by, rollups);
  if (by !== undefined && 'field' in by) return by;
  const filters = { campaign_id: campaignId, source, conversion_type: conversionType };
  const filtered = FIELDS.filter((name) => name !== 'ad_id' && filters[name] !== '');
  const answering = rollupsFor([DAILY_STATS, ...rollups], by ?? DEFAULT_BY, filtered, interval, timeZone);
  if ('field' in answering) return answering;
  const what = { interval, timeZone, rollups: answering, by, gross, unattributed, model };
  return { ...days, ...what, campaignId, source, conversionType };
}

function parseBy(names: readonly string[], rollups: readonly Rollup[]): Dimension[] | undefined | FieldError {
  const by: Dimension[] = [];
  for (const name of names) {
    const dimension = dimensionNamed(name);
    if (dimension === undefined) {
      const metadata = new Set(rollups.flatMap(({ dimensions }) => dimensions.filter(isMetadata)));
      return unknownValue('by', name, [...FIELDS, ...metadata]);
    }
    if (by.includes(dimension)) return { field: 'by', message: `by has ${name} twice` };
    by.push(dimension);
  }
  return by.length === 0 ? undefined : by;
}

/**
 * daily_stats alone if it has the dimensions needed, which counts from the first record on, as others may not; else the
 * rollups that have them, by the hour if need be and possible, those with the fewest first.
 */
function rollupsFor(
  rollups: readonly Rollup[],
  by: readonly Dimension[],
  filtered: readonly Dimension[],
  interval: Interval,
  timeZone: string,
): readonly Rollup[] | FieldError {
  const isHourly = interval === Interval.HOURLY;
  const needed = [...new Set([...by, ...filtered])];
  // Hours are those of UTC, and days of other zones need not begin with one.
  const ofGrain = rollups.filter(({ grain }) => (grain === 'hour' ? isHourly || timeZone === UTC : !isHourly));
  const fitting = ofGrain.filter(({ dimensions }) => needed.every((name) => dimensions.includes(name)));
  if (fitting.includes(DAILY_STATS)) return [DAILY_STATS];
  // What is by the day first.
  const costOf = ({ grain, dimensions }: Rollup) => dimensions.length + (grain === 'hour' ? MAX_DIMENSIONS : 0);
  if (fitting.length > 0) return fitting.toSorted((a, b) => costOf(a) - costOf(b));
  const byDay = timeZone === UTC ? '' : ` by days of ${timeZone}`;
  const asked = `${needed.join(', ')}${isHourly ? ' by the hour' : byDay}`;
  const known = rollups.map(({ name }) => name).join('; ');
  const missing = `${isHourly ? 'hour' : 'day'}:${needed.join(',')}`;
  const possible = possibleBy(ofGrain, by, filtered);
  const hint = possible.length === 0 ? `add ${missing}` : `ask by=${possible.join(',')}, or add ${missing}`;
  const message = `by can't be answered: no rollup of this mesh has ${asked}. ROLLUPS are ${known}: ${hint}`;
  return { field: 'by', message };
}

/** The most of what rows are to be by that a rollup has which has what is filtered by. */
function possibleBy(
  rollups: readonly Rollup[],
  by: readonly Dimension[],
  filtered: readonly Dimension[],
): readonly Dimension[] {
  const able = rollups.filter(({ dimensions }) => filtered.every((name) => dimensions.includes(name)));
  const possible = able.map(({ dimensions }) => by.filter((name) => dimensions.includes(name)));
  return possible.reduce((most, each) => (each.length > most.length ? each : most), []);
}

function isInterval(interval: Interval): interval is StatsQuery['interval'] {
  return interval !== Interval.UNSPECIFIED && Interval[interval] !== undefined;
}
