import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createRandom } from '../../cli/generate/random.ts';
import { IdFilter } from './id-filter.ts';

const random = createRandom(7);

/** Ids of four words each, one after the other. */
function randomIds(count: number): Int32Array {
  return Int32Array.from({ length: 4 * count }, () => random.unit() * 2 ** 32);
}

/** Ids that count up in one of their words. */
function countedIds(count: number, word: number, first: number): Int32Array {
  return Int32Array.from({ length: 4 * count }, (_, i) => (i % 4 === word ? first + (i >> 2) : 0x4000));
}

function shareOf(ids: Int32Array, filter: IdFilter): number {
  let had = 0;
  for (let at = 0; at < ids.length; at += 4) if (filter.mayHave(ids, at)) had++;
  return had / (ids.length / 4);
}

function addAll(filter: IdFilter, ids: Int32Array, arrival = 0) {
  for (let at = 0; at < ids.length; at += 4) filter.add(ids, at, arrival);
}

test('has what was added', () => {
  const id = fc.tuple(fc.integer(), fc.integer(), fc.integer(), fc.integer());
  fc.assert(
    fc.property(fc.array(id), (ids) => {
      const words = Int32Array.from(ids.flat());
      const filter = new IdFilter(1, Number.POSITIVE_INFINITY);
      expect(words.length > 0 && filter.mayHave(words, 0)).toBe(false);
      addAll(filter, words);
      expect(words.length > 0 ? shareOf(words, filter) : 1).toBe(1);
    }),
  );
});

test.each([
  ['random', randomIds(100_000), randomIds(100_000)],
  ['of counted first words', countedIds(100_000, 0, 0), countedIds(100_000, 0, 100_000)],
  ['of counted last words', countedIds(100_000, 3, 0), countedIds(100_000, 3, 100_000)],
])('of %s ids it takes few for others', (_, added, others) => {
  const filter = new IdFilter(1, Number.POSITIVE_INFINITY);
  addAll(filter, added);
  expect(shareOf(added, filter)).toBe(1);
  expect(shareOf(others, filter)).toBeLessThan(0.001);
});

test('forgets parts of which all ids are too old, and no other', () => {
  const filter = new IdFilter(10, Number.POSITIVE_INFINITY);
  const [old, recent, last] = [randomIds(30_000), randomIds(100_000), randomIds(400_000)];
  addAll(filter, old, 0);
  addAll(filter, recent, 10);
  expect(shareOf(old, filter)).toBe(1);
  addAll(filter, last, 20);
  expect(shareOf(recent, filter)).toBe(1);
  expect(shareOf(last, filter)).toBe(1);
  expect(shareOf(old, filter)).toBeLessThan(0.3);
});

test('gives up the oldest ids beyond its memory, and rules out none until these may be forgotten', () => {
  const filter = new IdFilter(10, 100_000);
  const [old, recent, others] = [randomIds(30_000), randomIds(3000), randomIds(1000)];
  addAll(filter, old, 0);
  expect(shareOf(others, filter)).toBe(1);
  addAll(filter, recent, 10);
  expect(shareOf(old, filter)).toBe(1);
  addAll(filter, recent, 11);
  expect(shareOf(recent, filter)).toBe(1);
  expect(shareOf(others, filter)).toBeLessThan(0.01);
});
