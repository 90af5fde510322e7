import { type FigureName, GOALS, type Goal } from './goals.ts';
import type { Figure, Scenario, Subject } from './scenario.ts';

/** A scenario with the figures of each of its runs. */
export interface Measured {
  scenario: Scenario<Subject>;
  /** Undefined for a run that failed. */
  runs: (Figure[] | undefined)[];
  /** Why runs failed. */
  failures: string[];
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
    'Made by `npm run bench`; nothing here is typed by hand. Each scenario runs on processes of its own, started',
    `on an empty folder, with the load generator beside it on the same cores. Figures are medians of ${runs}`,
    'interleaved runs, or of fewer where it says so, with the least and the greatest. An event counts only if it was found in ClickHouse in the end.',
    '',
    ...machine.map(([name, value]) => `- ${name}: ${value}`),
    ...goalSection(measured),
    ...measured.flatMap(section),
    '',
  ].join('\n');
}

/**
 * The page with the sections of some scenarios measured apart from all others, each saying how, and with the goals that
 * are of these alone; they take the place of those that were there, or come last.
 */
export function withSections(page: string, measured: readonly Measured[], how: string): string {
  const [head, goals, ...sections] = page.trimEnd().split(/\n(?=## )/);
  const rows = new Map(
    goals!
      .trimEnd()
      .split('\n')
      .map((row) => [row.split(' | ', 1)[0], row]),
  );
  for (const goal of GOALS) {
    if (![goal.ours, ...(goal.per ?? [])].every(([name]) => measured.some(({ scenario }) => scenario.name === name))) {
      continue;
    }
    const row = goalRow(goal, measured);
    rows.set(row.split(' | ', 1)[0], row);
  }
  const byName = new Map(sections.map((text) => [/^## (.*)/.exec(text)![1], `${text.trimEnd()}\n`]));
  for (const each of measured) {
    const [, title, method, ...figures] = section(each);
    byName.set(each.scenario.name, [title, method, '', how, ...figures, ''].join('\n'));
  }
  return [`${head!.trimEnd()}\n`, `${[...rows.values()].join('\n')}\n`, ...byName.values()].join('\n');
}

/** The goals, and whether they were reached. Ratios are made of each run; their median and spread are shown. */
function goalSection(measured: readonly Measured[]): string[] {
  return [
    '',
    '## Goals',
    '| goal | figure | compared with | result | spread | must | aim | |',
    '|---|--:|--:|--:|--:|---|---|---|',
    ...GOALS.map((goal) => goalRow(goal, measured)),
  ];
}

function goalRow(goal: Goal, measured: readonly Measured[]): string {
  const { work, ours, per, better, must, aim } = goal;
  const sign = better === 'more' ? '≥' : '≤';
  const limits = [`${sign} ${digits(must)}`, `${sign} ${digits(aim)}`];
  const own = valuesOf(ours, measured);
  const others = per?.map((name) => valuesOf(name, measured)).filter((values) => isMeasured(values));
  if (!isMeasured(own) || others?.length === 0)
    return `| ${[work, isMeasured(own) ? digits(medianOf(own)) : '', '', 'not measured', '', ...limits, ''].join(' | ')} |`;
  const other = others?.reduce((best, values) => (beats(better, medianOf(values), medianOf(best)) ? values : best));
  const ratios = own.map((value, run) => value / (other === undefined ? 1 : other[run]!));
  const { median: result, least, greatest } = summary(ratios);
  const verdict = beats(better, result, aim) ? 'aim' : beats(better, result, must) ? 'must' : '**missed**';
  const figures = other === undefined ? ['', ''] : [digits(medianOf(own)), digits(medianOf(other))];
  const spread = `${digits(least)} – ${digits(greatest)}`;
  return `| ${[work, ...figures, digits(result), spread, ...limits, verdict].join(' | ')} |`;
}

/** By run, NaN for those that failed; empty if it was not measured at all. */
function valuesOf([name, figure]: FigureName, measured: readonly Measured[]): number[] {
  const runs = measured.find(({ scenario }) => scenario.name === name)?.runs ?? [];
  return runs.map((figures) => {
    if (figures === undefined) return Number.NaN;
    const found = figures.find((each) => each.name === figure);
    if (found === undefined) throw new Error(`${name} has no figure "${figure}"`);
    return found.value;
  });
}

function isMeasured(values: readonly number[]): boolean {
  return values.some((value) => !Number.isNaN(value));
}

/** Whether a value is as good as a limit, or better. */
function beats(better: Goal['better'], value: number, limit: number): boolean {
  return better === 'more' ? value >= limit : value <= limit;
}

function medianOf(values: readonly number[]): number {
  return summary(values).median;
}

function section({ scenario, runs, failures }: Measured): string[] {
  const done = runs.filter((figures) => figures !== undefined);
  return [
    '',
    `## ${scenario.name}`,
    done.length === runs.length ? scenario.method : `${scenario.method} ${done.length} runs.`,
    '',
    ...failures.flatMap((failure) => [`**Failed** in ${failure}`, '']),
    '| figure | median | spread | unit | floor | |',
    '|---|--:|--:|---|---|---|',
    ...rows(done).map(tableRow),
  ];
}

function rows([first = [], ...others]: readonly Figure[][]): Row[] {
  return first.map((figure, i) => ({
    figure,
    ...summary([figure, ...others.map((run) => run[i]!)].map((f) => f.value)),
  }));
}

/** Of the values that are there. */
function summary(values: readonly number[]): Omit<Row, 'figure'> {
  const ascending = values.filter((value) => !Number.isNaN(value)).sort((a, b) => a - b);
  const middle = (ascending.length - 1) / 2;
  const median = (ascending[Math.floor(middle)]! + ascending[Math.ceil(middle)]!) / 2;
  return { median, least: ascending[0]!, greatest: ascending.at(-1)! };
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
