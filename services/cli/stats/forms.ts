import { type Command, Option } from 'commander';
import { csvLine, harmless } from '../../contract/shown.ts';
import type { Column } from '../table.ts';

/** How an answer is to be written; as a table if none of the first three is set. */
export interface Forms {
  csv?: boolean;
  json?: boolean;
  ndjson?: boolean;
  raw?: boolean;
  bom?: boolean;
}

export function addForms(command: Command): Command {
  return command
    .addOption(new Option('--csv', 'with a header line').conflicts(['json', 'ndjson']))
    .addOption(new Option('--json', 'as REST answers').conflicts('ndjson'))
    .option('--ndjson', 'a line of JSON for each row')
    .option('--raw', 'leave cells of CSV as they are, even those that a spreadsheet would run as formulas')
    .option('--bom', 'begin CSV with a byte order mark, by which some spreadsheets know UTF-8');
}

/** A value of JSON, with numbers by their text in it: none loses a digit. */
export type Exact = string | boolean | null | Exact[] | { [name: string]: Exact };

export function exactly<T>(json: string): T {
  return JSON.parse(json, (_, value, { source }) => (typeof value === 'number' ? source : value)) as T;
}

/** The list `name` of an answer, a line of JSON for each item, with the digits of their numbers. */
export function linesOf(json: string, name: string): string {
  const answer = JSON.parse(json, (_, value, { source }) =>
    typeof value === 'number' ? JSON.rawJSON(source!) : value,
  ) as Record<string, unknown[]>;
  return answer[name]!.map((item) => `${JSON.stringify(item)}\n`).join('');
}

/** Rows as CSV. Numbers are no formulas: columns that stand right are left as they are. */
export function csvOf<Row>(columns: readonly Column<Row>[], rows: readonly Row[], { raw, bom }: Forms): string {
  const cells = rows.map((row) => columns.map(({ text, right }) => (raw || right ? text(row) : harmless(text(row)))));
  return (bom ? '\ufeff' : '') + [columns.map(({ title }) => title), ...cells].map(csvLine).join('');
}

/** The sign in a table for a cell without a value. */
const NONE = '–';

/** The columns with a sign where there is nothing, as people look at them. */
export function withSigns<Row>(columns: readonly Column<Row>[]): Column<Row>[] {
  return columns.map((column) => ({ ...column, text: (row: Row) => column.text(row) || NONE }));
}

/** An amount with at least two decimals. */
export function money(text: string | undefined): string {
  if (text === undefined) return '';
  const [whole, fraction = ''] = text.split('.') as [string, string?];
  return `${whole}.${fraction.padEnd(2, '0')}`;
}

/** Milliseconds since 1970 as a time of UTC. */
export function timeText(ms: string): string {
  return new Date(Number(ms)).toISOString();
}

const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1000],
] as const;

/** A span with its two greatest units, the rest cut off; below a second in ms. */
export function spanText(ms: string): string {
  let left = Number(ms);
  const told: string[] = [];
  for (const [unit, size] of UNITS) {
    const count = Math.floor(left / size);
    left -= count * size;
    if (count > 0 && told.length < 2) told.push(`${count} ${unit}`);
    else if (told.length > 0) break;
  }
  return told.join(' ') || `${ms} ms`;
}
