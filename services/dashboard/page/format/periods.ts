import { addDays, type Day, type Days, firstOfMonth, today } from './time.ts';

const HOUR_MS = 3_600_000;

export interface Period {
  /** As a report's rows have it. */
  date: string;
  /** First and last day of it. */
  start: Day;
  end: Day;
}

/** Every period of these days, those in which nothing happened included. */
export function periodsOf(days: Days, interval: string, zone: string): Period[] {
  if (interval === 'hour') return hoursOf(days, zone);
  const periods: Period[] = [];
  const next =
    interval === 'month' ? (day: Day) => firstOfMonth(day, 1) : (day: Day) => addDays(day, interval === 'week' ? 7 : 1);
  for (let start = firstOf(days.start, interval); start <= days.end; start = next(start)) {
    periods.push({ date: start, start, end: addDays(next(start), -1) });
  }
  return periods;
}

function firstOf(day: Day, interval: string): Day {
  if (interval === 'month') return firstOfMonth(day);
  if (interval !== 'week') return day;
  return addDays(day, -((new Date(`${day}T00:00:00Z`).getUTCDay() + 6) % 7));
}

function hoursOf({ start, end }: Days, zone: string): Period[] {
  const periods: Period[] = [];
  // No zone is more than a day away from UTC.
  const from = Date.parse(`${start}T00:00:00Z`) - 24 * HOUR_MS;
  const to = Date.parse(`${end}T00:00:00Z`) + 48 * HOUR_MS;
  const offset = new Intl.DateTimeFormat('en', { timeZone: zone, timeZoneName: 'longOffset' });
  const clock = new Intl.DateTimeFormat('en', { timeZone: zone, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
  for (let ms = from; ms < to; ms += HOUR_MS / 4) {
    const time = clock.format(ms);
    if (!time.endsWith(':00')) continue;
    const day = today(zone, ms);
    if (day < start || day > end) continue;
    const name = offset.formatToParts(ms).find(({ type }) => type === 'timeZoneName')!.value;
    periods.push({ date: `${day}T${time}${name.replace('GMT', '') || '+00:00'}`, start: day, end: day });
  }
  return periods;
}
