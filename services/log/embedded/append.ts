import type { MessagePort } from 'node:worker_threads';
import { LogFull, LogUnavailable, type NewRecord, type RecordPosition } from '../event-log.ts';
import { partitionOf } from '../partitioner.ts';
import { CLOSE, type CommitReply, type CommitRequest } from './group-commit.ts';
import { slotOf } from './offset-table.ts';
import { addRecord, type OpenBatch, openBatch } from './record-batch.ts';

/** Bytes at which a batch takes no more records: a read looks at whole batches. */
const FULL_BATCH_BYTES = 1 << 20;

interface SlotBatch extends OpenBatch {
  slot: number;
}

/** An append that waits for its offsets. */
interface Call {
  /** Positions of its records; until the reply their offsets are indexes in the records' batches. */
  positions: RecordPosition[];
  batches: SlotBatch[];
  bytes: number;
  resolve: () => void;
  reject: (error: Error) => void;
}

interface PackedRequest {
  calls: Call[];
  batches: SlotBatch[];
  /** The batch that takes the next record, by slot. */
  open: Map<number, SlotBatch>;
  puts: [Buffer, Buffer][];
}

const newRequest = (): PackedRequest => ({ calls: [], batches: [], open: new Map(), puts: [] });

/**
 * One thread's way to the writer: packs records and sends them there. One request is under way at a time; what is
 * appended meanwhile, or in the same turn of the event loop, makes up the next.
 */
export function openAppender(port: MessagePort, partitions: number, maxInFlightBytes: number) {
  let next = newRequest();
  let underWay: PackedRequest | undefined;
  let inFlightBytes = 0;
  let refusal: string | undefined;
  /** Resolves after close(), when nothing is under way any more. */
  const drained = Promise.withResolvers<void>();

  function enqueue(positions: RecordPosition[], batches: SlotBatch[], bytes: number): Promise<void> {
    if (underWay === undefined && next.calls.length === 0) setImmediate(send);
    inFlightBytes += bytes;
    return new Promise((resolve, reject) => next.calls.push({ positions, batches, bytes, resolve, reject }));
  }

  function send(): void {
    if (next.calls.length === 0) return;
    underWay = next;
    next = newRequest();
    const request: CommitRequest = {
      batches: underWay.batches.map(({ slot, count, bytes, length }) => ({
        slot,
        count,
        bytes: bytes.subarray(0, length),
      })),
      puts: underWay.puts,
    };
    port.postMessage(
      request,
      request.batches.map(({ bytes }) => bytes.buffer),
    );
  }

  function complete(reply: CommitReply): void {
    const { calls, batches } = underWay!;
    underWay = undefined;
    for (const call of calls) inFlightBytes -= call.bytes;
    if ('failed' in reply) for (const call of calls) call.reject(new LogUnavailable(reply.failed));
    else resolveCalls(calls, new Map(batches.map((batch, i) => [batch, reply.baseOffsets[i]!])));
    if (next.calls.length > 0) setImmediate(send);
    else if (refusal !== undefined) drained.resolve();
  }

  function failAll(): void {
    refusal ??= 'The log has stopped';
    for (const call of [...(underWay?.calls ?? []), ...next.calls]) call.reject(new LogUnavailable(refusal));
    underWay = undefined;
    next = newRequest();
    drained.resolve();
  }

  port.on('message', (message: CommitReply | typeof CLOSE) => {
    if (message !== CLOSE) complete(message);
  });
  port.on('close', failAll);

  return {
    async append(records: readonly NewRecord[]): Promise<RecordPosition[]> {
      if (refusal !== undefined) throw new LogUnavailable(refusal);
      if (records.length === 0) return [];
      const keys = records.map(({ key }) => Buffer.from(key));
      const bytes = records.reduce((sum, { value }, i) => sum + keys[i]!.length + value.length, 0);
      if (inFlightBytes + bytes > maxInFlightBytes) {
        throw new LogFull(`${inFlightBytes} bytes wait for the log; ${bytes} more are over ${maxInFlightBytes}`);
      }
      const slots = records.map(({ topic, partition }, i) =>
        slotOf(topic, partition ?? partitionOf(keys[i]!, partitions), partitions),
      );
      const positions: RecordPosition[] = [];
      const batches: SlotBatch[] = [];
      for (const [i, { value, headers }] of records.entries()) {
        const batch = batchFor(next, slots[i]!);
        batches.push(batch);
        positions.push({ partition: slots[i]! % partitions, offset: batch.count });
        addRecord(batch, keys[i]!, value, headers);
      }
      await enqueue(positions, batches, bytes);
      return positions;
    },
    /** Stores other keys and values, in the order of the calls; without an fsync before the next append. */
    async put(entries: readonly [key: Buffer, value: Buffer][]): Promise<void> {
      if (refusal !== undefined) throw new LogUnavailable(refusal);
      next.puts.push(...entries);
      await enqueue([], [], 0);
    },
    /** Waits for the requests under way; later calls reject with LogUnavailable. */
    async close(): Promise<void> {
      refusal ??= 'The log is closed';
      if (underWay === undefined && next.calls.length === 0) drained.resolve();
      await drained.promise;
      port.close();
    },
  };
}

function resolveCalls(calls: readonly Call[], baseOffsets: ReadonlyMap<SlotBatch, number>): void {
  for (const { positions, batches, resolve } of calls) {
    for (const [i, position] of positions.entries()) position.offset += baseOffsets.get(batches[i]!)!;
    resolve();
  }
}

function batchFor(request: PackedRequest, slot: number): SlotBatch {
  const open = request.open.get(slot);
  if (open !== undefined && open.length < FULL_BATCH_BYTES) return open;
  const batch = { ...openBatch(), slot };
  request.open.set(slot, batch);
  request.batches.push(batch);
  return batch;
}
