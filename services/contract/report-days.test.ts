import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DAY_MS, HOUR_MS, MAX_TIMESTAMP_MS } from './limits.ts';
import { isTimeZone, ReportDays, reportDays } from './report-days.ts';

const ZONES = [
  ...['UTC', 'America/New_York', 'Asia/Kolkata', 'Asia/Kathmandu', 'Australia/Lord_Howe', 'Pacific/Apia'],
  ...['Africa/Casablanca', 'America/Sao_Paulo', 'Antarctica/Troll', 'Pacific/Kiritimati', 'Etc/GMT+12'],
];

/** The day by Intl, as YYYY-MM-DD. */
function dateOf(zone: string, time: number): string {
  return new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short' }).format(time);
}

function textOf(day: number): string {
  return new Date(day * DAY_MS).toISOString().slice(0, 10);
}

test.each([
  ['America/New_York', '2026-03-08T04:59:59.999Z', '2026-03-07'],
  ['America/New_York', '2026-03-08T05:00:00.000Z', '2026-03-08'],
  // That day has 23 hours, and the other 25.
  ['America/New_York', '2026-03-09T03:59:59.999Z', '2026-03-08'],
  ['America/New_York', '2026-03-09T04:00:00.000Z', '2026-03-09'],
  ['America/New_York', '2026-11-01T03:59:59.999Z', '2026-10-31'],
  ['America/New_York', '2026-11-01T04:00:00.000Z', '2026-11-01'],
  ['America/New_York', '2026-11-02T04:59:59.999Z', '2026-11-01'],
  ['America/New_York', '2026-11-02T05:00:00.000Z', '2026-11-02'],
  ['Asia/Kolkata', '2026-03-08T18:29:59.999Z', '2026-03-08'],
  ['Asia/Kolkata', '2026-03-08T18:30:00.000Z', '2026-03-09'],
  // There was no 30 December.
  ['Pacific/Apia', '2011-12-30T09:59:59.999Z', '2011-12-29'],
  ['Pacific/Apia', '2011-12-30T10:00:00.000Z', '2011-12-31'],
  ['UTC', '2200-01-01T00:00:00.000Z', '2200-01-01'],
  // The first day of all.
  ['America/New_York', '2000-01-01T00:00:00.000Z', '2000-01-01'],
  ['America/New_York', '2000-01-02T04:59:59.999Z', '2000-01-01'],
  ['Asia/Kolkata', '2000-01-01T00:00:00.000Z', '2000-01-01'],
])('in %s %s is of %s', (zone, time, day) => {
  expect(textOf(reportDays(zone).dayOf(Date.parse(time)))).toBe(day);
});

test('every time is of the day that Intl says, in whatever order they are asked for', () => {
  const time = fc.integer({ min: Date.UTC(2000, 0, 2), max: MAX_TIMESTAMP_MS });
  fc.assert(
    fc.property(fc.constantFrom(...ZONES), fc.array(time, { maxLength: 20 }), (zone, times) => {
      for (const each of times) expect(textOf(reportDays(zone).dayOf(each))).toBe(dateOf(zone, each));
    }),
    { numRuns: 1000 },
  );
});

test('days begin when Intl says, near every change of the offset', () => {
  for (const zone of ZONES) {
    const days = reportDays(zone);
    const changes = days.table.split(' ').flatMap((entry) => (entry.includes(':') ? [Number.parseInt(entry, 10)] : []));
    for (const change of changes.slice(1)) {
      for (const hours of [-24, -1, 0, 23, 24]) {
        for (const ms of [-1, 0]) {
          const time = change * 1000 + hours * HOUR_MS + ms;
          expect(textOf(days.dayOf(time)), `${zone} ${new Date(time).toISOString()}`).toBe(dateOf(zone, time));
        }
      }
    }
  }
});

test('the table alone says what days are', () => {
  expect(reportDays('UTC').table).toBe('0');
  expect(reportDays('Asia/Kolkata').table).toBe('19800');
  expect(reportDays('America/New_York').table).toMatch(/^0 946702800:-18000 954658800:-14400 972799200:-18000 /);
  const other = new ReportDays('America/New_York', '3600 86400:7200');
  const nearMidnight = [23, 22].map((hour) => hour * HOUR_MS);
  expect(nearMidnight.map((time) => other.dayOf(time))).toEqual([1, 0]);
  expect(nearMidnight.map((time) => other.dayOf(DAY_MS + time))).toEqual([2, 2]);
});

test.each([
  ['UTC', true],
  ['America/Argentina/Buenos_Aires', true],
  ['Etc/GMT+5', true],
  ['EST5EDT', true],
  ['America/Nowhere', false],
  ['america/new_york', false],
  ['+05:30', false],
  ['', false],
])('%s is a time zone: %s', (name, is) => {
  expect(isTimeZone(name)).toBe(is);
});
