import type { CounterKey } from '../decision/effects.ts';
import type { EventKind } from '../decision/state.ts';

/** The keys of one partition's StateStore. The first byte tells the kind; text parts end with a zero byte. */
const USER = 'u';
const SPILLED = 's';
const COUNTER = 'c';

/** Where the partition stands: a PartitionProgress. */
export const PROGRESS_KEY = Buffer.from('p');

/** What the partition's counts start from where the store was rebuilt: a PublishedTotals. */
export const PUBLISHED_TOTALS_KEY = Buffer.from('b');

/** Counters are between these. */
export const COUNTERS_FROM = Buffer.from(COUNTER);
export const COUNTERS_TO = Buffer.from('d');

/** Ids moved out of users' states are between these. */
export const SPILLED_FROM = Buffer.from(SPILLED);
export const SPILLED_TO = Buffer.from('t');

/** Everything that the sweep looks at: seen ids and users. */
export const SWEPT_FROM = SPILLED_FROM;
export const SWEPT_TO = Buffer.from('v');

/** Value: a user's state. */
export function userKey(userId: string): Buffer {
  return Buffer.from(USER + userId);
}

/** The user whose state has this key. */
export function userOfKey(key: Buffer): string {
  return key.toString('utf8', USER.length);
}

/** Where ids of a user are that were moved out of his state. */
export interface SpilledBucket {
  userId: string;
  kind: EventKind;
  /** On which they arrived: days since 1970-01-01, UTC. */
  day: number;
  /** Of how many there are a day, `SpilledIds` knows; fits 16 bits. */
  bucket: number;
}

const DAY_AND_BUCKET_BYTES = 6;

/** Value: ids and their arrivals, see `SpilledIds`. */
export function spilledKey({ userId, kind, day, bucket }: SpilledBucket): Buffer {
  const key = Buffer.from(`${SPILLED}${kind === 'click' ? 'k' : 'v'}${userId}\0${' '.repeat(DAY_AND_BUCKET_BYTES)}`);
  const at = key.writeUInt32BE(day, key.length - DAY_AND_BUCKET_BYTES);
  key.writeUInt16BE(bucket, at);
  return key;
}

/** The day on which the ids arrived that have this key. */
export function dayOfSpilledKey(key: Buffer): number {
  return key.readUInt32BE(key.length - DAY_AND_BUCKET_BYTES);
}

/** Value: a DailyStats, of the counter of this name. */
export function counterKey(name: string): Buffer {
  return Buffer.from(COUNTER + name);
}

/** Names a counter in keys of RocksDB and of the log. */
export function counterName({ day, campaignId, source, conversionType, model }: CounterKey): string {
  // A template would be kept as the tree of its parts.
  return [day, campaignId, source, conversionType, model].join('\0');
}

export function isUserKey(key: Buffer): boolean {
  return key[0] === USER.charCodeAt(0);
}

export function isSpilledClickKey(key: Buffer): boolean {
  return key[0] === SPILLED.charCodeAt(0) && key[1] === 'k'.charCodeAt(0);
}
