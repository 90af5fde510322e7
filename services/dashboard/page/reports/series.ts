import type { ReportRow, RunReportResponse } from '../../../../gen/ts/clickmesh/v1/reports_pb.js';
import { type Measures, measuresOf } from '../data/report.ts';
import { conversions, count, exact, NOTHING, percent, plain } from '../format/number.ts';
import { periodsOf } from '../format/periods.ts';
import { clock, type Days, isMonday, periodText, tickText, today } from '../format/time.ts';
import type { Bucket } from './bucket.ts';

/** What a chart may show. */
export const MEASURES = ['clicks', 'conversions', 'revenue', 'cvr'] as const;
export type Measure = (typeof MEASURES)[number];

export const MEASURE_TITLES: Readonly<Record<Measure, string>> = {
  clicks: 'Clicks',
  conversions: 'Conversions',
  revenue: 'Revenue',
  cvr: 'Conversion rate',
};

interface SeriesOptions {
  report: RunReportResponse;
  days: Days;
  interval: string;
  gross: boolean;
}

/** A bar for every period: without a value if it was never counted, and zero if nothing happened in it. */
export function bucketsOf({ report, days, interval, gross }: SeriesOptions, measure: Measure): Bucket[] {
  const { stamp } = report;
  const zone = stamp?.timeZone ?? 'UTC';
  const rows = new Map(report.rows.map((row) => [row.date, row]));
  const [now, since] = [today(zone), stamp?.rollupSince ? today(zone, Number(stamp.rollupSince)) : ''];
  const periods = periodsOf(days, interval, zone);
  return periods.map(({ date, start, end }, i) => {
    const row = rows.get(date);
    const isKnown = row !== undefined || (start <= now && end >= since);
    const isOpen = row?.partial ?? (i === periods.length - 1 && end >= now);
    const measures = isKnown ? measuresOf(row, gross) : undefined;
    const previous = row?.previous && measuresOf(row.previous, gross);
    const until = isOpen && end >= now && stamp ? `, until ${clock(Number(stamp.completeThrough), zone)}` : '';
    const before = previous === undefined ? '' : `\n${previousText(row, interval)}  ${measureText(previous, measure)}`;
    const title = MEASURE_TITLES[measure];
    return {
      tick: i === periods.length - 1 && interval === 'day' && end === now ? 'today' : tickOf(date, interval, i),
      text: `${periodText(date, interval)}${until}\n${title}  ${measures ? measureText(measures, measure) : NOTHING}${before}`,
      value: measures && numberOf(measures, measure),
      previous: previous && numberOf(previous, measure),
      isOpen,
    };
  });
}

function previousText(row: ReportRow | undefined, interval: string): string {
  return row?.previous?.date ? periodText(row.previous.date, interval) : 'before';
}

/** Days have the text of their Mondays, so that ticks are regular. */
function tickOf(date: string, interval: string, i: number): string {
  const isMarked =
    interval === 'day' ? i === 0 || isMonday(date) : interval === 'hour' ? Number(date.slice(11, 13)) % 6 === 0 : true;
  return isMarked ? tickText(date, interval) : '';
}

function numberOf({ clicks, conversions: micros, revenue }: Measures, measure: Measure): number | undefined {
  if (measure === 'clicks') return Number(clicks);
  if (measure === 'conversions') return plain(micros);
  if (measure === 'revenue') return plain(revenue);
  return clicks === 0n ? undefined : plain(micros) / Number(clicks);
}

/** In full. */
export function measureText(measures: Measures, measure: Measure): string {
  if (measure === 'clicks') return count(measures.clicks);
  if (measure === 'conversions') return exact(measures.conversions);
  if (measure === 'revenue') return exact(measures.revenue, 2);
  const { clicks, conversions: micros } = measures;
  return `${percent(micros, clicks * 1_000_000n, 4)}${clicks === 0n ? '' : `, ${conversions(micros)} of ${count(clicks)}`}`;
}
