import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createRandom } from '../../../services/cli/generate/random.ts';
import { buildDriver, PROGRAMS } from './driver.ts';
import { COLUMNS, STATEMENTS } from './readme.ts';
import { heldBy, numbersOnPage } from './results.ts';
import { CHECKS, type SharedMesh, startSharedMesh } from './run.ts';

test('every statement of gen/README.md is tried, and nothing else', () => {
  expect(Object.keys(CHECKS).sort()).toEqual([...STATEMENTS.keys()]);
  expect([...STATEMENTS.keys()].sort()).toEqual([...STATEMENTS.keys()]);
});

test('gen/CONFORMANCE.md has every statement', () => {
  expect(numbersOnPage()).toEqual([...STATEMENTS.keys()]);
});

/** `npm run conformance` tries all; which few are tried here, the seed says. */
const SEED = Number(process.env.CONFORMANCE_SEED ?? 20260101);
const SAMPLE = 8;
/** They wait out a fault, send much, or build what other tests use. */
const SLOW = new Set([
  'C-011',
  'C-024',
  'C-030',
  'C-031',
  'C-032',
  'C-034',
  'C-035',
  'C-036',
  'C-048',
  'C-049',
  'C-050',
  'C-051',
  'C-052',
]);

describe(`a sample of what holds (seed ${SEED})`, { tags: ['long'] }, () => {
  let mesh: SharedMesh;

  beforeAll(async () => {
    mesh = await startSharedMesh();
  });
  afterAll(() => mesh[Symbol.asyncDispose]());

  for (const language of COLUMNS) {
    const tags = PROGRAMS[language].language.tools.filter((tool) => tool !== 'node');
    test(`in ${language}`, { tags, timeout: 300_000 }, async () => {
      const random = createRandom(SEED);
      const held = heldBy(language).filter((number) => !SLOW.has(number));
      while (held.length > SAMPLE) held.splice(random.uint32() % held.length, 1);
      if (held.length > 0) expect(buildDriver(language)).toBeUndefined();
      for (const number of held) expect([number, await mesh.try(language, number)]).toEqual([number, HOLDS]);
    });
  }
});

const HOLDS = { verdict: 'holds', why: '' };
