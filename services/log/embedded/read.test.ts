import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { OffsetOutOfRange } from '../event-log.ts';
import { endOf, offsetMemory, offsetTable, publishEnd, publishStart, startOf } from './offset-table.ts';
import { readFrom } from './read.ts';
import { addRecord, openBatch, sealBatch } from './record-batch.ts';
import { openStore, recordKey } from './store.ts';

const SLOT = 1;
const PARTITIONS = 2;

/** A store with batches of three records, and a table in which the partition is empty. */
async function stored(batches: number) {
  const dir = await mkdtemp(join(tmpdir(), 'clickmesh-read-'));
  const db = await openStore(dir, PARTITIONS);
  onTestFinished(async () => {
    await db.close();
    await rm(dir, { recursive: true });
  });
  const write = db.batch();
  for (let base = 0; base < 3 * batches; base += 3) {
    const batch = openBatch();
    for (let i = 0; i < 3; i++) addRecord(batch, Buffer.from('key'), Buffer.from(`${base + i}`));
    const bytes = batch.bytes.subarray(0, batch.length);
    sealBatch(recordKey(SLOT, base), bytes, { count: 3, appendTime: 1, logBytes: 1 });
    write._put(recordKey(SLOT, base), bytes, {});
  }
  write._writeSync({ sync: false });
  const offsets = offsetTable(offsetMemory(PARTITIONS * 6));
  const read = (offset: number) =>
    readFrom({ db, offsets, partitions: PARTITIONS }, SLOT, offset, 1 << 20).map((record) => record.offset);
  return { offsets, read };
}

test('L-4: records that are stored are not read before the end of the partition has moved behind them', async () => {
  const { offsets, read } = await stored(3);
  expect(read(0)).toEqual([]);
  expect(() => read(1)).toThrow(OffsetOutOfRange);
  publishEnd(offsets, SLOT, 6);
  expect(read(1)).toEqual([1, 2, 3, 4, 5]);
  expect(read(6)).toEqual([]);
  expect(() => read(7)).toThrow(OffsetOutOfRange);
});

test('L-10: the start and the end of a partition only move forward', async () => {
  const { offsets } = await stored(3);
  publishEnd(offsets, SLOT, 9);
  publishStart(offsets, SLOT, 6);
  expect(() => publishEnd(offsets, SLOT, 8)).toThrow('L-10');
  expect(() => publishStart(offsets, SLOT, 3)).toThrow('L-10');
  publishEnd(offsets, SLOT, 9);
  expect([startOf(offsets, SLOT), endOf(offsets, SLOT)]).toEqual([6, 9]);
});
