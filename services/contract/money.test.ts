import fc from 'fast-check';
import { expect, test } from 'vitest';
import { exactMicros, fastMicros } from './money.ts';

/** Decimals, doubles next to the middle of two micros, and any others. */
const decimal = fc.tuple(fc.nat(), fc.integer({ min: 0, max: 9 })).map(([digits, places]) => digits / 10 ** places);
const nearMiddle = fc
  .tuple(fc.nat({ max: 2 ** 50 }), fc.constantFrom(-1, 0, 1))
  .map(([micros, ulps]) => ((micros + 0.5) / 1e6) * (1 + ulps * Number.EPSILON));
const any = fc.double({ min: 0, max: 1e12, noNaN: true });

test('the fast way counts the micros of the exact one, or declines', () => {
  fc.assert(
    fc.property(fc.oneof(decimal, nearMiddle, any), (value) => {
      const micros = fastMicros(value);
      if (micros !== -1) expect(BigInt(micros)).toBe(exactMicros(value));
    }),
    { numRuns: 5000 },
  );
});

test('the fast way takes what is not near to a middle', () => {
  const cents = fc.nat().map((cents) => cents / 100);
  fc.assert(
    fc.property(cents, (value) => {
      expect(BigInt(fastMicros(value))).toBe(exactMicros(value));
    }),
  );
});

test.each([
  [0, 0n],
  [19.99, 19_990_000n],
  // Their doubles are a little less than they, and the products with 1e6 exactly in the middle.
  [0.0000005, 0n],
  [0.0000085, 8n],
  [2 ** -7, 7813n],
  [1e12, 10n ** 18n],
  [123456789012.34, 123456789012339996n],
])('%d is %d micros', (value, micros) => {
  expect(exactMicros(value)).toBe(micros);
});

test.each([2 ** -7, 0.0000085, 2 ** 50 / 1e6 + 1, 1e12, NaN, Infinity])('the fast way declines %d', (value) => {
  expect(fastMicros(value)).toBe(-1);
});
