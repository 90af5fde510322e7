import type { SpareMemory } from '../../../system/spare-memory.ts';
import { newRecordBytes, type RecordBytes } from './batch.ts';

/** A batch of this size takes no more records. With one more of the largest size it must fit max.message.bytes. */
const FULL_BATCH_BYTES = 7 << 18;
/** Sequence numbers are those of the protocol: they begin again after the largest int32. */
const SEQUENCE_MASK = 0x7fffffff;

/** What a broker knows a producer by: in each partition it takes the batches of one epoch in sequence, each once. */
export interface Identity {
  id: bigint;
  epoch: number;
}

/** Records of one partition that are sent, and stored, together. */
export interface Batch {
  records: RecordBytes;
  /** It is under way, or was: it may be in the log. */
  sent: boolean;
  /** Of its first record; known when `taken` resolves. */
  baseOffset: number;
  taken: PromiseWithResolvers<void>;
}

/** The way into one partition: one batch is under way at a time, so that none overtakes one that is repeated. */
export interface PartitionQueue {
  topic: string;
  partition: number;
  /** The first is under way, or next. */
  batches: Batch[];
  /** The first is under way, or waits to be repeated. */
  busy: boolean;
  identity: Identity | undefined;
  /** Of the first record of the next batch. */
  sequence: number;
  /** How much of its size the last batch came to, compressed. */
  compressedShare: number;
}

export function newPartitionQueue(topic: string, partition: number): PartitionQueue {
  return { topic, partition, batches: [], busy: false, identity: undefined, sequence: 0, compressedShare: 1 };
}

/** The batch that takes the queue's next record; undefined if it has to be a new one. */
export function openBatch(queue: PartitionQueue): Batch | undefined {
  const last = queue.batches.at(-1);
  return last === undefined || last.sent || last.records.length >= FULL_BATCH_BYTES ? undefined : last;
}

/** Adds a batch to the queue. */
export function addBatch(queue: PartitionQueue, spares: SpareMemory): Batch {
  const records = newRecordBytes(spares.take());
  const batch: Batch = { records, sent: false, baseOffset: -1, taken: Promise.withResolvers() };
  queue.batches.push(batch);
  return batch;
}

/** Sends what follows under this identity, unless the first batch may be in the log under the one it has. */
export function adoptIdentity(queue: PartitionQueue, identity: Identity): void {
  if (queue.batches[0]!.sent || queue.identity === identity) return;
  queue.identity = identity;
  queue.sequence = 0;
}

/** The first batch is in the log. */
export function takeBatch(queue: PartitionQueue, spares: SpareMemory, baseOffset: number): void {
  const batch = queue.batches.shift()!;
  queue.sequence = (queue.sequence + batch.records.count) & SEQUENCE_MASK;
  spares.give(batch.records.bytes);
  batch.baseOffset = baseOffset;
  batch.taken.resolve();
}
