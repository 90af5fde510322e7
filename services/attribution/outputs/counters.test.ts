import { fromBinary } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DailyStatsSchema } from '../../../gen/ts/clickmesh/v1/attribution_pb.js';
import { COUNTERS_FROM, COUNTERS_TO } from '../../../test/fixtures/counter-keys.ts';
import { memoryStateStore } from '../../../test/fixtures/memory-state-store.ts';
import { DAY_MS } from '../../contract/limits.ts';
import type { Touch } from '../decision/state.ts';
import { InternedTouch, putTouch, TOUCH_WORDS, TouchTexts, touchMemory } from '../memory/touch-memory.ts';
import { counterName } from '../store/keys.ts';
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
  { weight: 1, arbitrary: fc.constantFrom('publish', 'flush', 'forget', 'new texts', 'restart', 'fold all again') },
);
type Change = typeof change extends fc.Arbitrary<infer T> ? T : never;
type Step = Change | 'publish' | 'flush' | 'forget' | 'new texts' | 'restart' | 'fold all again';

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
      let mostBytes = Number.POSITIVE_INFINITY;
      const newCounters = () => new Counters(PARTITION, () => mostBytes);
      let counters = newCounters();
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
          counters.addClick(texts, texts.campaignSourceNamed(campaignId, source), touch.timestamp, offset);
          // At once, or with what comes later.
          if (sign > 0n) counters.add(store, texts, [], []);
        } else if (kind === 'click') {
          counters.add(store, texts, [{ touch, clicks: 1, invalidClicks: 0, offset }], []);
        } else {
          const [conversionsMicros, revenueMicros] = [sign * 1_000_000n, sign * micros];
          const timestamp = day * DAY_MS;
          const increment = {
            ...UNCORRECTED,
            timestamp,
            conversionType,
            model,
            touch,
            conversionsMicros,
            revenueMicros,
            offset,
          };
          counters.add(store, texts, [], [increment]);
        }
      };
      const publish = () => {
        counters.add(store, texts, [], []);
        for (const { name, bytes } of counters.takeChanged()) published.set(name, valuesOf(bytes));
      };
      const flush = () => {
        publish();
        store.write({ deletes: [], puts: counters.takeDirty(), appends: [] });
      };

      for (const each of steps) {
        if (each === 'publish') publish();
        else if (each === 'flush') flush();
        else if (each === 'forget') {
          flush();
          mostBytes = 0;
          counters.forgetIfFull();
          mostBytes = Number.POSITIVE_INFINITY;
        } else if (each === 'new texts') {
          flush();
          textsBefore = texts;
          texts = new TouchTexts();
          // So that numbers mean something else.
          texts.campaignSourceNamed('ü', '');
        } else if (each === 'restart' || each === 'fold all again') {
          flush();
          counters = newCounters();
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

test('counters of all types and days take memory only where they exist, and beyond a budget none', () => {
  const store = memoryStateStore();
  const texts = new TouchTexts();
  const counters = new Counters(PARTITION, () => MOST_BYTES);
  const [campaigns, types, models] = [20_000, 4_000, ['linear', 'last_click', 'first_click', 'time_decay', 'u']];
  for (let campaign = 0; campaign < campaigns; campaign++) {
    counters.addClick(texts, texts.campaignSourceNamed(`c${campaign}`, ''), 0, campaign);
  }
  counters.add(store, texts, [], []);
  let most = 0;
  for (let type = 0; type < types; type++) {
    const increments = models.map((model) => ({
      ...{
        ...UNCORRECTED,
        timestamp: (type % 400) * DAY_MS,
        conversionType: `t${type}`,
        model,
        offset: campaigns + type,
      },
      ...{ touch: touchOf(`c${campaigns - 1 - type}`), conversionsMicros: 1_000_000n, revenueMicros: BigInt(type) },
    }));
    counters.add(store, texts, [], increments);
    most = Math.max(most, counters.bytesUsed);
    if (!counters.isFull()) continue;
    counters.takeChanged();
    store.write({ deletes: [], puts: counters.takeDirty(), appends: [] });
    counters.forgetIfFull();
    expect(counters.bytesUsed).toBeLessThan(MOST_BYTES);
  }
  store.write({ deletes: [], puts: counters.takeDirty(), appends: [] });
  expect(most).toBeLessThan(campaigns * 200);
  const stored = store.scan(COUNTERS_FROM, COUNTERS_TO, Number.POSITIVE_INFINITY).map(({ value }) => valuesOf(value));
  expect(stored).toHaveLength(campaigns + types * models.length);
  expect(stored.reduce((sum, { clicks }) => sum + clicks, 0n)).toBe(BigInt(campaigns));
  expect(stored.reduce((sum, { revenueMicros }) => sum + revenueMicros, 0n)).toBe(
    5n * BigInt((types * (types - 1)) / 2),
  );
});

const MOST_BYTES = 1 << 20;
const UNCORRECTED = { retractedMicros: 0n, adjustedMicros: 0n, refundsMicros: 0n };

function touchOf(campaignId: string): Touch {
  return { clickId: CLICK_ID, timestamp: 1, arrival: 1, adId: 'ad', campaignId, source: '' };
}

test('a counter that was left to the store goes on from there', () => {
  const store = memoryStateStore();
  const texts = new TouchTexts();
  const counters = new Counters(PARTITION, () => 0);
  const campaignSource = texts.campaignSourceNamed('c', '');
  for (const offset of [1, 2]) {
    counters.addClick(texts, campaignSource, 0, offset);
    counters.add(store, texts, [], []);
    expect(counters.takeChanged().map(({ bytes }) => valuesOf(bytes).clicks)).toEqual([BigInt(offset)]);
    store.write({ deletes: [], puts: counters.takeDirty(), appends: [] });
    counters.forgetIfFull();
  }
});

test('R-6: counters that are not stored are not forgotten, for other texts or for memory', () => {
  const store = memoryStateStore();
  const counters = new Counters(PARTITION, () => 0);
  const texts = new TouchTexts();
  counters.addClick(texts, texts.campaignSourceNamed('c', ''), 0, 1);
  counters.add(store, texts, [], []);
  const others = new TouchTexts();
  expect(() => counters.addClick(others, others.campaignSourceNamed('d', ''), 0, 2)).toThrow('R-6');
  expect(() => counters.forgetIfFull()).toThrow('R-6');
});
