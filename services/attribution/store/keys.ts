import type { CounterKey } from '../decision/effects.ts';
import { ROLES, type Role } from '../decision/kinds.ts';

/** The keys of one partition's StateStore. The first byte tells the kind; text parts end with a zero byte. */
const USER = 'u';
const SPILLED = 's';
const COUNTER = 'c';

/** Where the partition stands: a PartitionProgress. */
export const PROGRESS_KEY = Buffer.from('p');

/** What the fold was about to do, after it failed: an Attempt. */
export const ATTEMPT_KEY = Buffer.from('a');

/** What the partition's counts start from where the store was rebuilt: a PublishedTotals. */
export const PUBLISHED_TOTALS_KEY = Buffer.from('b');

/** Ids spilled from users' states are between these. */
export const SPILLED_FROM = Buffer.from(SPILLED);
export const SPILLED_TO = Buffer.from('t');

/** Everything that the sweep looks at: spilled ids and users. */
export const SWEPT_FROM = SPILLED_FROM;
export const SWEPT_TO = Buffer.from('v');

/** Key of a user's state. */
export function userKey(userId: string): Buffer {
  return Buffer.from(USER + userId);
}

/** The user whose state has this key. */
export function userOfKey(key: Buffer): string {
  return key.toString('utf8', USER.length);
}

/** Where ids of a user are that were spilled from the user's state. */
export interface SpilledBucket {
  userId: string;
  role: Role;
  /** Day on which they arrived, in days since 1970-01-01, UTC. */
  day: number;
  /** Number of the bucket within the day, of 16 bits; `SpilledIds` chooses it. */
  bucket: number;
}

const DAY_AND_BUCKET_BYTES = 6;

/** What stands for a role in keys: one ASCII character. */
const ROLE_LETTERS = { touch: 'k', outcome: 'v' } as const satisfies Record<Role, string>;

/** Key of a bucket of spilled ids with their arrivals. */
export function spilledKey({ userId, role, day, bucket }: SpilledBucket): Buffer {
  const key = Buffer.from(`${SPILLED}${ROLE_LETTERS[role]}${userId}\0${' '.repeat(DAY_AND_BUCKET_BYTES)}`);
  const at = key.writeUInt32BE(day, key.length - DAY_AND_BUCKET_BYTES);
  key.writeUInt16BE(bucket, at);
  return key;
}

/** The day on which the ids arrived that have this key. */
export function dayOfSpilledKey(key: Buffer): number {
  return key.readUInt32BE(key.length - DAY_AND_BUCKET_BYTES);
}

/** Key of a counter, whose value is a DailyStats. */
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

/** The role of the events whose spilled ids have this key. Throws an Error if the key is none of theirs. */
export function roleOfSpilledKey(key: Buffer): Role {
  const role = ROLES.find((role) => ROLE_LETTERS[role].charCodeAt(0) === key[SPILLED.length]);
  if (role === undefined || key[0] !== SPILLED.charCodeAt(0)) throw new Error(`no key of spilled ids: ${key}`);
  return role;
}
