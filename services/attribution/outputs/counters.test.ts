import { fromBinary } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DailyStatsSchema } from '../../../gen/ts/clickmesh/v1/attribution_pb.js';
import { memoryStateStore } from '../../../test/fixtures/memory-state-store.ts';
import { DAY_MS } from '../../contract/limits.ts';
import { InternedTouch, putTouch, TOUCH_WORDS, TouchTexts, touchMemory } from '../memory/touch-memory.ts';
import { COUNTERS_FROM, COUNTERS_TO, counterName } from '../store/keys.ts';
import { Counters } from './counters.ts';

const PARTITION = 3;
const CLICK_ID = '00000000-0000-4000-8000-000000000001';

const change = fc.record({
  kind: fc.constantFrom('click by number', 'click', 'increment'),
  day: fc.integer({ min: 20_000, max: 20_002 }),
  campaignId: fc.constantFrom('a', 'b', 'ü'),
  source: fc.constantFrom('', 's'),
  conversionType: fc.constantFrom('buy', 'install'),
  model: fc.constantFrom('last_click', 'linear'),
  interned: fc.constantFrom('no', 'in these texts', 'in those before'),
  sign: fc.constantFrom(1n, -1n),
  micros: fc.bigInt({ min: 1n, max: 10n ** 17n }),
});
const step = fc.oneof(
  { weight: 6, arbitrary: change },
  { weight: 1, arbitrary: fc.constantFrom('publish', 'flush', 'new texts', 'restart', 'fold all again') },
);
type Change = typeof change extends fc.Arbitrary<infer T> ? T : never;
type Step = Change | 'publish' | 'flush' | 'new texts' | 'restart' | 'fold all again';

interface Values {
  clicks: bigint;
  conversionsMicros: bigint;
  revenueMicros: bigint;
  version: bigint;
}

function applied(before: Values | undefined, { kind, sign, micros }: Change, offset: number): Values {
  const old = before ?? { clicks: 0n, conversionsMicros: 0n, revenueMicros: 0n, version: 0n };
  const version = BigInt(offset);
  if (kind !== 'increment') return { ...old, clicks: old.clicks + 1n, version };
  const conversionsMicros = old.conversionsMicros + sign * 1_000_000n;
  return { ...old, conversionsMicros, revenueMicros: old.revenueMicros + sign * micros, version };
}

test('what is published and what is stored are the sums of what was added', () => {
  fc.assert(
    fc.property(fc.array(step as fc.Arbitrary<Step>, { maxLength: 60, size: 'max' }), (steps) => {
      const store = memoryStateStore();
      let texts = new TouchTexts();
      let textsBefore = texts;
      let counters = new Counters(PARTITION);
      const done: [Change, number][] = [];
      const expected = new Map<string, Values>();
      const published = new Map<string, Values>();

      const touchOf = ({ day, campaignId, source, interned }: Change) => {
        const timestamp = day * DAY_MS + 1;
        const touch = { clickId: CLICK_ID, timestamp, arrival: timestamp, adId: 'ad', campaignId, source };
        if (interned === 'no') return touch;
        const its = interned === 'in these texts' ? texts : textsBefore;
        const memory = touchMemory(TOUCH_WORDS);
        putTouch(memory, 0, touch, its);
        return new InternedTouch(its, memory, 0);
      };
      const add = (each: Change, offset: number) => {
        const { kind, day, campaignId, source, conversionType, model, sign, micros } = each;
        const touch = touchOf(each);
        if (kind === 'click by number') {
          counters.addClick(store, texts, texts.campaignSourceNamed(campaignId, source), touch.timestamp, offset);
        } else if (kind === 'click') {
          counters.add(store, texts, [{ touch, offset }], []);
        } else {
          const [conversionsMicros, revenueMicros] = [sign * 1_000_000n, sign * micros];
          const increment = { day, conversionType, model, touch, conversionsMicros, revenueMicros, offset };
          counters.add(store, texts, [], [increment]);
        }
      };
      const publish = () => {
        for (const { name, bytes } of counters.takeChanged()) published.set(name, valuesOf(bytes));
      };
      const flush = () => {
        publish();
        store.write({ deletes: [], puts: counters.takeDirty(), appends: [] });
      };

      for (const each of steps) {
        if (each === 'publish') publish();
        else if (each === 'flush') flush();
        else if (each === 'new texts') {
          flush();
          textsBefore = texts;
          texts = new TouchTexts();
          // So that numbers mean something else.
          texts.campaignSourceNamed('ü', '');
        } else if (each === 'restart' || each === 'fold all again') {
          flush();
          counters = new Counters(PARTITION);
          if (each === 'fold all again') for (const [before, offset] of done) add(before, offset);
        } else {
          const offset = done.push([each, done.length + 1]);
          add(each, offset);
          const isClick = each.kind !== 'increment';
          const name = counterName(isClick ? { ...each, conversionType: '', model: '' } : each);
          expected.set(name, applied(expected.get(name), each, offset));
        }
      }
      flush();
      expect(published).toEqual(expected);
      const stored = store.scan(COUNTERS_FROM, COUNTERS_TO, Number.POSITIVE_INFINITY);
      expect(new Map(stored.map(({ key, value }) => [key.toString('utf8', 1), valuesOf(value)]))).toEqual(expected);
    }),
  );
});

function valuesOf(bytes: Buffer): Values {
  const { clicks, conversionsMicros, revenueMicros, version } = fromBinary(DailyStatsSchema, bytes);
  return { clicks, conversionsMicros, revenueMicros, version };
}

test('counters of which there are too many are forgotten once they are stored', () => {
  const store = memoryStateStore();
  const texts = new TouchTexts();
  const counters = new Counters(PARTITION);
  for (let offset = 1; offset <= 50_001; offset++) {
    counters.addClick(store, texts, texts.campaignSourceNamed(`c${offset}`, ''), 0, offset);
  }
  const first = counters.takeDirty();
  expect(first.map(({ value }) => Number(valuesOf(value).version))).toEqual(first.map((_, i) => i + 1));
  store.write({ deletes: [], puts: first, appends: [] });
  const campaignSource = texts.campaignSourceNamed('c1', '');
  counters.addClick(store, texts, campaignSource, 0, 60_000);
  const changed = counters.takeChanged().filter(({ name }) => name.includes('c1\0'));
  expect(changed.map(({ bytes }) => valuesOf(bytes).clicks)).toEqual([1n, 2n]);
  expect(counters.takeDirty()).toHaveLength(1);
});

test('R-6: counters that are not stored are not forgotten for other texts', () => {
  const store = memoryStateStore();
  const counters = new Counters(PARTITION);
  const texts = new TouchTexts();
  counters.addClick(store, texts, texts.campaignSourceNamed('c', ''), 0, 1);
  const others = new TouchTexts();
  expect(() => counters.addClick(store, others, others.campaignSourceNamed('d', ''), 0, 2)).toThrow('R-6');
});
