import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { expect, test } from 'vitest';

/** What the linter can't know: which files there are, who may import whom, and what must not be written anywhere. */
const MAX_LINES = 400;
const MAX_FILES = 15;
const MAX_COLUMNS = 120;
const BANNED_NAMES = /^(utils?|helpers?|misc|common|shared|lib)(\.|$)/;

/** Files that are run, not imported. */
const ENTRY_POINTS = [
  /^services\/cli\/(clickmesh\.js|main\.ts)$/,
  /[/-](worker|writer|child)\.ts$/,
  /\.test\.ts$/,
  /\.d\.ts$/,
  /^test\/check-[a-z]+\.ts$/,
  /^test\/(bench|codegen|dashboard\/pictures|formats|sdk\/conformance|sdk\/release)\/(main|write|protoc-gen-[a-z]+)\.ts$/,
  /^services\/dashboard\/(build\.ts|page\/main\.tsx)$/,
  /^vitest\.config\.ts$/,
];

const sources = globSync('{services,test}/**/*.{ts,tsx,js}')
  .filter((path) => !path.startsWith('services/dashboard/dist/'))
  .sort();

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

test(`no comment is wider than ${MAX_COLUMNS} columns, as no code is`, () => {
  const wide = sources.flatMap((path) =>
    readFileSync(path, 'utf8')
      .split('\n')
      .flatMap((line, i) => (line.length > MAX_COLUMNS && /^\s*(\/?\*|\/\/)/.test(line) ? [`${path}:${i + 1}`] : [])),
  );
  expect(wide).toEqual([]);
});

test('no folder or file has a name that says nothing', () => {
  expect(sources.filter((path) => path.split('/').some((part) => BANNED_NAMES.test(part)))).toEqual([]);
});

/**
 * The rooms of services/, from the top down: what is in a row imports only from rows below it, and the rooms of a row
 * do not know each other. Inside a room that has a table of its own, the same holds for its folders.
 */
const LAYERS: Readonly<Record<string, readonly string[][]>> = {
  '': [
    ['cli'],
    ['processes'],
    ['gateway', 'attribution', 'stats', 'dashboard'],
    ['audit'],
    ['clickhouse'],
    ['http'],
    ['log'],
    ['telemetry'],
    ['system'],
    ['contract'],
  ],
  attribution: [
    ['node'],
    ['partition'],
    ['recovery', 'input', 'outputs'],
    ['users'],
    ['store'],
    ['memory'],
    ['decision'],
    ['status.ts'],
  ],
  cli: [['main.ts'], ['audit', 'generate', 'replay', 'stats'], ['options.ts', 'table.ts'], ['print.ts']],
  clickhouse: [['embedded', 'sink.ts', 'migrate.ts']],
  // Nothing of the page imports what gateways run, nor the other way round.
  dashboard: [['build.ts', 'routes.ts', 'page']],
  'dashboard/page': [['main.tsx'], ['frame'], ['views'], ['reports'], ['parts', 'data'], ['state'], ['format']],
  gateway: [['routes.ts'], ['ways-in'], ['response.ts'], ['append-events.ts'], ['deps.ts'], ['users'], ['event']],
  http: [['standard', 'server'], ['fast'], ['routes'], ['exchange']],
  log: [
    ['embedded', 'kafka'],
    ['partitioner.ts', 'event-log.ts'],
  ],
  stats: [['routes.ts'], ['conversions', 'report'], ['requests']],
  processes: [['up', 'cluster'], ['roles'], ['status'], ['run', 'settings']],
};

/** Attribution and the gateway must not know which database is behind the log. */
const NEVER: readonly [from: string, to: string][] = [
  ['services/attribution/', 'services/clickhouse/'],
  ['services/gateway/', 'services/clickhouse/'],
];

const product = sources.filter((path) => path.startsWith('services/') && !path.endsWith('.test.ts'));

/** The import of the program by what starts it once more is none of the code. */
const PROGRAM = 'services/cli/clickmesh.js';

function productImports(path: string): string[] {
  return importsOf(path).filter((to) => to.startsWith('services/') && to !== PROGRAM);
}

/** Which row of a room's table a path is in; -1 outside of it. */
function rowOf(room: string, path: string): number {
  const prefix = room === '' ? 'services/' : `services/${room}/`;
  if (!path.startsWith(prefix)) return -1;
  const [part] = path.slice(prefix.length).split('/');
  return LAYERS[room]!.findIndex((row) => row.includes(part!));
}

test('imports point down the table of layers, never up or aside', () => {
  const wrong = Object.keys(LAYERS).flatMap((room) =>
    product.flatMap((from) =>
      productImports(from)
        .filter((to) => {
          const [row, below] = [rowOf(room, from), rowOf(room, to)];
          const partOf = (path: string) => path.slice(`services/${room}/`.length - (room === '' ? 1 : 0)).split('/')[0];
          return row >= 0 && below >= 0 && (below < row || (below === row && partOf(from) !== partOf(to)));
        })
        .map((to) => `${from} imports ${to}`),
    ),
  );
  const hidden = product.flatMap((from) =>
    productImports(from)
      .filter((to) => NEVER.some(([a, b]) => from.startsWith(a) && to.startsWith(b)))
      .map((to) => `${from} imports ${to}`),
  );
  expect([...wrong, ...hidden]).toEqual([]);
});

test('every room of services/ has its place in the table of layers', () => {
  expect(product.filter((path) => rowOf('', path) < 0)).toEqual([]);
});

test('no two files import each other, by whatever way', () => {
  const done = new Set<string>();
  const cycles: string[] = [];
  function visit(path: string, way: readonly string[]): void {
    if (way.includes(path)) cycles.push([...way.slice(way.indexOf(path)), path].join(' -> '));
    if (way.includes(path) || done.has(path)) return;
    for (const to of productImports(path)) visit(to, [...way, path]);
    done.add(path);
  }
  for (const path of product) visit(path, []);
  expect(cycles).toEqual([]);
});

test(`no folder of services/ has more than ${MAX_FILES} product files`, () => {
  const folders = Map.groupBy(product, (path) => dirname(path));
  expect([...folders].filter(([, files]) => files.length > MAX_FILES).map(([folder]) => folder)).toEqual([]);
});

test('one function starts every server, so that what is to stand before all requests can be set there', () => {
  const from = product.filter((path) =>
    /import \{[^}]*\bserve\b[^}]*\} from '[^']*\/server\.ts'/.test(readFileSync(path, 'utf8')),
  );
  expect(from).toEqual(['services/processes/run/serve-process.ts']);
});

test('the product does not import tests', () => {
  expect(product.filter((path) => importsOf(path).some((to) => to.startsWith('test/')))).toEqual([]);
});

/** The pages of numbered invariants, and their numbers. */
const INVARIANTS: readonly [page: string, number: RegExp][] = [
  ['services/attribution/RECOVERY.md', /\bR-\d+\b/g],
  ['services/log/LOG.md', /\bL-\d+\b/g],
];

/** Names of tests that bear numbers of invariants, up to their parameters. */
const numberedTests = sources
  .filter((path) => path.startsWith('test/') || path.endsWith('.test.ts'))
  .flatMap((path) => [...readFileSync(path, 'utf8').matchAll(/\(\s*'((?:[RL]-\d+(?:, )?)+): ([^'%$(]*)/g)])
  .map(([, numbers, name]) => ({ numbers: numbers!.split(', '), name: name!.trim() }));

test.each(INVARIANTS)(
  'every invariant of %s has a test that bears its number, and the other way round',
  (page, number) => {
    const text = readFileSync(page, 'utf8').replaceAll(/\s+/g, ' ');
    const inPage = new Set(text.match(number));
    const tests = numberedTests.filter(({ numbers }) => numbers.some((one) => one.match(number)));
    const inTests = new Set(tests.flatMap(({ numbers }) => numbers));
    expect([...inPage].filter((one) => !inTests.has(one))).toEqual([]);
    expect(tests.filter(({ name }) => !text.includes(name))).toEqual([]);
    const quoted = [...text.matchAll(/"([^"]+)"/g)].map(([, name]) => name!);
    expect(quoted.filter((name) => !tests.some((test) => test.name !== '' && name.startsWith(test.name)))).toEqual([]);
    const inSources = sources.flatMap((path) => readFileSync(path, 'utf8').match(number) ?? []);
    expect(inSources.filter((one) => !inPage.has(one))).toEqual([]);
  },
);

test('every file is imported or run by something', () => {
  const imported = new Set([...sources, 'gen/wire/event-wire.ts'].flatMap(importsOf));
  const dead = sources.filter((path) => !imported.has(path) && !ENTRY_POINTS.some((entry) => entry.test(path)));
  expect(dead).toEqual([]);
});

test('no unfinished marks, no tests that do not run, no paths of one machine', () => {
  const banned = [
    /\b(TODO|FIXME|XXX|HACK)\b/,
    /\b(it|test|describe)\.(skip|only|todo|skipIf|runIf)\(/,
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
