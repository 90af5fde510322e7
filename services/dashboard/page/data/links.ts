import type { ReportFilter, RunReportRequest } from '../../../../gen/ts/clickmesh/v1/reports_pb.js';
import { Compare, ReportInterval, TimeBasis } from '../../../../gen/ts/clickmesh/v1/reports_pb.js';
import { NO_VALUE } from '../../../contract/shown.ts';
import { BASE } from './client.ts';
import { MAX_ROWS } from './report.ts';

const INTERVAL_NAMES: Readonly<Record<number, string>> = {
  [ReportInterval.HOUR]: 'hour',
  [ReportInterval.DAY]: 'day',
  [ReportInterval.WEEK]: 'week',
  [ReportInterval.MONTH]: 'month',
  [ReportInterval.NONE]: 'none',
};
const COMPARE_NAMES: Readonly<Record<number, string>> = {
  [Compare.PREVIOUS_PERIOD]: 'previous_period',
  [Compare.PREVIOUS_YEAR]: 'previous_year',
};

/** Filters as REST has them. */
export function appendFilters(params: URLSearchParams, filters: readonly ReportFilter[]): void {
  for (const { dimension, values, exclude } of filters) {
    for (const value of values) params.append(exclude ? `${dimension}!` : dimension, value || NO_VALUE);
  }
}

/** A report's parameters in REST; those that are as by default are left out. As many rows as a table shows. */
function parametersOf(request: RunReportRequest): URLSearchParams {
  const params = new URLSearchParams({ start_date: request.startDate, end_date: request.endDate });
  params.set('interval', INTERVAL_NAMES[request.interval] ?? 'day');
  const put = (name: string, value: string) => value !== '' && params.set(name, value);
  put('group_by', request.groupBy.join(','));
  appendFilters(params, request.filters);
  put('models', request.models.join(','));
  put('time_basis', request.timeBasis === TimeBasis.CLICK ? 'click' : '');
  put('order_by', request.orderBy);
  put('compare', COMPARE_NAMES[request.compare] ?? '');
  put('time_zone', request.timeZone);
  put('limit', String(MAX_ROWS));
  return params;
}

/** The report as REST answers it. @param format "csv" or another; JSON if undefined */
export function reportUrl(request: RunReportRequest, format?: string): string {
  const params = parametersOf(request);
  if (format !== undefined) params.set('format', format);
  return `${BASE}/api/v1/report?${params}`;
}

/** A command that a shell takes as it is. */
export function curlOf(url: string): string {
  return `curl ${quoted(url)}`;
}

/** The same by the command line, which prints it as a table. @param gross sums before refunds are shown */
export function statsCommandOf(request: RunReportRequest, gross: boolean): string {
  const options = [`--url ${quoted(BASE)}`];
  for (const [name, value] of parametersOf(request)) {
    const [, key] = /^metadata\.(.*[^!])$/s.exec(name) ?? [];
    if (key !== undefined) options.push(`--metadata ${quoted(`${key}=${value}`)}`);
    else if (name.endsWith('!')) options.push(`--exclude ${quoted(`${name.slice(0, -1)}=${value}`)}`);
    else options.push(`--${name === 'group_by' ? 'by' : name.replaceAll('_', '-')}=${quoted(value)}`);
  }
  return `npx clickmesh stats ${options.join(' ')}${gross ? ' --gross' : ''}`;
}

/** A word of a shell; quoted where it has to be. */
function quoted(text: string): string {
  return /^[\w.,:/@%+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
