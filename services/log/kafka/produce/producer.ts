import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { createAPI, initProducerIdV4, produceV11, Writer } from '@platformatic/kafka';
import { newSpareMemory } from '../../../system/spare-memory.ts';
import { LogFull, LogUnavailable, type NewRecord, type RecordPosition } from '../../event-log.ts';
import { partitionOf } from '../../partitioner.ts';
import { type KafkaCluster, RETRY_MS } from '../cluster.ts';
import { errorOfCode, partialAnswer } from '../errors.ts';
import { encodeBatch, putRecord } from './batch.ts';
import {
  addBatch,
  adoptIdentity,
  type Batch,
  type Identity,
  newPartitionQueue,
  openBatch,
  type PartitionQueue,
  takeBatch,
} from './partition-queue.ts';

export interface KafkaProducerOptions {
  /** Longest that a record waits to be durable before its append rejects, in ms. */
  deadlineMs: number;
  /** Time that a record waits for others to share its batch, in ms; 0 waits for those of the same turn only. */
  lingerMs: number;
  /** Most bytes of keys and values that wait. */
  maxInFlightBytes: number;
  /** Longest that a broker waits for the replicas, in ms. */
  replicationTimeoutMs: number;
}

/** Bytes from which on an append does not wait for others. */
const MUCH_BYTES = 64 << 10;

/** Most memory kept of settled batches, in bytes. */
const SPARE_BYTES = 16 << 20;

/** Room for a batch, as a multiple of what the one before would have come to, compressed. */
const SHARE_MARGIN = 1.2;

const ALL_REPLICAS = -1;
const NO_TRANSACTION = null;
const LAST_EPOCH = 0x7fff;

type ProduceAnswer = ReturnType<typeof produceV11.parseResponse>;

/** Batches of one partition each, by topic. */
type ProduceTopic = [name: string, batches: { partition: number; bytes: Buffer }[]];

/** The library's Produce call, for batches that are encoded already. */
const produce = createAPI<[timeoutMs: number, topics: ProduceTopic[]], ProduceAnswer>(
  produceV11.api.key,
  produceV11.api.version,
  (timeoutMs: number, topics: ProduceTopic[]) =>
    Writer.create()
      .appendString(NO_TRANSACTION)
      .appendInt16(ALL_REPLICAS)
      .appendInt32(timeoutMs)
      .appendArray(topics, (writer, [name, batches]) => {
        writer.appendString(name).appendArray(batches, (each, { partition, bytes }) => {
          each.appendInt32(partition).appendBytes(bytes);
        });
      })
      .appendTaggedFields(),
  produceV11.parseResponse,
);

/**
 * An idempotent producer with one request under way to each broker; records appended meanwhile make up the next.
 *
 * A batch is repeated under its sequence number, so it is stored once, until its deadline. Then its fate is unknown,
 * and the batches behind it go under a higher epoch: a broker that has seen that drops a late copy of the batch.
 */
export class KafkaProducer {
  readonly #cluster: KafkaCluster;
  readonly #options: KafkaProducerOptions;
  /** By topic and partition. */
  readonly #queues = new Map<string, PartitionQueue[]>();
  /** Queues with something to send and nothing under way. */
  readonly #ready = new Set<PartitionQueue>();
  readonly #busyBrokers = new Set<number>();
  readonly #waiting = new Set<Promise<void>>();
  /** Memory of batches' records, and of batches as they are sent. */
  readonly #spares = newSpareMemory(SPARE_BYTES);
  readonly #sendSpares = newSpareMemory(SPARE_BYTES);
  #identity: Identity | undefined;
  #identifying = false;
  #lingering = false;
  #inFlightBytes = 0;
  #closed = false;

  constructor(cluster: KafkaCluster, options: KafkaProducerOptions) {
    this.#cluster = cluster;
    this.#options = options;
  }

  /** As EventLog.append. */
  async append(records: readonly NewRecord[]): Promise<RecordPosition[]> {
    if (this.#closed) throw new LogUnavailable('The log is closed');
    const { maxInFlightBytes } = this.#options;
    let bytes = 0;
    for (const { key, value } of records) bytes += Buffer.byteLength(key) + value.length;
    if (this.#inFlightBytes + bytes > maxInFlightBytes) {
      throw new LogFull(`${this.#inFlightBytes} bytes wait for Kafka; ${bytes} more are over ${maxInFlightBytes}`);
    }
    const queues: PartitionQueue[] = [];
    for (const record of records) queues.push(this.#queueOf(record));
    /** Positions of the records; until their batches are taken the offsets are indexes in those. */
    const positions: RecordPosition[] = [];
    const batches: Batch[] = [];
    for (let i = 0; i < records.length; i++) {
      const queue = queues[i]!;
      const batch = this.#batchFor(queue);
      positions.push({ partition: queue.partition, offset: batch.records.count });
      putRecord(batch.records, records[i]!);
      batches.push(batch);
    }
    this.#inFlightBytes += bytes;
    if (bytes >= MUCH_BYTES) this.#dispatch();
    else this.#linger();
    try {
      // One promise for each batch, not for each record.
      await Promise.all([...new Set(batches)].map(({ taken }) => taken.promise));
    } finally {
      this.#inFlightBytes -= bytes;
    }
    for (let i = 0; i < positions.length; i++) positions[i]!.offset += batches[i]!.baseOffset;
    return positions;
  }

  /** Waits until every batch is settled, at the latest by its deadline; later appends reject with LogUnavailable. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.allSettled(this.#waiting);
  }

  #queueOf({ topic, partition, key }: NewRecord): PartitionQueue {
    let queues = this.#queues.get(topic);
    if (queues === undefined) {
      queues = this.#cluster.topic(topic).leaders.map((_, number) => newPartitionQueue(topic, number));
      this.#queues.set(topic, queues);
    }
    const queue = queues[partition ?? partitionOf(key, queues.length)];
    if (queue === undefined) throw new RangeError(`${topic} has no partition ${partition}`);
    return queue;
  }

  /** The batch that takes the queue's next record. */
  #batchFor(queue: PartitionQueue): Batch {
    const open = openBatch(queue);
    if (open !== undefined) return open;
    const batch = addBatch(queue, this.#spares);
    this.#expect(queue, batch);
    if (!queue.busy) this.#ready.add(queue);
    return batch;
  }

  /** Gives a new batch its deadline. */
  #expect(queue: PartitionQueue, batch: Batch): void {
    const { promise } = batch.taken;
    const { deadlineMs } = this.#options;
    const deadline = setTimeout(() => this.#fail(queue, batch, `not taken within ${deadlineMs} ms`), deadlineMs);
    this.#waiting.add(promise);
    promise
      .catch(() => {})
      .finally(() => {
        clearTimeout(deadline);
        this.#waiting.delete(promise);
      });
  }

  #linger(): void {
    if (this.#lingering) return;
    this.#lingering = true;
    const over = () => {
      this.#lingering = false;
      this.#dispatch();
    };
    const { lingerMs } = this.#options;
    // A timer of 0 ms takes 1 ms.
    if (lingerMs === 0) setImmediate(over);
    else setTimeout(over, lingerMs);
  }

  /** Sends the first batches of ready queues to every broker that has no request under way. */
  #dispatch(): void {
    if (this.#ready.size === 0) return;
    if (this.#identity === undefined) {
      this.#identify();
      return;
    }
    const loads = new Map<number, PartitionQueue[]>();
    for (const queue of this.#ready) {
      const broker = this.#cluster.topic(queue.topic).leaders[queue.partition]!;
      if (this.#busyBrokers.has(broker)) continue;
      adoptIdentity(queue, this.#identity);
      const load = loads.get(broker) ?? [];
      // A request is of one epoch; a queue that repeats a batch of an older one waits for the next.
      if (load.length > 0 && load[0]!.identity !== queue.identity) continue;
      loads.set(broker, load);
      load.push(queue);
    }
    for (const [broker, load] of loads) this.#send(broker, load);
  }

  async #send(broker: number, load: readonly PartitionQueue[]): Promise<void> {
    const batches = load.map((queue) => queue.batches[0]!);
    for (const batch of batches) batch.sent = true;
    for (const queue of load) {
      assert(!queue.busy, 'L-12: two batches of a partition would be under way');
      queue.busy = true;
      this.#ready.delete(queue);
    }
    this.#busyBrokers.add(broker);
    // Without an answer, the answer to a repetition decides what became of the batches.
    const answer = await this.#produce(broker, load, batches).catch(() => undefined);
    this.#busyBrokers.delete(broker);
    // A batch whose deadline came meanwhile is no longer the first.
    const undecided = load.filter((queue, i) => queue.batches[0] === batches[i] && !this.#settle(queue, answer));
    this.#release(load.filter((queue) => !undecided.includes(queue)));
    if (undecided.length === 0) return;
    await sleep(RETRY_MS);
    await this.#cluster.refresh().catch(() => {});
    this.#release(undecided);
  }

  #release(load: readonly PartitionQueue[]): void {
    for (const queue of load) {
      queue.busy = false;
      if (queue.batches.length > 0) this.#ready.add(queue);
    }
    if (this.#ready.size > 0) this.#linger();
  }

  async #produce(broker: number, load: readonly PartitionQueue[], batches: readonly Batch[]): Promise<ProduceAnswer> {
    const { id: producerId, epoch } = load[0]!.identity!;
    const now = Date.now();
    const topics = new Map<string, ProduceTopic[1]>();
    const sent: Buffer[] = [];
    load.forEach((queue, i) => {
      const { topic, partition, sequence, compressedShare } = queue;
      const { records } = batches[i]!;
      const memory = this.#sendSpares.take();
      const origin = { producerId, epoch, sequence };
      const bytes = encodeBatch(records, origin, now, memory, SHARE_MARGIN * compressedShare);
      queue.compressedShare = bytes.length / records.length;
      sent.push(memory !== undefined && bytes.buffer === memory.buffer ? memory : bytes);
      const ofTopic = topics.get(topic) ?? [];
      topics.set(topic, ofTopic);
      ofTopic.push({ partition, bytes });
    });
    const answer = await this.#cluster.ask(broker, (connection) =>
      partialAnswer(produce.async(connection, this.#options.replicationTimeoutMs, [...topics])),
    );
    // Without an answer they may still be on their way.
    for (const memory of sent) this.#sendSpares.give(memory);
    return answer;
  }

  /** Whether the answer decides about the queue's first batch, which then is over. */
  #settle(queue: PartitionQueue, answer: ProduceAnswer | undefined): boolean {
    const result = answer?.responses
      .find(({ name }) => name === queue.topic)
      ?.partitionResponses.find(({ index }) => index === queue.partition);
    if (result === undefined) return false;
    const error = errorOfCode(result.errorCode);
    if (error?.passing) return false;
    if (error === undefined) takeBatch(queue, this.#spares, Number(result.baseOffset));
    else this.#fail(queue, queue.batches[0]!, `refused: ${error.name}`);
    return true;
  }

  #fail(queue: PartitionQueue, batch: Batch, reason: string): void {
    queue.batches.splice(queue.batches.indexOf(batch), 1);
    if (queue.batches.length === 0) this.#ready.delete(queue);
    if (batch.sent && queue.identity === this.#identity) this.#renewIdentity();
    batch.taken.reject(new LogUnavailable(`Records for ${queue.topic}/${queue.partition} were ${reason}`));
  }

  #renewIdentity(): void {
    const { id, epoch } = this.#identity!;
    this.#identity = epoch < LAST_EPOCH ? { id, epoch: epoch + 1 } : undefined;
  }

  /** Gets an id from a broker, then sends. */
  async #identify(): Promise<void> {
    if (this.#identifying) return;
    this.#identifying = true;
    while (this.#identity === undefined && this.#ready.size > 0) {
      try {
        const answer = await this.#cluster.askAny((connection) => initProducerIdV4.api.async(connection, null, 0));
        this.#identity = { id: answer.producerId, epoch: answer.producerEpoch };
      } catch {
        await sleep(RETRY_MS);
      }
    }
    this.#identifying = false;
    this.#dispatch();
  }
}
