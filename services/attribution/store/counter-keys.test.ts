import fc from 'fast-check';
import { expect, test } from 'vitest';
import { counterKey, inKeyOrder, periodOfCounter, rangeOfCounters } from './counter-keys.ts';

const text = fc
  .string({ unit: 'grapheme', maxLength: 4 })
  .filter((text) => !text.includes('\0') && text.isWellFormed());

test('the range of a period has the keys of its counters, and no others of the rollup', () => {
  const period = fc.integer({ min: -3, max: 3 });
  fc.assert(
    fc.property(fc.constantFrom(undefined, 'day:source'), period, period, text, (rollup, own, other, value) => {
      const key = counterKey(rollup, own, [value]);
      const [from, to] = rangeOfCounters(rollup, other);
      const isWithin = Buffer.compare(from, key) <= 0 && Buffer.compare(key, to) < 0;
      expect(isWithin).toBe(own === other);
      const [first, end] = rangeOfCounters(rollup);
      expect(Buffer.compare(first, key) <= 0 && Buffer.compare(key, end) < 0).toBe(true);
      expect(periodOfCounter(rollup, key)).toBe(own);
    }),
  );
});

test('counters are put into the order of their keys', () => {
  const counter = fc.record({ period: fc.integer({ min: -2, max: 2 }), value: text });
  fc.assert(
    fc.property(fc.array(counter), (counters) => {
      const keys = counters.map(({ period, value }) => counterKey('day:source', period, [value]));
      const hashes = Uint32Array.from(keys, (key) => key.readUInt32BE('qday:source\0'.length + 4));
      const order = inKeyOrder(
        Float64Array.from(counters, ({ period }) => period),
        hashes,
      );
      const heads = (ordered: readonly Buffer[]) =>
        ordered.map((key) => key.toString('hex', 0, 'qday:source\0'.length + 8));
      expect([...order].sort((a, b) => a - b)).toEqual(keys.map((_, i) => i));
      expect(heads([...order].map((i) => keys[i]!))).toEqual(heads([...keys].sort(Buffer.compare)));
    }),
  );
});
