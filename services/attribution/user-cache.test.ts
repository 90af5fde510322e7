import { expect, test } from 'vitest';
import { newUserCache } from './user-cache.ts';

const BUDGET = 1000;

function add(cache: ReturnType<typeof newUserCache>, userId: string, bytes: number) {
  return cache.add(userId, { bytes: Buffer.alloc(bytes), length: bytes });
}

test('keeps who was seen since the young generation was last full, and the generation before', () => {
  const cache = newUserCache(BUDGET);
  add(cache, 'ann', 300);
  add(cache, 'bob', 300);
  cache.takeDirty();
  expect(cache.get('ann')).toBeDefined();
  add(cache, 'carl', 300);
  cache.takeDirty();
  expect(['ann', 'bob', 'carl'].map((id) => cache.get(id) !== undefined)).toEqual([true, false, true]);
});

test('forgets nobody before takeDirty has given away what changed', () => {
  const cache = newUserCache(BUDGET);
  for (let i = 0; i < 100; i++) cache.touched(`${i}`, add(cache, `${i}`, 100));
  expect(cache.get('0')).toBeDefined();
  expect(cache.takeDirty().map(([userId]) => userId)).toEqual(Array.from({ length: 100 }, (_, i) => `${i}`));
  expect(cache.takeDirty()).toEqual([]);
});

test('is full when what changed takes the budget, growth included', () => {
  const cache = newUserCache(BUDGET);
  add(cache, 'unchanged', 5000);
  const ann = add(cache, 'ann', 600);
  cache.touched('ann', ann);
  cache.touched('ann', ann);
  expect(cache.isFull()).toBe(false);
  ann.bytes = Buffer.alloc(1000);
  cache.touched('ann', ann);
  expect(cache.isFull()).toBe(true);
  cache.takeDirty();
  expect(cache.isFull()).toBe(false);
});
