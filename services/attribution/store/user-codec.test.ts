import fc from 'fast-check';
import { expect, test } from 'vitest';
import { plainState } from '../../../test/fixtures/plain-state.ts';
import { decodeUser, encodeUser } from '../../../test/fixtures/user-bytes.ts';
import { MODELS } from '../decision/models.ts';
import { CORRECTIONS, NOTHING_CLOSED } from '../decision/state.ts';
import { putTouch, TOUCH_WORDS, TouchTexts, touchMemory } from '../memory/touch-memory.ts';
import { lastArrivals, readConversions, StateWriter } from './user-codec.ts';

const time = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
const text = fc.string({ unit: 'grapheme', maxLength: 200 }).filter((id) => !id.includes('\0'));
const touch = fc.record({
  clickId: fc.uuid(),
  timestamp: time,
  arrival: time,
  adId: text,
  campaignId: text,
  source: text,
  metadata: fc.constantFrom('', 'geo\0DE', 'geo\0ü\0os\0web'),
});
const money = fc.bigInt({ min: 0n, max: 10n ** 18n });
const credit = fc.record({
  model: text.filter((name) => name !== ''),
  touch,
  creditMicros: fc.integer({ min: 1, max: 1_000_000 }),
  valueMicros: money,
  adjustedMicros: fc.constantFrom(0n, 1n, -(10n ** 18n)),
  refundsMicros: fc.constantFrom(0n, 10n ** 18n),
});
const conversionWithModels = fc.record({
  conversionId: fc.uuid(),
  timestamp: time,
  arrival: time,
  type: text,
  valueMicros: money,
  credits: fc.array(credit, { maxLength: 3 }),
  isCounted: fc.constant(true),
  models: fc.subarray(Object.keys(MODELS)),
});
const conversion = conversionWithModels.map((each) => {
  const { credits, models } = each;
  return { ...each, models: credits.length === 0 ? models : [...new Set(credits.map(({ model }) => model))] };
});
const windows = fc.record({ lookbackMs: time, apartMs: time, maxTouches: fc.integer({ min: 1, max: 10_000 }) });
const windowed = fc
  .record({ given: conversionWithModels, windows, models: fc.subarray([...Object.keys(MODELS), 'half', 'l.']) })
  .map(({ given, ...of }) => ({ ...given, ...of, credits: [] }));
const uncounted = conversionWithModels.map((each) => ({ ...each, credits: [], isCounted: false }));
const correction = fc.record({
  targetId: fc.uuid(),
  eventId: fc.uuid(),
  kind: fc.constantFrom(...CORRECTIONS),
  valueMicros: money,
  timestamp: time,
  arrival: time,
});
const user = fc.record({
  touches: fc.array(touch, { maxLength: 40 }),
  invalidTouches: fc.array(touch, { maxLength: 3 }),
  conversions: fc.array(fc.oneof(conversion, windowed, uncounted), { maxLength: 10 }),
  corrections: fc.array(correction, { maxLength: 5 }),
  hasOverflow: fc.boolean(),
  lastClosed: fc.oneof(fc.constant(NOTHING_CLOSED), time),
});

test('a state reads back as it was written', () => {
  fc.assert(
    fc.property(user, (state) => {
      const bytes = encodeUser(state);
      expect(plainState(decodeUser(bytes))).toEqual(state);
      expect(lastArrivals(bytes)).toEqual({
        touch: Math.max(0, ...[...state.touches, ...state.invalidTouches].map((t) => t.arrival)),
        outcome: Math.max(0, ...state.conversions.map((c) => c.arrival)),
        correction: Math.max(0, ...state.corrections.map((c) => c.arrival)),
      });
    }),
  );
});

test('what is added to the bytes of a state is added to the state', () => {
  fc.assert(
    fc.property(user, user, (state, more) => {
      const writer = new StateWriter();
      for (const conversion of more.conversions) writer.conversion(conversion);
      const conversionsEnd = writer.length;
      for (const touch of more.touches) writer.touch(touch);
      const added = Buffer.from(writer.bytes.subarray(0, writer.length));
      const { touches, conversions } = plainState(decodeUser(Buffer.concat([encodeUser(state), added])));
      expect(touches).toEqual([...state.touches, ...more.touches]);
      expect(conversions).toEqual([...state.conversions, ...more.conversions]);
      expect(plainState({ ...more, conversions: readConversions(added, 0, conversionsEnd) })).toEqual(more);
    }),
  );
});

test('a touch is written the same whether its texts are strings or not', () => {
  const texts = new TouchTexts();
  const memory = touchMemory(TOUCH_WORDS);
  fc.assert(
    fc.property(touch, (given) => {
      const [a, b] = [new StateWriter(), new StateWriter()];
      a.touch(given);
      putTouch(memory, 0, given, texts);
      b.touchAt(memory, 0, texts);
      expect(a.bytes.subarray(0, a.length)).toEqual(b.bytes.subarray(0, b.length));
    }),
  );
});

test('of a conversion that is stored nothing can be written but what it was decided to, which is stored then', () => {
  const given = fc.sample(conversion, 1)[0]!;
  const [stored] = decodeUser(encodeUser({ conversions: [given] })).conversions;
  expect(() => {
    // @ts-expect-error it would not be stored
    stored!.valueMicros = 7n;
  }).toThrow(TypeError);
  expect(() => {
    // @ts-expect-error it would not be stored
    stored!.type = 'other';
  }).toThrow(TypeError);
  // @ts-expect-error as for these
  expect(stored!.credits.push).toBeDefined();
  stored!.credits = [];
  stored!.isCounted = false;
  const { conversions } = plainState(decodeUser(encodeUser({ conversions: [stored!] })));
  expect(conversions).toEqual([{ ...given, credits: [], isCounted: false }]);
});

test('an entry of another kind is refused', () => {
  const bytes = encodeUser({});
  expect(() => decodeUser(Buffer.concat([bytes, Buffer.from([8])]))).toThrow('entry of kind 8');
});

test('a state of another format is refused', () => {
  expect(() => decodeUser(Buffer.from([99, 0, 0, 0, 0, 0]))).toThrow('format 99');
});
