import { addDays, type Day, type Days, daysIn, firstOfMonth, firstOfQuarter } from '../format/time.ts';
import type { UrlState } from './url.ts';

/** Ranges that move with the day. */
export const PRESETS: readonly [name: string, title: string, of: (today: Day) => Days][] = [
  ['today', 'Today', (today) => ({ start: today, end: today })],
  ['yesterday', 'Yesterday', (today) => ({ start: addDays(today, -1), end: addDays(today, -1) })],
  ['7d', 'Last 7 days', (today) => ({ start: addDays(today, -6), end: today })],
  ['28d', 'Last 28 days', (today) => ({ start: addDays(today, -27), end: today })],
  ['month', 'This month', (today) => ({ start: firstOfMonth(today), end: today })],
  ['last-month', 'Last month', (today) => ({ start: firstOfMonth(today, -1), end: addDays(firstOfMonth(today), -1) })],
  ['quarter', 'This quarter', (today) => ({ start: firstOfQuarter(today), end: today })],
];

export function daysOf({ range, start, end }: Pick<UrlState, 'range' | 'start' | 'end'>, today: Day): Days {
  if (range === '') return { start, end };
  const [, , of] = PRESETS.find(([name]) => name === range) ?? PRESETS[3]!;
  return of(today);
}

/** The interval of a range's chart: that which was chosen, or which makes about thirty bars. */
export function intervalOf({ interval }: Pick<UrlState, 'interval'>, days: Days): string {
  if (interval !== '') return interval;
  const length = daysIn(days);
  return length <= 2 ? 'hour' : length <= 92 ? 'day' : length <= 400 ? 'week' : 'month';
}
