import { ReportInterval } from '../../../gen/ts/clickmesh/v1/reports_pb.js';
import { DAY_MS, HOUR_MS } from '../../contract/limits.ts';
import { offsetAt } from '../../contract/report-days.ts';
import type { Days } from '../requests/dates.ts';
import type { Now } from './legs.ts';
import { dateOf } from './rollup-source.ts';

/** Where a time in ms is by the clocks of a time zone. */
export function nowIn(timeZone: string, time: number): Now {
  const local = time + offsetOf(timeZone, time);
  const day = Math.floor(local / DAY_MS);
  return { day, second: Math.floor((local - day * DAY_MS) / 1000) };
}

/** How far the clocks of a zone are ahead of UTC at a time, in ms. */
export function offsetOf(timeZone: string, time: number): number {
  return offsetAt(timeZone, time) * 1000;
}

/** First day of a period, or YYYY-MM-DDTHH:00±HH:MM of an hour; empty if there is but one. */
export function periodDate(interval: ReportInterval, period: number, timeZone: string): string {
  if (interval === ReportInterval.NONE) return '';
  if (interval !== ReportInterval.HOUR) return dateOf(period);
  const offset = offsetOf(timeZone, period * 1000);
  const local = new Date(period * 1000 + offset).toISOString().slice(0, 16);
  const size = new Date(Math.abs(offset)).toISOString().slice(11, 16);
  return `${local}${offset < 0 ? '-' : '+'}${size}`;
}

/** Whether a period is not wholly inside the range, or is not over. */
export function isPartial(interval: ReportInterval, period: number, range: Days, now: Now, time: number): boolean {
  switch (interval) {
    case ReportInterval.NONE:
      return range.end >= now.day;
    case ReportInterval.HOUR:
      return period * 1000 + HOUR_MS > time;
    default: {
      const last = lastDay(interval, period);
      return period < range.start || last > range.end || last >= now.day;
    }
  }
}

function lastDay(interval: ReportInterval, first: number): number {
  if (interval === ReportInterval.DAY) return first;
  if (interval === ReportInterval.WEEK) return first + 6;
  const date = new Date(first * DAY_MS);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1) / DAY_MS - 1;
}
