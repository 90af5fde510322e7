import { expect, test } from 'vitest';
import { newUserCache } from './user-cache.ts';

const BUDGET = 10_000;

function newCache() {
  const cache = newUserCache(() => BUDGET);
  return {
    ...cache,
    add: (userId: string, bytes: number) => cache.add(userId, { bytes: Buffer.alloc(bytes), length: bytes }, 0),
  };
}

test('evicts who was not seen since the hand last came by', () => {
  const cache = newCache();
  for (const id of ['ann', 'bob', 'carl', 'dora']) cache.add(id, 2500);
  cache.evict();
  cache.get('bob');
  cache.add('emil', 2500);
  cache.evict();
  const kept = ['ann', 'bob', 'carl', 'dora', 'emil'].filter((id) => cache.get(id) !== undefined);
  expect(kept).toEqual(['bob', 'dora', 'emil']);
});

test('forgets nobody before takeDirty has given away what changed', () => {
  const cache = newCache();
  for (let i = 0; i < 100; i++) cache.touched(`${i}`, cache.add(`${i}`, 1000));
  cache.evict();
  expect(cache.drop('0')).toBe(false);
  expect(cache.takeDirty().map(([userId]) => userId)).toEqual(Array.from({ length: 100 }, (_, i) => `${i}`));
  expect(cache.takeDirty()).toEqual([]);
  cache.evict();
  expect(Array.from({ length: 100 }, (_, i) => cache.get(`${i}`)).filter(Boolean).length).toBeLessThan(BUDGET / 1000);
});

test('drops a user that nothing changed of', () => {
  const cache = newCache();
  cache.add('ann', 100);
  expect(cache.drop('ann')).toBe(true);
  expect(cache.get('ann')).toBeUndefined();
  expect(cache.drop('nobody')).toBe(true);
});

test('is full when what changed takes most of the budget, growth included', () => {
  const cache = newCache();
  cache.add('unchanged', 50_000);
  const ann = cache.add('ann', 6000);
  cache.touched('ann', ann);
  cache.touched('ann', ann);
  expect(cache.isFull()).toBe(false);
  ann.bytes = Buffer.alloc(8000);
  cache.touched('ann', ann);
  expect(cache.isFull()).toBe(true);
  cache.takeDirty();
  expect(cache.isFull()).toBe(false);
});
