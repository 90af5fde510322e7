import type { ReportFilter } from '../../../gen/ts/clickmesh/v1/reports_pb.js';
import { beginOfDay, parseDays, parseTimeZone } from '../requests/dates.ts';
import type { FieldError } from '../requests/field-error.ts';
import { type Filter, parseFilters } from '../requests/filters.ts';

/** Conversions of a time: in ms since 1970-01-01 UTC, `until` exclusive. */
export interface Span {
  from: number;
  until: number;
}

/** Conversions of a time and with filters. */
export interface Scope extends Span {
  /** On the conversion's type. */
  types: readonly Filter[];
  /** On clicks. */
  clicks: readonly Filter[];
}

interface Scoped {
  startDate: string;
  endDate: string;
  timeZone: string;
}

/** @param defaultZone that of a request which names none */
export function parseSpan({ startDate, endDate, timeZone }: Scoped, defaultZone: string): Span | FieldError {
  const days = parseDays(startDate, endDate);
  if ('field' in days) return days;
  const zone = parseTimeZone(timeZone || defaultZone);
  if (typeof zone !== 'string') return zone;
  return { from: beginOfDay(days.start, zone), until: beginOfDay(days.end + 1, zone) };
}

export function parseScope(
  request: Scoped & { filters: readonly ReportFilter[] },
  defaultZone: string,
): Scope | FieldError {
  const span = parseSpan(request, defaultZone);
  if ('field' in span) return span;
  const filters = parseFilters(request.filters);
  if ('field' in filters) return filters;
  const isOfType = ({ dimension }: Filter) => dimension === 'conversion_type';
  return { ...span, types: filters.filter(isOfType), clicks: filters.filter((each) => !isOfType(each)) };
}
