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
  type Lane,
  newLane,
  openBatch,
  takeBatch,
} from './partition-queue.ts';

export interface KafkaProducerOptions {
  /** How long a record may wait to be durable before its append rejects, in ms. */
  deadlineMs: number;
  /** How long a record waits for others to be sent with, in ms; with 0 only for those that came in the same turn. */
  lingerMs: number;
  /** Bytes of keys and values that may wait. */
  maxInFlightBytes: number;
  /** How long a broker may wait for the replicas, in ms. */
  replicationTimeoutMs: number;
}

/** An append of so many bytes is not made to wait for others. */
const MUCH_BYTES = 64 << 10;

/** Most bytes kept of batches that are over. */
const SPARE_BYTES = 16 << 20;

/** A batch comes to about as much of its size as the one before. */
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
 * An idempotent producer with one request under way for each broker; what is appended meanwhile makes up the next.
 *
 * A batch is repeated under its sequence number, so it is stored once, until its deadline. Then its fate is unknown, and
 * what follows it goes under a higher epoch: once the broker has seen that, it drops a late copy of the batch.
 */
export class KafkaProducer {
  readonly #cluster: KafkaCluster;
  readonly #options: KafkaProducerOptions;
  /** By topic and partition. */
  readonly #lanes = new Map<string, Lane[]>();
  /** Lanes with something to send and nothing under way. */
  readonly #ready = new Set<Lane>();
  readonly #busyBrokers = new Set<number>();
  readonly #waiting = new Set<Promise<void>>();
  /** Of batches' records, and of batches as they are sent. */
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
    const lanes: Lane[] = [];
    for (const record of records) lanes.push(this.#laneOf(record));
    /** At first counted from the beginning of the batch. */
    const positions: RecordPosition[] = [];
    const batches: Batch[] = [];
    for (let i = 0; i < records.length; i++) {
      const lane = lanes[i]!;
      const batch = this.#batchFor(lane);
      positions.push({ partition: lane.partition, offset: batch.records.count });
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

  /** Waits for what is under way, at most as long as the deadline; later appends reject with LogUnavailable. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.allSettled(this.#waiting);
  }

  #laneOf({ topic, partition, key }: NewRecord): Lane {
    let lanes = this.#lanes.get(topic);
    if (lanes === undefined) {
      lanes = this.#cluster.topic(topic).leaders.map((_, number) => newLane(topic, number));
      this.#lanes.set(topic, lanes);
    }
    const lane = lanes[partition ?? partitionOf(key, lanes.length)];
    if (lane === undefined) throw new RangeError(`${topic} has no partition ${partition}`);
    return lane;
  }

  /** The batch that takes the lane's next record. */
  #batchFor(lane: Lane): Batch {
    const open = openBatch(lane);
    if (open !== undefined) return open;
    const batch = addBatch(lane, this.#spares);
    this.#expect(lane, batch);
    if (!lane.busy) this.#ready.add(lane);
    return batch;
  }

  /** Gives a new batch its deadline. */
  #expect(lane: Lane, batch: Batch): void {
    const { promise } = batch.taken;
    const { deadlineMs } = this.#options;
    const deadline = setTimeout(() => this.#fail(lane, batch, `not taken within ${deadlineMs} ms`), deadlineMs);
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

  /** Sends what is ready to every broker that has nothing under way. */
  #dispatch(): void {
    if (this.#ready.size === 0) return;
    if (this.#identity === undefined) {
      this.#identify();
      return;
    }
    const loads = new Map<number, Lane[]>();
    for (const lane of this.#ready) {
      const broker = this.#cluster.topic(lane.topic).leaders[lane.partition]!;
      if (this.#busyBrokers.has(broker)) continue;
      adoptIdentity(lane, this.#identity);
      const load = loads.get(broker) ?? [];
      // A request is of one epoch; a lane that repeats a batch of an older one waits for the next.
      if (load.length > 0 && load[0]!.identity !== lane.identity) continue;
      loads.set(broker, load);
      load.push(lane);
    }
    for (const [broker, load] of loads) this.#send(broker, load);
  }

  async #send(broker: number, load: readonly Lane[]): Promise<void> {
    const batches = load.map((lane) => lane.queue[0]!);
    for (const batch of batches) batch.sent = true;
    for (const lane of load) {
      lane.busy = true;
      this.#ready.delete(lane);
    }
    this.#busyBrokers.add(broker);
    // Without an answer only a repetition tells what became of the batches.
    const answer = await this.#produce(broker, load, batches).catch(() => undefined);
    this.#busyBrokers.delete(broker);
    // A batch whose deadline came meanwhile is no longer the first.
    const undecided = load.filter((lane, i) => lane.queue[0] === batches[i] && !this.#settle(lane, answer));
    this.#release(load.filter((lane) => !undecided.includes(lane)));
    if (undecided.length === 0) return;
    await sleep(RETRY_MS);
    await this.#cluster.refresh().catch(() => {});
    this.#release(undecided);
  }

  #release(load: readonly Lane[]): void {
    for (const lane of load) {
      lane.busy = false;
      if (lane.queue.length > 0) this.#ready.add(lane);
    }
    if (this.#ready.size > 0) this.#linger();
  }

  async #produce(broker: number, load: readonly Lane[], batches: readonly Batch[]): Promise<ProduceAnswer> {
    const { id: producerId, epoch } = load[0]!.identity!;
    const now = Date.now();
    const topics = new Map<string, ProduceTopic[1]>();
    const sent: Buffer[] = [];
    load.forEach((lane, i) => {
      const { topic, partition, sequence, compressedShare } = lane;
      const { records } = batches[i]!;
      const memory = this.#sendSpares.take();
      const origin = { producerId, epoch, sequence };
      const bytes = encodeBatch(records, origin, now, memory, SHARE_MARGIN * compressedShare);
      lane.compressedShare = bytes.length / records.length;
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

  /** Whether the answer decides about the lane's first batch, which then is over. */
  #settle(lane: Lane, answer: ProduceAnswer | undefined): boolean {
    const result = answer?.responses
      .find(({ name }) => name === lane.topic)
      ?.partitionResponses.find(({ index }) => index === lane.partition);
    if (result === undefined) return false;
    const error = errorOfCode(result.errorCode);
    if (error?.passing) return false;
    if (error === undefined) takeBatch(lane, this.#spares, Number(result.baseOffset));
    else this.#fail(lane, lane.queue[0]!, `refused: ${error.name}`);
    return true;
  }

  #fail(lane: Lane, batch: Batch, reason: string): void {
    lane.queue.splice(lane.queue.indexOf(batch), 1);
    if (lane.queue.length === 0) this.#ready.delete(lane);
    if (batch.sent && lane.identity === this.#identity) this.#renewIdentity();
    batch.taken.reject(new LogUnavailable(`Records for ${lane.topic}/${lane.partition} were ${reason}`));
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
