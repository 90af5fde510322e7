import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  type DailyStats,
  DailyStatsSchema,
  type ModelStats,
  type RollupStats,
  RollupStatsSchema,
} from '../../../gen/ts/clickmesh/v1/attribution_pb.js';
import { countedOf } from '../../../test/fixtures/credits.ts';
import { memoryStateStore } from '../../../test/fixtures/memory-state-store.ts';
import { DAY_MS, HOUR_MS } from '../../contract/limits.ts';
import { reportDays } from '../../contract/report-days.ts';
import { type Field, parseRollups } from '../../contract/rollups.ts';
import type { Touch } from '../decision/state.ts';
import { InternedTouch, putTouch, TOUCH_WORDS, TouchTexts, touchMemory } from '../memory/touch-memory.ts';
import { COUNTERS_FROM, COUNTERS_TO, counterKey, HEAD_BYTES, ROLLUPS_FROM, ROLLUPS_TO } from '../store/counter-keys.ts';
import { counterName } from '../store/keys.ts';
import type { StateStore } from '../store/state-store.ts';
import { HIGH } from './counter-table.ts';
import { Counters } from './counters.ts';

const PARTITION = 3;
const DAYS = reportDays('UTC');
const CLICK_ID = '00000000-0000-4000-8000-000000000001';

const change = fc.record({
  kind: fc.constantFrom('click by number', 'click', 'verdict', 'increment'),
  day: fc.integer({ min: 20_000, max: 20_002 }),
  hour: fc.integer({ min: 0, max: 23 }),
  adId: fc.constantFrom('ad', 'b'),
  campaignId: fc.constantFrom('a', 'b', 'ü'),
  source: fc.constantFrom('', 's'),
  metadata: fc.constantFrom('', 'geo\0DE', 'geo\0ü\0os\0web', 'os\0web'),
  conversionType: fc.constantFrom('buy', 'install'),
  model: fc.constantFrom('last_click', 'linear'),
  interned: fc.constantFrom('no', 'in these texts', 'in those before'),
  sign: fc.constantFrom(1n, -1n),
  micros: fc.oneof(fc.bigInt({ min: 1n, max: 10n ** 17n }), fc.bigInt({ min: 9n * 10n ** 17n, max: 10n ** 18n })),
  corrected: fc.boolean(),
  unattributed: fc.boolean(),
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
  invalidClicks: bigint;
  retractedMicros: bigint;
  adjustedMicros: bigint;
  refundsMicros: bigint;
}

/** Clicks with the version, and what each model has of conversions. */
interface CounterValues {
  clicks: Values;
  models: Record<string, Values>;
}

const NOTHING: Values = {
  ...{ clicks: 0n, conversionsMicros: 0n, revenueMicros: 0n, version: 0n },
  ...{ invalidClicks: 0n, retractedMicros: 0n, adjustedMicros: 0n, refundsMicros: 0n },
};

const BY_METADATA = 'day:metadata.os; hour:metadata.os,campaign_id,metadata.geo; day:ad_id,metadata.geo';
const ROLLUPS = parseRollups(
  `day:campaign_id,ad_id; hour:campaign_id; hour:conversion_type,source; day:ad_id; ${BY_METADATA}`,
);

function applied(before: Values | undefined, { kind, sign, micros, corrected }: Change, offset: number): Values {
  const old = before ?? NOTHING;
  const version = BigInt(offset);
  if (kind === 'verdict') {
    const clicks = old.clicks === 0n && sign > 0n ? 0n : old.clicks - sign;
    const invalidClicks = old.invalidClicks === 0n && sign < 0n ? 0n : old.invalidClicks + sign;
    return { ...old, clicks, invalidClicks, version };
  }
  if (kind !== 'increment') return { ...old, clicks: old.clicks + 1n, version };
  const conversionsMicros = old.conversionsMicros + sign * 1_000_000n;
  const added = { ...old, conversionsMicros, revenueMicros: old.revenueMicros + sign * micros, version };
  if (!corrected) return added;
  return {
    ...added,
    retractedMicros: old.retractedMicros - sign,
    adjustedMicros: old.adjustedMicros - sign * micros,
    refundsMicros: old.refundsMicros + sign * micros,
  };
}

/**
 * The same, of a counter that has the values of all models, as `valuesOf` reads it.
 *
 * @param withAll with models whose values were taken back, too
 */
function appliedToCounter(
  before: CounterValues | undefined,
  change: Change,
  offset: number,
  withAll: boolean,
): CounterValues {
  const { clicks, models } = before ?? { clicks: NOTHING, models: {} };
  const version = BigInt(offset);
  if (change.kind !== 'increment') return { clicks: applied(clicks, change, offset), models };
  const model = change.unattributed ? '' : change.model;
  const { [model]: old, ...others } = models;
  const changed = { ...applied(old, change, offset), version: 0n };
  const isNothing = !withAll && Object.values(changed).every((value) => value === 0n);
  return { clicks: { ...clicks, version }, models: isNothing ? others : { ...others, [model]: changed } };
}

/** Names of the counters that a change is of: that of daily_stats, and those of rollups. */
function namesOf(change: Change): [daily: string, ...rollups: string[]] {
  const { kind, day, hour, campaignId, adId, source, metadata, conversionType, unattributed } = change;
  const isIncrement = kind === 'increment';
  const hasTouch = !isIncrement || !unattributed;
  const [geo, os] = ['geo', 'os'].map((key) => metadata.match(`${key}\0([^\0]+)`)?.[1] ?? '');
  const texts: Record<string, string> = {
    'metadata.geo': hasTouch ? geo! : '',
    'metadata.os': hasTouch ? os! : '',
    campaign_id: hasTouch ? campaignId : '',
    ad_id: hasTouch ? adId : '',
    source: hasTouch ? source : '',
    conversion_type: isIncrement ? conversionType : '',
  };
  const { campaign_id, source: ofSource, conversion_type } = texts as Record<Field, string>;
  const daily = { day, campaignId: campaign_id, source: ofSource, conversionType: conversion_type };
  return [
    counterName(daily),
    ...ROLLUPS.map(({ name, grain, dimensions }) => {
      const values = dimensions.map((dimension) => texts[dimension]!);
      return [name, grain === 'day' ? day : 24 * day + hour, ...values].join('\0');
    }),
  ];
}

test('what is published and what is stored are the sums of what was added', () => {
  fc.assert(
    fc.property(fc.array(step as fc.Arbitrary<Step>, { maxLength: 60, size: 'max' }), (steps) => {
      const store = memoryStateStore();
      let texts = new TouchTexts();
      let textsBefore = texts;
      let mostBytes = Number.POSITIVE_INFINITY;
      const newCounters = () => new Counters(PARTITION, ROLLUPS, DAYS, () => mostBytes);
      let counters = newCounters();
      const done: [Change, number][] = [];
      const expected = new Map<string, CounterValues>();
      const published = new Map<string, CounterValues>();

      const touchOf = ({ day, hour, adId, campaignId, source, metadata, interned }: Change) => {
        const timestamp = day * DAY_MS + hour * HOUR_MS + 1;
        const touch = { clickId: CLICK_ID, timestamp, arrival: timestamp, adId, campaignId, source, metadata };
        if (interned === 'no') return touch;
        const its = interned === 'in these texts' ? texts : textsBefore;
        const memory = touchMemory(TOUCH_WORDS);
        putTouch(memory, 0, touch, its);
        return new InternedTouch(its, memory, 0);
      };
      const add = (each: Change, offset: number) => {
        const { kind, campaignId, source, conversionType, model, sign, micros } = each;
        const touch = touchOf(each);
        if (kind === 'click by number') {
          const numbers = [texts.campaignSourceNamed(campaignId, source), texts.adNamed(each)] as const;
          counters.addClick(...numbers, touch.timestamp, offset);
          // At once, or with what comes later.
          if (sign > 0n) counters.add(store, texts, countedOf([]));
        } else if (kind === 'click') {
          counters.add(store, texts, countedOf([], [{ touch, clicks: 1, invalidClicks: 0, offset }]));
        } else if (kind === 'verdict') {
          const [clicks, invalidClicks] = sign > 0n ? ([-1, 1] as const) : ([1, -1] as const);
          counters.add(store, texts, countedOf([], [{ touch, clicks, invalidClicks, offset }]));
        } else {
          const [conversionsMicros, revenueMicros] = [sign * 1_000_000n, sign * micros];
          const increment = {
            ...(each.corrected ? correctionsOf(each) : UNCORRECTED),
            ...(each.unattributed ? { touch: undefined, model: '' } : { touch, model }),
            ...{ timestamp: touch.timestamp, conversionType, conversionsMicros, revenueMicros, offset },
          };
          counters.add(store, texts, countedOf([increment]));
        }
      };
      const publish = (withRollups: boolean) => {
        counters.add(store, texts, countedOf([]));
        for (const { topic, partition, key, value } of counters.takeChanged(withRollups)) {
          expect([partition, key.startsWith(`${PARTITION}\0`)]).toEqual([PARTITION, true]);
          published.set(key.slice(2), valuesOf(fromBinary(SCHEMAS[topic as keyof typeof SCHEMAS], value)));
        }
      };
      const flush = () => {
        publish(true);
        store.write({ deletes: [], puts: counters.takeDirty(), appends: [] });
      };

      for (const each of steps) {
        if (each === 'publish') publish(false);
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
          const [daily, ...rollups] = namesOf(each);
          expected.set(daily, appliedToCounter(expected.get(daily), each, offset, true));
          for (const name of rollups) expected.set(name, appliedToCounter(expected.get(name), each, offset, false));
        }
      }
      flush();
      expect(published).toEqual(expected);
      expect(storedIn(store)).toEqual(expected);
    }),
  );
});

function correctionsOf({ sign, micros }: Change) {
  return { retractedMicros: -sign, adjustedMicros: -sign * micros, refundsMicros: sign * micros };
}

const SCHEMAS = { 'daily-stats': DailyStatsSchema, 'rollup-stats': RollupStatsSchema };

function storedIn(store: StateStore): Map<string, CounterValues> {
  const daily = store.scan(COUNTERS_FROM, COUNTERS_TO, Number.POSITIVE_INFINITY);
  const rollups = store.scan(ROLLUPS_FROM, ROLLUPS_TO, Number.POSITIVE_INFINITY);
  return new Map(
    [...daily, ...rollups].map(({ key, value }) => {
      return [nameOf(key), valuesOf(fromBinary(RollupStatsSchema, value))] as const;
    }),
  );
}

/** The key that a counter of the store has in the log, but for the partition. */
function nameOf(key: Buffer): string {
  const isDaily = key[0] === COUNTERS_FROM[0];
  const start = isDaily ? 1 : key.indexOf(0) + 1;
  const period = key.readUInt32BE(start) - 2 ** 31;
  const values = key.toString('utf8', start + HEAD_BYTES);
  return `${key.toString('utf8', 1, start)}${period}\0${isDaily ? values : values.slice(0, -1)}`;
}

function valuesOf({ clicks, version, invalidClicks, models }: DailyStats | RollupStats): CounterValues {
  return {
    clicks: { ...NOTHING, clicks, version, invalidClicks },
    models: Object.fromEntries(models.map((of) => [of.model, { ...NOTHING, ...sumsOf(of) }])),
  };
}

function sumsOf(read: ModelStats) {
  for (const low of [read.revenueMicros, read.adjustedMicros, read.refundsMicros]) {
    expect(low > -HIGH && low < HIGH).toBe(true);
  }
  return {
    ...{ conversionsMicros: read.conversionsMicros, retractedMicros: read.retractedMicros },
    revenueMicros: BigInt(read.revenueHigh) * HIGH + read.revenueMicros,
    adjustedMicros: BigInt(read.adjustedHigh) * HIGH + read.adjustedMicros,
    refundsMicros: BigInt(read.refundsHigh) * HIGH + read.refundsMicros,
  };
}

test('a counter of a build before, whose low word holds more than 10^18, goes on with it', () => {
  const store = memoryStateStore();
  const texts = new TouchTexts();
  const models = [{ model: 'linear', revenueMicros: 9n * 10n ** 18n }];
  const value = Buffer.from(toBinary(RollupStatsSchema, create(RollupStatsSchema, { models })));
  store.write({ deletes: [], puts: [{ key: counterKey(undefined, 0, ['c', '', 't']), value }], appends: [] });
  const counters = new Counters(PARTITION, [], DAYS, () => MOST_BYTES);
  const credited = { touch: touchOf('c'), timestamp: 0, conversionType: 't', model: 'linear', offset: 1 };
  const amounts = { ...UNCORRECTED, conversionsMicros: 1n, revenueMicros: 10n ** 18n };
  counters.add(store, texts, countedOf([{ ...credited, ...amounts }]));
  expect(counters.takeChanged().map(({ value }) => daily(value).models.linear!.revenueMicros)).toEqual([10n ** 19n]);
});

test('of a counter that was joined of those of its models, each goes on from its own version', () => {
  const store = memoryStateStore();
  const texts = new TouchTexts();
  const models = [
    { model: 'last_click', conversionsMicros: 5n, version: 9n },
    { model: 'linear', conversionsMicros: 5n, version: 7n },
  ];
  const value = Buffer.from(toBinary(RollupStatsSchema, create(RollupStatsSchema, { models, version: 9n })));
  store.write({ deletes: [], puts: [{ key: counterKey(undefined, 0, ['c', '', 't']), value }], appends: [] });
  const counters = new Counters(PARTITION, [], DAYS, () => MOST_BYTES);
  const credited = { touch: touchOf('c'), timestamp: 0, conversionType: 't', ...UNCORRECTED, revenueMicros: 0n };
  const increments = [6, 8, 10].flatMap((offset) =>
    ['last_click', 'linear', 'new'].map((model) => ({ ...credited, model, conversionsMicros: 1n, offset })),
  );
  counters.add(store, texts, countedOf(increments));
  const [{ clicks, models: counted }] = counters.takeChanged().map(({ value }) => daily(value)) as [CounterValues];
  expect(clicks.version).toBe(10n);
  const conversions = Object.entries(counted).map(([model, { conversionsMicros }]) => [model, conversionsMicros]);
  expect(conversions).toEqual([
    ['last_click', 6n],
    ['linear', 7n],
    ['new', 3n],
  ]);
});

test('counters of all types and days take memory only where they exist, and beyond a budget none', () => {
  const store = memoryStateStore();
  const texts = new TouchTexts();
  const counters = new Counters(PARTITION, [], DAYS, () => MOST_BYTES);
  const [campaigns, types, models] = [20_000, 4_000, ['linear', 'last_click', 'first_click', 'time_decay', 'u']];
  for (let campaign = 0; campaign < campaigns; campaign++) {
    counters.addClick(texts.campaignSourceNamed(`c${campaign}`, ''), 0, 0, campaign);
  }
  counters.add(store, texts, countedOf([]));
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
    counters.add(store, texts, countedOf(increments));
    most = Math.max(most, counters.bytesUsed);
    if (!counters.isFull()) continue;
    counters.takeChanged();
    store.write({ deletes: [], puts: counters.takeDirty(), appends: [] });
    counters.forgetIfFull();
    expect(counters.bytesUsed).toBeLessThan(MOST_BYTES);
  }
  store.write({ deletes: [], puts: counters.takeDirty(), appends: [] });
  expect(most).toBeLessThan(campaigns * 200);
  const stored = [...storedIn(store).values()];
  expect(stored).toHaveLength(campaigns + types);
  expect(stored.reduce((sum, { clicks }) => sum + clicks.clicks, 0n)).toBe(BigInt(campaigns));
  const sums = stored.flatMap(({ models }) => Object.values(models).map(({ revenueMicros }) => revenueMicros));
  expect(sums).toHaveLength(types * models.length);
  expect(sums.reduce((sum, revenueMicros) => sum + revenueMicros, 0n)).toBe(5n * BigInt((types * (types - 1)) / 2));
});

function daily(bytes: Uint8Array): CounterValues {
  return valuesOf(fromBinary(DailyStatsSchema, bytes));
}

const MOST_BYTES = 1 << 20;
const UNCORRECTED = { retractedMicros: 0n, adjustedMicros: 0n, refundsMicros: 0n };

function touchOf(campaignId: string): Touch {
  return { clickId: CLICK_ID, timestamp: 1, arrival: 1, adId: 'ad', campaignId, source: '', metadata: '' };
}

test('a counter that was left to the store goes on from there', () => {
  const store = memoryStateStore();
  const texts = new TouchTexts();
  const counters = new Counters(PARTITION, [], DAYS, () => 0);
  const campaignSource = texts.campaignSourceNamed('c', '');
  for (const offset of [1, 2]) {
    counters.addClick(campaignSource, 0, 0, offset);
    counters.add(store, texts, countedOf([]));
    expect(counters.takeChanged().map(({ value }) => daily(value).clicks.clicks)).toEqual([BigInt(offset)]);
    store.write({ deletes: [], puts: counters.takeDirty(), appends: [] });
    counters.forgetIfFull();
  }
});

test('R-6: counters that are not stored are not forgotten, for other texts or for memory', () => {
  const store = memoryStateStore();
  const counters = new Counters(PARTITION, [], DAYS, () => 0);
  const texts = new TouchTexts();
  counters.addClick(texts.campaignSourceNamed('c', ''), 0, 0, 1);
  counters.add(store, texts, countedOf([]));
  const others = new TouchTexts();
  counters.addClick(others.campaignSourceNamed('d', ''), 0, 0, 2);
  expect(() => counters.add(store, others, countedOf([]))).toThrow('R-6');
  expect(() => counters.forgetIfFull()).toThrow('R-6');
});
