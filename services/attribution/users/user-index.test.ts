import fc from 'fast-check';
import { expect, test } from 'vitest';
import { hashOf } from '../memory/string-table.ts';
import { NO_USER, UserIndex } from './user-index.ts';

test('finds who is there and nobody else, whoever came and went', () => {
  const id = fc.oneof(fc.nat(300).map(String), fc.string({ unit: 'grapheme', minLength: 1, maxLength: 5 }));
  const step = fc.record({ id, goes: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 2000 }), (steps) => {
      const index = new UserIndex();
      const slots = new Map<string, number>();
      for (const { id, goes } of steps) {
        expect(index.findText(id)).toBe(slots.get(id) ?? NO_USER);
        const bytes = Buffer.from(`<${id}>`);
        if (bytes.every((byte) => byte < 0x80)) {
          const hash = hashOf(bytes, 1, bytes.length - 1);
          expect(index.find(bytes, 1, bytes.length - 1, hash)).toBe(slots.get(id) ?? NO_USER);
          const found = Int32Array.of(0);
          index.findHashes(Int32Array.of(hash), found, 1);
          expect(index.find(bytes, 1, bytes.length - 1, hash, found[0]!)).toBe(slots.get(id) ?? NO_USER);
        }
        const slot = slots.get(id);
        if (goes && slot !== undefined) {
          index.remove(slot);
          slots.delete(id);
          expect(index.has(slot)).toBe(false);
        } else if (!goes && slot === undefined) {
          const taken = index.add(id);
          expect([...slots.values()]).not.toContain(taken);
          slots.set(id, taken);
          expect(index.idOf(taken)).toBe(id);
        }
        expect(index.count).toBe(slots.size);
      }
      expect(index.end).toBeLessThanOrEqual(steps.length);
    }),
    { numRuns: 50 },
  );
});

test('it grows', () => {
  const index = new UserIndex();
  for (let i = 0; i < 10_000; i++) expect(index.add(`user-${i}`)).toBe(i);
  for (let i = 0; i < 10_000; i++) {
    const id = Buffer.from(`user-${i}`);
    expect(index.find(id, 0, id.length, hashOf(id, 0, id.length))).toBe(i);
  }
});
