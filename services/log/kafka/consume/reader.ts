import {
  type EventLog,
  type LogRecord,
  OffsetOutOfRange,
  type OffsetRange,
  type ReadOptions,
  type RecordPosition,
} from '../../event-log.ts';
import { unlessAborted } from '../../unless-aborted.ts';
import { type KafkaCluster, untilAnswered } from '../cluster.ts';
import { brokerErrors } from '../errors.ts';
import type { KafkaRecord } from '../record.ts';
import { type DecodedBatches, decodeBatches } from './decode-batches.ts';
import { EARLIEST, type Fetched, type FetchRequest, fetchPartition, LATEST, listOffsets } from './fetch.ts';

/** What the EventLog reads; throws LogUnavailable after the deadline without an answer. */
export type KafkaReader = Pick<EventLog, 'read' | 'endSeen' | 'offsets'>;

/** Longest that a broker holds a fetch for a first record, in ms; a longer wait fetches again. */
export const LONGEST_POLL_MS = 1_000;

/** Least that a fetch asks for, in bytes of compressed batches: enough for some reads of a consumer that is behind. */
const FETCH_BYTES = 1 << 20;

const NOTHING: DecodedBatches = { records: [], next: 0, rest: Buffer.alloc(0) };

/** Records of a partition behind those read last. */
interface Ahead {
  /**
   * Rest of the last fetch, beyond the bytes asked for: batches only come whole. They are decoded when they are read,
   * so that records live no longer than their reader needs them.
   */
  left: DecodedBatches;
  /** The fetch that follows; undefined if it fails. */
  coming: Promise<Fetched | undefined> | undefined;
}

/** Reads end with nothing when `closing` aborts. */
export function kafkaReader(cluster: KafkaCluster, deadlineMs: number, closing: AbortSignal): KafkaReader {
  /** By topic and partition, as `ends`. */
  const aheads = new Map<string, Ahead>();
  const ends = new Map<string, number>();

  async function read(topic: string, from: RecordPosition, options: ReadOptions): Promise<LogRecord[]> {
    const name = topicPartition(topic, from.partition);
    const ahead = aheads.get(name);
    aheads.delete(name);
    const known = ahead && beginOf(ahead.left) === from.offset ? ahead : undefined;
    const left = known && decodeAhead(known.left, from.partition, options.maxBytes);
    const decoded = left ?? (await poll(topic, from, options, known?.coming));
    const { records, next, rest } = decoded;
    if (records.length === 0) return records;
    const isBehind = rest.length === 0 && next < endSeen(topic, from.partition);
    const coming = (left && known?.coming) ?? (isBehind ? fetchAhead(topic, from.partition, next) : undefined);
    const count = countWithin(records, options.maxBytes);
    aheads.set(name, { left: { records: records.slice(count), next, rest }, coming });
    return count < records.length ? records.slice(0, count) : records;
  }

  function endSeen(topic: string, partition: number): number {
    return ends.get(topicPartition(topic, partition)) ?? 0;
  }

  /** Fetches what follows while the reader is busy with what it got: it is behind, and would only wait for it. */
  function fetchAhead(topic: string, partition: number, offset: number): Promise<Fetched | undefined> {
    const request = { partition, offset, maxBytes: FETCH_BYTES, waitMs: 0 };
    // Whatever is wrong, the read that comes for it asks again.
    return fetch(topic, request).catch(() => undefined);
  }

  /** Fetches until there are records, `waitMs` have gone by or its end comes. A fetch on its way is the first. */
  async function poll(
    topic: string,
    { partition, offset }: RecordPosition,
    { waitMs, maxBytes, signal }: ReadOptions,
    coming: Ahead['coming'],
  ): Promise<DecodedBatches> {
    const stop = signal === undefined ? closing : AbortSignal.any([closing, signal]);
    const end = performance.now() + waitMs;
    let early = coming;
    let next = offset;
    while (!stop.aborted) {
      const left = Math.max(0, end - performance.now());
      const request = { partition, offset: next, maxBytes, waitMs: Math.ceil(Math.min(left, LONGEST_POLL_MS)) };
      const answer = await unlessAborted(stop, answerTo(topic, request, early));
      if (answer === undefined) break;
      early = undefined;
      const decoded = decodeBatches(answer.batches, partition, next, maxBytes);
      if (decoded.records.length > 0) return decoded;
      if (decoded.next === next && left === 0) break;
      next = decoded.next;
    }
    return NOTHING;
  }

  /** Asks until there is an answer, unless there is an `early` one. */
  async function answerTo(topic: string, request: FetchRequest, early: Ahead['coming']): Promise<Fetched> {
    try {
      return (await early) ?? (await untilAnswered(cluster, deadlineMs, () => fetch(topic, request)));
    } catch (error) {
      if (!brokerErrors(error).includes('OFFSET_OUT_OF_RANGE')) throw error;
      throw new OffsetOutOfRange(`${topic}/${request.partition} has no offset ${request.offset}`);
    }
  }

  async function fetch(topic: string, request: FetchRequest): Promise<Fetched> {
    const maxBytes = Math.max(request.maxBytes, FETCH_BYTES);
    const fetched = await fetchPartition(cluster, topic, { ...request, maxBytes });
    ends.set(topicPartition(topic, request.partition), fetched.end);
    return fetched;
  }

  async function offsets(topic: string): Promise<OffsetRange[]> {
    const [starts, ends] = await Promise.all([
      untilAnswered(cluster, deadlineMs, () => listOffsets(cluster, topic, EARLIEST)),
      untilAnswered(cluster, deadlineMs, () => listOffsets(cluster, topic, LATEST)),
    ]);
    return starts.map((start, partition) => ({ start, end: ends[partition]! }));
  }

  return { read, endSeen, offsets };
}

function topicPartition(topic: string, partition: number): string {
  return `${topic}/${partition}`;
}

/** The first offset that was decoded or is in the rest. */
function beginOf({ records, next }: DecodedBatches): number {
  return records[0]?.offset ?? next;
}

/** Decodes about `maxBytes` of the rest of a fetch; undefined if that holds no record. */
function decodeAhead(left: DecodedBatches, partition: number, maxBytes: number): DecodedBatches | undefined {
  const { records, next, rest } = left;
  const decoded = decodeBatches(rest, partition, next, maxBytes - bytesOf(records));
  const all = [...records, ...decoded.records];
  return all.length > 0 ? { ...decoded, records: all } : undefined;
}

function bytesOf(records: readonly KafkaRecord[]): number {
  let bytes = 0;
  for (const { size } of records) bytes += size;
  return bytes;
}

/** How many of the records make up about `maxBytes`, at least one. */
function countWithin(records: readonly KafkaRecord[], maxBytes: number): number {
  let bytes = 0;
  let count = 0;
  for (const { size } of records) {
    count++;
    bytes += size;
    if (bytes >= maxBytes) break;
  }
  return count;
}
