import { MIN_TIMESTAMP_MS } from './event-rules.ts';
import { DAY_MS, MAX_TIMESTAMP_MS } from './limits.ts';

/** The zone by default. */
export const UTC = 'UTC';

/** Names of the IANA time zone database; what Intl takes beside them, such as +05:30, ClickHouse does not know. */
const NAME = /^[A-Z][A-Za-z0-9_+-]*(\/[A-Z][A-Za-z0-9_+-]*)*$/;

export function isTimeZone(name: string): boolean {
  if (!NAME.test(name)) return false;
  try {
    new Intl.DateTimeFormat('en-US', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

/**
 * The days of a time zone, by a table of its offsets to UTC. Which day a time is in depends on the table alone: rules
 * of zones change, and so does what Intl knows of them, but what is counted has one table for ever. The first day is
 * 2000-01-01, which takes in the hours before it that are in 2000 by UTC: no event is older.
 */
export class ReportDays {
  readonly zone: string;
  /** "0 954658800:-14400 …": the first offset, then since when which one holds, all in seconds; "0" for UTC. */
  readonly table: string;
  /** Begins in ms, ascending, and offsets in ms. */
  readonly #begins: number[] = [];
  readonly #offsets: number[] = [];
  /** The span that was asked for last. */
  #from = 0;
  #until = 0;
  #offset = 0;

  constructor(zone: string, table: string) {
    this.zone = zone;
    this.table = table;
    for (const entry of table.split(' ')) {
      const [begin, offset] = entry.includes(':') ? entry.split(':') : ['-Infinity', entry];
      this.#begins.push(Number(begin) * 1000);
      this.#offsets.push(Number(offset) * 1000);
    }
  }

  /** Days since 1970-01-01, by the zone's calendar. */
  dayOf(timestampMs: number): number {
    if (timestampMs < this.#from || timestampMs >= this.#until) this.#seek(timestampMs);
    return Math.floor((timestampMs + this.#offset) / DAY_MS);
  }

  #seek(timestampMs: number): void {
    const at = this.#begins.findLastIndex((begin) => begin <= timestampMs);
    this.#from = this.#begins[at]!;
    this.#until = this.#begins[at + 1] ?? Number.POSITIVE_INFINITY;
    this.#offset = this.#offsets[at]!;
  }
}

const computed = new Map<string, ReportDays>();

/** The days of a zone as this process knows it. */
export function reportDays(zone: string): ReportDays {
  const days = computed.get(zone) ?? new ReportDays(zone, tableOf(zone));
  computed.set(zone, days);
  return days;
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** How far the clocks of a zone are ahead of UTC at a time, in seconds, as this process knows it. */
export function offsetAt(zone: string, timestampMs: number): number {
  if (zone === UTC) return 0;
  let format = formats.get(zone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-US', { timeZone: zone, year: 'numeric', timeZoneName: 'longOffset' });
    formats.set(zone, format);
  }
  return offsetIn(format.format(timestampMs));
}

/** Looks at every day of the range: no zone has changed its offset twice in one. */
function tableOf(zone: string): string {
  const offsetOf = (seconds: number) => offsetAt(zone, seconds * 1000);
  const first = Number(MIN_TIMESTAMP_MS) / 1000;
  let offset = offsetOf(first);
  const entries = offset < 0 ? ['0', `${first - offset}:${offset}`] : [`${offset}`];
  for (let time = first; time < MAX_TIMESTAMP_MS / 1000; time += DAY_MS / 1000) {
    const next = offsetOf(time + DAY_MS / 1000);
    if (next === offset) continue;
    let [before, after] = [time, time + DAY_MS / 1000];
    while (after - before > 1) {
      const middle = Math.floor((before + after) / 2);
      if (offsetOf(middle) === offset) before = middle;
      else after = middle;
    }
    entries.push(`${after}:${next}`);
    offset = next;
  }
  return entries.join(' ');
}

/** Seconds of "1/2000, GMT-05:00", of "GMT" without an offset too. */
function offsetIn(text: string): number {
  const [, sign, hours = '0', minutes = '0', seconds = '0'] = /GMT(?:([+-])(\d+):(\d+)(?::(\d+))?)?$/.exec(text)!;
  const size = Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds);
  return sign === '-' ? -size : size;
}
