import { create } from '@bufbuild/protobuf';
import {
  type ListedConversion,
  ListedConversionSchema,
  type ModelMeasures,
  ModelMeasuresSchema,
  ReportInterval,
  type ReportRow,
  ReportRowSchema,
  type RunReportRequest,
} from '../../gen/ts/clickmesh/v1/reports_pb.js';

export const MODELS = ['last_click', 'first_click', 'linear', 'time_decay', 'position_based'];
const DAY_MS = 86_400_000;
const ONE = 1_000_000n;

/** The same number for the same text, in [0, 1). */
export function chance(...of: readonly (string | number)[]): number {
  let hash = 2166136261;
  for (const char of of.join('\n')) hash = Math.imul(hash ^ char.charCodeAt(0), 16777619);
  hash = Math.imul(hash ^ (hash >>> 15), 2246822507);
  return ((hash ^ (hash >>> 13)) >>> 0) / 2 ** 32;
}

const NAMES = [
  ...['brand-search-eu', 'shopping-feed-q4', 'retarget-cart-7d', 'prospect-lookalike-us', 'newsletter-weekly'],
  ...['creator-unboxing', 'partner-coupons', 'video-black-friday', 'podcast-codes', 'halloween-2026', 'app-install'],
];
const OTHERS: Readonly<Record<string, readonly string[]>> = {
  ad_id: ['carousel-a', 'carousel-b', 'video-15s'],
  source: ['google', 'facebook', 'email', 'tiktok'],
  conversion_type: ['purchase', 'signup'],
};

export function campaignName(i: number): string {
  return NAMES[i] ?? `campaign-${String(i).padStart(5, '0')}`;
}

/** Values of a dimension other than the campaign. */
export function valuesOf(dimension: string): readonly string[] {
  return OTHERS[dimension] ?? ['de', 'us', 'in'];
}

/** What campaigns count on a date: each model gives a part of one to another, so that all share out the same. */
export function campaignRows(date: string, campaigns: number, growth: number, models: readonly string[]): ReportRow[] {
  const all = Array.from({ length: campaigns }, (_, i) => {
    const clicks = Math.round((40_000 * growth * ofWeekday(date) * (0.9 + 0.2 * chance(date, i))) / (i + 2));
    return { clicks, conversions: Math.round(clicks * (0.02 + 0.05 * chance(i))) };
  });
  const given = (i: number, isWhole: boolean) => {
    const tenths = BigInt(all[i % campaigns]!.conversions) * 3n;
    return isWhole ? (tenths / 10n) * ONE : (tenths * ONE) / 10n;
  };
  return all.map(({ clicks, conversions }, i) => {
    const measures = models.map((model) => {
      const at = MODELS.indexOf(model);
      const isWhole = at < 2;
      return measured(model, BigInt(conversions) * ONE - given(i, isWhole) + given(i + at, isWhole));
    });
    const of = { date, values: [campaignName(i)], clicks: BigInt(clicks), invalidClicks: BigInt(clicks) / 100n };
    return create(ReportRowSchema, { ...of, models: measures });
  });
}

/** Less is clicked at weekends, more towards their end. */
function ofWeekday(date: string): number {
  return [0.86, 0.98, 1, 1.02, 1.06, 1.1, 0.9][new Date(date).getUTCDay()]!;
}

/** All conversions have the same value, so that revenue is shared out as they are. */
export function measured(model: string, conversions: bigint): ModelMeasures {
  const revenue = (conversions * 6437n) / 100n;
  const retracted = (conversions / 160n / ONE) * ONE;
  return create(ModelMeasuresSchema, {
    model,
    ...{ conversionsMicros: conversions, revenueMicros: revenue },
    ...{ grossConversionsMicros: conversions + retracted, grossRevenueMicros: revenue + 2n * conversions },
    refundsMicros: conversions,
  });
}

/** Rows of campaigns as rows of each of their sources; some have two. */
export function bySource(rows: readonly ReportRow[]): ReportRow[] {
  const sources = valuesOf('source');
  return rows.flatMap((row) => {
    const [name] = row.values;
    const first = Math.floor(4 * chance(name!, 'source'));
    const own = chance(name!, 'second') < 0.2 ? [first, first + 1] : [first];
    return own.map((i) => create(ReportRowSchema, { ...row, values: [name!, sources[i % sources.length]!] }));
  });
}

/** A row in parts, by the values of a dimension; the last has what is left. */
export function partsOf(row: ReportRow, dimension: string): ReportRow[] {
  const values = valuesOf(dimension);
  const left = sumOf(
    [row],
    row.models.map(({ model }) => model),
  );
  return values.map((value, i) => {
    const isLast = i === values.length - 1;
    const share = BigInt(Math.round(100 * (0.2 + 0.3 * chance(value, dimension))));
    // Of what is left, so that there is always some.
    const part = (rest: bigint) => (isLast ? rest : (rest * share) / 100n);
    const clicks = part(left.clicks);
    const models = row.models.map(({ model }, at) => {
      const rest = left.models[at]!;
      const whole = (part(rest.conversionsMicros) / ONE) * ONE;
      const own = measured(model, isLast ? rest.conversionsMicros : whole);
      rest.conversionsMicros -= own.conversionsMicros;
      return own;
    });
    left.clicks -= clicks;
    return create(ReportRowSchema, { date: row.date, values: [value], clicks, models });
  });
}

export function sumOf(rows: readonly ReportRow[], models: readonly string[]): ReportRow {
  const sum = create(ReportRowSchema, { models: models.map((model) => ({ model })) });
  for (const row of rows) {
    sum.clicks += row.clicks;
    sum.invalidClicks += row.invalidClicks;
    row.models.forEach((measures, i) => {
      const own = sum.models[i]!;
      own.conversionsMicros += measures.conversionsMicros;
      own.revenueMicros += measures.revenueMicros;
      own.grossConversionsMicros += measures.grossConversionsMicros;
      own.grossRevenueMicros += measures.grossRevenueMicros;
      own.refundsMicros += measures.refundsMicros;
    });
  }
  return sum;
}

/** The days of a request; those of the time that it compares with are as many days before. */
export function daysOf({ startDate, endDate }: RunReportRequest, isBefore = false): string[] {
  const days: string[] = [];
  const shift = isBefore ? Date.parse(endDate) - Date.parse(startDate) + DAY_MS : 0;
  for (let ms = Date.parse(startDate); ms <= Date.parse(endDate); ms += DAY_MS)
    days.push(new Date(ms - shift).toISOString().slice(0, 10));
  return days;
}

/** The period of a day; everything of it happened in its first hour. */
export function periodOf(day: string, interval: ReportInterval): string {
  if (interval === ReportInterval.NONE) return '';
  if (interval === ReportInterval.HOUR) return `${day}T00:00+00:00`;
  if (interval === ReportInterval.MONTH) return `${day.slice(0, 7)}-01`;
  if (interval !== ReportInterval.WEEK) return day;
  const date = new Date(day);
  return new Date(date.valueOf() - ((date.getUTCDay() + 6) % 7) * DAY_MS).toISOString().slice(0, 10);
}

export function conversionOf(i: number, now: number): ListedConversion {
  const causes = [['late_click', 'verdict', 'refund'], ['late_click'], ['refund']][i] ?? [];
  const value = BigInt(Math.round(20_000_000 + 90_000_000 * chance(i)));
  return create(ListedConversionSchema, {
    conversionId: `${(0x3f8c2a61 + i * 7919).toString(16)}-0000-4000-8000-${String(i).padStart(12, '0')}`,
    ...{ userId: i === 3 ? '=1+1' : `user-${i}`, conversionType: 'purchase', conversionTime: BigInt(now - i * 47_000) },
    ...{ valueMicros: value, netValueMicros: value, attributed: true, touches: 1 + (i % 5) },
    ...{ lagMs: BigInt(Math.round(9e7 * chance(i, 'lag'))), creditMicros: 1_000_000n, correctedBy: causes },
  });
}
