/** What is shown for the empty value of a dimension, and stands for it in a filter, as no parameter may be empty. */
export const NO_VALUE = '(none)';

/** The steps of a path, first to last, as a table and CSV have them. */
export function pathText({ steps, longer }: { steps: readonly string[]; longer: boolean }): string {
  return [...(longer ? ['…'] : []), ...steps.map((step) => step || NO_VALUE)].join(' > ');
}

/** What a spreadsheet takes for a formula, or after what it looks for one. */
const FORMULA = /^[=+\-@\t\r\n＝＋－＠]/;

/** A text that is a text to a spreadsheet, too. */
export function harmless(text: string): string {
  return FORMULA.test(text) ? `'${text}` : text;
}

/** A line of CSV, as RFC 4180 has it. */
export function csvLine(cells: readonly string[]): string {
  return `${cells.map(cell).join(',')}\r\n`;
}

function cell(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
