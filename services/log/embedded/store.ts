import { join } from 'node:path';
import { RocksLevel } from '@nxtedition/rocksdb';
import { TOPICS, type Topic } from '../../contract/topics.ts';
import type { RecordPosition } from '../event-log.ts';
import { readAcknowledged } from './acknowledged-offsets.ts';
import { slotName } from './offset-table.ts';
import { type BatchHeader, readHeader } from './record-batch.ts';

/**
 * Layout of the log in RocksDB.
 *
 *     m                          settings of the log, JSON
 *     g <topic>/<group>/<n>      a group's committed offset, decimal
 *     r <slot u16> <offset u48>  the record batch that begins at this offset
 *
 * The newest batch of a partition is never deleted: the log's first and next offsets are read from its batches.
 */
export const BUFFERS = { keyEncoding: 'buffer', valueEncoding: 'buffer' } as const;
const SETTINGS_KEY = Buffer.from('m');
const RECORD = 'r'.charCodeAt(0);
const FORMAT = 1;

/** The database of a log with so many partitions a topic. */
export interface Store {
  db: RocksLevel;
  partitions: number;
}

/** A stored batch, checked. */
export interface StoredBatch extends BatchHeader {
  base: number;
  /** Offset after the last record. */
  end: number;
  bytes: Buffer;
}

/** Where a partition goes on. */
export interface PartitionState {
  /** Its next offset. */
  end: number;
  /** As in the header of its newest batch; 0 if it has none. */
  appendTime: number;
  logBytes: number;
}

export interface RecoveredPartition extends PartitionState {
  start: number;
}

export function recordKey(slot: number, offset: number): Buffer {
  const key = Buffer.allocUnsafe(9);
  key[0] = RECORD;
  key.writeUInt16BE(slot, 1);
  key.writeUIntBE(offset, 3, 6);
  return key;
}

function groupKey(topic: Topic, group: string, partition: number): Buffer {
  return Buffer.from(`g${topic}/${group}/${partition}`);
}

/** The key and value of a group's committed offset. */
export function committedEntry(topic: Topic, group: string, position: RecordPosition): [key: Buffer, value: Buffer] {
  return [groupKey(topic, group, position.partition), Buffer.from(String(position.offset))];
}

/** Offsets that a group has committed; none for partitions that it never did. */
export function readCommitted(db: RocksLevel, topic: Topic, group: string, partitions: number): RecordPosition[] {
  const keys = Array.from({ length: partitions }, (_, partition) => groupKey(topic, group, partition));
  const values = db._getManySync(keys, { valueEncoding: 'buffer' });
  return values.flatMap((value, partition) => (value === undefined ? [] : [{ partition, offset: Number(value) }]));
}

export function acknowledgedPath(dir: string): string {
  return join(dir, 'acknowledged-offsets');
}

/**
 * Opens the database in `dir`, creating it with `partitions` partitions a topic. Throws, with one line for the
 * operator, if another process has it, it was made with another number of partitions, or it can't be read.
 */
export async function openStore(dir: string, partitions: number): Promise<RocksLevel> {
  const db = new RocksLevel(join(dir, 'rocksdb'), {
    ...BUFFERS,
    createIfMissing: true,
    compaction: 'universal',
    memtableMemoryBudget: 32 << 20,
    cacheSize: 4 << 20,
    walCompression: false,
  });
  await db.open().catch((error) => {
    throw openError(dir, error);
  });
  await orClose(db, () => checkSettings(db, dir, partitions));
  return db;
}

/** What `action` returns. Closes the database and throws what it throws. */
export async function orClose<T>(db: RocksLevel, action: () => T): Promise<T> {
  try {
    return action();
  } catch (error) {
    await db.close();
    throw error;
  }
}

function openError(dir: string, error: { cause?: { code?: string; message?: string } }): Error {
  const { code, message } = error.cause ?? {};
  if (code === 'LEVEL_LOCKED') return new Error(`The log in ${dir} is in use by another process`, { cause: error });
  if (code === 'LEVEL_CORRUPTION') {
    return new Error(`The log in ${dir} is corrupt, restore it from a copy: ${message}`, { cause: error });
  }
  return new Error(`The log in ${dir} can't be opened: ${message ?? error}`, { cause: error });
}

function checkSettings(db: RocksLevel, dir: string, partitions: number): void {
  const [stored] = db._getManySync([SETTINGS_KEY], { valueEncoding: 'buffer' });
  if (stored === undefined) {
    const batch = db.batch();
    batch._put(SETTINGS_KEY, Buffer.from(JSON.stringify({ format: FORMAT, partitions })), {});
    batch._writeSync({ sync: true });
    return;
  }
  const settings = JSON.parse(stored.toString()) as { format: number; partitions: number };
  if (settings.format !== FORMAT) throw new Error(`The log in ${dir} has format ${settings.format}, not ${FORMAT}`);
  if (settings.partitions !== partitions) {
    throw new Error(`The log in ${dir} has ${settings.partitions} partitions a topic, not ${partitions}`);
  }
}

/** Every partition by slot, as stored. Throws if less is stored than was acknowledged. */
export function recover(db: RocksLevel, dir: string, partitions: number): RecoveredPartition[] {
  const slots = TOPICS.length * partitions;
  const states = Array.from({ length: slots }, (_, slot) => partitionState({ db, partitions }, slot));
  const path = acknowledgedPath(dir);
  const missing = readAcknowledged(path, slots).flatMap((acknowledged, slot) => {
    const { end } = states[slot]!;
    return end < acknowledged ? [`${slotName(slot, partitions)} from offset ${end} to ${acknowledged - 1}`] : [];
  });
  if (missing.length === 0) return states;
  throw new Error(
    `The log in ${dir} has lost acknowledged records: ${missing.join(', ')}. ` +
      `Restore the folder from a copy, or delete ${path} to accept the loss`,
  );
}

function partitionState(store: Store, slot: number): RecoveredPartition {
  const last = batchAt(store, slot, 2 ** 48 - 1);
  if (last === undefined) return { start: 0, end: 0, appendTime: 0, logBytes: 0 };
  const range = { gte: recordKey(slot, 0), lte: recordKey(slot, last.base) };
  const { rows } = store.db.querySync({ ...BUFFERS, ...range, limit: 1 });
  return { start: baseOf(rows[0]!), end: last.end, appendTime: last.appendTime, logBytes: last.logBytes };
}

/** The batch with the greatest base up to an offset; undefined if there is none. */
export function batchAt(store: Store, slot: number, offset: number): StoredBatch | undefined {
  const range = { gte: recordKey(slot, 0), lte: recordKey(slot, offset) };
  const { rows } = store.db.querySync({ ...BUFFERS, ...range, reverse: true, limit: 1 });
  return rows.length === 0 ? undefined : checked(store, slot, rows[0]!, rows[1]!);
}

/** Batches with `first` <= base < `end`, up to about `maxBytes`, at least one if there is one. */
export function batchesFrom(store: Store, slot: number, first: number, end: number, maxBytes: number): StoredBatch[] {
  const range = { gte: recordKey(slot, first), lt: recordKey(slot, end), highWaterMarkBytes: maxBytes };
  const { rows } = store.db.querySync({ ...BUFFERS, ...range });
  return Array.from({ length: rows.length / 2 }, (_, i) => checked(store, slot, rows[2 * i]!, rows[2 * i + 1]!));
}

function checked(store: Store, slot: number, key: Buffer, bytes: Buffer): StoredBatch {
  const base = baseOf(key);
  const header = readHeader(key, bytes);
  if (header === undefined) throw corrupt(store, slot, base, 'the checksum of the record batch does not fit');
  return { ...header, base, end: base + header.count, bytes };
}

function baseOf(key: Buffer): number {
  return key.readUIntBE(3, 6);
}

export function corrupt({ partitions }: Store, slot: number, offset: number, what: string): Error {
  return new Error(`The log is corrupt: ${slotName(slot, partitions)} at offset ${offset}: ${what}`);
}
