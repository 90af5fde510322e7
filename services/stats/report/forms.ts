import { promisify } from 'node:util';
import zlib from 'node:zlib';
import { ReportInterval, type ReportStamp, ReportStampSchema } from '../../../gen/ts/clickmesh/v1/reports_pb.js';
import { csvLine, harmless } from '../../contract/shown.ts';
import type { HttpResponse } from '../../http/exchange/http-message.ts';
import { type FieldError, unknownValue } from '../requests/field-error.ts';
import { REPORT_FORMS, REPORT_TYPES as TYPES } from '../rest-api.ts';
import { CLICK_MEASURES, type ClickMeasure, MODEL_MEASURES, type ModelMeasure } from './order.ts';
import type { ReportQuery } from './report-query.ts';
import { cvrOf, type Measures, type Report, type Row } from './run-report.ts';

type Format = keyof typeof TYPES;

/** How an answer is to be written. */
export interface Form {
  format: Format;
  /** CSV's cells as they are, even those that a spreadsheet would run. */
  raw: boolean;
  /** CSV begins with a byte order mark, by which some spreadsheets know UTF-8. */
  bom: boolean;
  /** The query without what says so. */
  rest: string;
}

/** What of a query, or else of the accept header, says how an answer is to be written. */
export function readForm(query: string, accept: string | undefined): Form | FieldError {
  const formed = new Map<string, string>();
  const rest: string[] = [];
  for (const pair of query.split('&')) {
    const [name, value = ''] = pair.split('=');
    if (!Object.hasOwn(REPORT_FORMS, name!)) rest.push(pair);
    else if (formed.has(name!)) return { field: name!, message: `${name} is given more than once` };
    else formed.set(name!, value);
  }
  const format = formed.get('format') ?? accepted(accept);
  if (!Object.hasOwn(TYPES, format)) return unknownValue('format', format, Object.keys(TYPES));
  for (const name of ['raw', 'bom']) {
    const value = formed.get(name) ?? 'false';
    if (value !== 'true' && value !== 'false') return unknownValue(name, value, ['true', 'false']);
  }
  const is = (name: string) => formed.get(name) === 'true';
  return { format: format as Format, raw: is('raw'), bom: is('bom'), rest: rest.join('&') };
}

function accepted(accept = ''): Format {
  const types = accept.split(',').map((each) => each.split(';')[0]!.trim().toLowerCase());
  return (Object.keys(TYPES) as Format[]).find((format) => types.includes(TYPES[format])) ?? 'json';
}

/** Bytes from which on an answer is worth compressing. */
const MIN_GZIP_BYTES = 1024;
const gzip = promisify(zlib.gzip);

export async function answerOf(
  report: Report,
  query: ReportQuery,
  form: Form,
  acceptEncoding: string | string[] | undefined,
): Promise<HttpResponse> {
  const headers: Record<string, string> = {
    'content-type': form.format === 'csv' ? 'text/csv; charset=utf-8; header=present' : TYPES[form.format],
    vary: 'accept, accept-encoding',
  };
  if (form.format !== 'json') {
    headers['clickmesh-total-rows'] = String(report.totalRows);
    if (report.nextPageToken !== '') headers['clickmesh-next-page-token'] = report.nextPageToken;
  }
  const body = Buffer.from(textOf(report, query, form));
  if (body.length < MIN_GZIP_BYTES || !takesGzip(String(acceptEncoding ?? ''))) return { status: 200, headers, body };
  return { status: 200, headers: { ...headers, 'content-encoding': 'gzip' }, body: await gzip(body) };
}

function takesGzip(acceptEncoding: string): boolean {
  return acceptEncoding.split(',').some((each) => /^\s*(gzip|\*)\s*(;\s*q=(1|1\.0*|0?\.\d*[1-9]\d*)\s*)?$/i.test(each));
}

function textOf(report: Report, query: ReportQuery, { format, raw, bom }: Form): string {
  switch (format) {
    case 'json':
      return reportJson(report, query);
    case 'ndjson':
      return report.rows.map((row) => `${rowJson(row, query)}\n`).join('');
    case 'csv':
      return (bom ? '\ufeff' : '') + csv(report, query, raw);
  }
}

/** What GET /api/v1/report answers. */
export function reportJson(
  { rows, totals, unattributed, totalRows, nextPageToken, stamp }: Report,
  query: ReportQuery,
): string {
  const fields: Member[] = [
    ['rows', `[${rows.map((row) => rowJson(row, query)).join(',\n')}]`],
    ['totals', rowJson(totals, query)],
    ['unattributed', unattributedJson(unattributed)],
    ['total_rows', String(totalRows)],
    ['next_page_token', JSON.stringify(nextPageToken)],
    ['stamp', stampJson(stamp)],
  ];
  return `${objectOf(fields, ',\n')}\n`;
}

/** The stamp with the names of its fields, and numbers as such: none of them is beyond 2^53. */
function stampJson(stamp: ReportStamp): string {
  const { lookbacks, ...rest } = stamp;
  const named = ReportStampSchema.fields.map(({ name, localName }) => [name, rest[localName as keyof typeof rest]]);
  const windows = lookbacks.map((each) => ({ conversion_type: each.conversionType, lookback_ms: each.lookbackMs }));
  const fields = { ...Object.fromEntries(named), lookbacks: windows };
  return JSON.stringify(fields, (_, value) => (typeof value === 'bigint' ? Number(value) : value));
}

/** A member of an object. */
type Member = readonly [name: string, json: string];

function objectOf(members: readonly Member[], between = ','): string {
  return `{${members.map(([name, text]) => `${JSON.stringify(name)}:${text}`).join(between)}}`;
}

/** Measures of what no click is credited for. */
const CREDITED = MODEL_MEASURES.filter((name) => name !== 'cvr');

function rowJson(row: Row, query: ReportQuery): string {
  const { date, values } = row;
  return objectOf([
    ...(date === '' ? [] : [['date', JSON.stringify(date)] as const]),
    ...values.map((value, i) => [query.groupBy[i]!, JSON.stringify(value)] as const),
    ...countedJson(row),
    partial(row),
    ...previousJson(row, (previous) => objectOf(countedJson(previous))),
  ]);
}

function unattributedJson(row: Row): string {
  const measures = (of: Row) => measuresJson(of, of.models[0]!, CREDITED);
  return objectOf([...measures(row), partial(row), ...previousJson(row, (previous) => objectOf(measures(previous)))]);
}

function partial(row: Row): Member {
  return ['partial', String(row.partial)];
}

function previousJson({ previous }: Row, write: (row: Row) => string): Member[] {
  return previous === undefined ? [] : [['previous', write(previous)]];
}

/** Under one model as if there were no others, under several by their names. */
function countedJson(row: Row): Member[] {
  const clicks = CLICK_MEASURES.map((name) => [name, String(clicksOf(row, name))] as const);
  if (row.models.length === 1) {
    const [first, second] = clicks as [Member, Member];
    const [conversions, revenue, cvr, ...gross] = measuresJson(row, row.models[0]!, MODEL_MEASURES);
    return [first, conversions!, revenue!, cvr!, second, ...gross];
  }
  const models = row.models.map((each) => [each.model, objectOf(measuresJson(row, each, MODEL_MEASURES))] as const);
  return [...clicks, ['models', objectOf(models)]];
}

function measuresJson(row: Row, measures: Measures, names: readonly ModelMeasure[]): Member[] {
  return names.map((name) => [name, measureText(row, measures, name) || 'null']);
}

function clicksOf({ clicks, invalidClicks }: Row, name: ClickMeasure): bigint {
  return name === 'clicks' ? clicks : invalidClicks;
}

/** With all of its digits; empty of what there is none. */
function measureText(row: Row, measures: Measures, name: ModelMeasure): string {
  switch (name) {
    case 'conversions':
      return units(measures.conversions);
    case 'revenue':
      return units(measures.revenue);
    case 'cvr':
      return String(cvrOf(row, measures) ?? '');
    case 'gross_conversions':
      return units(measures.grossConversions);
    case 'gross_revenue':
      return units(measures.grossRevenue);
    case 'refunds':
      return units(measures.refunds);
  }
}

const MILLION = 1_000_000n;

/** An amount of micros in units. */
export function units(micros: bigint): string {
  const size = micros < 0n ? -micros : micros;
  const fraction = (size % MILLION).toString().padStart(6, '0').replace(/0+$/, '');
  return `${micros < 0n ? '-' : ''}${size / MILLION}${fraction === '' ? '' : `.${fraction}`}`;
}

/** Rows with their names, as RFC 4180 has them; several models side by side have their name before the measure's. */
function csv({ rows }: Report, query: ReportQuery, raw: boolean): string {
  const models = query.groupBy.includes('model') || query.models.length === 1 ? [''] : query.models;
  const measures = models.flatMap((model) => MODEL_MEASURES.map((name) => (model === '' ? name : `${model}.${name}`)));
  const counted = [...CLICK_MEASURES, ...measures];
  const hasPrevious = query.compare !== 0;
  const hasDate = query.interval !== ReportInterval.NONE;
  const head = [
    ...(hasDate ? ['date'] : []),
    ...query.groupBy,
    ...counted,
    'partial',
    ...(hasPrevious ? counted.map((name) => `previous.${name}`) : []),
  ];
  const lines = rows.map((row) => [
    ...(hasDate ? [row.date] : []),
    ...row.values.map((value) => (raw ? value : harmless(value))),
    ...countedCells(row),
    String(row.partial),
    ...(hasPrevious ? (row.previous === undefined ? counted.map(() => '') : countedCells(row.previous)) : []),
  ]);
  return [head, ...lines].map(csvLine).join('');
}

function countedCells(row: Row): string[] {
  const ofModels = row.models.flatMap((each) => MODEL_MEASURES.map((name) => measureText(row, each, name)));
  return [...CLICK_MEASURES.map((name) => String(clicksOf(row, name))), ...ofModels];
}
