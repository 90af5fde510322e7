import { hashOf } from '../memory/string-table.ts';

/** What the keys of counters begin with: one letter, and for those of a rollup its name. */
const DAILY = 'n';
const ROLLUP = 'q';

/** Counters of daily_stats are between these. */
export const COUNTERS_FROM = Buffer.from(DAILY);
export const COUNTERS_TO = Buffer.from('o');

/** Counters of all rollups are between these. */
export const ROLLUPS_FROM = Buffer.from(ROLLUP);
export const ROLLUPS_TO = Buffer.from('r');

/** Makes the sign bit of a period the highest, so that keys ascend by it. */
const BIAS = 2 ** 31;
const PERIOD_BYTES = 4;
/** Of a key between what it begins with and the values: period and hash. */
export const HEAD_BYTES = PERIOD_BYTES + 4;

/** Most counters of a period that are put into order; beyond it they are as they came. */
const MOST_ORDERED = 2 ** 21;

/** What the keys of all counters of a rollup, or else of daily_stats, begin with. */
export function counterPrefix(rollup: string | undefined): Buffer {
  return Buffer.from(rollup === undefined ? DAILY : `${ROLLUP}${rollup}\0`);
}

/** Counters of a rollup, or else of daily_stats, are between these keys; with a period, those of it. */
export function rangeOfCounters(rollup: string | undefined, period?: number): [from: Buffer, to: Buffer] {
  const prefix = counterPrefix(rollup);
  if (period !== undefined) return [startOfPeriod(prefix, period), startOfPeriod(prefix, period + 1)];
  const to = Buffer.from(prefix);
  to[to.length - 1]!++;
  return [prefix, to];
}

/** The period of a counter that has this key, in days or hours since 1970-01-01. */
export function periodOfCounter(rollup: string | undefined, key: Buffer): number {
  return key.readUInt32BE(counterPrefix(rollup).length) - BIAS;
}

/** The values of a counter's dimensions, each with a NUL behind it. */
interface ValueBytes {
  bytes: Uint8Array;
  length: number;
}

/** By which counters of a period are in order. */
export function counterHash({ bytes, length }: ValueBytes): number {
  return hashOf(bytes, 0, length) >>> 0;
}

/** Key of a counter, whose value is a RollupStats without what the key says. @param values of its dimensions */
export function counterKey(rollup: string | undefined, period: number, values: readonly string[]): Buffer {
  const prefix = counterPrefix(rollup);
  const bytes = Buffer.from(values.map((value) => `${value}\0`).join(''));
  const key = Buffer.allocUnsafe(prefix.length + HEAD_BYTES + bytes.length);
  putCounterKey(key, prefix, period, { bytes, length: bytes.length });
  return key;
}

/** Writes the key of a counter where there is room; returns where it ends. */
export function putCounterKey(to: Buffer, prefix: Buffer, period: number, values: ValueBytes): number {
  const { bytes, length } = values;
  let at = 0;
  for (; at < prefix.length; at++) to[at] = prefix[at]!;
  at = putWord(to, putWord(to, at, period + BIAS), counterHash(values));
  for (let i = 0; i < length; i++) to[at++] = bytes[i]!;
  return at;
}

/**
 * The places of counters in the order of their keys: RocksDB takes entries that ascend in a third of the time. In
 * linear time but for a sort of numbers.
 *
 * @param periods and rollups of the counters, each a number of its own
 * @param hashes of the counters
 */
export function inKeyOrder(periods: Float64Array, hashes: Uint32Array): Uint32Array {
  const places = new Map<number, number[]>();
  for (let i = 0; i < periods.length; i++) {
    const of = places.get(periods[i]!);
    if (of === undefined) places.set(periods[i]!, [i]);
    else of.push(i);
  }
  const ordered = new Uint32Array(periods.length);
  let at = 0;
  for (const period of [...places.keys()].sort((a, b) => a - b)) {
    const of = places.get(period)!;
    if (of.length > MOST_ORDERED) {
      ordered.set(of, at);
    } else {
      const keys = Float64Array.from(of, (place, i) => hashes[place]! * MOST_ORDERED + i).sort();
      for (let i = 0; i < keys.length; i++) ordered[at + i] = of[keys[i]! % MOST_ORDERED]!;
    }
    at += of.length;
  }
  return ordered;
}

/**
 * What the number of a partition is raised by in the counters of what is counted apart, as they are published: they
 * are counters of their own. More than there are partitions.
 */
export const APART = 2 ** 31;

/** What tells keys of counters of what is counted apart from those of other counters: a capital letter. */
const CAPITAL = 0x20;

/** The key of a counter of what is counted apart, by the key that it would have else. */
export function apartKey(key: Buffer): Buffer {
  const apart = Buffer.from(key);
  apart[0]! &= ~CAPITAL;
  return apart;
}

/** The key that it would have else. */
export function keyOfApart(key: Buffer): Buffer {
  const other = Buffer.from(key);
  other[0]! |= CAPITAL;
  return other;
}

function startOfPeriod(prefix: Buffer, period: number): Buffer {
  const key = Buffer.alloc(prefix.length + PERIOD_BYTES);
  prefix.copy(key);
  putWord(key, prefix.length, period + BIAS);
  return key;
}

function putWord(to: Buffer, at: number, word: number): number {
  to[at] = word >>> 24;
  to[at + 1] = word >>> 16;
  to[at + 2] = word >>> 8;
  to[at + 3] = word;
  return at + 4;
}
