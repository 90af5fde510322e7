import { UUID_WORDS } from '../../contract/uuid.ts';
import type { CounterKey } from '../decision/effects.ts';
import { ROLES, type Role } from '../decision/kinds.ts';
import { counterKey } from './counter-keys.ts';

/** The keys of one partition's StateStore. The first byte tells the kind; text parts end with a zero byte. */
const USER = 'u';
const SPILLED = 'i';
const OLD_COUNTER = 'c';
const OLD_DAILY = 'd';
const OLD_ROLLUP = 'r';
const SETTING = 'f';

/** Where the partition stands: a PartitionProgress. */
export const PROGRESS_KEY = Buffer.from('p');

/** What the fold was about to do, after it failed: an Attempt. */
export const ATTEMPT_KEY = Buffer.from('a');

/** How far the letters of raw-events.DLT were read, and which of them a fold from the state on has to know: a Note. */
export const LETTERS_KEY = Buffer.from('l');

/** How far counted-apart was read, and which of its records a fold from the state on has to know: a Note. */
export const COUNTED_APART_KEY = Buffer.from('k');

/** What the partition's counts start from where the store was rebuilt: a PublishedTotals. */
export const PUBLISHED_TOTALS_KEY = Buffer.from('b');

/** The longest that touches were ever kept to be credited, and since when. */
export const LONGEST_APART_KEY = Buffer.from('m');

/** Ids spilled from users' states are between these, in order of their periods. */
export const SPILLED_FROM = Buffer.from(SPILLED);
export const SPILLED_TO = Buffer.from('j');

/** Ids that a build of version 0.1 has spilled are between these, see `ownerOfOldKey`. */
export const OLD_SPILLED_FROM = Buffer.from('s');
export const OLD_SPILLED_TO = Buffer.from('t');

/** Counters of builds before 0.2.0 came out, whose keys were by their texts, are between these. */
export const OLD_DAILY_FROM = Buffer.from(OLD_DAILY);
export const OLD_DAILY_TO = Buffer.from('e');
export const OLD_ROLLUPS_FROM = Buffer.from(OLD_ROLLUP);
export const OLD_ROLLUPS_TO = Buffer.from('s');

/** Counters of builds before 0.2, one for each model, are between these. */
export const OLD_COUNTERS_FROM = Buffer.from(OLD_COUNTER);
export const OLD_COUNTERS_TO = Buffer.from(OLD_DAILY);

/** From when on settings hold is between these. */
export const SETTINGS_FROM = Buffer.from(SETTING);
export const SETTINGS_TO = Buffer.from('g');

/**
 * Events that lie beside their users' states, as these have no room for them or they are closed, in blocks: one letter
 * a kind, side by side with USER.
 */
const OVERFLOW = { touch: 't', conversion: 'v', invalid: 'w', closedTouch: 'y', closedConversion: 'z' } as const;
/** Ids of those that there is no room for, with where they lie. */
const PLACE = 'x';
const TIME_BYTES = 8;
export type OverflowKind = keyof typeof OVERFLOW;

/** Users' states are between these. */
export const USERS_FROM = Buffer.from(USER);
export const USERS_TO = Buffer.from('v');

/** Everything that the sweep looks at: users' states, events beside them, and ids of these. */
export const SWEPT_FROM = Buffer.from(OVERFLOW.touch);
export const SWEPT_TO = Buffer.from('{');

/**
 * The key of a block of a user's events beside its state, of which the first happened at `timestamp`, in
 * ms, and has these words as its id; those of a user and kind ascend by both.
 */
export function overflowKey(kind: OverflowKind, userId: string, timestamp: number, id: Int32Array): Buffer {
  // No UTF-16 unit takes more than three bytes of UTF-8.
  const room = Buffer.allocUnsafe(2 + 3 * userId.length + TIME_BYTES + ID_BYTES);
  room[0] = OVERFLOW[kind].charCodeAt(0);
  let at = 1 + room.write(userId, 1);
  room[at++] = 0;
  const time = Math.max(0, timestamp);
  room.writeUInt32BE(Math.floor(time / 2 ** 32), at);
  room.writeUInt32BE(time % 2 ** 32, at + 4);
  at += TIME_BYTES;
  for (let word = 0; word < UUID_WORDS; word++, at += 4) room.writeInt32BE(id[word]!, at);
  return room.subarray(0, at);
}

/** Ids of events that lie beside their users' states are between these. */
export const PLACES_FROM = Buffer.from(PLACE);
export const PLACES_TO = Buffer.from(OVERFLOW.closedTouch);

/** What the keys of the ids of a user's events beside its state have in common; `putId` puts in the rest. */
export function placeKeyOf(userId: string, role: Role): Buffer {
  return Buffer.from(`${PLACE}${ROLE_LETTERS[role]}${userId}\0${' '.repeat(ID_BYTES)}`);
}

/** Puts an id, which lies at `at` in `words`, at the end of a key. */
export function putId(key: Buffer, words: Int32Array, at: number): Buffer {
  const id = key.length - ID_BYTES;
  for (let word = 0; word < UUID_WORDS; word++) key.writeInt32BE(words[at + word]!, id + 4 * word);
  return key;
}

export function isPlaceKey(key: Buffer): boolean {
  return key[0] === PLACE.charCodeAt(0);
}

/** What no key is less than of a user's events of a kind that happened at `time`, in ms, or later. */
export function overflowKeysFrom(kind: OverflowKind, userId: string, time: number): Buffer {
  const key = Buffer.from(`${OVERFLOW[kind]}${userId}\0${' '.repeat(TIME_BYTES)}`);
  key.writeBigUInt64BE(BigInt(Math.max(0, time)), key.length - TIME_BYTES);
  return key;
}

/** When the event happened that the block with a key begins with, in ms; 0 of one before that. */
export function timeOfOverflowKey(key: Buffer): number {
  const at = key.length - ID_BYTES - TIME_BYTES;
  return key.readUInt32BE(at) * 2 ** 32 + key.readUInt32BE(at + 4);
}

export function isUserKey(key: Buffer): boolean {
  return key[0] === USER.charCodeAt(0);
}

/** Key of a user's state. */
export function userKey(userId: string): Buffer {
  return Buffer.from(USER + userId);
}

/** The user whose state has this key. */
export function userOfKey(key: Buffer): string {
  return key.toString('utf8', USER.length);
}

const PERIOD_BYTES = 4;
const ID_BYTES = 4 * UUID_WORDS;

/** What stands for a role in keys: one ASCII character. */
const ROLE_LETTERS = { touch: 'k', outcome: 'v' } as const satisfies Record<Role, string>;

/** What the keys of a user's spilled ids have in common; `putSpilledKey` puts in the rest. */
export function spilledKeyOf(userId: string, role: Role): Buffer {
  return Buffer.from(`${SPILLED}${' '.repeat(PERIOD_BYTES)}${ROLE_LETTERS[role]}${userId}\0${' '.repeat(ID_BYTES)}`);
}

/**
 * Makes the key of a spilled id, under which is when it arrived, of one of a user.
 *
 * @param period in which it arrived, of 32 bits; `SpilledIds` counts them
 * @param at where the id begins in `words`
 */
export function putSpilledKey(key: Buffer, period: number, words: Int32Array, at: number): Buffer {
  key.writeUInt32BE(period, SPILLED.length);
  return putId(key, words, at);
}

/** What all keys of spilled ids that arrived in earlier periods are less than. */
export function firstSpilledKey(period: number): Buffer {
  const key = Buffer.from(SPILLED + ' '.repeat(PERIOD_BYTES));
  key.writeUInt32BE(period, SPILLED.length);
  return key;
}

/** Reads the id in a key. */
export function readSpilledId(key: Buffer, words: Int32Array): void {
  const id = key.length - ID_BYTES;
  for (let word = 0; word < UUID_WORDS; word++) words[word] = key.readInt32BE(id + 4 * word);
}

/** User and role of ids that a build of version 0.1 has spilled: s | role | user | 0 | day u32 | bucket u16. */
export function ownerOfOldKey(key: Buffer): { userId: string; role: Role } {
  return { role: roleOfLetter(key[1]!, key), userId: key.toString('utf8', 2, key.length - 7) };
}

/** Key that one of a model had in builds before 0.2: a DailyStats. */
export function oldCounterKey(key: CounterKey & { model: string }): Buffer {
  return Buffer.from(OLD_COUNTER + counterName(key) + key.model);
}

/** The key of the counter that one with that key is joined into, and its model. */
export function joinedKeyOf(oldKey: Buffer): { key: Buffer; model: string } {
  const [day, ...texts] = oldKey.toString('utf8', OLD_COUNTER.length).split('\0');
  const model = texts.pop()!;
  return { key: counterKey(undefined, Number(day), texts), model };
}

/** The key of the counter that had this one by its texts. */
export function keyByHash(oldKey: Buffer): Buffer {
  const parts = oldKey.toString('utf8', 1).split('\0');
  const rollup = oldKey[0] === OLD_ROLLUP.charCodeAt(0) ? parts.shift() : undefined;
  // Those of daily_stats end with a NUL.
  const [period, ...values] = rollup === undefined ? parts.slice(0, -1) : parts;
  return counterKey(rollup, Number(period), values);
}

/** Key of a setting, whose value is an AttributionSetting. */
export function settingKey(name: string): Buffer {
  return Buffer.from(SETTING + name);
}

/** Names a setting in keys of RocksDB and of the log. */
export function settingName({ kind, name }: { kind: string; name: string }): string {
  return `${kind}\0${name}`;
}

/** Names a counter in the log, and in keys of builds before 0.2. */
export function counterName({ day, campaignId, source, conversionType }: CounterKey): string {
  // A template would be kept as the tree of its parts. The last one is the model, which records had of their own once.
  return [day, campaignId, source, conversionType, ''].join('\0');
}

function roleOfLetter(letter: number, key: Buffer): Role {
  const role = ROLES.find((role) => ROLE_LETTERS[role].charCodeAt(0) === letter);
  if (role === undefined) throw new Error(`no key of spilled ids: ${key}`);
  return role;
}
