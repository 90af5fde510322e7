import fc from 'fast-check';
import { expect, test } from 'vitest';
import { StringTable } from './string-table.ts';

test('each text has one number, and the number has the text', () => {
  const text = fc.oneof(fc.string({ maxLength: 3 }), fc.string({ unit: 'grapheme', maxLength: 40 }));
  fc.assert(
    fc.property(fc.array(text, { maxLength: 3000 }), (given) => {
      const texts = new StringTable();
      const numberOf = (each: string) => {
        const bytes = Buffer.from(`<${each}>`);
        return texts.numberOf(bytes, 1, bytes.length - 1);
      };
      const numbers = given.map(numberOf);
      const expected = [...new Set(given)];
      expect(numbers).toEqual(given.map((each) => expected.indexOf(each)));
      expect(expected.map((_, number) => texts.textOf(number))).toEqual(expected);
      expect(given.map(numberOf)).toEqual(numbers);
    }),
    { numRuns: 30 },
  );
});

test('it grows', () => {
  const texts = new StringTable();
  const names = Array.from({ length: 20_000 }, (_, i) => `campaign-${i}`);
  const numberOf = (name: string) => texts.numberOf(Buffer.from(name), 0, name.length);
  expect(names.map(numberOf)).toEqual(names.map((_, i) => i));
  expect(names.map(numberOf)).toEqual(names.map((_, i) => i));
  expect(names.map((_, i) => texts.textOf(i))).toEqual(names);
});
