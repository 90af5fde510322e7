import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ModelNumbers, NO_MODEL } from './model-numbers.ts';

test('models have numbers as they are met, and one order however they are', () => {
  const names = fc.uniqueArray(fc.constantFrom('last_click', 'linear', 'first_click', 'gone'));
  fc.assert(
    fc.property(names, (names) => {
      const models = new ModelNumbers();
      const numbers = names.map((name) => models.numberOf(name));
      expect(numbers).toEqual(names.map((_, i) => i + 1));
      expect(names.map((name) => models.numberOf(name))).toEqual(numbers);
      expect(models.byName.map(({ name }) => name)).toEqual([NO_MODEL, ...names].sort());
      for (const { name, number } of models.byName) expect(models.numberOf(name)).toBe(number);
    }),
  );
});
