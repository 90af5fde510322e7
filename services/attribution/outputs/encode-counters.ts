import assert from 'node:assert/strict';
import { fromBinary } from '@bufbuild/protobuf';
import { type ModelStats, RollupStatsSchema } from '../../../gen/ts/clickmesh/v1/attribution_pb.js';
import { putBigint, putBytes, putNumber, putSizedBytes, putText, putVarint } from '../../contract/wire.ts';
import { HEAD_BYTES, putCounterKey } from '../store/counter-keys.ts';
import { type CounterTable, HIGH, NOT_STORED, type RareValues } from './counter-table.ts';
import type { CounterValues } from './counter-values.ts';
import type { ModelNumbers, NumberedModel } from './model-numbers.ts';

// Encoders of counters, whose bytes are those that toBinary gives, and the reader of those in the store, which has a
// counter without what its key says.

/** Most bytes of a message but for its texts and models. */
const MAX_FIXED_BYTES = 256;
/** Most bytes of a ModelStats, with the tag and the length before it. */
const MAX_MODEL_BYTES = 131;
/** Most bytes of UTF-8 of a unit of UTF-16. */
const MOST_UTF8 = 3;
/** From a tag to that of the field behind it, of the same type. */
const NEXT_FIELD = 1 << 3;

/** Where one counter at a time is put together. */
let scratch = Buffer.allocUnsafeSlow(4096);

/** Where one key at a time is. */
let keyScratch = Buffer.allocUnsafeSlow(1024);

function reserve(bytes: number): void {
  const needed = MAX_FIXED_BYTES + bytes;
  if (needed > scratch.length) scratch = Buffer.allocUnsafeSlow(2 * needed);
}

function copyOf(length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  scratch.copy(bytes, 0, 0, length);
  return bytes;
}

/**
 * The key of a counter in its topic: what it begins with, the period and the values, with NULs between them, and one
 * more if it ends with an empty value. Good until the next call.
 */
export function encodeKey(prefix: Buffer, period: number, values: CounterValues, endsWithEmpty: boolean): Buffer {
  const digits = String(period);
  const key = keyOf(prefix.length + digits.length + 1 + values.length);
  let at = 0;
  for (; at < prefix.length; at++) key[at] = prefix[at]!;
  for (let i = 0; i < digits.length; i++) key[at++] = digits.charCodeAt(i);
  key[at++] = 0;
  const end = endsWithEmpty ? values.length : values.length - 1;
  for (let i = 0; i < end; i++) key[at++] = values.bytes[i]!;
  return key.subarray(0, at);
}

/** The key of a counter in the store. Good until the next call. */
export function encodeStoreKey(prefix: Buffer, period: number, values: CounterValues): Buffer {
  const key = keyOf(prefix.length + HEAD_BYTES + values.length);
  return key.subarray(0, putCounterKey(key, prefix, period, values));
}

/** Memory for a key. */
function keyOf(bytes: number): Buffer {
  if (bytes > keyScratch.length) keyScratch = Buffer.allocUnsafeSlow(2 * bytes);
  return keyScratch;
}

/** A DailyStats, with all models that it was ever under: sinks keep the row of one that is not there as it was. */
export function encodeDaily(
  partition: number,
  day: number,
  values: CounterValues,
  models: readonly NumberedModel[],
  table: CounterTable,
  counter: number,
): Buffer {
  reserve(models.length * MAX_MODEL_BYTES + values.length);
  let at = putNumber(scratch, 0, 0x08, day);
  // campaign_id, source and conversion_type, which follow each other.
  for (let i = 0, start = 0; i < values.count; i++) {
    at = putBytes(scratch, at, 0x12 + i * NEXT_FIELD, values.bytes, start, values.ends[i]!);
    start = values.ends[i]! + 1;
  }
  at = putNumber(scratch, at, 0x30, partition);
  at = putHead(at, table, counter);
  for (const { name, number } of models) {
    if (table.isUnder(counter, number)) at = putModel(putVarint(scratch, at, 0x92), name, number, table, counter);
  }
  return copyOf(at);
}

/** A RollupStats, with all models that have anything. @param models those of the table, by name */
export function encodeRollup(
  partition: number,
  rollup: string,
  period: number,
  values: CounterValues,
  models: readonly NumberedModel[],
  table: CounterTable,
  counter: number,
): Buffer {
  reserve(models.length * MAX_MODEL_BYTES + MOST_UTF8 * rollup.length + values.length);
  let at = putNumber(scratch, 0, 0x08, period);
  at = putText(scratch, at, 0x12, rollup);
  for (let i = 0, start = 0; i < values.count; i++) {
    const end = values.ends[i]!;
    at = putSizedBytes(scratch, putVarint(scratch, at, 0x1a), values.bytes, start, end);
    start = end + 1;
  }
  at = putModels(at, models, table, counter, false);
  at = putNumber(scratch, at, 0x30, partition);
  return copyOf(putHead(at, table, counter));
}

/**
 * A RollupStats for the store: without what is counted. Good until the next call.
 *
 * @param withAll with all models that it was ever under, not only those that have anything
 */
export function encodeStored(
  models: readonly NumberedModel[],
  table: CounterTable,
  counter: number,
  withAll: boolean,
): Buffer {
  reserve(models.length * MAX_MODEL_BYTES);
  return scratch.subarray(0, putHead(putModels(0, models, table, counter, withAll), table, counter));
}

/** The fields that DailyStats and RollupStats share, but for the partition. */
function putHead(start: number, table: CounterTable, counter: number): number {
  let at = putNumber(scratch, start, 0x38, table.clicksOf(counter));
  at = putNumber(scratch, at, 0x50, table.versionOf(counter));
  return putNumber(scratch, at, 0x58, table.rareIfAny(counter, 0)?.invalidClicks ?? 0);
}

function putModels(
  start: number,
  models: readonly NumberedModel[],
  table: CounterTable,
  counter: number,
  withAll: boolean,
): number {
  let at = start;
  for (const { name, number } of models) {
    if (!table.isUnder(counter, number) || !(withAll || hasAny(table, counter, number))) continue;
    scratch[at] = 0x22;
    at = putModel(at + 1, name, number, table, counter);
  }
  return at;
}

function hasAny(table: CounterTable, counter: number, model: number): boolean {
  const conversions = table.conversionsNumberOf(counter, model);
  if (conversions !== 0 || table.revenueNumberOf(counter, model) !== 0) return true;
  const rare = table.rareIfAny(counter, model);
  if (rare === undefined) return false;
  const { revenueHigh, retractedMicros, adjustedMicros, refundsMicros } = rare;
  return revenueHigh !== 0n || retractedMicros !== 0n || adjustedMicros !== 0n || refundsMicros !== 0n;
}

/** What a counter has under a model, as a ModelStats behind its tag. */
function putModel(start: number, name: string, model: number, table: CounterTable, counter: number): number {
  const rare = table.rareIfAny(counter, model);
  let at = putText(scratch, start + 1, 0x0a, name);
  const conversions = table.conversionsNumberOf(counter, model);
  const revenue = table.revenueNumberOf(counter, model);
  if (rare === undefined && conversions >= 0 && revenue >= 0) {
    at = putNumber(scratch, at, 0x10, conversions);
    at = putNumber(scratch, at, 0x18, revenue);
  } else {
    at = putRare(at, model, table, counter, rare);
  }
  const length = at - start - 1;
  assert(length < 128, 'a model whose name is too long for a length of one byte');
  scratch[start] = length;
  return at;
}

/** The same without the name of the model, whatever the counter has. */
function putRare(
  start: number,
  model: number,
  table: CounterTable,
  counter: number,
  rare: RareValues | undefined,
): number {
  const revenueMicros = revenueOf(table, counter, model, rare);
  let at = putBigint(scratch, start, 0x10, table.conversionsOf(counter, model));
  at = putBigint(scratch, at, 0x18, revenueMicros % HIGH);
  if (rare !== undefined) {
    at = putBigint(scratch, at, 0x20, rare.retractedMicros);
    at = putBigint(scratch, at, 0x28, rare.adjustedMicros % HIGH);
    at = putBigint(scratch, at, 0x30, rare.refundsMicros % HIGH);
    at = putHighs(at, 0x38, revenueMicros, rare);
  }
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

/** Gives a new counter what the store has of it. Returns whether some of its models have versions of their own. */
export function readStored(stored: Buffer, table: CounterTable, counter: number, models: ModelNumbers): boolean {
  if (readPlain(stored, table, counter, models)) {
    table.setLoadedVersion(counter, table.versionOf(counter));
    return false;
  }
  const read = fromBinary(RollupStatsSchema, stored);
  const isApart = read.models.some(({ version }) => version > 0n);
  table.setClicks(counter, Number(read.clicks));
  table.setVersion(counter, Number(read.version));
  // Under a model that the counter did not have, it has nothing of any version.
  table.setLoadedVersion(counter, isApart ? NOT_STORED : Number(read.version));
  for (const sums of read.models) {
    const model = models.numberOf(sums.model);
    table.reserveModels(models.count);
    readSums(table, counter, model, sums);
    if (isApart) table.rareOf(counter, model).loadedVersion = Number(sums.version);
  }
  if (read.invalidClicks > 0n) table.rareOf(counter, 0).invalidClicks = Number(read.invalidClicks);
  return isApart;
}

/** Where `readNumber` goes on. */
let cursor = 0;

/** Reads a varint: exact if it is a safe integer, and none if it is not. */
function readNumber(bytes: Buffer): number {
  let value = 0;
  for (let factor = 1; ; factor *= 0x80) {
    const byte = bytes[cursor++]!;
    value += (byte & 0x7f) * factor;
    if (!(byte >= 0x80)) return value;
  }
}

/**
 * The same of one that has only what nearly all have: clicks, a version, and conversions and revenue of less than 2^53
 * micros under models. False if there is anything else, or in another order: then all of it is to be read once more.
 */
function readPlain(stored: Buffer, table: CounterTable, counter: number, models: ModelNumbers): boolean {
  cursor = 0;
  while (cursor < stored.length) {
    const tag = stored[cursor++];
    if (tag === 0x22) {
      if (!readPlainModel(stored, table, counter, models)) return false;
      continue;
    }
    const value = readNumber(stored);
    if (!Number.isSafeInteger(value)) return false;
    if (tag === 0x38) table.setClicks(counter, value);
    else if (tag === 0x50) table.setVersion(counter, value);
    else return false;
  }
  return true;
}

function readPlainModel(stored: Buffer, table: CounterTable, counter: number, models: ModelNumbers): boolean {
  const length = readNumber(stored);
  const end = cursor + length;
  let nameEnd = cursor;
  let name = cursor;
  if (stored[cursor] === 0x0a) {
    name = cursor + 2;
    nameEnd = name + stored[cursor + 1]!;
    cursor = nameEnd;
  }
  const conversions = readField(stored, end, 0x10);
  const revenue = readField(stored, end, 0x18);
  if (cursor !== end || !Number.isSafeInteger(conversions) || !Number.isSafeInteger(revenue)) return false;
  const model = models.numberIn(stored, name, nameEnd);
  table.reserveModels(models.count);
  table.setNumbers(counter, model, conversions, revenue);
  return true;
}

/** Reads the number of a field whose tag takes a byte; 0 if another field, or the end, comes next. */
function readField(bytes: Buffer, end: number, tag: number): number {
  if (cursor >= end || bytes[cursor] !== tag) return 0;
  cursor++;
  return readNumber(bytes);
}

/** Gives a counter what the store has of it under a model. */
function readSums(table: CounterTable, counter: number, model: number, sums: ModelStats): void {
  const revenueMicros = BigInt(sums.revenueHigh) * HIGH + sums.revenueMicros;
  table.setSums(counter, model, sums.conversionsMicros, revenueMicros % HIGH);
  const rare = {
    retractedMicros: sums.retractedMicros,
    adjustedMicros: BigInt(sums.adjustedHigh) * HIGH + sums.adjustedMicros,
    refundsMicros: BigInt(sums.refundsHigh) * HIGH + sums.refundsMicros,
    revenueHigh: revenueMicros / HIGH,
  };
  if (Object.values(rare).some(Boolean)) Object.assign(table.rareOf(counter, model), rare);
}
