import fc from 'fast-check';
import { expect, test } from 'vitest';
import { digestOf } from '../decision/digest.ts';
import { putTouch, TOUCH_WORDS, TouchSpace, TouchTexts, touchMemory } from './touch-memory.ts';

const id = fc.stringMatching(/^[a-z0-9é→𝄞 -]{1,8}$/u);
const metadata = fc.constantFrom('', 'team\0blue', 'team\0grün');

test('a touch in memory has the digest that it has by its texts', () => {
  const texts = new TouchTexts(['team']);
  const [space, memory] = [new TouchSpace(texts), touchMemory(TOUCH_WORDS)];
  space.reserve(1000);
  fc.assert(
    fc.property(fc.nat(2 ** 42), id, id, id, metadata, (timestamp, adId, campaignId, source, metadata) => {
      const clickId = '00000000-0000-4000-8000-000000000001';
      const touch = { clickId, timestamp, arrival: 0, adId, campaignId, source, metadata };
      putTouch(memory, 0, touch, texts);
      expect(digestOf({ role: 'touch', touch: space.copy(memory, 0) })).toBe(digestOf({ role: 'touch', touch }));
    }),
    { numRuns: 500 },
  );
});
