import { type LogRecord, OffsetOutOfRange } from '../event-log.ts';
import { endOf, type OffsetTable, slotName, startOf } from './offset-table.ts';
import { readRecords } from './record-batch.ts';
import { batchAt, batchesFrom, corrupt, type Store, type StoredBatch } from './store.ts';

/** The log in one thread. */
export interface ReadableLog extends Store {
  offsets: OffsetTable;
}

/**
 * Records of a slot from `offset` on, up to `maxBytes` of keys and values, at least one; empty at the end in the table,
 * behind which nothing is read. Throws OffsetOutOfRange, or an error that names the place of damage.
 */
export function readFrom(log: ReadableLog, slot: number, offset: number, maxBytes: number): LogRecord[] {
  const end = endOf(log.offsets, slot);
  if (offset < startOf(log.offsets, slot) || offset > end) throw outOfRange(log, slot, offset);
  if (offset === end) return [];
  const first = batchAt(log, slot, offset);
  if (first === undefined || first.end <= offset) throw missing(log, slot, offset);
  const records: LogRecord[] = [];
  let left = take(records, first, slot % log.partitions, offset, maxBytes);
  let next = first.end;
  if (left <= 0 || next >= end) return records;
  for (const batch of batchesFrom(log, slot, next, end, left)) {
    if (batch.base !== next) throw missing(log, slot, next);
    left = take(records, batch, slot % log.partitions, next, left);
    if (left <= 0) break;
    next = batch.end;
  }
  return records;
}

/** Adds a batch's records from `offset` on while they fit; returns the bytes left, 0 once a record did not fit. */
function take(records: LogRecord[], batch: StoredBatch, partition: number, offset: number, maxBytes: number): number {
  let left = maxBytes;
  let next = offset;
  const { bytes, appendTime } = batch;
  for (const record of readRecords(bytes, offset - batch.base)) {
    left -= record.size;
    if (left < 0 && records.length > 0) return 0;
    records.push({ ...record, partition, offset: next++, appendTime });
  }
  return left;
}

/** The error for a record that was not found: retention may have dropped it since the start was looked at. */
function missing(log: ReadableLog, slot: number, offset: number): Error {
  if (offset < startOf(log.offsets, slot)) return outOfRange(log, slot, offset);
  return corrupt(log, slot, offset, 'the record is missing');
}

function outOfRange(log: ReadableLog, slot: number, offset: number): OffsetOutOfRange {
  const range = `[${startOf(log.offsets, slot)}, ${endOf(log.offsets, slot)}]`;
  return new OffsetOutOfRange(`${slotName(slot, log.partitions)} has no offset ${offset}: it is outside ${range}`);
}
