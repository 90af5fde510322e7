import { initProducerIdV4, Reader as KafkaReader, type Reader, readRecordsBatch } from '@platformatic/kafka';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { fakeKafkaCluster } from '../../../../test/fixtures/fake-kafka-cluster.ts';
import { LogFull, LogUnavailable, type NewRecord } from '../../event-log.ts';
import { KafkaProducer } from './producer.ts';

const DEADLINE_MS = 5_000;
const OPTIONS = { deadlineMs: DEADLINE_MS, lingerMs: 0, maxInFlightBytes: 100, replicationTimeoutMs: 1_000 };

// Deadlines come when a test says so; pauses before a repetition are of another kind, and real.
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
});

function record(value: string, partition = 0): NewRecord {
  return { topic: 'raw-events', partition, key: '', value: Buffer.from(value) };
}

/** The batches of a request, as the broker sees them. */
function batchesIn(request: Reader) {
  request.readNullableString(); // transaction
  request.readInt16(); // acknowledgements
  request.readInt32(); // timeout
  const topics = request.readArray((topic) => {
    topic.readString();
    return topic.readArray((partition) => {
      const index = partition.readInt32();
      const {
        producerEpoch: epoch,
        firstSequence: sequence,
        records,
      } = readRecordsBatch(KafkaReader.from(partition.readBytes()));
      return { index, epoch, sequence, values: records.map(({ value }) => `${value}`).join() };
    });
  });
  return topics.flat();
}

/** A producer whose requests are answered, one after the other, with a base offset or an error. */
function produce(...answers: (number | Error | Promise<Error>)[]) {
  const sent: { epoch: number; sequence: number; values: string }[] = [];
  const cluster = fakeKafkaCluster(async (apiKey, request) => {
    if (apiKey === initProducerIdV4.api.key) return { producerId: 1n, producerEpoch: 0 };
    const batches = batchesIn(request);
    for (const { index: _, ...batch } of batches) sent.push(batch);
    const answer = await (answers.shift() ?? new Error('asked too often'));
    if (answer instanceof Error) throw answer;
    const partitionResponses = batches.map(({ index }) => ({ index, errorCode: 0, baseOffset: BigInt(answer) }));
    return { responses: [{ name: 'raw-events', partitionResponses }] };
  });
  return { producer: new KafkaProducer(cluster, OPTIONS), sent };
}

test('L-12: a batch without an answer is sent again as it was, and the next one after it', async () => {
  const { producer, sent } = produce(new Error('the connection is gone'), new Error('the connection is gone'), 7, 8);
  const first = producer.append([record('a')]);
  await vi.waitFor(() => expect(sent).toHaveLength(1));
  const second = producer.append([record('b')]);
  expect(await first).toEqual([{ partition: 0, offset: 7 }]);
  expect(await second).toEqual([{ partition: 0, offset: 8 }]);
  const repeated = { epoch: 0, sequence: 0, values: 'a' };
  expect(sent).toEqual([repeated, repeated, repeated, { epoch: 0, sequence: 1, values: 'b' }]);
});

test('L-13: what follows a batch of unknown fate goes under a higher epoch', async () => {
  const lost = Promise.withResolvers<Error>();
  const { producer, sent } = produce(1, lost.promise, 3);
  await producer.append([record('a')]);
  const unknown = producer.append([record('b')]);
  await vi.waitFor(() => expect(sent).toHaveLength(2));
  vi.advanceTimersByTime(DEADLINE_MS);
  await expect(unknown).rejects.toThrow(LogUnavailable);
  const next = producer.append([record('c')]);
  lost.resolve(new Error('no answer'));
  expect(await next).toEqual([{ partition: 0, offset: 3 }]);
  expect(sent.slice(1)).toEqual([
    { epoch: 0, sequence: 1, values: 'b' },
    { epoch: 1, sequence: 0, values: 'c' },
  ]);
});

test('L-13: a batch that was sent is repeated under its epoch, though another partition has raised it', async () => {
  const [one, other] = [Promise.withResolvers<Error>(), Promise.withResolvers<Error>()];
  const { producer, sent } = produce(one.promise, other.promise, 5, 6);
  const unknown = producer.append([record('a')]);
  await vi.waitFor(() => expect(sent).toHaveLength(1));
  vi.advanceTimersByTime(DEADLINE_MS / 2);
  const repeated = producer.append([record('b', 1)]);
  one.resolve(new Error('no answer'));
  await vi.waitFor(() => expect(sent).toHaveLength(2));
  vi.advanceTimersByTime(DEADLINE_MS / 2);
  await expect(unknown).rejects.toThrow(LogUnavailable);
  other.resolve(new Error('no answer'));
  expect(await repeated).toEqual([{ partition: 1, offset: 5 }]);
  expect(await producer.append([record('c', 1)])).toEqual([{ partition: 1, offset: 6 }]);
  expect(sent).toEqual([
    { epoch: 0, sequence: 0, values: 'a' },
    { epoch: 0, sequence: 0, values: 'b' },
    { epoch: 0, sequence: 0, values: 'b' },
    { epoch: 1, sequence: 0, values: 'c' },
  ]);
});

test('L-14: an append without an answer rejects at its deadline, and what waits until then is bounded', async () => {
  const never = Promise.withResolvers<Error>();
  const { producer, sent } = produce(never.promise, 0);
  const waiting = producer.append([record('x'.repeat(90))]);
  await expect(producer.append([record('x'.repeat(20))])).rejects.toThrow(LogFull);
  await vi.waitFor(() => expect(sent).toHaveLength(1));
  vi.advanceTimersByTime(DEADLINE_MS);
  await expect(waiting).rejects.toThrow(LogUnavailable);
  const next = producer.append([record('x'.repeat(20))]);
  never.resolve(new Error('no answer'));
  expect(await next).toEqual([{ partition: 0, offset: 0 }]);
});
