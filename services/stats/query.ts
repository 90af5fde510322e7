import { type GetStatsRequest, Interval, IntervalSchema } from '../../gen/ts/clickmesh/v1/stats_service_pb.js';
import { cut } from '../contract/cut.ts';
import { MAX_ID_BYTES } from '../contract/event-rules.ts';
import { DAY_MS } from '../contract/limits.ts';
import {
  DAILY_STATS,
  type Dimension,
  dimensionNamed,
  FIELDS,
  isMetadata,
  MAX_DIMENSIONS,
  type Rollup,
} from '../contract/rollups.ts';
import { type FieldError, unknownValue } from './field-error.ts';

/** A checked request, its defaults filled in. */
export interface StatsQuery {
  /** In days since 1970-01-01, as `end`; both inclusive. */
  start: number;
  end: number;
  interval: Interval.DAILY | Interval.WEEKLY | Interval.MONTHLY | Interval.HOURLY;
  /** What answers it: by all that it is by and filtered by. */
  rollup: Rollup;
  /** What rows are by; undefined if by campaign and source, as where nothing else is said. */
  by: readonly Dimension[] | undefined;
  gross: boolean;
  unattributed: boolean;
  model: string;
  /** All when empty, as `source` and `conversionType`. */
  campaignId: string;
  source: string;
  conversionType: string;
}

/** A query with all rollups that can answer it, at least one, that which takes the least first. */
export type AnswerableQuery = Omit<StatsQuery, 'rollup'> & { rollups: readonly Rollup[] };

/** Longest range of a query, in days: 3 years with a leap day. */
const MAX_STATS_DAYS = 3 * 365 + 1;

const KNOWN_INTERVALS = IntervalSchema.values.filter(({ number }) => number !== Interval.UNSPECIFIED);

/** Intervals by their names outside of Protobuf. */
export const INTERVALS = new Map(KNOWN_INTERVALS.map(({ localName, number }) => [localName.toLowerCase(), number]));
export const INTERVAL_NAMES = [...INTERVALS.keys()];

/** What rows are by if a request does not say. */
export const DEFAULT_BY: readonly Dimension[] = ['campaign_id', 'source'];

/**
 * A request's query, or the first field that can't be answered.
 *
 * @param defaultModel the one meant by an empty one
 * @param rollups those that the mesh keeps beside DAILY_STATS
 */
export function parseQuery(
  request: GetStatsRequest,
  defaultModel: string,
  rollups: readonly Rollup[],
): AnswerableQuery | FieldError {
  const { startDate, endDate, campaignId, source, conversionType, gross, unattributed } = request;
  const start = parseDate(startDate);
  if (start === undefined) return { field: 'start_date', message: dateMessage('start_date', startDate) };
  const end = parseDate(endDate);
  if (end === undefined) return { field: 'end_date', message: dateMessage('end_date', endDate) };
  if (end < start) return { field: 'end_date', message: 'end_date is before start_date' };
  if ((end - start) / DAY_MS > MAX_STATS_DAYS) {
    return { field: 'end_date', message: `end_date is more than ${MAX_STATS_DAYS} days after start_date` };
  }
  const interval = request.interval || Interval.DAILY;
  if (!isInterval(interval)) return unknownValue('interval', String(interval), INTERVAL_NAMES);
  const model = request.model || defaultModel;
  const texts = { campaign_id: campaignId, source, conversion_type: conversionType, model };
  const fault = textFault(texts);
  if (fault !== undefined) return fault;
  const by = parseBy(request.by, rollups);
  if (by !== undefined && 'field' in by) return by;
  const filters = { campaign_id: campaignId, source, conversion_type: conversionType };
  const filtered = FIELDS.filter((name) => name !== 'ad_id' && filters[name] !== '');
  const answering = rollupsFor([DAILY_STATS, ...rollups], by ?? DEFAULT_BY, filtered, interval);
  if ('field' in answering) return answering;
  const days = { start: start / DAY_MS, end: end / DAY_MS, interval };
  return { ...days, rollups: answering, by, gross, unattributed, model, campaignId, source, conversionType };
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
 * rollups that have them, by the hour if need be, those with the fewest first.
 */
function rollupsFor(
  rollups: readonly Rollup[],
  by: readonly Dimension[],
  filtered: readonly Dimension[],
  interval: Interval,
): readonly Rollup[] | FieldError {
  const isHourly = interval === Interval.HOURLY;
  const needed = [...new Set([...by, ...filtered])];
  const ofGrain = rollups.filter(({ grain }) => grain === 'hour' || !isHourly);
  const fitting = ofGrain.filter(({ dimensions }) => needed.every((name) => dimensions.includes(name)));
  if (fitting.includes(DAILY_STATS)) return [DAILY_STATS];
  // What is by the day first.
  const costOf = ({ grain, dimensions }: Rollup) => dimensions.length + (grain === 'hour' ? MAX_DIMENSIONS : 0);
  if (fitting.length > 0) return fitting.toSorted((a, b) => costOf(a) - costOf(b));
  const asked = `${needed.join(', ')}${isHourly ? ' by the hour' : ''}`;
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
  return KNOWN_INTERVALS.some(({ number }) => number === interval);
}

/** The first of the texts, by the names of their fields, that no event can have. */
export function textFault(texts: Readonly<Record<string, string>>): FieldError | undefined {
  for (const [field, text] of Object.entries(texts)) {
    if (text.includes('\0') || !text.isWellFormed()) {
      return { field, message: `${field} has NUL or half of a surrogate pair, which no event has` };
    }
    const bytes = Buffer.byteLength(text);
    if (bytes > MAX_ID_BYTES) {
      return { field, message: `${field} must have at most ${MAX_ID_BYTES} bytes of UTF-8: it has ${bytes}` };
    }
  }
  return undefined;
}

/** Milliseconds since 1970-01-01 UTC of a day that exists. */
function parseDate(text: string): number | undefined {
  if (!DATE.test(text)) return undefined;
  const time = Date.parse(`${text}T00:00:00Z`);
  // Date.parse takes 2023-02-30 for March 2.
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text) ? time : undefined;
}

const DATE = /^\d{4}-\d{2}-\d{2}$/;

function dateMessage(field: string, text: string): string {
  if (text === '') return `${field} is required`;
  return `${field} is not a date ${DATE.test(text) ? 'of the calendar' : 'as YYYY-MM-DD'}: "${cut(text)}"`;
}
