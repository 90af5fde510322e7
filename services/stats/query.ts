import { type GetStatsRequest, Interval } from '../../gen/ts/clickmesh/v1/stats_service_pb.js';
import { DAY_MS } from '../contract/limits.ts';

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

/** A field of a request that can't be answered, and why, for people. */
export interface FieldError {
  field: string;
  message: string;
}

/** Longest range of a query, in days: 3 years with a leap day. */
const MAX_STATS_DAYS = 3 * 365 + 1;
const INTERVALS: readonly Interval[] = [Interval.DAILY, Interval.WEEKLY, Interval.MONTHLY];

export function parseQuery(request: GetStatsRequest): StatsQuery | FieldError {
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
  if (!INTERVALS.includes(interval)) return { field: 'interval', message: `interval ${interval} is unknown` };
  const model = request.model || 'last_click';
  return { start: start / DAY_MS, end: end / DAY_MS, interval, model, campaignId, source, conversionType };
}

/** Milliseconds since 1970-01-01 UTC of a day that exists. */
function parseDate(text: string): number | undefined {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return undefined;
  const time = Date.parse(`${text}T00:00:00Z`);
  // Date.parse takes 2023-02-30 for March 2.
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text) ? time : undefined;
}

function dateMessage(field: string, text: string): string {
  return text === '' ? `${field} is required` : `${field} is not a date as YYYY-MM-DD`;
}
