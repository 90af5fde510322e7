import { existsSync, readFileSync } from 'node:fs';

/** Prints how many tests vitest's reports have in all. Each run knows every test, and skips those of the others. */
const runs = process.argv
  .slice(2)
  .map((path) => (existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : undefined));
const sum = (name) => runs.reduce((total, run) => total + (run?.[name] ?? 0), 0);
const passed = sum('numPassedTests');
const failed = sum('numFailedTests');
const all = Math.max(...runs.map((run) => run?.numTotalTests ?? 0));

/** Files that failed before their tests began, and runs that did not come to their end. */
const files = runs.flatMap((run) => run?.testResults ?? []).filter(({ status }) => status === 'failed');
const broken = files.filter(({ assertionResults }) => assertionResults.every(({ status }) => status !== 'failed'));
const more = new Set(broken.map(({ name }) => name)).size + runs.filter((run) => run === undefined).length;
process.stdout.write(`${passed} passed, ${failed + more} failed, ${all - passed - failed} skipped\n`);
