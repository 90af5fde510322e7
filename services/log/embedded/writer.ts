/**
 * The thread that writes the log: the only one, so that every fsync carries what all threads have appended meanwhile,
 * and no event loop that serves requests waits for a disk.
 */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { type Batch, RocksLevel } from '@nxtedition/rocksdb';
import { openAcknowledged } from './acknowledged-offsets.ts';
import { CLOSE, type CommitBatch, type CommitReply, type CommitRequest } from './group-commit.ts';
import { offsetTable, publishEnd, slotName } from './offset-table.ts';
import { sealBatch } from './record-batch.ts';
import { dropExpired, type RetentionLimits } from './retention.ts';
import { acknowledgedPath, BUFFERS, type PartitionState, recordKey } from './store.ts';

export interface WriterData {
  handle: bigint;
  offsets: SharedArrayBuffer;
  dir: string;
  partitions: number;
  /** By slot. */
  states: PartitionState[];
  retention: RetentionLimits;
}

/** Message to the writer: another thread's port, or the request to end. */
export type WriterMessage = { port: MessagePort } | typeof CLOSE;

const RETENTION_PERIOD_MS = 60_000;

const { handle, dir, partitions, states, retention, offsets: memory } = workerData as WriterData;
const db = new RocksLevel(handle, BUFFERS);
await db.open();
const offsets = offsetTable(memory);
const acknowledge = openAcknowledged(
  acknowledgedPath(dir),
  states.map(({ end }) => end),
);
const batch: Batch = db.batch();
const ports = new Set<MessagePort>();
let waiting: { port: MessagePort; request: CommitRequest }[] = [];

/**
 * Writes all requests that wait with one fsync, of which RocksDB applies all or nothing; then notes the new ends beside
 * the database, shows them to readers, and replies: in this order. Records whose ends could not be noted exist all the
 * same, and the reply is that nothing is known of them.
 */
function writeWaiting(): void {
  const committing = waiting;
  waiting = [];
  const advanced = new Map<number, PartitionState>();
  batch._clear();
  const replies = committing.map(({ request }) => stage(request, advanced));
  let failed: string | undefined;
  try {
    batch._writeSync({ sync: advanced.size > 0 });
    for (const [slot, state] of advanced) states[slot] = state;
    acknowledge([...advanced].map(([slot, { end }]) => [slot, end] as const));
  } catch (error) {
    failed = `The log can't be written: ${(error as Error).message}`;
  }
  for (const slot of advanced.keys()) publishEnd(offsets, slot, states[slot]!.end);
  for (const [i, { port }] of committing.entries()) port.postMessage(failed === undefined ? replies[i] : { failed });
}

function stage(request: CommitRequest, advanced: Map<number, PartitionState>): CommitReply {
  const now = Date.now();
  for (const [key, value] of request.puts) batch._put(asBuffer(key), asBuffer(value), {});
  return { baseOffsets: request.batches.map((packed) => stageBatch(packed, advanced, now)) };
}

function stageBatch({ slot, count, bytes }: CommitBatch, advanced: Map<number, PartitionState>, now: number): number {
  const last = advanced.get(slot) ?? states[slot]!;
  const appendTime = Math.max(now, last.appendTime);
  const logBytes = last.logBytes + bytes.length;
  const key = recordKey(slot, last.end);
  const value = asBuffer(bytes);
  sealBatch(key, value, { count, appendTime, logBytes });
  batch._put(key, value, {});
  advanced.set(slot, { end: last.end + count, appendTime, logBytes });
  return last.end;
}

/** A Buffer over bytes that a thread has posted: a posted Buffer arrives as a Uint8Array, and RocksDB takes Buffers. */
function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function serve(port: MessagePort): void {
  ports.add(port);
  port.on('message', (request: CommitRequest) => {
    if (waiting.length === 0) setImmediate(writeWaiting);
    waiting.push({ port, request });
  });
  port.on('close', () => ports.delete(port));
}

let sweeping = false;

/** Applies retention to one partition per turn of the event loop, so that writes go on in between. */
async function sweep(): Promise<void> {
  if (sweeping) return;
  sweeping = true;
  for (const slot of states.keys()) {
    try {
      await dropExpired({ db, offsets, partitions }, slot, retention, Date.now());
    } catch (error) {
      // A full disk passes and a damaged batch does not, but neither is a reason to stop writing.
      process.emitWarning(`Retention of ${slotName(slot, partitions)} failed: ${(error as Error).message}`);
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
  sweeping = false;
}

const sweeper = setInterval(sweep, RETENTION_PERIOD_MS);

// Open ports keep the thread alive: it ends after CLOSE, when the last of them is closed.
parentPort!.on('message', (message: WriterMessage) => {
  if (message !== CLOSE) return serve(message.port);
  clearInterval(sweeper);
  for (const port of ports) port.postMessage(CLOSE);
  parentPort!.close();
});
