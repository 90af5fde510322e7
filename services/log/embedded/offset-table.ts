import assert from 'node:assert/strict';
import { TOPICS, type Topic } from '../../contract/topics.ts';
import { unlessAborted } from '../unless-aborted.ts';

/**
 * First and next offset of every partition, in memory that the threads of a process share. Only the thread that
 * writes the log changes it, and only forward: what a reader has seen to be there stays there, or was dropped. A
 * partition's slot is its topic's number in TOPICS × partitions + its number.
 */
export interface OffsetTable {
  starts: BigInt64Array<SharedArrayBuffer>;
  ends: BigInt64Array<SharedArrayBuffer>;
}

export function offsetTable(memory: SharedArrayBuffer): OffsetTable {
  const slots = memory.byteLength / 16;
  return { starts: new BigInt64Array(memory, 0, slots), ends: new BigInt64Array(memory, slots * 8, slots) };
}

/** Memory for `slots` partitions. */
export function offsetMemory(slots: number): SharedArrayBuffer {
  return new SharedArrayBuffer(slots * 16);
}

/** Throws RangeError if there is no such partition. */
export function slotOf(topic: Topic, partition: number, partitions: number): number {
  if (!(partition >= 0 && partition < partitions)) throw new RangeError(`${topic} has no partition ${partition}`);
  return TOPICS.indexOf(topic) * partitions + partition;
}

/** Topic and partition of a slot, as people read them: `raw-events/3`. */
export function slotName(slot: number, partitions: number): string {
  return `${TOPICS[Math.floor(slot / partitions)]}/${slot % partitions}`;
}

export function startOf(table: OffsetTable, slot: number): number {
  return Number(Atomics.load(table.starts, slot));
}

export function endOf(table: OffsetTable, slot: number): number {
  return Number(Atomics.load(table.ends, slot));
}

/** Moves a partition's start, before its records are dropped. */
export function publishStart(table: OffsetTable, slot: number, start: number): void {
  assert(start >= startOf(table, slot), 'L-10: a partition would begin earlier');
  Atomics.store(table.starts, slot, BigInt(start));
}

/** Moves a partition's end, once its records are durable, and wakes the readers of all threads that wait for it. */
export function publishEnd(table: OffsetTable, slot: number, end: number): void {
  assert(end >= endOf(table, slot), 'L-10: a partition would end earlier');
  Atomics.store(table.ends, slot, BigInt(end));
  Atomics.notify(table.ends, slot);
}

/** Resolves when the partition's end is no longer `end`, after `waitMs`, or when `stop` aborts. */
export async function endMoved(
  table: OffsetTable,
  slot: number,
  end: number,
  waitMs: number,
  stop: AbortSignal,
): Promise<void> {
  if (stop.aborted) return;
  const moved = Atomics.waitAsync(table.ends, slot, BigInt(end), waitMs);
  if (moved.async) await unlessAborted(stop, moved.value);
}
