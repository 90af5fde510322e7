import { expect, test } from 'vitest';
import { bytes, change } from '../../services/dashboard/page/format/number.ts';

test.each([
  [110n, 100n, 'up', '10.0%'],
  [90n, 100n, 'down', '10.0%'],
  [100_001n, 100_000n, 'even', '0.0%'],
  [1099n, 100n, 'up', '999.0%'],
  [1100n, 100n, 'up', '×11.0'],
  [13_183n, 100n, 'up', '×132'],
  [100n, -1n, 'up', '10,100.0%'],
  [5n, 0n, 'new', 'new'],
  [0n, 0n, 'unknown', '–'],
  [5n, undefined, 'unknown', '–'],
])('%s after %s is %s, %s', (now, before, way, text) => {
  expect(change(now, before)).toEqual({ way, text });
});

test.each([
  [0, '0 B'],
  [999, '999 B'],
  [8_200, '8.2 kB'],
  [869_400, '869 kB'],
  [3_283_000_000, '3.3 GB'],
])('%s bytes are %s', (size, text) => {
  expect(bytes(size)).toBe(text);
});
