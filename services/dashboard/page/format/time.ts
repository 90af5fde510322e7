const DAY_MS = 86_400_000;
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const WEEKDAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];

/** Days are YYYY-MM-DD, of whatever zone. */
export type Day = string;

export interface Days {
  start: Day;
  end: Day;
}

const utc = (day: Day) => new Date(`${day.slice(0, 10)}T00:00:00Z`);
const dayOf = (date: Date): Day => date.toISOString().slice(0, 10);

export function isDay(text: string): boolean {
  return /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(utc(text).valueOf()) && dayOf(utc(text)) === text;
}

export function addDays(day: Day, days: number): Day {
  return dayOf(new Date(utc(day).valueOf() + days * DAY_MS));
}

/** How many days there are, both ends included. */
export function daysIn({ start, end }: Days): number {
  return Math.round((utc(end).valueOf() - utc(start).valueOf()) / DAY_MS) + 1;
}

export function firstOfMonth(day: Day, months = 0): Day {
  const date = utc(day);
  return dayOf(new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + months, 1)));
}

export function firstOfQuarter(day: Day): Day {
  return firstOfMonth(day, -(utc(day).getUTCMonth() % 3));
}

interface Parts {
  day: Day;
  clock: string;
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** The day and the time of day, to the second, in a zone. */
function partsOf(ms: number, zone: string): Parts {
  let format = formats.get(zone);
  if (format === undefined) {
    const fields = { year: 'numeric', month: '2-digit', day: '2-digit' } as const;
    const times = { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' } as const;
    format = new Intl.DateTimeFormat('en-CA', { timeZone: zone, ...fields, ...times });
    formats.set(zone, format);
  }
  const parts = Object.fromEntries(format.formatToParts(ms).map(({ type, value }) => [type, value]));
  const clock = `${parts.hour}:${parts.minute}:${parts.second}`;
  return { day: `${parts.year}-${parts.month}-${parts.day}`, clock };
}

export function today(zone: string, now = Date.now()): Day {
  return partsOf(now, zone).day;
}

/** "12:04:07". */
export function clock(ms: number, zone: string): string {
  return partsOf(ms, zone).clock;
}

/** "27 Nov", with the year where it is not this one's. */
export function shortDay(day: Day, thisYear = today('UTC').slice(0, 4)): string {
  const [year, month, date] = day.split('-');
  return `${Number(date!.slice(0, 2))} ${MONTHS[Number(month) - 1]}${year === thisYear ? '' : ` ${year}`}`;
}

/** "27 Nov 2026 12:04:07". */
export function dateTime(ms: number, zone: string): string {
  const { day, clock: time } = partsOf(ms, zone);
  return `${shortDay(day, '')} ${time}`;
}

/** "26 Nov 20:41:07", with the year where it is not this one's. */
export function shortDateTime(ms: number, zone: string): string {
  const { day, clock: time } = partsOf(ms, zone);
  return `${shortDay(day)} ${time}`;
}

/** "31 Oct – 27 Nov", with years where it is asked for or they differ. */
export function daysText({ start, end }: Days, withYear = false): string {
  const [from, to] = [start.slice(0, 4), end.slice(0, 4)];
  const year = withYear ? '' : today('UTC').slice(0, 4);
  if (start === end) return shortDay(end, year);
  return `${shortDay(start, from === to ? to : year)} – ${shortDay(end, from === to ? year : year)}`;
}

/** The period that begins then: "Fri 27 Nov", "week of 23 Nov", "Nov 2026", "27 Nov 14:00". */
export function periodText(date: string, interval: string): string {
  const day = date.slice(0, 10);
  if (interval === 'hour') return `${shortDay(day)} ${date.slice(11, 16)}`;
  if (interval === 'month') return `${MONTHS[Number(day.slice(5, 7)) - 1]} ${day.slice(0, 4)}`;
  if (interval === 'week') return `week of ${shortDay(day)}`;
  return `${WEEKDAYS[utc(day).getUTCDay()]} ${shortDay(day)}`;
}

/** The period in few letters, for an axis. */
export function tickText(date: string, interval: string): string {
  if (interval === 'hour') return date.slice(11, 16) === '00:00' ? shortDay(date.slice(0, 10)) : date.slice(11, 16);
  if (interval === 'month') return MONTHS[Number(date.slice(5, 7)) - 1]!;
  return shortDay(date.slice(0, 10));
}

export function isMonday(date: string): boolean {
  return utc(date).getUTCDay() === 1;
}

const UNITS: readonly [ms: number, name: string][] = [
  [DAY_MS, 'd'],
  [3_600_000, 'h'],
  [60_000, 'm'],
  [1000, 's'],
];

/** The two greatest units of a time: "2 m 46 s", "1.2 s" below ten seconds, "40 ms" below a tenth. */
export function duration(ms: number): string {
  if (ms < 0) return `−${duration(-ms)}`;
  if (ms < 100) return `${Math.round(ms)} ms`;
  if (ms < 9950) return `${(ms / 1000).toFixed(1)} s`;
  const rest = Math.round(ms / 1000) * 1000;
  const first = UNITS.findIndex(([unit]) => rest >= unit);
  const [unit, name] = UNITS[first]!;
  const next = UNITS[first + 1];
  const whole = Math.floor(rest / unit);
  if (next === undefined) return `${whole} ${name}`;
  const more = Math.floor((rest % unit) / next[0]);
  return first === 2 && more === 0 ? `${whole} ${name}` : `${whole} ${name} ${more} ${next[1]}`;
}

/** How long ago: "5 min ago". */
export function ago(ms: number, now = Date.now()): string {
  const minutes = Math.floor((now - ms) / 60_000);
  if (minutes < 1) return 'just now';
  if (minutes < 60) return `${minutes} min ago`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ago` : `${Math.floor(hours / 24)} d ago`;
}
