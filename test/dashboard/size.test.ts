import { globSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildDashboard } from '../../services/dashboard/build.ts';
import { temporaryFolder } from '../fixtures/mesh-process.ts';

const { path: DIST } = temporaryFolder();
const MAX_SCRIPT_BYTES = 150_000;
const MAX_PICTURE_BYTES = 200_000;

beforeAll(async () => {
  await buildDashboard(DIST);
});
afterAll(() => rmSync(DIST, { recursive: true }));

test(`the scripts have at most ${MAX_SCRIPT_BYTES} bytes gzipped, all views together`, () => {
  const scripts = globSync('**/*.js', { cwd: DIST });
  const sizes = scripts.map((name) => gzipSync(readFileSync(join(DIST, name))).length);
  expect(scripts.length).toBeGreaterThan(0);
  expect(sizes.reduce((a, b) => a + b, 0)).toBeLessThanOrEqual(MAX_SCRIPT_BYTES);
});

test('the pictures of the README, which `npm run pictures` takes, are there and small', () => {
  const readme = readFileSync('README.md', 'utf8');
  const pictures = [...readme.matchAll(/\]\((services\/dashboard\/pictures\/[^)]+)\)/g)].map(([, path]) => path!);
  expect(pictures.length).toBe(3);
  expect(pictures.filter((path) => statSync(path).size > MAX_PICTURE_BYTES)).toEqual([]);
  expect(readme.indexOf(pictures[0]!)).toBeLessThan(readme.indexOf('\n## '));
});

test('no text becomes code: the page works where the policy allows none', () => {
  for (const name of globSync('**/*.js', { cwd: DIST })) {
    expect(readFileSync(join(DIST, name), 'utf8')).not.toMatch(/\beval\(|new Function\(/);
  }
});
