import assert from 'node:assert/strict';
import { putBigint, putNumber, putSizedText, putText, putVarint } from '../../contract/wire.ts';
import type { CounterKey } from '../decision/effects.ts';
import type { RollupKey } from '../store/keys.ts';
import { type CounterTable, HIGH, type RareValues } from './counter-table.ts';
import type { NumberedModel } from './model-numbers.ts';

// Encoders of counters, whose bytes are those that toBinary gives. The store has a counter without what its key says.

/** Most bytes of a message but for its texts and models. */
const MAX_FIXED_BYTES = 256;
/** Most bytes of a ModelStats, with the tag and the length before it. */
const MAX_MODEL_BYTES = 130;
/** From a tag to that of the field behind it, of the same type. */
const NEXT_FIELD = 1 << 3;

/** Where one counter at a time is put together. */
let scratch = Buffer.allocUnsafeSlow(4096);

function reserve(bytes: number, ...texts: string[]): void {
  let needed = MAX_FIXED_BYTES + bytes;
  // No UTF-16 unit takes more than 3 bytes of UTF-8.
  for (const text of texts) needed += 3 * text.length;
  if (needed > scratch.length) scratch = Buffer.allocUnsafeSlow(2 * needed);
}

/** A DailyStats of a counter whose values are under the table's first model. */
export function encodeCounter(partition: number, key: CounterKey, table: CounterTable, counter: number): Buffer {
  const { campaignId, source, conversionType, model } = key;
  reserve(0, campaignId, source, conversionType, model);
  let at = putNumber(scratch, 0, 0x08, key.day);
  at = putText(scratch, at, 0x12, campaignId);
  at = putText(scratch, at, 0x1a, source);
  at = putText(scratch, at, 0x22, conversionType);
  at = putText(scratch, at, 0x2a, model);
  at = putNumber(scratch, at, 0x30, partition);
  return Buffer.from(scratch.subarray(0, putCounts(at, table, counter)));
}

/** The same for the store: without what is counted. Good until the next call. */
export function encodeStoredCounter(table: CounterTable, counter: number): Buffer {
  return scratch.subarray(0, putCounts(0, table, counter));
}

function putCounts(start: number, table: CounterTable, counter: number): number {
  let at = putNumber(scratch, start, 0x38, table.clicksOf(counter));
  at = putBigint(scratch, at, 0x40, table.conversionsOf(counter, 0));
  const rare = table.rareIfAny(counter, 0);
  const revenueMicros = revenueOf(table, counter, 0, rare);
  at = putBigint(scratch, at, 0x48, rare === undefined ? revenueMicros : revenueMicros % HIGH);
  at = putNumber(scratch, at, 0x50, table.versionOf(counter));
  if (rare === undefined) return at;
  at = putNumber(scratch, at, 0x58, rare.invalidClicks);
  at = putBigint(scratch, at, 0x60, rare.retractedMicros);
  at = putBigint(scratch, at, 0x68, rare.adjustedMicros % HIGH);
  at = putBigint(scratch, at, 0x70, rare.refundsMicros % HIGH);
  return putHighs(at, 0x78, revenueMicros, rare);
}

/** A RollupStats. @param models those of the table, by name: a version has one content */
export function encodeRollup(
  partition: number,
  { rollup, period, values }: RollupKey,
  models: readonly NumberedModel[],
  table: CounterTable,
  counter: number,
): Buffer {
  reserve(models.length * MAX_MODEL_BYTES, rollup, ...values);
  let at = putNumber(scratch, 0, 0x08, period);
  at = putText(scratch, at, 0x12, rollup);
  for (const value of values) at = putSizedText(scratch, putVarint(scratch, at, 0x1a), value);
  return Buffer.from(scratch.subarray(0, putRollupCounts(at, partition, models, table, counter)));
}

/** The same for the store: without what is counted. Good until the next call. */
export function encodeStoredRollup(models: readonly NumberedModel[], table: CounterTable, counter: number): Buffer {
  reserve(models.length * MAX_MODEL_BYTES);
  return scratch.subarray(0, putRollupCounts(0, 0, models, table, counter));
}

function putRollupCounts(
  start: number,
  partition: number,
  models: readonly NumberedModel[],
  table: CounterTable,
  counter: number,
): number {
  let at = start;
  for (const { name, number } of models) at = putModel(at, name, number, table, counter);
  at = putNumber(scratch, at, 0x30, partition);
  at = putNumber(scratch, at, 0x38, table.clicksOf(counter));
  at = putNumber(scratch, at, 0x50, table.versionOf(counter));
  return putNumber(scratch, at, 0x58, table.rareIfAny(counter, 0)?.invalidClicks ?? 0);
}

/** What a counter has under a model, as a ModelStats of a RollupStats; nothing if it has none. */
function putModel(start: number, name: string, model: number, table: CounterTable, counter: number): number {
  const conversionsMicros = table.conversionsOf(counter, model);
  const rare = table.rareIfAny(counter, model);
  const revenueMicros = revenueOf(table, counter, model, rare);
  let at = putText(scratch, start + 2, 0x0a, name);
  const begun = at;
  at = putBigint(scratch, at, 0x10, conversionsMicros);
  at = putBigint(scratch, at, 0x18, revenueMicros % HIGH);
  if (rare !== undefined) {
    at = putBigint(scratch, at, 0x20, rare.retractedMicros);
    at = putBigint(scratch, at, 0x28, rare.adjustedMicros % HIGH);
    at = putBigint(scratch, at, 0x30, rare.refundsMicros % HIGH);
    at = putHighs(at, 0x38, revenueMicros, rare);
  }
  if (at === begun) return start;
  const length = at - start - 2;
  assert(length < 128, 'a model whose name is too long for a length of one byte');
  scratch[start] = 0x22;
  scratch[start + 1] = length;
  return at;
}

/** The words beyond HIGH, from this tag on. */
function putHighs(start: number, tag: number, revenueMicros: bigint, rare: RareValues): number {
  let at = putBigint(scratch, start, tag, revenueMicros / HIGH);
  at = putBigint(scratch, at, tag + NEXT_FIELD, rare.adjustedMicros / HIGH);
  return putBigint(scratch, at, tag + 2 * NEXT_FIELD, rare.refundsMicros / HIGH);
}

/** Added up before it is divided: what is published must not depend on how the sum came about. */
function revenueOf(table: CounterTable, counter: number, model: number, rare: RareValues | undefined): bigint {
  const low = table.revenueOf(counter, model);
  return rare === undefined ? low : rare.revenueHigh * HIGH + low;
}
