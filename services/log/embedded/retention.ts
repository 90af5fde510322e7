import assert from 'node:assert/strict';
import { endOf, publishStart, startOf } from './offset-table.ts';
import type { ReadableLog } from './read.ts';
import { BUFFERS, batchAt, recordKey, type StoredBatch } from './store.ts';

export interface RetentionLimits {
  /** Age at which batches are dropped, in ms since their append. */
  retentionMs: number;
  /**
   * Batches are dropped from a partition's start while the rest still has this many bytes. The disk may hold about
   * three times as much until RocksDB compacts.
   */
  retentionBytes: number;
}

/**
 * Drops what is over the limits from the start of one partition, whole batches at a time and never the newest, which
 * says where the partition goes on. The cut is found by bisection: append times and bytes only grow with the offset.
 * Readers lose the records before the database does; after a crash in between they are back.
 */
export async function dropExpired(log: ReadableLog, slot: number, limits: RetentionLimits, now: number): Promise<void> {
  const { db, offsets } = log;
  const start = startOf(offsets, slot);
  const newest = batchAt(log, slot, endOf(offsets, slot));
  if (newest === undefined) return;
  const expired = (batch: StoredBatch) =>
    batch.appendTime < now - limits.retentionMs || newest.logBytes - batch.logBytes >= limits.retentionBytes;
  let keepFrom = start;
  let keepAt = newest.base;
  while (keepFrom < keepAt) {
    // The first batch alone answers the usual case that nothing is to be dropped.
    const probe = keepFrom === start ? start : Math.floor((keepFrom + keepAt) / 2);
    const batch = batchAt(log, slot, probe)!;
    if (expired(batch)) keepFrom = batch.end;
    else keepAt = batch.base;
  }
  if (keepFrom === start) return;
  assert(keepFrom <= newest.base, 'L-7: the newest batch would be dropped');
  publishStart(offsets, slot, keepFrom);
  await db.clear({ ...BUFFERS, gte: recordKey(slot, 0), lt: recordKey(slot, keepFrom) });
}
