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

/** Values of a dimension, the most counted first. */
export function valuesOf(dimension: string, campaigns: number): string[] {
  if (dimension === 'campaign_id')
    return Array.from({ length: campaigns }, (_, i) => NAMES[i] ?? `campaign-${String(i).padStart(5, '0')}`);
  if (dimension === 'source') return ['google', 'facebook', 'email', 'tiktok'];
  if (dimension === 'conversion_type') return ['purchase', 'signup'];
  if (dimension === 'ad_id') return ['carousel-a', 'carousel-b', 'video-15s'];
  return ['de', 'us', 'in'];
}

/** What a row counts: more on weekdays, and less of what is further down. */
export function rowOf(date: string, values: readonly string[], weight: number, models: readonly string[]): ReportRow {
  const noise = 0.8 + 0.4 * chance(date, ...values);
  const clicks = BigInt(Math.round(3000 * weight * noise));
  const measures = models.map((model): ModelMeasures => {
    const isWhole = model === 'last_click' || model === 'first_click';
    const share = 0.02 + 0.05 * chance(model, ...values);
    const exact = Math.round(Number(clicks) * share * 1e6);
    const conversions = BigInt(isWhole ? Math.round(exact / 1e6) * 1e6 : exact);
    const revenue = (conversions * 6_423n) / 100n;
    return create(ModelMeasuresSchema, {
      model,
      conversionsMicros: conversions,
      revenueMicros: revenue,
      grossConversionsMicros: conversions + 1_000_000n,
      grossRevenueMicros: revenue + 120_000_000n,
      refundsMicros: 60_000_000n,
    });
  });
  return create(ReportRowSchema, { date, values: [...values], clicks, invalidClicks: clicks / 100n, models: measures });
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

export function datesOf({ startDate, endDate, interval }: RunReportRequest): string[] {
  if (interval === ReportInterval.NONE) return [''];
  const dates: string[] = [];
  for (let ms = Date.parse(startDate); ms <= Date.parse(endDate); ms += DAY_MS) {
    const day = new Date(ms).toISOString().slice(0, 10);
    if (interval === ReportInterval.HOUR)
      for (let hour = 0; hour < 24; hour++) dates.push(`${day}T${String(hour).padStart(2, '0')}:00+00:00`);
    else dates.push(day);
  }
  return dates;
}

export function conversionOf(i: number, now: number): ListedConversion {
  const causes = [['late_click', 'verdict', 'refund'], ['late_click'], ['refund']][i] ?? [];
  return create(ListedConversionSchema, {
    conversionId: `${(0x3f8c2a61 + i * 7919).toString(16)}-0000-4000-8000-${String(i).padStart(12, '0')}`,
    userId: `user-${i}`,
    conversionType: 'purchase',
    conversionTime: BigInt(now - i * 47_000),
    valueMicros: BigInt(Math.round(20_000_000 + 90_000_000 * chance(i))),
    netValueMicros: BigInt(Math.round(20_000_000 + 90_000_000 * chance(i))),
    attributed: true,
    touches: 1 + (i % 5),
    lagMs: BigInt(Math.round(9e7 * chance(i, 'lag'))),
    creditMicros: 1_000_000n,
    correctedBy: causes,
  });
}
