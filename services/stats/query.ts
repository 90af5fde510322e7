import { type GetStatsRequest, Interval, IntervalSchema } from '../../gen/ts/clickmesh/v1/stats_service_pb.js';
import { cut } from '../contract/cut.ts';
import { MAX_ID_BYTES } from '../contract/event-rules.ts';
import { DAY_MS } from '../contract/limits.ts';
import { type FieldError, unknownValue } from './field-error.ts';

/** A checked request, its defaults filled in. */
export interface StatsQuery {
  /** In days since 1970-01-01, as `end`; both inclusive. */
  start: number;
  end: number;
  interval: Interval.DAILY | Interval.WEEKLY | Interval.MONTHLY;
  model: string;
  /** All when empty, as `source` and `conversionType`. */
  campaignId: string;
  source: string;
  conversionType: string;
}

/** Longest range of a query, in days: 3 years with a leap day. */
const MAX_STATS_DAYS = 3 * 365 + 1;

const KNOWN_INTERVALS = IntervalSchema.values.filter(({ number }) => number !== Interval.UNSPECIFIED);

/** Intervals by their names outside of Protobuf. */
export const INTERVALS = new Map(KNOWN_INTERVALS.map(({ localName, number }) => [localName.toLowerCase(), number]));
export const INTERVAL_NAMES = [...INTERVALS.keys()];

/** A request's query, or the first field that can't be answered. `model` is the one meant by an empty one. */
export function parseQuery(request: GetStatsRequest, defaultModel: string): StatsQuery | FieldError {
  const { startDate, endDate, campaignId, source, conversionType } = request;
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
  return { start: start / DAY_MS, end: end / DAY_MS, interval, model, campaignId, source, conversionType };
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
