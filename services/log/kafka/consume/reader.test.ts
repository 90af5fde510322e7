import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { KafkaCluster } from '../cluster.ts';
import { encodeBatch, newRecordBytes, putRecord } from '../produce/batch.ts';
import type { Fetched } from './fetch.ts';
import { kafkaReader } from './reader.ts';

const TOPIC = 'raw-events';
const ORIGIN = { producerId: 1n, epoch: 0, sequence: 0 };
const DEADLINE_MS = 5_000;

/** An answer with 10 records of 10 bytes from an offset on. */
function answer(offset: number, end: number): Fetched {
  const records = newRecordBytes();
  for (let i = 0; i < 10; i++) putRecord(records, { key: '', value: Buffer.alloc(10) });
  const batches = encodeBatch(records, ORIGIN, 0);
  batches.writeBigInt64BE(BigInt(offset), 0);
  return { batches, end };
}

/** Reads from a broker that gives these answers, one after the other; what is no answer is thrown. */
function reading(...answers: (Fetched | Error)[]) {
  const asked = { count: 0 };
  const cluster = {
    topic: () => ({ id: '', leaders: [0] }),
    refresh: async () => {},
    async ask() {
      const next = answers[asked.count++];
      if (next === undefined || next instanceof Error) throw next ?? new Error('asked too often');
      return next;
    },
  };
  const closing = new AbortController();
  const reader = kafkaReader(cluster as unknown as KafkaCluster, DEADLINE_MS, closing.signal);
  const read = async (offset: number, maxBytes: number, signal?: AbortSignal) => {
    const records = await reader.read(TOPIC, { partition: 0, offset }, { maxBytes, waitMs: 0, signal });
    return records.map((record) => record.offset);
  };
  return { read, asked, end: () => reader.endSeen(TOPIC, 0), closing };
}

const from = (offset: number, count: number) => Array.from({ length: count }, (_, i) => offset + i);

test('L-15: the next answer is on its way while the one before is read, one at a time', async () => {
  const { read, asked, end } = reading(answer(0, 30), answer(10, 30), answer(20, 30));
  expect(await read(0, 40)).toEqual(from(0, 4));
  expect([asked.count, end()]).toEqual([2, 30]);
  expect(await read(4, 40)).toEqual(from(4, 4));
  expect(await read(8, 40)).toEqual(from(8, 2));
  await turn();
  expect(asked.count).toBe(2);
  expect(await read(10, 100)).toEqual(from(10, 10));
  expect(asked.count).toBe(3);
});

test('at the end nothing is asked for', async () => {
  const { read, asked } = reading(answer(0, 10));
  expect(await read(0, 40)).toEqual(from(0, 4));
  expect(await read(4, 100)).toEqual(from(4, 6));
  await turn();
  expect(asked.count).toBe(1);
});

test('L-15: what was on its way to another offset is dropped', async () => {
  const { read, asked } = reading(answer(0, 30), answer(10, 30), answer(20, 30));
  expect(await read(0, 100)).toEqual(from(0, 10));
  expect(await read(25, 100)).toEqual(from(25, 5));
  expect(asked.count).toBe(3);
});

test('L-15: an answer ahead that failed is asked for again when it is read', async () => {
  const { read, asked } = reading(answer(0, 20), new Error('the connection is gone'), answer(10, 20));
  expect(await read(0, 100)).toEqual(from(0, 10));
  await turn();
  expect(await read(10, 100)).toEqual(from(10, 10));
  expect(asked.count).toBe(3);
});

test('a read ends when it is aborted, also while an answer is on its way', async () => {
  const { read, closing } = reading(answer(0, 20), answer(10, 20));
  expect(await read(0, 100)).toEqual(from(0, 10));
  expect(await read(10, 100, AbortSignal.abort())).toEqual([]);
  closing.abort();
  expect(await read(10, 100)).toEqual([]);
});
