import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { expect, test } from 'vitest';

/** What the linter can't know: which files there are, who may import whom, and what must not be written anywhere. */
const MAX_LINES = 400;
const BANNED_NAMES = /^(utils?|helpers?|misc|common|lib)(\.|$)/;

/** Files that are run, not imported. */
const ENTRY_POINTS = [
  /^services\/cli\/(clickmesh\.js|main\.ts)$/,
  /[/-](worker|writer|child)\.ts$/,
  /\.test\.ts$/,
  /\.d\.ts$/,
  /^test\/check-[a-z]+\.ts$/,
  /^test\/(bench|codegen)\/(main|protoc-gen-openapi)\.ts$/,
  /^vitest\.config\.ts$/,
];

const tracked = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], { encoding: 'utf8' })
  .split('\n')
  .filter((path) => path !== '' && existsSync(path));
const sources = tracked.filter((path) => /^(services|test)\/.*\.(ts|js)$/.test(path));

function importsOf(path: string): string[] {
  const text = readFileSync(path, 'utf8');
  return [...text.matchAll(/(?:from|import|URL)\s*\(?\s*'(\.[^']+)'/g)].map(([, to]) =>
    normalize(join(dirname(path), to!)),
  );
}

test(`no source is longer than ${MAX_LINES} lines`, () => {
  const long = sources.filter((path) => readFileSync(path, 'utf8').split('\n').length > MAX_LINES + 1);
  expect(long).toEqual([]);
});

test('no folder or file has a name that says nothing', () => {
  expect(sources.filter((path) => path.split('/').some((part) => BANNED_NAMES.test(part)))).toEqual([]);
});

const PLATFORM = ['contract', 'system', 'telemetry', 'log', 'http', 'clickhouse'];

test('a service imports the platform but no other service; only processes and the CLI put services together', () => {
  const serviceOf = (path: string) => /^services\/([^/]+)\//.exec(path)?.[1];
  const wrong = sources
    .filter((path) => !path.endsWith('.test.ts') && !['processes', 'cli', ...PLATFORM, undefined].includes(serviceOf(path)))
    .flatMap((path) =>
      importsOf(path)
        .filter((to) => serviceOf(to) !== undefined && ![serviceOf(path), ...PLATFORM].includes(serviceOf(to)!))
        .map((to) => `${path} imports ${to}`),
    );
  expect(wrong).toEqual([]);
});

test('the product does not import tests', () => {
  const wrong = sources.filter((path) => path.startsWith('services/') && !path.endsWith('.test.ts'));
  expect(wrong.filter((path) => importsOf(path).some((to) => to.startsWith('test/')))).toEqual([]);
});

test('every file is imported or run by something', () => {
  const imported = new Set(sources.flatMap(importsOf));
  const dead = sources.filter((path) => !imported.has(path) && !ENTRY_POINTS.some((entry) => entry.test(path)));
  expect(dead).toEqual([]);
});

test('no unfinished marks, no tests that do not run, no paths of one machine', () => {
  const banned = [
    /\b(TODO|FIXME|XXX|HACK)\b/,
    /\b(it|test|describe)\.(skip|only|todo)\(/,
    /(["'` (])\/(root|home\/[a-z]+|Users\/[a-z]+)\//,
  ];
  const found = sources
    .filter((path) => path !== 'test/house-rules.test.ts')
    .flatMap((path) =>
      readFileSync(path, 'utf8')
        .split('\n')
        .flatMap((line, i) =>
          banned.some((pattern) => pattern.test(line)) ? [`${path}:${i + 1}: ${line.trim()}`] : [],
        ),
    );
  expect(found).toEqual([]);
});
