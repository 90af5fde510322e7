/** A column: what it is called and how a row shows there. Numbers stand right. */
export interface Column<Row> {
  title: string;
  text(row: Row): string;
  right?: boolean;
}

/** Lines of aligned columns under their titles. */
export function renderTable<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string {
  const cells = [columns.map(({ title }) => title), ...rows.map((row) => columns.map(({ text }) => text(row)))];
  const widths = columns.map((_, i) => cells.reduce((width, row) => Math.max(width, row[i]!.length), 0));
  const line = (row: string[]) =>
    row
      .map((cell, i) => (columns[i]!.right ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)))
      .join('  ')
      .trimEnd();
  return cells.map((row) => `${line(row)}\n`).join('');
}
