import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DailyStatsSchema, RollupStatsSchema } from '../../../gen/ts/clickmesh/v1/attribution_pb.js';
import { MAX_ID_BYTES } from '../../contract/event-rules.ts';
import { CounterTable, HIGH } from './counter-table.ts';
import { CounterValues } from './counter-values.ts';
import { encodeDaily, encodeRollup, encodeStored, readStored } from './encode-counters.ts';
import { ModelNumbers } from './model-numbers.ts';

const MODELS = ['', 'last_click', 'position_based', 'never met'].map((name, number) => ({ name, number }));
const text = fc
  .string({ unit: 'grapheme', maxLength: 40 })
  .filter((id) => Buffer.byteLength(id) <= MAX_ID_BYTES && !id.includes('\0'));

const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const low = fc.bigInt({ min: 1n - HIGH, max: HIGH - 1n });
const sum = fc.bigInt({ min: -(2n ** 31n) * HIGH + 1n, max: (2n ** 31n - 1n) * HIGH });
const invalidClicks = fc.oneof(fc.constant(0), fc.maxSafeNat());
const head = fc.record({ clicks: fc.maxSafeNat(), version: fc.maxSafeNat(), invalidClicks });
/** As nearly all sums are, those that take a byte among them. */
const usual = fc.oneof(fc.nat({ max: 200 }), fc.maxSafeNat()).map(BigInt);
const modelSums = fc.record({
  conversionsMicros: fc.oneof(int64, usual),
  revenueMicros: fc.oneof(low, usual),
  rare: fc.option(
    fc.record({
      retractedMicros: int64,
      adjustedMicros: sum,
      refundsMicros: sum,
      revenueHigh: fc.bigInt({ min: 1n - 2n ** 31n, max: 2n ** 31n - 2n }),
    }),
    { nil: undefined },
  ),
});
type Head = typeof head extends fc.Arbitrary<infer T> ? T : never;
type ModelSums = typeof modelSums extends fc.Arbitrary<infer T> ? T : never;

/** A table whose second counter has these values. */
function tableOf({ clicks, version, invalidClicks }: Head, models: readonly ModelSums[]) {
  const table = new CounterTable();
  for (const group of [7, 8]) table.numberOf(0, group, 0, 0, '');
  const counter = 1;
  table.reserveModels(MODELS.length);
  table.setClicks(counter, clicks);
  table.setVersion(counter, version);
  if (invalidClicks > 0) table.rareOf(counter, 0).invalidClicks = invalidClicks;
  for (const [model, { conversionsMicros, revenueMicros, rare }] of models.entries()) {
    table.setSums(counter, model, conversionsMicros, revenueMicros);
    if (rare !== undefined) Object.assign(table.rareOf(counter, model), rare);
  }
  return [table, counter] as const;
}

function valuesOf(texts: readonly string[]): CounterValues {
  const values = new CounterValues();
  for (const [i, text] of texts.entries()) {
    const bytes = Buffer.from(`-${text}-`);
    if (i % 2 === 0) values.addText(text);
    else values.add(bytes, 1, bytes.length - 1);
  }
  return values;
}

/** The fields of DailyStats and of ModelStats. */
function sumsOf({ conversionsMicros, revenueMicros, rare }: ModelSums) {
  const revenue = BigInt(rare?.revenueHigh ?? 0) * HIGH + revenueMicros;
  const [adjusted, refunds] = [rare?.adjustedMicros ?? 0n, rare?.refundsMicros ?? 0n];
  return {
    ...{ conversionsMicros, retractedMicros: rare?.retractedMicros ?? 0n },
    ...{ revenueMicros: revenue % HIGH, revenueHigh: Number(revenue / HIGH) },
    ...{ adjustedMicros: adjusted % HIGH, adjustedHigh: Number(adjusted / HIGH) },
    ...{ refundsMicros: refunds % HIGH, refundsHigh: Number(refunds / HIGH) },
  };
}

function countsOf({ clicks, version, invalidClicks }: Head) {
  return { clicks: BigInt(clicks), version: BigInt(version), invalidClicks: BigInt(invalidClicks) };
}

const none = { conversionsMicros: 0n, revenueMicros: 0n, rare: undefined };
const allSums = fc.array(fc.oneof(modelSums, fc.constant(none)), { maxLength: 3 });

test('a counter is read as it was written, with all models that it was ever under', () => {
  const day = fc.integer({ min: 0, max: 100_000 });
  const key = fc.record({ day, campaignId: text, source: text, conversionType: text });
  fc.assert(
    fc.property(fc.nat(), key, head, allSums, (partition, key, head, all) => {
      const models = all.map((sums, i) => ({ model: MODELS[i]!.name, ...sumsOf(sums) }));
      const message = create(DailyStatsSchema, { partition, ...key, ...countsOf(head), models });
      const [table, counter] = tableOf(head, all);
      const values = valuesOf([key.campaignId, key.source, key.conversionType]);
      const bytes = encodeDaily(partition, key.day, values, MODELS, table, counter);
      expect(fromBinary(DailyStatsSchema, bytes)).toEqual(message);
      expect(bytes).toEqual(Buffer.from(toBinary(DailyStatsSchema, message)));
      const stored = create(RollupStatsSchema, { ...countsOf(head), models });
      expect(encodeStored(MODELS, table, counter, true)).toEqual(Buffer.from(toBinary(RollupStatsSchema, stored)));
    }),
  );
});

test('a counter of a rollup is read as it was written, with all models that have anything', () => {
  const period = fc.integer({ min: 0, max: 3_000_000 });
  const key = fc.record({ rollup: text, period, values: fc.array(text, { maxLength: 4 }) });
  fc.assert(
    fc.property(fc.nat(), key, head, allSums, (partition, key, head, all) => {
      const models = all.flatMap((sums, i) => {
        const of = sumsOf(sums);
        return Object.values(of).some(Boolean) ? [{ model: MODELS[i]!.name, ...of }] : [];
      });
      const message = create(RollupStatsSchema, { partition, ...key, ...countsOf(head), models });
      const [table, counter] = tableOf(head, all);
      const values = valuesOf(key.values);
      const bytes = encodeRollup(partition, key.rollup, key.period, values, MODELS, table, counter);
      expect(fromBinary(RollupStatsSchema, bytes)).toEqual(message);
      expect(bytes).toEqual(Buffer.from(toBinary(RollupStatsSchema, message)));
    }),
  );
});

test('a counter of the store is what was written, and is written the same again', () => {
  fc.assert(
    fc.property(head, allSums, (head, all) => {
      const [table, counter] = tableOf(head, all);
      const stored = Buffer.from(encodeStored(MODELS, table, counter, true));
      const [read, models] = [new CounterTable(), new ModelNumbers()];
      read.numberOf(0, 7, 0, 0, '');
      expect(readStored(stored, read, 0, models)).toBe(false);
      expect([read.versionOf(0), read.loadedVersionOf(0)]).toEqual([head.version, head.version]);
      expect(encodeStored(models.byName, read, 0, true)).toEqual(stored);
    }),
    { numRuns: 1000 },
  );
});
