import { cut } from '../../contract/cut.ts';
import { DAY_MS } from '../../contract/limits.ts';
import { isTimeZone, UTC } from '../../contract/report-days.ts';
import type { FieldError } from './field-error.ts';

/** Longest range of a query, in days: 3 years with a leap day. */
const MAX_STATS_DAYS = 3 * 365 + 1;

/** In days since 1970-01-01, both inclusive. */
export interface Days {
  start: number;
  end: number;
}

/** The days from one date to another, or which of them can't be answered. */
export function parseDays(startDate: string, endDate: string): Days | FieldError {
  const start = parseDate(startDate);
  if (start === undefined) return { field: 'start_date', message: dateMessage('start_date', startDate) };
  const end = parseDate(endDate);
  if (end === undefined) return { field: 'end_date', message: dateMessage('end_date', endDate) };
  if (end < start) return { field: 'end_date', message: 'end_date is before start_date' };
  if (end - start > MAX_STATS_DAYS) {
    return { field: 'end_date', message: `end_date is more than ${MAX_STATS_DAYS} days after start_date` };
  }
  return { start, end };
}

/** Days since 1970-01-01 of a day that exists. */
function parseDate(text: string): number | undefined {
  if (!DATE.test(text)) return undefined;
  const time = Date.parse(`${text}T00:00:00Z`);
  // Date.parse takes 2023-02-30 for March 2.
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text) ? time / DAY_MS : undefined;
}

const DATE = /^\d{4}-\d{2}-\d{2}$/;

function dateMessage(field: string, text: string): string {
  if (text === '') return `${field} is required`;
  return `${field} is not a date ${DATE.test(text) ? 'of the calendar' : 'as YYYY-MM-DD'}: "${cut(text)}"`;
}

/** The time zone that is named so. */
export function parseTimeZone(name: string): string | FieldError {
  if (isTimeZone(name)) return name;
  const message = `time_zone "${cut(name)}" is unknown: name one of the IANA database, such as UTC or America/New_York`;
  return { field: 'time_zone', message };
}

/**
 * When a day begins in a time zone, in ms since 1970-01-01 UTC: where clocks skip midnight, the first moment after it;
 * where they strike it twice, the first time.
 */
export function beginOfDay(day: number, timeZone: string): number {
  if (timeZone === UTC) return day * DAY_MS;
  const format = new Intl.DateTimeFormat('en-US', { timeZone, calendar: 'iso8601', dateStyle: 'short' });
  const isIn = (time: number) => dayIn(format, time) >= day;
  // No zone is more than a day from UTC.
  let [before, after] = [(day - 2) * DAY_MS, (day + 1) * DAY_MS];
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2);
    if (isIn(middle)) after = middle;
    else before = middle;
  }
  return after;
}

function dayIn(format: Intl.DateTimeFormat, time: number): number {
  const parts = Object.fromEntries(format.formatToParts(time).map(({ type, value }) => [type, Number(value)]));
  return Date.UTC(parts.year!, parts.month! - 1, parts.day!) / DAY_MS;
}
