import {
  Compare,
  CompareSchema,
  ReportInterval,
  ReportIntervalSchema,
  type RunReportRequest,
  RunReportRequestSchema,
  TimeBasis,
  TimeBasisSchema,
} from '../../../gen/ts/clickmesh/v1/reports_pb.js';
import { type Dimension, dimensionNamed, FIELDS, MAX_DIMENSIONS } from '../../contract/rollups.ts';
import { type Days, parseDays, parseTimeZone } from '../requests/dates.ts';
import { protobufNames } from '../requests/enum-names.ts';
import { type FieldError, unknownValue } from '../requests/field-error.ts';
import { FILTER_NAMES, type Filter, parseFilters } from '../requests/filters.ts';
import { positionOf } from '../requests/page-token.ts';
import { type Order, parseOrder } from './order.ts';

/** What rows may be by beside dimensions. */
export const MODEL = 'model';

/** A checked request, its defaults filled in. */
export interface ReportQuery extends Days {
  interval: Exclude<ReportInterval, ReportInterval.UNSPECIFIED>;
  /** Dimensions, and MODEL if each model has its own rows. */
  groupBy: readonly (Dimension | typeof MODEL)[];
  /** The dimensions of them. */
  by: readonly Dimension[];
  filters: readonly Filter[];
  /** At least one. */
  models: readonly string[];
  /** Conversions count when their click was. */
  isByClick: boolean;
  order: Order;
  limit: number;
  /** Rows before the page. */
  offset: number;
  /** UNSPECIFIED if with nothing. */
  compare: Compare;
  timeZone: string;
}

const DEFAULT_LIMIT = 1000;
/** A row is some 500 bytes of JSON for each model. */
export const MAX_LIMIT = 10_000;
/** All that the product has. */
const MAX_MODELS = 5;

/** @param defaults what a request means that says nothing */
export function parseReport(
  request: RunReportRequest,
  defaults: { model: string; timeZone: string },
): ReportQuery | FieldError {
  const days = parseDays(request.startDate, request.endDate);
  if ('field' in days) return days;
  const interval = request.interval || ReportInterval.DAY;
  const enums = enumFault(request);
  if (enums !== undefined) return enums;
  const groupBy = parseGroupBy(request.groupBy);
  if ('field' in groupBy) return groupBy;
  const filters = parseFilters(request.filters);
  if ('field' in filters) return filters;
  const models = request.models.length === 0 ? [defaults.model] : request.models;
  const twice = models.find((model, i) => models.indexOf(model) !== i);
  if (twice !== undefined) return { field: 'models', message: `models has ${twice} twice` };
  if (models.length > MAX_MODELS) return { field: 'models', message: `models has more than ${MAX_MODELS}` };
  const order = parseOrder(request.orderBy, groupBy, models);
  if ('field' in order) return order;
  const limit = request.limit || DEFAULT_LIMIT;
  if (limit > MAX_LIMIT) return { field: 'limit', message: `limit is not in [1, ${MAX_LIMIT}]: ${limit}` };
  const position = positionOf(RunReportRequestSchema, request, 1);
  if (position !== undefined && 'field' in position) return position;
  const timeZone = request.timeZone === '' ? defaults.timeZone : parseTimeZone(request.timeZone);
  if (typeof timeZone !== 'string') return timeZone;
  return {
    ...{ ...days, interval, groupBy, by: groupBy.filter((name) => name !== MODEL), filters, models, order, limit },
    ...{ offset: Number(position?.[0] ?? 0), compare: request.compare, timeZone },
    isByClick: request.timeBasis === TimeBasis.CLICK,
  };
}

/** The first enum whose number is none of the contract's. */
function enumFault({ interval, timeBasis, compare }: RunReportRequest): FieldError | undefined {
  if (ReportInterval[interval] === undefined) {
    return unknownValue('interval', String(interval), protobufNames(ReportIntervalSchema));
  }
  if (TimeBasis[timeBasis] === undefined) {
    return unknownValue('time_basis', String(timeBasis), protobufNames(TimeBasisSchema));
  }
  if (Compare[compare] === undefined) {
    return unknownValue('compare', String(compare), protobufNames(CompareSchema));
  }
  return undefined;
}

function parseGroupBy(names: readonly string[]): ReportQuery['groupBy'] | FieldError {
  const groupBy: (Dimension | typeof MODEL)[] = [];
  for (const name of names) {
    const dimension = name === MODEL ? MODEL : dimensionNamed(name);
    if (dimension === undefined) return unknownValue('group_by', name, [...FILTER_NAMES, MODEL]);
    if (groupBy.includes(dimension)) return { field: 'group_by', message: `group_by has ${name} twice` };
    groupBy.push(dimension);
  }
  if (groupBy.filter((name) => name !== MODEL).length <= MAX_DIMENSIONS) return groupBy;
  return { field: 'group_by', message: `group_by has more than ${MAX_DIMENSIONS} dimensions` };
}

/** All that rows are by or filtered by. */
export function neededBy({ by, filters }: Pick<ReportQuery, 'by' | 'filters'>): Dimension[] {
  return [...new Set([...by, ...filters.map(({ dimension }) => dimension)])];
}

/** Whether the dimension is what a conversion has, not its click. */
export function isOfConversion(dimension: Dimension): boolean {
  return dimension === 'conversion_type';
}

export const TOUCH_FIELDS = FIELDS.filter((field) => !isOfConversion(field));
