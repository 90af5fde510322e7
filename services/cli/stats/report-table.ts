import { type Column, renderTable } from '../table.ts';
import { type Exact, money, spanText, timeText, withSigns } from './forms.ts';

type Measures = { [name: string]: Exact | undefined };

/** A row of GET /api/v1/report, with numbers by their text. */
export interface ReportRow extends Measures {
  date?: string;
  partial: boolean;
  /** Under several models the measures by model. */
  models?: { [model: string]: { [name: string]: Exact } };
  previous?: { [name: string]: Exact };
}

/** What GET /api/v1/report answers. */
export interface ReportAnswer {
  rows: ReportRow[];
  totals: ReportRow;
  unattributed: ReportRow;
  total_rows: string;
  next_page_token: string;
  stamp: {
    models: string[];
    time_zone: string;
    rollup: string;
    rollup_since: string;
    models_since: string[];
    complete_through: string;
    lag_ms: string;
    currency: string;
    truncated: string;
    compared_from: string;
    compared_until: string;
  };
}

/** What a table shows of a report. */
export interface Shown {
  groupBy: readonly string[];
  /** Also invalid clicks, gross sums and refunds. */
  gross?: boolean;
  compare?: boolean;
}

const MONEY = new Set(['revenue', 'gross_revenue', 'refunds']);
const NET = ['conversions', 'revenue', 'cvr'];
const GROSS = ['gross_conversions', 'gross_revenue', 'refunds'];

/** Rows, then the totals and what no click is credited for. */
export function reportTable(answer: ReportAnswer, shown: Shown): string {
  const { rows, totals, unattributed, total_rows: all } = answer;
  if (rows.length === 0 && totals.clicks === '0' && isNothing(unattributed)) return 'nothing counted in these days\n';
  const columns = columnsOf(answer, shown);
  const labels = new Map<ReportRow, string>([
    [totals, 'total'],
    [unattributed, 'unattributed'],
  ]);
  const [first, ...others] = columns;
  const label = { title: first!.title, text: (row: ReportRow) => labels.get(row) ?? first!.text(row) };
  // Of one row without a date and dimensions the totals say the same.
  const isOne = first!.right === true;
  const table = renderTable(
    withSigns(isOne ? [{ ...label, title: '', text: (row) => labels.get(row) ?? '' }, ...columns] : [label, ...others]),
    [...(isOne ? [] : rows), totals, unattributed],
  );
  const more = Number(all) - rows.length;
  const notes = [
    rows.some(({ partial, date }) => partial && date !== undefined)
      ? '* not the whole of the period, or it is not over\n'
      : '',
    more > 0 ? `${more} of ${all} rows are not shown, but in the totals: clickmesh stats --csv has all of them\n` : '',
  ];
  return table + notes.join('');
}

function isNothing({ conversions, gross_conversions: gross }: ReportRow): boolean {
  return conversions === '0' && gross === '0';
}

function columnsOf({ rows, totals }: ReportAnswer, { groupBy, gross, compare }: Shown): Column<ReportRow>[] {
  const models = totals.models === undefined ? [undefined] : Object.keys(totals.models);
  const clicks = gross ? ['clicks', 'invalid_clicks'] : ['clicks'];
  const counted = [
    ...clicks.map((name) => [name, undefined] as const),
    ...models.flatMap((model) => [...NET, ...(gross ? GROSS : [])].map((name) => [name, model] as const)),
  ];
  const dated = rows.some(({ date }) => date !== undefined) ? DATE : [];
  return [
    ...dated,
    ...groupBy.map((title) => ({ title, text: (row: ReportRow) => String(row[title] ?? '') })),
    ...counted.flatMap(([name, model]) => [measure(name, model), ...(compare ? [change(name, model)] : [])]),
  ];
}

const DATE: Column<ReportRow>[] = [
  { title: 'date', text: ({ date = '', partial }) => (date !== '' && partial ? `${date}*` : date) },
];

function measure(name: string, model: string | undefined): Column<ReportRow> {
  const title = model === undefined ? name : `${name}.${model}`;
  return { title, right: true, text: (row) => measureText(name, measureOf(row, name, model)) };
}

function measureText(name: string, value: string | undefined): string {
  if (value === undefined) return '';
  if (MONEY.has(name)) return money(value);
  return name === 'cvr' ? Number(value).toFixed(4) : value;
}

/** Undefined if the row has none. */
function measureOf(row: Measures, name: string, model: string | undefined): string | undefined {
  const measures = (model === undefined ? undefined : (row.models as ReportRow['models'])?.[model]) ?? row;
  const value = measures[name];
  return typeof value === 'string' ? value : undefined;
}

/** By how much a measure is more than it was, in percent, to a tenth. */
function change(name: string, model: string | undefined): Column<ReportRow> {
  return {
    title: '+/-',
    right: true,
    text: (row) => {
      const now = Number(measureOf(row, name, model) ?? Number.NaN);
      const before = Number(measureOf(row.previous ?? {}, name, model) ?? (name === 'cvr' ? Number.NaN : 0));
      if (Number.isNaN(now) || Number.isNaN(before)) return '';
      if (before === 0) return now === 0 ? '' : 'new';
      const percent = ((now - before) / Math.abs(before)) * 100;
      return `${percent < 0 ? '' : '+'}${percent.toFixed(1)}%`;
    },
  };
}

/** Lines for people on how a report was counted, and what its sums lack. */
export function stampText({ stamp }: ReportAnswer): string {
  const { models, time_zone: zone, currency, lag_ms: lag, complete_through: through } = stamp;
  const fresh = through === '0' ? '' : `; complete through ${timeText(through)}, lag ${spanText(lag)}`;
  const head = [models.join(', '), `days of ${zone}`, currency].filter((text) => text !== '').join(', ');
  const notes = [
    stamp.compared_from === '0'
      ? ''
      : `+/- is by ${timeText(stamp.compared_from)} to ${timeText(stamp.compared_until)}`,
    ...models.map((model, i) => since(`the model ${model}`, stamp.models_since[i] ?? '0')),
    since(`the rollup ${stamp.rollup}`, stamp.rollup_since),
    stamp.truncated === '0' ? '' : `${stamp.truncated} conversions shared among their newest clicks only`,
  ];
  return [`${head}${fresh}\n`, ...notes.filter((text) => text !== '').map((text) => `note: ${text}\n`)].join('');
}

function since(what: string, time: string): string {
  return time === '0' ? '' : `${what} is counted only from ${timeText(time)}`;
}
