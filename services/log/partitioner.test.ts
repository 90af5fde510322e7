import { expect, test } from 'vitest';
import { murmur2, partitionOf } from './partitioner.ts';

// From the Java client's UtilsTest and, for every length of the tail, from other clients checked against it.
test.each([
  ['21', -973932308],
  ['foobar', -790332482],
  ['a-little-bit-long-string', -985981536],
  ['a-little-bit-longer-string', -1486304829],
  ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
  ['abc', 479470107],
  ['1', -1993445489],
  ['12', 126087238],
  ['123', -267702483],
  ['1234', -1614185708],
  ['12345', -1188365604],
])('murmur2 of %s', (key, hash) => {
  expect(murmur2(Buffer.from(key))).toBe(hash);
});

test('a negative hash loses its sign before it chooses the partition', () => {
  expect(partitionOf('21', 8)).toBe((-973932308 & 0x7fffffff) % 8);
  expect(partitionOf('21', 7)).not.toBe(973932308 % 7);
});

test('a key is hashed as UTF-8', () => {
  expect(partitionOf('zoë-😀', 1000)).toBe(partitionOf(new TextEncoder().encode('zoë-😀'), 1000));
  expect(partitionOf('abc', 10)).toBe(7);
});
