import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { isInstalled } from '../../codegen/languages.ts';
import { buildDriver, type LanguageName, PROGRAMS } from './driver.ts';
import { COLUMNS, STATEMENTS } from './readme.ts';
import { conformancePage, PAGE } from './results.ts';
import { type Outcome, startSharedMesh } from './run.ts';

/**
 * Holds every client to every statement and writes gen/CONFORMANCE.md. `--only C-031,C-032` and `--language go` try a
 * part, and write nothing. The languages run beside each other: most statements wait.
 */
const { values } = parseArgs({ options: { only: { type: 'string' }, language: { type: 'string' } } });
const only = values.only?.split(',');
const languages = (values.language?.split(',') as LanguageName[] | undefined) ?? COLUMNS;
const isWhole = only === undefined && values.language === undefined;

const results = new Map([...STATEMENTS.keys()].map((number) => [number, new Map<LanguageName, Outcome>()]));

function note(language: LanguageName, number: string, outcome: Outcome): void {
  results.get(number)!.set(language, outcome);
  process.stdout.write(`${number} ${language}: ${outcome.verdict}${outcome.why && `: ${outcome.why}`}\n`);
}

/** Why a language can't be tried at all. */
function whyNot(language: LanguageName): string | undefined {
  return isInstalled(PROGRAMS[language].language) ? buildDriver(language) : 'its tools are not installed';
}

const numbers = only ?? [...STATEMENTS.keys()];
const reasons = new Map(languages.map((language) => [language, whyNot(language)]));
await using mesh = await startSharedMesh();
await Promise.all(
  languages.map(async (language) => {
    const why = reasons.get(language);
    for (const number of numbers) {
      note(language, number, why === undefined ? await mesh.try(language, number) : { verdict: 'skipped', why });
    }
  }),
);
if (isWhole) {
  const commit = execFileSync('git', ['rev-parse', '--short=8', 'HEAD'], { encoding: 'utf8' }).trim();
  writeFileSync(PAGE, conformancePage(results, commit));
}
const failing = [...results.values()].flatMap((outcomes) => [...outcomes.values()]);
process.exitCode = failing.some(({ verdict }) => verdict === 'fails') ? 1 : 0;
