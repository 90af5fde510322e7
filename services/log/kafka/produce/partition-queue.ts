import assert from 'node:assert/strict';
import type { SpareMemory } from '../../../system/spare-memory.ts';
import { newRecordBytes, type RecordBytes } from './batch.ts';

/** Bytes at which a batch takes no more records. With one more of the largest size it must fit max.message.bytes. */
const FULL_BATCH_BYTES = 7 << 18;
/** Sequence numbers begin again after the largest int32, as the protocol has it. */
const SEQUENCE_MASK = 0x7fffffff;

/** Identity of a producer: in each partition, brokers take the batches of an epoch in sequence, each once. */
export interface Identity {
  id: bigint;
  epoch: number;
}

/** Records of one partition that are sent, and stored, together. */
export interface Batch {
  records: RecordBytes;
  /** True once it was sent: from then on it may be in the log. */
  sent: boolean;
  /** Offset of its first record; known when `taken` resolves. */
  baseOffset: number;
  /** Settles with the batch's fate: resolves if it is in the log, rejects if it is not or nothing is known. */
  taken: PromiseWithResolvers<void>;
}

/** Batches on their way into one partition, one under way at a time, so that none overtakes one that is repeated. */
export interface PartitionQueue {
  topic: string;
  partition: number;
  /** The first is under way, or next. */
  batches: Batch[];
  /** The first is under way, or waits to be repeated. */
  busy: boolean;
  /** Identity of the first batch; undefined before the first. */
  identity: Identity | undefined;
  /** Sequence number of the first batch's first record. */
  sequence: number;
  /** Compressed size of the last batch as a share of its size. */
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

/** Gives the queue this identity, unless its first batch was sent, and may be in the log, under the one it has. */
export function adoptIdentity(queue: PartitionQueue, identity: Identity): void {
  const { identity: before } = queue;
  if (queue.batches[0]!.sent || before === identity) return;
  assert(before?.id !== identity.id || before.epoch < identity.epoch, 'L-13: the epoch went back');
  queue.identity = identity;
  queue.sequence = 0;
}

/** Takes the first batch off the queue: it is in the log. */
export function takeBatch(queue: PartitionQueue, spares: SpareMemory, baseOffset: number): void {
  const batch = queue.batches.shift()!;
  queue.sequence = (queue.sequence + batch.records.count) & SEQUENCE_MASK;
  spares.give(batch.records.bytes);
  batch.baseOffset = baseOffset;
  batch.taken.resolve();
}
