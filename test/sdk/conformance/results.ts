import { readFileSync } from 'node:fs';
import type { LanguageName } from './driver.ts';
import { COLUMNS, STATEMENTS } from './readme.ts';
import type { Outcome } from './run.ts';

export const PAGE = 'gen/CONFORMANCE.md';

/** By statement and language. */
export type Results = ReadonlyMap<string, ReadonlyMap<LanguageName, Outcome>>;

/** Longest part of a reason that the page has, in characters. */
const MAX_WHY = 300;

/** The text of gen/CONFORMANCE.md. */
export function conformancePage(results: Results, commit: string): string {
  const totals = COLUMNS.map((language) => {
    const verdicts = [...results.values()].map((outcomes) => outcomes.get(language)?.verdict);
    const count = (wanted: string) => verdicts.filter((verdict) => verdict === wanted).length;
    return `${count('holds')} hold, ${count('fails')} fail, ${count('skipped')} skipped`;
  });
  const rows = [...STATEMENTS].map(([number, text]) => {
    const verdicts = COLUMNS.map((language) => results.get(number)?.get(language)?.verdict ?? 'skipped');
    return row(number, shortened(text, 100).replaceAll('|', '\\|'), ...verdicts);
  });
  const reasons = Map.groupBy(
    [...results].flatMap(([number, outcomes]) =>
      [...outcomes].flatMap(([language, { verdict, why }]) =>
        verdict === 'holds' ? [] : [{ number, language, verdict, why }],
      ),
    ),
    ({ language, verdict, why }) => `${language}, ${verdict}: ${shortened(why, MAX_WHY)}`,
  );
  const lines = [...reasons].map(([reason, all]) => `- ${all.map(({ number }) => number).join(', ')}: ${reason}`);
  return `# Which client keeps to which statement

Made by \`npm run conformance\` at commit ${commit}, Node ${process.versions.node}; not to be edited. What the numbers mean
says [README.md](README.md); how each is tried, [test/sdk/conformance](../test/sdk/conformance).

${row('', '', ...COLUMNS)}
${row('---', '---', ...COLUMNS.map(() => '---'))}
${row('', 'all', ...totals)}
${rows.join('\n')}

## Why not

${lines.join('\n') || 'All hold.'}
`;
}

/** The statements that hold in a language, by the page as it is. */
export function heldBy(language: LanguageName): string[] {
  const page = readFileSync(PAGE, 'utf8');
  return rowsOf(page).flatMap(([number, , ...verdicts]) =>
    verdicts[COLUMNS.indexOf(language)] === 'holds' ? [number!] : [],
  );
}

/** The numbers that the page has rows for. */
export function numbersOnPage(): string[] {
  return rowsOf(readFileSync(PAGE, 'utf8')).map(([number]) => number!);
}

function rowsOf(page: string): string[][] {
  return page
    .split('\n')
    .filter((line) => line.startsWith('| C-'))
    .map((line) => line.slice(2, -2).split(/ (?<!\\)\| /));
}

function row(...cells: string[]): string {
  return `| ${cells.join(' | ')} |`;
}

function shortened(text: string, length: number): string {
  const line = text.replaceAll(/\s+/g, ' ');
  return line.length > length ? `${line.slice(0, length)}…` : line;
}
