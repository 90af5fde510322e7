import { Compare, ReportInterval } from '../../../gen/ts/clickmesh/v1/reports_pb.js';
import { DAY_MS } from '../../contract/limits.ts';
import type { Days } from '../requests/dates.ts';
import type { ReportQuery } from './report-query.ts';

/** Which day of the time asked for a day counts with. */
export type Shift =
  | { kind: 'none' }
  | { kind: 'days'; days: number }
  /** The same date a year later; 29 February counts with the 28th. */
  | { kind: 'year' }
  /** One day, whatever the day. */
  | { kind: 'to'; day: number };

/** Days that are counted together: those asked for, or those that they are compared with. */
export interface Leg extends Days {
  shift: Shift;
  isBefore: boolean;
  /** Of the last day only what is before, in seconds of its clock; all of it if undefined. */
  untilSecond: number | undefined;
}

/** Where a time is by the clocks of the zone asked for. */
export interface Now {
  day: number;
  second: number;
}

/**
 * The days asked for, and those that they are compared with. Of a time that is not over only as much of that as has
 * passed, by the second or by whole hours, or days if what answers has no more.
 *
 * @param grain what is counted apart by what answers
 */
export function legsOf(query: ReportQuery, now: Now, grain: Grain): Leg[] {
  const { start, end, interval, compare } = query;
  const current: Leg = { start, end, shift: { kind: 'none' }, isBefore: false, untilSecond: undefined };
  if (compare === Compare.UNSPECIFIED) return [current];
  const isUnfinished = start <= now.day && now.day <= end;
  const last = isUnfinished ? now.day : end;
  const untilSecond = isUnfinished && grain !== 'day' ? wholeHours(now.second, grain) : undefined;
  const before = { isBefore: true, untilSecond };
  if (compare === Compare.PREVIOUS_PERIOD) {
    const days = end - start + 1;
    return [current, { ...before, start: start - days, end: last - days, shift: { kind: 'days', days } }];
  }
  const compared: Leg = { ...before, start: yearBefore(start), end: yearBefore(last), shift: { kind: 'year' } };
  const isByDay = interval === ReportInterval.DAY || interval === ReportInterval.HOUR;
  const leapDay = isByDay ? leapDayIn(start, last) : undefined;
  if (leapDay === undefined) return [current, compared];
  const day = yearBefore(leapDay);
  const again: Leg = { ...compared, start: day, end: day, shift: { kind: 'to', day: leapDay } };
  // Of the 28th the whole day counts with the 28th, and no more than of the 29th with that.
  return [current, compared, last === leapDay ? again : { ...again, untilSecond: undefined }];
}

export type Grain = 'second' | 'hour' | 'day';

function wholeHours(second: number, grain: Grain): number {
  return grain === 'hour' ? second - (second % 3600) : second;
}

/** The same date a year before; of 29 February that of the 28th. */
function yearBefore(day: number): number {
  const date = new Date(day * DAY_MS);
  const [year, month, dayOfMonth] = [date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()];
  const isLeapDay = month === 1 && dayOfMonth === 29;
  return Date.UTC(year - 1, month, isLeapDay ? 28 : dayOfMonth) / DAY_MS;
}

/** The 29 February between two days that are at most three years apart. */
function leapDayIn(first: number, last: number): number | undefined {
  const year = new Date(first * DAY_MS).getUTCFullYear();
  for (let each = year; each <= year + 4; each++) {
    const day = Date.UTC(each, 1, 29) / DAY_MS;
    if (new Date(day * DAY_MS).getUTCMonth() === 1 && day >= first && day <= last) return day;
  }
  return undefined;
}
