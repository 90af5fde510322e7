import { csvLine, harmless } from '../../../contract/shown.ts';

/** How long a file stays in memory for the browser to write it, in ms. */
const KEPT_MS = 60_000;

export interface CsvColumn<Row> {
  /** As REST calls it. */
  name: string;
  text(row: Row): string;
  /** A number is no formula, so that a minus stays. */
  isNumber?: boolean;
}

/** Hands rows to the browser as a file, written as `clickmesh … --csv` writes them. @param name without its ending */
export function saveCsv<Row>(name: string, columns: readonly CsvColumn<Row>[], rows: readonly Row[]): void {
  const cells = rows.map((row) => columns.map(({ text, isNumber }) => (isNumber ? text(row) : harmless(text(row)))));
  const lines = [columns.map((column) => column.name), ...cells].map(csvLine);
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob(lines, { type: 'text/csv' }));
  link.download = `${name}.csv`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), KEPT_MS);
}
