import type { RunReportRequest } from '../../../../gen/ts/clickmesh/v1/reports_pb.js';
import { Compare, ReportInterval, TimeBasis } from '../../../../gen/ts/clickmesh/v1/reports_pb.js';
import { BASE } from './client.ts';

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

/** A report's parameters in REST; those that are as by default are left out. */
function parametersOf(request: RunReportRequest): URLSearchParams {
  const params = new URLSearchParams({ start_date: request.startDate, end_date: request.endDate });
  params.set('interval', INTERVAL_NAMES[request.interval] ?? 'day');
  const put = (name: string, value: string) => value !== '' && params.set(name, value);
  put('group_by', request.groupBy.join(','));
  for (const { dimension, values, exclude } of request.filters) {
    for (const value of values) params.append(exclude ? `${dimension}!` : dimension, value);
  }
  put('models', request.models.join(','));
  put('time_basis', request.timeBasis === TimeBasis.CLICK ? 'click' : '');
  put('order_by', request.orderBy);
  put('compare', COMPARE_NAMES[request.compare] ?? '');
  put('time_zone', request.timeZone);
  return params;
}

/** The report as REST answers it. @param format "csv" or another; JSON if undefined */
export function reportUrl(request: RunReportRequest, format?: string): string {
  const params = parametersOf(request);
  if (format !== undefined) params.set('format', format);
  return `${BASE}/api/v1/report?${params}`;
}

/** A command that a shell takes as it is. */
export function curlOf(request: RunReportRequest): string {
  return `curl '${reportUrl(request).replaceAll("'", '%27')}'`;
}
