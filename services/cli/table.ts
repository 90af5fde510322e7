import { oneLine, widthOf } from './print.ts';

/** A column: what it is called and how a row shows there. Numbers stand right. */
export interface Column<Row> {
  title: string;
  text(row: Row): string;
  right?: boolean;
}

/** Lines of aligned columns under their titles; whatever is in a cell, it stays one line. */
export function renderTable<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string {
  const cells = [columns.map(({ title }) => title), ...rows.map((row) => columns.map(({ text }) => text(row)))].map(
    (row) => row.map((cell) => oneLine(cell)).map((text) => ({ text, width: widthOf(text) })),
  );
  const widths = columns.map((_, i) => cells.reduce((width, row) => Math.max(width, row[i]!.width), 0));
  const line = (row: (typeof cells)[number]) =>
    row
      .map(({ text, width }, i) => {
        const blanks = ' '.repeat(widths[i]! - width);
        return columns[i]!.right ? blanks + text : text + blanks;
      })
      .join('  ')
      .trimEnd();
  return cells.map((row) => `${line(row)}\n`).join('');
}
