import { once } from 'node:events';
import { mkdtemp, rm, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { LogFull, LogUnavailable, type NewRecord } from '../event-log.ts';
import { openAcknowledged, readAcknowledged } from './acknowledged-offsets.ts';
import { attachEmbeddedLog, type EmbeddedLog, openEmbeddedLog } from './log.ts';
import { addRecord, openBatch, sealBatch } from './record-batch.ts';
import { acknowledgedPath, openStore, recordKey } from './store.ts';

const PARTITIONS = 2;
/** Waits longer than a test may take. */
const LONG = { maxBytes: 1 << 20, waitMs: 600_000 };
let dir: string;
let log: EmbeddedLog;

const open = (more: object = {}) =>
  openEmbeddedLog({ dir, partitions: PARTITIONS, retentionMs: Infinity, retentionBytes: Infinity, ...more });
const record = (value: string, partition = 0): NewRecord => ({
  topic: 'raw-events',
  key: 'k',
  value: Buffer.from(value),
  partition,
});

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'clickmesh-log-'));
  log = await open();
});
afterEach(async () => {
  await log.close();
  await rm(dir, { recursive: true });
});

test('another number of partitions is refused', async () => {
  await log.close();
  await expect(open({ partitions: 3 })).rejects.toThrow(`The log in ${dir} has 2 partitions a topic, not 3`);
  log = await open();
});

test('a folder in use is refused', async () => {
  await expect(open()).rejects.toThrow(`The log in ${dir} is in use by another process`);
});

test('L-6: appends beyond the bytes in flight are refused, until others are done', async () => {
  await log.close();
  log = await open({ maxInFlightBytes: 100 });
  const first = log.append([record('x'.repeat(90))]);
  await expect(log.append([record('x'.repeat(10))])).rejects.toThrow(LogFull);
  expect(await first).toEqual([{ partition: 0, offset: 0 }]);
  expect(await log.append([record('x'.repeat(10))])).toEqual([{ partition: 0, offset: 1 }]);
});

test('L-8: append time never goes back, whatever the clock does', async () => {
  await log.append([record('a')]);
  await log.close();
  const future = Date.now() + 3_600_000;
  const db = await openStore(dir, PARTITIONS);
  const batch = openBatch();
  addRecord(batch, Buffer.from('k'), Buffer.from('from the future'));
  const bytes = batch.bytes.subarray(0, batch.length);
  sealBatch(recordKey(0, 1), bytes, { count: 1, appendTime: future, logBytes: 1_000 });
  const write = db.batch();
  write._put(recordKey(0, 1), bytes, {});
  write._writeSync({ sync: true });
  await db.close();
  log = await open();
  await log.append([record('b')]);
  const records = await log.read('raw-events', { partition: 0, offset: 1 }, LONG);
  expect(records.map(({ appendTime }) => appendTime)).toEqual([future, future]);
});

test('L-17: what a group committed is there after reopening', async () => {
  const nothing = { assigned: async () => {}, revoked: async () => {} };
  const assignment = await log.join('raw-events', 'attribution', nothing);
  await assignment.commit([{ partition: 1, offset: 7 }]);
  await assignment.commit([{ partition: 1, offset: 9 }]);
  await log.close();
  log = await open();
  expect(await log.committed('raw-events', 'attribution')).toEqual([{ partition: 1, offset: 9 }]);
  expect(await log.committed('raw-events', 'other')).toEqual([]);
});

test('L-9: a stored batch that is damaged is named, not read', async () => {
  await log.append([record('intact')]);
  await log.append([record('damaged')]);
  await log.append([record('newest')]);
  await log.close();
  const db = await openStore(dir, PARTITIONS);
  const [bytes] = db._getManySync([recordKey(0, 1)], { valueEncoding: 'buffer' });
  bytes![bytes!.length - 1]! ^= 1;
  const write = db.batch();
  write._put(recordKey(0, 1), bytes!, {});
  write._writeSync({ sync: true });
  await db.close();
  log = await open();
  const reading = log.read('raw-events', { partition: 0, offset: 1 }, LONG);
  await expect(reading).rejects.toThrow('The log is corrupt: raw-events/0 at offset 1: the checksum');
});

test('L-2: a log that ends before what was acknowledged is refused, until the operator accepts the loss', async () => {
  await log.append([record('a', 1), record('b', 1)]);
  await log.close();
  const ends = Array<number>(PARTITIONS * 6).fill(0);
  ends[1] = 5;
  openAcknowledged(acknowledgedPath(dir), ends);
  await expect(open()).rejects.toThrow(
    `The log in ${dir} has lost acknowledged records: raw-events/1 from offset 2 to 4. Restore the folder from a copy, or delete ${acknowledgedPath(dir)} to accept the loss`,
  );
  await unlink(acknowledgedPath(dir));
  log = await open();
  expect(await log.append([record('c', 1)])).toEqual([{ partition: 1, offset: 2 }]);
});

test('L-2: what an append acknowledges is noted before', async () => {
  for (let end = 1; end <= 50; end++) {
    await log.append([record('a', 1)]);
    expect(readAcknowledged(acknowledgedPath(dir), 2)).toEqual([0, end]);
  }
});

test('L-2: damaged notes of what was acknowledged are refused', async () => {
  await log.close();
  await writeFile(acknowledgedPath(dir), Buffer.alloc(PARTITIONS * 6 * 16, 7));
  await expect(open()).rejects.toThrow('is damaged');
  await unlink(acknowledgedPath(dir));
  log = await open();
});

/** Attaches to the share it is given, then answers each append it is sent with a read that waits for its echo. */
const OTHER_THREAD = `
import { once } from 'node:events';
import { parentPort } from 'node:worker_threads';
const [{ share, module }] = await once(parentPort, 'message');
const { attachEmbeddedLog } = await import(module);
const log = await attachEmbeddedLog(share);
const [position] = await log.append([{ topic: 'raw-events', key: 'k', value: Buffer.from('from the thread'), partition: 0 }]);
const waiting = log.read('raw-events', { partition: 1, offset: 0 }, { maxBytes: 1000, waitMs: 600000 });
parentPort.postMessage({ position });
const [record] = await waiting;
parentPort.postMessage({ woken: Buffer.from(record.value).toString() });
`;

function startThread(): Worker {
  const worker = new Worker(OTHER_THREAD, { eval: true, execArgv: ['--input-type=module'] });
  const share = log.share();
  worker.postMessage({ share, module: new URL('./log.ts', import.meta.url).href }, [share.port]);
  return worker;
}

test('L-10: another thread appends, reads and is woken', async () => {
  const reading = log.read('raw-events', { partition: 0, offset: 0 }, LONG);
  const worker = startThread();
  expect(await once(worker, 'message')).toEqual([{ position: { partition: 0, offset: 0 } }]);
  expect(Buffer.from((await reading)[0]!.value).toString()).toBe('from the thread');
  await log.append([record('to the thread', 1)]);
  expect(await once(worker, 'message')).toEqual([{ woken: 'to the thread' }]);
  await Promise.all([once(worker, 'exit'), log.close()]);
});

test('a thread that was terminated does not keep the log from closing', async () => {
  const worker = startThread();
  await once(worker, 'message');
  await worker.terminate();
  await log.close();
});

test('L-11: closing takes the logs of other threads along', async () => {
  const attached = await attachEmbeddedLog(log.share());
  const reading = attached.read('raw-events', { partition: 0, offset: 0 }, LONG);
  await log.close();
  expect(await reading).toEqual([]);
  await expect(attached.append([record('late')])).rejects.toThrow(LogUnavailable);
});
