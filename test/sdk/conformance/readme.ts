import { readFileSync } from 'node:fs';
import type { LanguageName } from './driver.ts';

const README = readFileSync('gen/README.md', 'utf8');
export const COLUMNS: readonly LanguageName[] = ['typescript', 'python', 'go', 'java'];

/** The statements of gen/README.md, by number, in its order. */
export const STATEMENTS: ReadonlyMap<string, string> = new Map(
  [...README.matchAll(/^- \*\*(C-\d{3})\*\* (.*(?:\n {2}.*)*)/gm)].map(([, number, text]) => [
    number!,
    text!.replaceAll(/\s+/g, ' '),
  ]),
);

/** Names of calls and options of a language: those that its column of a table says first. */
export function namesOf(language: LanguageName): string[] {
  const column = 2 + COLUMNS.indexOf(language);
  const names = README.slice(README.indexOf('\n## Names'), README.indexOf('\n## Rules of events'))
    .split('\n')
    .filter((line) => line.startsWith('| ') && !line.includes('TypeScript'))
    .flatMap((line) => [...line.split(/(?<!\\)\|/)[column]!.matchAll(/`(?:new |ClickmeshClient\.)?\*?(\w+)/g)])
    .map(([, name]) => name!);
  return [...new Set(names)];
}
