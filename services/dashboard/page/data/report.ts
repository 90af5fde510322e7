import { create, toJsonString } from '@bufbuild/protobuf';
import {
  Compare,
  type ModelMeasures,
  type ReportFilter,
  ReportFilterSchema,
  ReportInterval,
  type ReportRow,
  type RunReportRequest,
  RunReportRequestSchema,
  type RunReportResponse,
  TimeBasis,
} from '../../../../gen/ts/clickmesh/v1/reports_pb.js';
import { today } from '../format/time.ts';
import { daysOf } from '../state/range.ts';
import type { UrlState } from '../state/url.ts';
import { stats } from './client.ts';
import type { Mesh } from './mesh.ts';
import { type Answer, useQuery } from './query.ts';

/** Rows asked for at a time: so many are read without the page standing still. */
const PAGE_ROWS = 1000;
/** Most rows of a table, as the contract has it for a page; the others are one row. */
export const MAX_ROWS = 10_000;

export const INTERVALS: Readonly<Record<string, ReportInterval>> = {
  hour: ReportInterval.HOUR,
  day: ReportInterval.DAY,
  week: ReportInterval.WEEK,
  month: ReportInterval.MONTH,
  none: ReportInterval.NONE,
};

const COMPARES = {
  previous_period: Compare.PREVIOUS_PERIOD,
  previous_year: Compare.PREVIOUS_YEAR,
  none: Compare.UNSPECIFIED,
};

/** What a view asks besides what the filters say. */
export interface Question {
  interval: string;
  groupBy?: readonly string[];
  models: readonly string[];
  compare?: boolean;
  orderBy?: string;
  /** Beside the filters of all views; replaces that of the same dimension. */
  only?: { dimension: string; values: readonly string[] } | undefined;
  /** Its filter is left out. */
  but?: string;
}

export function zoneOf(state: UrlState, mesh: Mesh): string {
  return state.zone || mesh.zone;
}

/** The model of views that show one. */
export function modelOf(state: UrlState, { models }: Mesh): string {
  return state.model || models[0]!;
}

/** The models of views that show several: at most five stand side by side. */
export function modelsOf(state: UrlState, { models }: Mesh): readonly string[] {
  return (state.models.length > 0 ? state.models : models).slice(0, 5);
}

export function filtersOf(state: UrlState, { only, but }: Pick<Question, 'only' | 'but'> = {}): ReportFilter[] {
  const left = state.filters.filter(({ dimension }) => dimension !== but && dimension !== only?.dimension);
  return [...left, ...(only === undefined ? [] : [{ ...only, exclude: false }])].map(({ dimension, values, exclude }) =>
    create(ReportFilterSchema, { dimension, values: [...values], exclude }),
  );
}

export function reportRequest(state: UrlState, mesh: Mesh, question: Question): RunReportRequest {
  const { start, end } = daysOf(state, today(zoneOf(state, mesh)));
  return create(RunReportRequestSchema, {
    startDate: start,
    endDate: end,
    interval: INTERVALS[question.interval] ?? ReportInterval.DAY,
    groupBy: [...(question.groupBy ?? [])],
    filters: filtersOf(state, question),
    models: [...question.models],
    timeBasis: state.basis === 'click' ? TimeBasis.CLICK : TimeBasis.CONVERSION,
    orderBy: question.orderBy ?? '',
    limit: PAGE_ROWS,
    compare: question.compare ? COMPARES[state.compare] : Compare.UNSPECIFIED,
    timeZone: state.zone,
  });
}

/** All pages of a report, up to MAX_ROWS, as one answer. */
async function runReport(request: RunReportRequest, signal: AbortSignal): Promise<RunReportResponse> {
  const answer = await stats.runReport(request, { signal });
  while (answer.nextPageToken !== '' && answer.rows.length < MAX_ROWS) {
    const page = await stats.runReport({ ...request, pageToken: answer.nextPageToken }, { signal });
    answer.rows.push(...page.rows);
    answer.nextPageToken = page.nextPageToken;
  }
  return answer;
}

/** The answer to a report, which all who ask the same share; nothing is asked without a request. */
export function useReport(request: RunReportRequest | undefined, goodFor = 0): Answer<RunReportResponse> {
  const key = request && `report ${toJsonString(RunReportRequestSchema, request)}`;
  return useQuery(key, (signal) => runReport(request!, signal), goodFor);
}

/** What is counted of a row under a model, net or gross, in micros but for the clicks. */
export interface Measures {
  clicks: bigint;
  conversions: bigint;
  revenue: bigint;
}

export function measuresOf(row: ReportRow | undefined, gross: boolean, model = 0): Measures {
  const measures: ModelMeasures | undefined = row?.models[model];
  return {
    clicks: row?.clicks ?? 0n,
    conversions: (gross ? measures?.grossConversionsMicros : measures?.conversionsMicros) ?? 0n,
    revenue: (gross ? measures?.grossRevenueMicros : measures?.revenueMicros) ?? 0n,
  };
}

export function minus(a: Measures, b: Measures): Measures {
  return {
    clicks: a.clicks - b.clicks,
    conversions: a.conversions - b.conversions,
    revenue: a.revenue - b.revenue,
  };
}

export function plus(a: Measures, b: Measures): Measures {
  return {
    clicks: a.clicks + b.clicks,
    conversions: a.conversions + b.conversions,
    revenue: a.revenue + b.revenue,
  };
}

export const NONE: Measures = { clicks: 0n, conversions: 0n, revenue: 0n };
