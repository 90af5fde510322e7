import { setTimeout as sleep } from 'node:timers/promises';
import { Connection, findCoordinatorV4, metadataV12 } from '@platformatic/kafka';
import { LogUnavailable } from '../event-log.ts';
import { brokerErrors, isPassing, partialAnswer } from './errors.ts';

export interface KafkaTopic {
  id: string;
  /** Broker that leads each partition, by partition number; -1 while there is none. */
  leaders: number[];
}

export interface KafkaClusterOptions {
  /** Brokers to start from, as "host:port,host:port". */
  bootstrap: string;
  clientId: string;
  topics: readonly string[];
  /** How long a broker may take for an answer, in ms; longer than any long poll. */
  requestTimeoutMs: number;
}

interface Address {
  host: string;
  port: number;
}

const CONNECT_TIMEOUT_MS = 2_000;
/** Pause before a call is repeated that failed in passing, in ms. */
export const RETRY_MS = 100;
const GROUP_COORDINATOR = 0;

/**
 * Brokers, leaders of partitions, and connections, shared by the parts of a Kafka log. Empty, and without a connection,
 * before the first refresh().
 */
export class KafkaCluster {
  readonly #options: KafkaClusterOptions;
  readonly #seeds: Address[];
  readonly #topics = new Map<string, KafkaTopic>();
  /** By group. */
  readonly #coordinators = new Map<string, number>();
  #brokers = new Map<number, Address>();
  #refreshing: Promise<void> | undefined;
  /** Times of the latest failures by address, in ms of performance.now(): those that failed last are asked last. */
  readonly #failedAt = new Map<string, number>();
  readonly #idle = new Map<string, Connection[]>();
  readonly #open = new Set<Connection>();
  #closed = false;

  /** Throws if an address of `bootstrap` is not host:port. */
  constructor(options: KafkaClusterOptions) {
    this.#options = options;
    this.#seeds = options.bootstrap.split(',').map(parseAddress);
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** The topic as of the latest refresh. Throws LogUnavailable if no broker has ever named it. */
  topic(name: string): KafkaTopic {
    const topic = this.#topics.get(name);
    if (topic === undefined) throw new LogUnavailable(`The brokers do not know topic ${name}`);
    return topic;
  }

  /** Asks a broker for brokers and leaders; calls at the same time share one request. */
  refresh(): Promise<void> {
    this.#refreshing ??= this.#load().finally(() => {
      this.#refreshing = undefined;
    });
    return this.#refreshing;
  }

  /** Runs a call at the broker that coordinates a consumer group, which is looked up again after every failure. */
  async askCoordinator<T>(group: string, call: (connection: Connection) => Promise<T>): Promise<T> {
    try {
      let broker = this.#coordinators.get(group);
      if (broker === undefined) {
        const answer = await this.askAny((connection) =>
          findCoordinatorV4.api.async(connection, GROUP_COORDINATOR, [group]),
        );
        broker = answer.coordinators[0]!.nodeId;
        this.#coordinators.set(group, broker);
      }
      return await this.ask(broker, call);
    } catch (error) {
      this.#coordinators.delete(group);
      throw error;
    }
  }

  /**
   * Runs a call on a connection to a broker that nothing else uses meanwhile: brokers answer the requests of one
   * connection one after the other, so a long poll would hold up what follows. The connection is closed when the call
   * fails, unless the broker answered with an error.
   */
  async ask<T>(broker: number, call: (connection: Connection) => Promise<T>): Promise<T> {
    const address = this.#brokers.get(broker);
    if (address === undefined) throw new LogUnavailable(`Broker ${broker} is not known`);
    return this.#askAt(address, call);
  }

  /** Runs a call at the first broker that answers. */
  async askAny<T>(call: (connection: Connection) => Promise<T>): Promise<T> {
    const known = new Map([...this.#seeds, ...this.#brokers.values()].map((address) => [nameOf(address), address]));
    const failedAt = (name: string) => this.#failedAt.get(name) ?? 0;
    let cause: unknown;
    for (const [, address] of [...known].sort(([a], [b]) => failedAt(a) - failedAt(b))) {
      try {
        return await this.#askAt(address, call);
      } catch (error) {
        if (this.#closed || brokerErrors(error).length > 0) throw error;
        cause = error;
      }
    }
    throw new LogUnavailable(`No broker of ${this.#options.bootstrap} answers`, { cause });
  }

  /** Closes every connection: calls under way fail. */
  close(): void {
    this.#closed = true;
    for (const connection of this.#open) this.#discard(connection);
  }

  async #load(): Promise<void> {
    const answer = await this.askAny((connection) =>
      partialAnswer(metadataV12.api.async(connection, [...this.#options.topics], false, false)),
    );
    this.#brokers = new Map(answer.brokers.map(({ nodeId, host, port }) => [nodeId, { host, port }]));
    for (const { errorCode, name, topicId, partitions } of answer.topics) {
      if (errorCode !== 0) continue;
      const leaders: number[] = [];
      for (const { partitionIndex, leaderId } of partitions) leaders[partitionIndex] = leaderId;
      this.#topics.set(name!, { id: topicId, leaders });
    }
  }

  async #askAt<T>(address: Address, call: (connection: Connection) => Promise<T>): Promise<T> {
    if (this.#closed) throw new LogUnavailable('The log is closed');
    const name = nameOf(address);
    const idle = this.#idle.get(name) ?? [];
    this.#idle.set(name, idle);
    let connection = idle.pop();
    while (connection !== undefined && !connection.isConnected()) connection = idle.pop();
    try {
      connection ??= await this.#connect(address);
      const answer = await call(connection);
      idle.push(connection);
      return answer;
    } catch (error) {
      if (connection !== undefined && brokerErrors(error).length > 0) idle.push(connection);
      else {
        this.#failedAt.set(name, performance.now());
        if (connection !== undefined) this.#discard(connection);
      }
      throw error;
    }
  }

  async #connect({ host, port }: Address): Promise<Connection> {
    const { clientId, requestTimeoutMs: requestTimeout } = this.#options;
    const connection = new Connection(clientId, { requestTimeout, connectTimeout: CONNECT_TIMEOUT_MS });
    // The call fails anyway; without a listener the event would end the process.
    connection.on('error', () => {});
    connection.once('close', () => this.#open.delete(connection));
    this.#open.add(connection);
    try {
      await connection.connect(host, port);
      return connection;
    } catch (error) {
      this.#discard(connection);
      throw error;
    }
  }

  #discard(connection: Connection): void {
    this.#open.delete(connection);
    connection.socket?.destroy();
  }
}

/**
 * Repeats a call that fails in passing, each time after a refresh of brokers and leaders. Throws LogUnavailable after
 * `deadlineMs` without success, and what the call threw if it can't succeed.
 */
export async function untilAnswered<T>(cluster: KafkaCluster, deadlineMs: number, call: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + deadlineMs;
  for (;;) {
    try {
      return await call();
    } catch (error) {
      if (!isPassing(error)) throw error;
      if (performance.now() >= deadline)
        throw new LogUnavailable(`Kafka: ${(error as Error).message}`, { cause: error });
    }
    await sleep(RETRY_MS);
    await cluster.refresh().catch(() => {});
  }
}

function nameOf({ host, port }: Address): string {
  return `${host}:${port}`;
}

function parseAddress(address: string): Address {
  const [, host, port] = /^\[?(.+?)\]?:(\d+)$/.exec(address.trim()) ?? [];
  if (host === undefined) throw new Error(`"${address}" is not a broker address: host:port is expected`);
  return { host, port: Number(port) };
}
