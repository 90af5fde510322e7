import fc from 'fast-check';
import { expect, test } from 'vitest';
import { HOUR_MS } from '../shared/limits.ts';
import { attributionConfig, parseAttributionEnvironment } from './config.ts';
import { newEffects } from './effects.ts';
import { fold } from './fold.ts';
import { newUser, type Touch, type UserState } from './state.ts';
import { appendClick, bytesOf, decodeAge, decodeUser, encodeUser, settle } from './state-codec.ts';
import { storeTouch } from './touch.ts';

const time = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
const text = fc.string({ unit: 'grapheme', maxLength: 200 });
const touch = fc.record({
  clickId: fc.uuid(),
  timestamp: time,
  arrival: time,
  adId: text,
  campaignId: text,
  source: text,
});
const money = fc.bigInt({ min: 0n, max: 10n ** 18n });
const credit = fc.record({
  model: text,
  touch,
  creditMicros: fc.integer({ min: 1, max: 1_000_000 }),
  valueMicros: money,
});
const conversion = fc.record({
  conversionId: fc.uuid(),
  timestamp: time,
  arrival: time,
  type: text,
  valueMicros: money,
  credits: fc.array(credit, { maxLength: 3 }),
});
const user = fc.record({
  touches: fc.array(touch, { maxLength: 40 }),
  conversions: fc.array(conversion, { maxLength: 10 }),
  overflowed: fc.boolean(),
});

/** The state with the texts of its touches read. */
function plain({ touches, conversions, overflowed }: UserState): UserState {
  return {
    overflowed,
    touches: touches.map(plainTouch),
    conversions: conversions.map((each) => ({
      ...each,
      credits: each.credits.map((credit) => ({ ...credit, touch: plainTouch(credit.touch) })),
    })),
  };
}

function plainTouch({ clickId, timestamp, arrival, adId, campaignId, source }: Touch): Touch {
  return { clickId, timestamp, arrival, adId, campaignId, source };
}

test('a state reads back as it was written', () => {
  fc.assert(
    fc.property(user, (state) => {
      const bytes = bytesOf(encodeUser(state));
      expect(plain(decodeUser(bytes))).toEqual(state);
      expect(decodeAge(bytes)).toEqual({
        lastClickArrival: Math.max(0, ...state.touches.map((t) => t.arrival)),
        lastConversionArrival: Math.max(0, ...state.conversions.map((c) => c.arrival)),
      });
    }),
  );
});

test('a state of another format is refused', () => {
  expect(() => settle(Buffer.from([99, 0, 0, 0, 0, 0]))).toThrow('format 99');
});

test('a click added to the bytes is a click folded, or is left to the fold', () => {
  const config = attributionConfig(parseAttributionEnvironment({ MAX_TOUCHES: '5' }));
  const hours = fc.integer({ min: 0, max: 60 }).map((n) => n * HOUR_MS);
  const click = fc.record({ kind: fc.constant('click' as const), number: fc.nat(9), time: hours, pause: hours });
  const conversion = click.map((event) => ({ ...event, kind: 'conversion' as const }));
  const journey = fc.array(fc.oneof(click, click, conversion), { maxLength: 20 });
  let added = 0;
  fc.assert(
    fc.property(journey, (events) => {
      let bytes = bytesOf(encodeUser(newUser()));
      let arrival = 0;
      for (const { kind, number, time: timestamp, pause } of events) {
        arrival += pause / 10;
        const id = `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;
        const touch = storeTouch({ clickId: id, timestamp, arrival, adId: 'ad', campaignId: 'c', source: 's' });
        const user = decodeUser(Buffer.from(bytes));
        const appended = { bytes: Buffer.from(bytes), length: bytes.length };
        const limits = {
          maxTouches: config.maxTouches,
          oldestTouch: arrival - config.touchRetentionMs,
          oldestConversion: arrival - config.conversionRetentionMs,
        };
        const conversion = { conversionId: id, timestamp, arrival, type: 'buy', valueMicros: 1n, credits: [] };
        const before = Buffer.from(bytes);
        const isAppended = kind === 'click' && appendClick(appended, touch, limits);
        const event = kind === 'click' ? { kind, touch } : { kind, conversion };
        const effects = newEffects();
        fold(
          { config, watermark: arrival, seenArrival: () => undefined },
          user,
          { ...event, userId: 'u', offset: 0 },
          effects,
        );
        bytes = bytesOf(encodeUser(user));
        if (!isAppended) continue;
        added++;
        expect(appended.bytes.subarray(0, appended.length)).toEqual(bytes);
        // The store has the header as it was before.
        const tail = appended.bytes.subarray(before.length, appended.length);
        expect(settle(Buffer.concat([before, tail]))).toEqual(bytes);
        expect(effects).toMatchObject({ tally: { clicks: 1 }, attributed: [], decisions: [], movedOut: [] });
      }
    }),
    { numRuns: 500 },
  );
  expect(added).toBeGreaterThan(500);
});
