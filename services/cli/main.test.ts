import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';

const BIN = fileURLToPath(new URL('./clickmesh.js', import.meta.url));
/** Nothing listens there. */
const NOWHERE = 'http://127.0.0.1:1/';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'clickmesh-cli-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

test.each(['up', 'generate', 'replay', 'stats', 'explain', 'conversions', 'paths', 'watch', 'audit'])(
  '%s --help shows an example',
  async (command) => {
    const { code, stdout } = await clickmesh([command, '--help']);
    expect(code).toBe(0);
    expect(stdout).toMatch(new RegExp(`Examples?:\n  clickmesh ${command} `));
  },
);

test('generate writes so many lines', async () => {
  const { code, stdout } = await clickmesh(['generate', '--events', '1234']);
  expect(code).toBe(0);
  expect(stdout.trimEnd().split('\n')).toHaveLength(1234);
});

test.each([
  ['generate', '--duplicates', '1.5'],
  ['generate', '--end', '2025-02-30'],
  ['replay', 'x', '--batch', '1001'],
  ['replay', 'x', '--url', 'ftp://mesh'],
  ['replay', 'x', '--url', 'localhost:8080'],
  ['stats', '--start', '2025-01-01', '--end', '2025-01-02', '--campaign-id', ''],
  ['stats', '--start', '2025-01-01', '--end', '2025-01-02', '--json', '--csv'],
  ['stats', '--metadata', 'geo'],
])('refuses %s %s %s', async (...args) => {
  const { code, stderr } = await clickmesh(args);
  expect(code).toBe(1);
  expect(stderr).toMatch(/^error: .*\n$/);
});

test('an error is one line', async () => {
  const { code, stderr } = await clickmesh(['replay', join(folder, 'missing'), '--url', NOWHERE]);
  expect(code).toBe(1);
  expect(stderr).toMatch(/^clickmesh: ENOENT.*\n$/);
});

test('replay reads stdin and exits 2 where a line was rejected', async () => {
  const { code, stdout } = await clickmesh(['replay', '-', '--url', NOWHERE], 'no JSON\n');
  expect(code).toBe(2);
  const [first, ...others] = stdout.split('\n');
  expect(first).toMatch(/^sent 0, accepted 0, rejected 1 in /);
  expect(others.filter((line) => line !== '')).toEqual([
    'rejected  because',
    '       1  malformed event',
    'rejected events are in stdin.rejects-1, the reasons in stdin.rejects-1.reasons',
  ]);
  expect(readFileSync(join(folder, 'stdin.rejects-1'), 'utf8')).toBe('no JSON\n');
});

test('replay exits 1 where the mesh does not answer', async () => {
  const file = join(folder, 'events.ndjson');
  writeFileSync(file, (await clickmesh(['generate', '--events', '10'])).stdout);
  const { code, stderr } = await clickmesh(['replay', file, '--url', NOWHERE, '--timeout', '0']);
  expect(code).toBe(1);
  expect(stderr).toMatch(/clickmesh: .*ECONNREFUSED/);
});

test('audit exits 2 where it can not be run', async () => {
  expect(await clickmesh(['audit', '--url', NOWHERE])).toMatchObject({ code: 2 });
  expect(await clickmesh(['audit', '--timeout', 'soon'])).toMatchObject({ code: 2 });
});

async function clickmesh(args: string[], input = '') {
  const child = spawn(process.execPath, [BIN, ...args], { cwd: folder });
  child.stdin.end(input);
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const [code, stdout, stderr] = await Promise.all([exited, text(child.stdout), text(child.stderr)]);
  return { code, stdout, stderr };
}
