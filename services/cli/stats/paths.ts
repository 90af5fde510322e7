import { Option } from 'commander';
import { pathText } from '../../contract/shown.ts';
import { filled } from '../options.ts';
import { print } from '../print.ts';
import { getText } from '../reach-mesh.ts';
import { type Column, renderTable } from '../table.ts';
import { addForms, csvOf, exactly, type Forms, linesOf, money, spanText } from './forms.ts';
import { asking, CALL_TIMEOUT_MS, parametersOf, type Question } from './question.ts';

interface PathsQuestion extends Question {
  dimension?: string;
  collapseRepeats?: boolean;
  maxSteps?: string;
  minTouches?: string;
}

/** A path of GET /api/v1/paths, with numbers by their text. */
export interface Path {
  steps: string[];
  longer: boolean;
  conversions: string;
  revenue: string;
  share: string;
  median_lag_ms: string;
  median_last_lag_ms: string;
}

export interface PathsAnswer {
  paths: Path[];
  conversions: string;
  total_paths: string;
  revenue: string;
}

/** `clickmesh paths`: what TopPaths answers. */
export const pathsCommand = addForms(asking('paths'))
  .description('Show the sequences of clicks that conversions came by, the most frequent first.')
  .addOption(new Option('--dimension <name>', 'what a step is').choices(['campaign_id', 'ad_id', 'source']))
  .option('--collapse-repeats', 'steps that repeat the one before count as one')
  .option('--max-steps <n>', 'longest path told apart; of longer ones the last steps are told (default: 8)', filled)
  .option('--min-touches <n>', 'only conversions of so many touches and more', filled)
  .addHelpText('after', '\nExample:\n  clickmesh paths --dimension source --collapse-repeats --limit 10')
  .action(async (question: PathsQuestion & Forms) => {
    const { dimension, collapseRepeats, maxSteps, minTouches } = question;
    const collapse = collapseRepeats ? 'true' : undefined;
    const steps = { collapse_repeats: collapse, max_steps: maxSteps, min_touches: minTouches };
    const parameters = await parametersOf(question, { dimension, ...steps });
    const json = await getText(question.url, `/api/v1/paths?${parameters}`, CALL_TIMEOUT_MS);
    if (question.json) return print(`${json}\n`);
    if (question.ndjson) return print(linesOf(json, 'paths'));
    const answer = exactly<PathsAnswer>(json);
    print(question.csv ? csvOf(CSV_COLUMNS, answer.paths, question) : pathsTable(answer));
  });

export function pathsTable({ paths, conversions, revenue, total_paths: all }: PathsAnswer): string {
  if (paths.length === 0) return 'no attributed conversions in these days\n';
  const total = `${conversions} conversions with ${money(revenue)} took ${all} paths`;
  const shown = Number(all) > paths.length ? `; the first ${paths.length} are shown` : '';
  return `${renderTable(TABLE_COLUMNS, paths)}${total}${shown}\n`;
}

const CONVERSIONS: Column<Path> = { title: 'conversions', text: (row) => row.conversions, right: true };
const TABLE_COLUMNS: Column<Path>[] = [
  CONVERSIONS,
  { title: 'share', text: (row) => `${(Number(row.share) * 100).toFixed(1)}%`, right: true },
  { title: 'revenue', text: (row) => money(row.revenue), right: true },
  { title: 'median lag', text: (row) => spanText(row.median_lag_ms), right: true },
  { title: 'from the last', text: (row) => spanText(row.median_last_lag_ms), right: true },
  { title: 'path', text: pathText },
];

/** Named as by REST, with all digits. */
const CSV_COLUMNS: Column<Path>[] = [
  { title: 'path', text: pathText },
  { title: 'longer', text: (row) => String(row.longer) },
  CONVERSIONS,
  { title: 'revenue', text: (row) => row.revenue, right: true },
  { title: 'share', text: (row) => row.share, right: true },
  { title: 'median_lag_ms', text: (row) => row.median_lag_ms, right: true },
  { title: 'median_last_lag_ms', text: (row) => row.median_last_lag_ms, right: true },
];
