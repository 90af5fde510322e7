import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RocksLevel } from '@nxtedition/rocksdb';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { OffsetOutOfRange } from '../event-log.ts';
import { endOf, type OffsetTable, offsetMemory, offsetTable, publishEnd, startOf } from './offset-table.ts';
import { readFrom } from './read.ts';
import { addRecord, openBatch, sealBatch } from './record-batch.ts';
import { dropExpired } from './retention.ts';
import { openStore, recordKey, recover } from './store.ts';

const SLOT = 1;
const PARTITIONS = 2;
const FOREVER = { retentionMs: Infinity, retentionBytes: Infinity };
let dir: string;
let db: RocksLevel;
let offsets: OffsetTable;
let batchBytes: number;

/** Ten batches of three records, a second apart from 1,000 s on. */
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'clickmesh-retention-'));
  db = await openStore(dir, PARTITIONS);
  offsets = offsetTable(offsetMemory(PARTITIONS * 6));
  const write = db.batch();
  for (let i = 0; i < 10; i++) {
    const batch = openBatch();
    for (let j = 0; j < 3; j++) addRecord(batch, Buffer.from(`key-${j}`), Buffer.alloc(100));
    const bytes = batch.bytes.subarray(0, batch.length);
    batchBytes = bytes.length;
    const key = recordKey(SLOT, 3 * i);
    sealBatch(key, bytes, { count: 3, appendTime: 1_000_000 + 1_000 * i, logBytes: batchBytes * (i + 1) });
    write._put(key, bytes, {});
  }
  write._writeSync({ sync: false });
  publishEnd(offsets, SLOT, 30);
});

afterEach(async () => {
  await db.close();
  await rm(dir, { recursive: true });
});

test.each([
  ['nothing is old enough', { ...FOREVER, retentionMs: 9_000 }, 1_009_000, 0],
  ['the first batch is too old', { ...FOREVER, retentionMs: 9_000 }, 1_009_001, 3],
  ['half of it is too old', { ...FOREVER, retentionMs: 5_000 }, 1_010_000, 15],
  ['all is too old: the newest batch stays', { ...FOREVER, retentionMs: 1 }, 2_000_000, 27],
  ['the rest has just the bytes', { ...FOREVER, retentionBytes: 4 }, 0, 18],
  ['one byte less is kept: the batch before stays', { ...FOREVER, retentionBytes: 4, more: 1 }, 0, 15],
  ['no bytes may stay: the newest batch does', { ...FOREVER, retentionBytes: 0 }, 0, 27],
])('L-7: %s', async (_, { more = 0, ...limits }: typeof FOREVER & { more?: number }, now, start) => {
  const retentionBytes = Number.isFinite(limits.retentionBytes) ? limits.retentionBytes * batchBytes + more : Infinity;
  const log = { db, offsets, partitions: PARTITIONS };
  await dropExpired(log, SLOT, { ...limits, retentionBytes }, now);
  expect(startOf(offsets, SLOT)).toBe(start);
  expect(endOf(offsets, SLOT)).toBe(30);

  expect(readFrom(log, SLOT, start, 1 << 20).map(({ offset }) => offset)).toEqual(
    Array.from({ length: 30 - start }, (_, i) => start + i),
  );
  if (start > 0) expect(() => readFrom(log, SLOT, start - 1, 1 << 20)).toThrow(OffsetOutOfRange);
  expect(recover(db, dir, PARTITIONS)[SLOT]).toMatchObject({ start, end: 30, logBytes: 10 * batchBytes });
});

test('goes on from where it stopped', async () => {
  await dropExpired({ db, offsets, partitions: PARTITIONS }, SLOT, { ...FOREVER, retentionMs: 5_000 }, 1_008_000);
  expect(startOf(offsets, SLOT)).toBe(9);
  await dropExpired({ db, offsets, partitions: PARTITIONS }, SLOT, { ...FOREVER, retentionMs: 5_000 }, 1_012_500);
  expect(startOf(offsets, SLOT)).toBe(24);
});

test('an empty partition stays empty', async () => {
  await dropExpired({ db, offsets, partitions: PARTITIONS }, 0, { retentionMs: 0, retentionBytes: 0 }, 2_000_000);
  expect(startOf(offsets, 0)).toBe(0);
});
