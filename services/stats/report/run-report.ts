import { create } from '@bufbuild/protobuf';
import type { ClickHouseClient } from '@clickhouse/client';
import {
  type ModelMeasures,
  ModelMeasuresSchema,
  type ReportRow,
  ReportRowSchema,
  type ReportStamp,
  type RunReportRequest,
  RunReportRequestSchema,
  type RunReportResponse,
  RunReportResponseSchema,
} from '../../../gen/ts/clickmesh/v1/reports_pb.js';
import { withinBounds } from '../bounded.ts';
import type { Covered } from '../deps.ts';
import { pageTokenOf } from '../requests/page-token.ts';
import { selectPage } from '../select-rows.ts';
import { adviceOf, answering, type Counting } from './answering.ts';
import { isPartial, nowIn, periodDate } from './calendar.ts';
import { legsOf } from './legs.ts';
import type { ReportQuery } from './report-query.ts';
import { COUNTED, type Counted, columnOf, pageStatement } from './report-sql.ts';
import { stampOf } from './stamp.ts';

/** What was counted under one model, in micros, exact whatever its size. */
export interface Measures {
  model: string;
  conversions: bigint;
  revenue: bigint;
  grossConversions: bigint;
  grossRevenue: bigint;
  refunds: bigint;
}

export interface Row {
  date: string;
  values: readonly string[];
  clicks: bigint;
  invalidClicks: bigint;
  models: readonly Measures[];
  partial: boolean;
  previous: Row | undefined;
}

export interface Report {
  rows: readonly Row[];
  totals: Row;
  unattributed: Row;
  totalRows: number;
  nextPageToken: string;
  stamp: ReportStamp;
}

/** A row as it is selected; sums are strings. */
type Selected = Record<string, string | number | null>;

/**
 * @param covered what of the log was there before this was asked for, if it is known
 * @param time now, in ms since 1970-01-01 UTC
 */
export async function runReport(
  client: ClickHouseClient,
  request: RunReportRequest,
  query: ReportQuery,
  counting: Counting,
  covered: Covered | undefined,
  time: number,
  signal: AbortSignal | undefined,
): Promise<Report> {
  const now = nowIn(query.timeZone, time);
  const answeredBy = await answering(client, query, counting, now);
  const { source, grain } = answeredBy;
  const legs = legsOf(query, now, grain);
  const select = () =>
    Promise.all([
      stampOf(client, query, answeredBy, legs, counting, covered, signal),
      selectPage<Selected>(client, pageStatement(query, source, legs), signal),
    ]);
  const [stamp, page] = await withinBounds(adviceOf(query, counting), select);
  const isByModel = query.groupBy.includes('model');
  const all = query.models.map((model, place) => ({ model, place }));
  const read = page.rows.map((row) => {
    const period = Number(row.period);
    const key = {
      date: periodDate(query.interval, period, query.timeZone),
      values: query.groupBy.map((name) => String(name === 'model' ? row.model : row[`d${query.by.indexOf(name)}`])),
    };
    const own = isByModel ? all.filter(({ model }) => model === row.model) : all;
    return rowOf(row, key, own, isPartial(query.interval, period, query, now, time));
  });
  const over = { date: '', values: [] };
  const isOpen = query.end >= now.day;
  const end = query.offset + page.rows.length;
  return {
    rows: read,
    totals: rowOf(totalsOf(page.totals!, isByModel ? all.length : 1), over, all, isOpen),
    unattributed: rowOf(unattributedOf(page.totals!), over, [{ model: '', place: 0 }], isOpen),
    totalRows: page.total,
    stamp,
    nextPageToken: end < page.total ? pageTokenOf(RunReportRequestSchema, request, [String(end)]) : '',
  };
}

/** Totals without what is compared with twice, and with clicks once where they are in the row of each model. */
function totalsOf(totals: Selected, times: number): Selected {
  const sums = Object.entries(totals).map(([name, sum]) => {
    const twice = name.startsWith('p_') ? (totals[`a_${name.slice(2)}`] ?? 0) : 0;
    const once = BigInt(sum || 0) - BigInt(twice);
    return [name, String(name.endsWith('clicks') ? once / BigInt(times) : once)] as const;
  });
  return Object.fromEntries(sums);
}

/** What totals have of conversions that no click is credited for, as a row of the only model. */
function unattributedOf(totals: Selected): Selected {
  const sides = 'p_clicks' in totals ? ['', 'p_'] : [''];
  const sums = sides.flatMap((side) => [
    [`${side}clicks`, '0'],
    ...COUNTED.map((name) => [side + columnOf(0, name), totals[`${side === '' ? 'u' : 'pu'}_${name}`]]),
  ]);
  return Object.fromEntries(sums);
}

/** A model, and its place among the request's. */
interface Placed {
  model: string;
  place: number;
}

function rowOf(row: Selected, key: Pick<Row, 'date' | 'values'>, models: readonly Placed[], partial: boolean): Row {
  const previous = 'p_clicks' in row ? sideOf(row, 'p_', models) : undefined;
  const hasPrevious = previous !== undefined && isCounted(previous);
  return {
    ...key,
    ...sideOf(row, '', models),
    partial,
    previous: hasPrevious ? { date: '', values: [], partial: false, ...previous, previous: undefined } : undefined,
  };
}

function sideOf(row: Selected, side: '' | 'p_', models: readonly Placed[]) {
  const of = (name: string) => BigInt(row[side + name] ?? 0);
  return {
    clicks: of('clicks'),
    invalidClicks: of('invalid_clicks'),
    models: models.map(({ model, place }): Measures => {
      const sum = (counted: Counted) => of(columnOf(place, counted));
      const [conversions, revenue] = [sum('conversions_micros'), sum('revenue_micros')];
      return {
        ...{ model, conversions, revenue, refunds: sum('refunds_micros') },
        grossConversions: conversions + sum('retracted_micros'),
        grossRevenue: revenue + sum('adjusted_micros'),
      };
    }),
  };
}

function isCounted({ clicks, invalidClicks, models }: ReturnType<typeof sideOf>): boolean {
  const sums = models.flatMap(({ model: _, ...counted }) => Object.values(counted));
  return [clicks, invalidClicks, ...sums].some((sum) => sum !== 0n);
}

/** conversions / clicks: the nearest double. */
export function cvrOf({ clicks }: Pick<Row, 'clicks'>, { conversions }: Measures): number | undefined {
  return clicks === 0n ? undefined : Number(conversions) / 1e6 / Number(clicks);
}

export function reportMessage({ rows, totals, unattributed, ...rest }: Report): RunReportResponse {
  return create(RunReportResponseSchema, {
    rows: rows.map(rowMessage),
    totals: rowMessage(totals),
    unattributed: rowMessage(unattributed),
    totalRows: BigInt(rest.totalRows),
    nextPageToken: rest.nextPageToken,
    stamp: rest.stamp,
  });
}

function rowMessage(row: Row): ReportRow {
  const { date, values, clicks, invalidClicks, models, partial, previous } = row;
  return create(ReportRowSchema, {
    ...{ date, values: [...values], clicks, invalidClicks, partial },
    models: models.map((each) => measuresMessage(row, each)),
    ...(previous !== undefined && { previous: rowMessage(previous) }),
  });
}

function measuresMessage(row: Row, measures: Measures): ModelMeasures {
  const cvr = cvrOf(row, measures);
  return create(ModelMeasuresSchema, {
    model: measures.model,
    conversionsMicros: saturated(measures.conversions),
    revenueMicros: saturated(measures.revenue),
    grossConversionsMicros: saturated(measures.grossConversions),
    grossRevenueMicros: saturated(measures.grossRevenue),
    refundsMicros: saturated(measures.refunds),
    ...(cvr !== undefined && { cvr }),
  });
}

const MAX_INT64 = 2n ** 63n - 1n;

/** The nearest int64. */
function saturated(micros: bigint): bigint {
  if (micros > MAX_INT64) return MAX_INT64;
  return micros < -MAX_INT64 - 1n ? -MAX_INT64 - 1n : micros;
}
