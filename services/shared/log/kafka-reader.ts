import { listOffsetsV9 } from '@platformatic/kafka';
import {
  type LogRecord,
  OffsetOutOfRange,
  type OffsetRange,
  type ReadOptions,
  type RecordPosition,
} from './event-log.ts';
import { type DecodedBatches, decodeBatches } from './kafka-batch.ts';
import { type KafkaCluster, untilAnswered } from './kafka-cluster.ts';
import { brokerErrors } from './kafka-errors.ts';
import { fetchBatches } from './kafka-fetch.ts';

export interface KafkaReader {
  /** As EventLog.read; throws LogUnavailable after the deadline without an answer. */
  read(topic: string, from: RecordPosition, options: ReadOptions): Promise<LogRecord[]>;
  /** As EventLog.offsets; throws LogUnavailable after the deadline without an answer. */
  offsets(topic: string): Promise<OffsetRange[]>;
}

/** Longest that a broker holds a fetch for a first record, in ms; a longer wait fetches again. */
export const LONGEST_POLL_MS = 1_000;

const ANY_EPOCH = -1;
const NO_LEADER = -1;
const NO_SESSION = -1;
const CLIENT = -1;
const UP_TO_HIGH_WATERMARK = 0;
const EARLIEST = -2n;
const LATEST = -1n;
const NOTHING: DecodedBatches = { records: [], next: 0, rest: Buffer.alloc(0) };

/** Reads end with nothing when `closing` aborts. */
export function kafkaReader(cluster: KafkaCluster, deadlineMs: number, closing: AbortSignal): KafkaReader {
  /**
   * By partition, what its last fetch had beyond the bytes asked for: batches only come whole. They are decoded when
   * they are asked for, so that records live no longer than their reader needs them.
   */
  const leftovers = new Map<string, DecodedBatches>();

  async function read(topic: string, from: RecordPosition, options: ReadOptions): Promise<LogRecord[]> {
    const slot = `${topic}/${from.partition}`;
    const leftover = leftovers.get(slot);
    leftovers.delete(slot);
    const ahead = leftover && decodeAhead(leftover, from, options.maxBytes);
    const { records, next, rest } = ahead ?? (await poll(topic, from, options, stopSignal(options.signal)));
    const count = countWithin(records, options.maxBytes);
    if (count < records.length || rest.length > 0) leftovers.set(slot, { records: records.slice(count), next, rest });
    return count < records.length ? records.slice(0, count) : records;
  }

  function stopSignal(signal: AbortSignal | undefined): AbortSignal {
    return signal === undefined ? closing : AbortSignal.any([closing, signal]);
  }

  /** Fetches until there are records, `waitMs` have gone by or `stop` aborts. */
  async function poll(
    topic: string,
    { partition, offset }: RecordPosition,
    { waitMs, maxBytes }: ReadOptions,
    stop: AbortSignal,
  ): Promise<DecodedBatches> {
    const end = performance.now() + waitMs;
    let next = offset;
    while (!stop.aborted) {
      const left = Math.max(0, end - performance.now());
      const request = { partition, offset: next, maxBytes, waitMs: Math.ceil(Math.min(left, LONGEST_POLL_MS)) };
      const answer = await unlessAborted(
        stop,
        untilAnswered(cluster, deadlineMs, () => fetch(topic, request)),
      ).catch((error) => {
        if (!brokerErrors(error).includes('OFFSET_OUT_OF_RANGE')) throw error;
        throw new OffsetOutOfRange(`${topic}/${partition} has no offset ${next}`);
      });
      if (answer === undefined) break;
      const decoded = decodeBatches(answer, partition, next, maxBytes);
      if (decoded.records.length > 0) return decoded;
      if (decoded.next === next && left === 0) break;
      next = decoded.next;
    }
    return NOTHING;
  }

  async function fetch(
    topic: string,
    { partition, offset, maxBytes, waitMs }: RecordPosition & ReadOptions,
  ): Promise<Buffer> {
    const { id, leaders } = cluster.topic(topic);
    const wanted = {
      partition,
      currentLeaderEpoch: ANY_EPOCH,
      fetchOffset: BigInt(offset),
      lastFetchedEpoch: ANY_EPOCH,
      partitionMaxBytes: maxBytes,
    };
    const topics = [{ topicId: id, partitions: [wanted] }];
    return cluster.ask(leaders[partition] ?? NO_LEADER, (connection) =>
      fetchBatches.async(connection, waitMs, 1, maxBytes, UP_TO_HIGH_WATERMARK, 0, NO_SESSION, topics, [], ''),
    );
  }

  async function offsets(topic: string): Promise<OffsetRange[]> {
    const [starts, ends] = await Promise.all([
      untilAnswered(cluster, deadlineMs, () => listOffsets(topic, EARLIEST)),
      untilAnswered(cluster, deadlineMs, () => listOffsets(topic, LATEST)),
    ]);
    return starts.map((start, partition) => ({ start, end: ends[partition]! }));
  }

  async function listOffsets(name: string, timestamp: bigint): Promise<number[]> {
    const { leaders } = cluster.topic(name);
    const found: number[] = [];
    for (const leader of new Set(leaders)) {
      const partitions = leaders.flatMap((led, partitionIndex) =>
        led === leader ? [{ partitionIndex, currentLeaderEpoch: ANY_EPOCH, timestamp }] : [],
      );
      const answer = await cluster.ask(leader, (connection) =>
        listOffsetsV9.api.async(connection, CLIENT, UP_TO_HIGH_WATERMARK, [{ name, partitions }]),
      );
      for (const { partitionIndex, offset } of answer.topics[0]!.partitions) found[partitionIndex] = Number(offset);
    }
    return found;
  }

  return { read, offsets };
}

/** Undefined unless what is left over begins where reading does and has a record. As much of it as was asked for. */
function decodeAhead(leftover: DecodedBatches, from: RecordPosition, maxBytes: number): DecodedBatches | undefined {
  const { records, next, rest } = leftover;
  if ((records[0]?.offset ?? next) !== from.offset) return undefined;
  const decoded = decodeBatches(rest, from.partition, next, maxBytes - bytesOf(records));
  const all = [...records, ...decoded.records];
  return all.length > 0 ? { ...decoded, records: all } : undefined;
}

/** Bytes of keys and values. */
function bytesOf(records: readonly LogRecord[]): number {
  let bytes = 0;
  for (const { key, value } of records) bytes += key.length + value.length;
  return bytes;
}

/** How many of the records make up about `maxBytes`, at least one. */
function countWithin(records: readonly LogRecord[], maxBytes: number): number {
  let bytes = 0;
  let count = 0;
  for (const { key, value } of records) {
    count++;
    bytes += key.length + value.length;
    if (bytes >= maxBytes) break;
  }
  return count;
}

/** Undefined if `stop` aborts before the answer, which then is dropped. */
async function unlessAborted<T>(stop: AbortSignal, answer: Promise<T>): Promise<T | undefined> {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const abort = () => resolve(undefined);
  stop.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([answer, promise]);
  } finally {
    stop.removeEventListener('abort', abort);
  }
}
