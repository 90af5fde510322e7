import type { Figure, Scenario } from './scenario.ts';

/** A scenario with the figures of each of its runs. */
export interface Measured {
  scenario: Scenario;
  runs: Figure[][];
}

/** A figure over all runs. */
interface Row {
  figure: Figure;
  median: number;
  least: number;
  greatest: number;
}

/** The results page, in Markdown. */
export function resultsPage(
  machine: readonly (readonly [name: string, value: string])[],
  measured: readonly Measured[],
  runs: number,
): string {
  return [
    '# Results',
    'Made by `npm run bench`; nothing here is typed by hand. Each scenario runs against a mesh of its own: a fresh',
    `process on an empty folder, with the load generator beside it on the same cores. Figures are medians of ${runs}`,
    'interleaved runs, with the least and the greatest. An event counts only if it was found in ClickHouse in the end.',
    '',
    ...machine.map(([name, value]) => `- ${name}: ${value}`),
    ...measured.flatMap(section),
    '',
  ].join('\n');
}

function section({ scenario, runs }: Measured): string[] {
  return [
    '',
    `## ${scenario.name}`,
    scenario.method,
    '',
    '| figure | median | spread | unit | floor | |',
    '|---|--:|--:|---|---|---|',
    ...rows(runs).map(tableRow),
  ];
}

function rows(runs: readonly Figure[][]): Row[] {
  return runs[0]!.map((figure, i) => {
    const values = runs.map((figures) => figures[i]!.value).sort((a, b) => a - b);
    return { figure, median: median(values), least: values[0]!, greatest: values.at(-1)! };
  });
}

function median(ascending: number[]): number {
  const middle = (ascending.length - 1) / 2;
  return (ascending[Math.floor(middle)]! + ascending[Math.ceil(middle)]!) / 2;
}

function tableRow({ figure: { name, unit, floor }, median, least, greatest }: Row): string {
  const cells = [name, digits(median), `${digits(least)} – ${digits(greatest)}`, unit, ...floorCells(floor, median)];
  return `| ${cells.join(' | ')} |`;
}

function floorCells(floor: Figure['floor'], value: number): [string, string] {
  if (floor === undefined) return ['', ''];
  const [sign, limit, holds] =
    'atLeast' in floor ? ['≥', floor.atLeast, value >= floor.atLeast] : ['≤', floor.atMost, value <= floor.atMost];
  return [`${sign} ${digits(limit)}`, holds ? 'holds' : '**missed**'];
}

/** Three significant digits, or all of a whole number's. */
function digits(value: number): string {
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString('en-US');
  return String(Number(value.toPrecision(3)));
}
