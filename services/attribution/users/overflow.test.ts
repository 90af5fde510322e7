import fc from 'fast-check';
import { expect } from 'vitest';
import { memoryStateStore } from '../../../test/fixtures/memory-state-store.ts';
import { testRuns } from '../../../test/fixtures/test-runs.ts';
import { attributionConfig, parseAttributionEnvironment } from '../decision/config.ts';
import type { Touch } from '../decision/state.ts';
import { overflowKeysFrom } from '../store/keys.ts';
import { OverflowStore } from './overflow.ts';
import { SpilledIds } from './spilled-ids.ts';

const config = attributionConfig(parseAttributionEnvironment({}));
const LAST_TIME = 60;

function touchAt(timestamp: number, n: number): Touch {
  const clickId = `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
  return { clickId, timestamp, arrival: n, adId: `ad-${n}`, campaignId: 'camp', source: 'src', metadata: '' };
}

/** Times of touches that come one after the other, in order or not. */
const times = fc.oneof(
  fc.tuple(fc.nat(LAST_TIME), fc.integer({ min: 1, max: 70 })).map(([time, n]) => Array<number>(n).fill(time)),
  fc.array(fc.nat(LAST_TIME), { minLength: 1, maxLength: 70 }),
  fc.array(fc.nat(LAST_TIME), { minLength: 1, maxLength: 70 }).map((some) => some.sort((a, b) => a - b)),
);
const step = fc.record({ times, judged: fc.array(fc.nat(), { maxLength: 5 }), isFlushed: fc.boolean() });
const range = fc.tuple(fc.nat(LAST_TIME), fc.nat(LAST_TIME)).map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const);

testRuns(
  'what lies beside a state is found by its time, whatever came in which order and was stored when',
  400,
  (runs) => {
    fc.assert(
      fc.property(
        fc.array(step, { minLength: 1, maxLength: 8 }),
        fc.array(range, { minLength: 5 }),
        (steps, ranges) => {
          const store = memoryStateStore();
          const [beside, ids] = [new OverflowStore(), new SpilledIds(config, store, 1 << 16)];
          const user = beside.of(store, 'ann', 1, ids);
          // Of another one, whose keys begin alike.
          beside.of(store, 'ann2', 2, ids).addTouch(touchAt(1, 1), false);
          const expected = { valid: [] as Touch[], invalid: [] as Touch[] };
          for (const { times, judged, isFlushed } of steps) {
            for (const time of times) {
              const touch = touchAt(time, expected.valid.length + expected.invalid.length);
              user.addTouch(touch, false);
              expected.valid.push(touch);
            }
            for (const n of judged) {
              const touch = expected.valid.splice(n % expected.valid.length, 1)[0];
              if (touch === undefined) continue;
              user.judgeTouch(user.touchWithId(touch.clickId)!, true);
              expected.invalid.push(touch);
            }
            if (isFlushed) store.write({ deletes: [], puts: [...beside.takePuts(store)], appends: [] });
            const blocks = store.scan(
              overflowKeysFrom('touch', 'ann', 0),
              overflowKeysFrom('touch', 'ann', 1000),
              1000,
            );
            expect(Math.max(0, ...blocks.map(({ value }) => value.length))).toBeLessThan(32 * 64);
            for (const [from, to] of ranges) {
              expect([...user.touches(from, to, false)].map(plain)).toEqual(between(expected.valid, from, to));
              expect([...user.touches(from, to, true)].map(plain)).toEqual(between(expected.valid, from, to).reverse());
              expect([...user.invalidTouches(from, to, false)].map(plain)).toEqual(between(expected.invalid, from, to));
            }
          }
        },
      ),
      { numRuns: runs },
    );
  },
);

const put = fc.record({
  time: fc.nat(LAST_TIME),
  isClosed: fc.boolean(),
  isInvalid: fc.boolean(),
  /** Which one is judged anew then, if it is there. */
  judged: fc.nat(60),
  isFlushed: fc.boolean(),
});

testRuns('what is closed is found beside what there was no room for, but only if it is asked for', 400, (runs) => {
  fc.assert(
    fc.property(fc.array(put, { maxLength: 60 }), range, (puts, [from, to]) => {
      const store = memoryStateStore();
      const [beside, ids] = [new OverflowStore(), new SpilledIds(config, store, 1 << 16)];
      const of = (withClosed: boolean) => beside.of(store, 'ann', 1, ids, withClosed);
      const expected: { touch: Touch; isClosed: boolean; isInvalid: boolean }[] = [];
      puts.forEach(({ time, isClosed, isInvalid, judged, isFlushed }, n) => {
        const touch = touchAt(time, n);
        if (isClosed) of(true).closeTouch(touch, isInvalid);
        else of(false).addTouch(touch, isInvalid);
        expected.push({ touch, isClosed, isInvalid });
        const other = expected[judged];
        if (other !== undefined) {
          other.isInvalid = !other.isInvalid;
          const found = of(true).touchWithId(other.touch.clickId)!;
          expect(plain(found)).toEqual(plain(other.touch));
          of(true).judgeTouch(found, other.isInvalid);
        }
        if (isFlushed) store.write({ deletes: [], puts: [...beside.takePuts(store)], appends: [] });
      });
      for (const withClosed of [false, true]) {
        const seen = expected.filter(({ isClosed }) => withClosed || !isClosed);
        const [valid, invalid] = [false, true].map((is) =>
          seen.flatMap(({ touch, isInvalid }) => (isInvalid === is ? [touch] : [])),
        );
        const user = of(withClosed);
        expect([...user.touches(from, to, false)].map(plain)).toEqual(between(valid!, from, to));
        expect([...user.touches(from, to, true)].map(plain)).toEqual(between(valid!, from, to).reverse());
        expect([...user.invalidTouches(from, to, true)].map(plain)).toEqual(between(invalid!, from, to).reverse());
        for (const { touch, isClosed } of expected) {
          expect(user.touchWithId(touch.clickId) !== undefined).toBe(withClosed || !isClosed);
        }
      }
    }),
    { numRuns: runs },
  );
});

function plain({ clickId, timestamp, arrival, adId }: Touch) {
  return { clickId, timestamp, arrival, adId };
}

function between(touches: readonly Touch[], from: number, to: number) {
  const found = touches.filter(({ timestamp }) => timestamp >= from && timestamp <= to).map(plain);
  return found.sort((a, b) => a.timestamp - b.timestamp || (a.clickId < b.clickId ? -1 : 1));
}
