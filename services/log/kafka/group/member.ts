import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { consumerGroupHeartbeatV1, offsetCommitV9 } from '@platformatic/kafka';
import { type Assignment, type AssignmentListener, LogUnavailable, type RecordPosition } from '../../event-log.ts';
import { type KafkaCluster, RETRY_MS, untilAnswered } from '../cluster.ts';
import { brokerErrors } from '../errors.ts';
import { type GroupQuestion, groupMembers } from './group-view.ts';

export interface KafkaGroupOptions extends GroupQuestion {
  /** Name of a static member, see KafkaLogOptions. */
  instanceId?: string;
}

const heartbeatApi = consumerGroupHeartbeatV1.api;

/** Longest that the group waits for this member to give a partition back, in ms. */
const REBALANCE_TIMEOUT_MS = 60_000;
const ANY_EPOCH = -1;
const JOIN = 0;
const LEAVE = -1;
/** A static member's leave: its partitions wait for its return until the session timeout. */
const LEAVE_FOR_NOW = -2;
/** Errors after which the group has gone on without this member. */
const LOST = ['UNKNOWN_MEMBER_ID', 'FENCED_MEMBER_EPOCH', 'FENCED_INSTANCE_ID'];
/** Error of a commit under an old epoch; the answer to the heartbeat under way brings the new one. */
const EPOCH_MOVED = 'STALE_MEMBER_EPOCH';
/** Error if another process is the same static member, or was until a moment ago. */
const NAME_TAKEN = 'UNRELEASED_INSTANCE_ID';

/** Offset commits, one under way at a time, so that none is overtaken; offsets added meanwhile go with the next. */
class Commits {
  readonly #noted = new Map<number, number>();
  readonly #send: (offsets: ReadonlyMap<number, number>) => Promise<void>;
  #next: Promise<void> | undefined;
  #last = Promise.resolve();

  constructor(send: (offsets: ReadonlyMap<number, number>) => Promise<void>) {
    this.#send = send;
  }

  add(positions: readonly RecordPosition[]): Promise<void> {
    for (const { partition, offset } of positions) this.#noted.set(partition, offset);
    if (this.#next === undefined) {
      this.#next = this.#last.then(() => this.#flush());
      this.#last = this.#next.catch(() => {});
    }
    return this.#next;
  }

  /** Settles when nothing is under way; never rejects. */
  settled(): Promise<void> {
    return this.#last;
  }

  async #flush(): Promise<void> {
    this.#next = undefined;
    const offsets = new Map(this.#noted);
    this.#noted.clear();
    if (offsets.size > 0) await this.#send(offsets);
  }
}

class Member {
  readonly #cluster: KafkaCluster;
  readonly #options: KafkaGroupOptions;
  readonly #listener: AssignmentListener;
  readonly #id = randomUUID();
  readonly #owned = new Set<number>();
  readonly #commits = new Commits((offsets) => this.#sendCommit(offsets));
  #epoch = JOIN;
  /** Partitions that the group wants this member to have. */
  #target: readonly number[] = [];
  /** Ends the pause before the next heartbeat. */
  #wake = new AbortController();
  #moving: Promise<void> | undefined;
  #running = Promise.resolve();
  #closing = false;

  constructor(cluster: KafkaCluster, options: KafkaGroupOptions, listener: AssignmentListener) {
    this.#cluster = cluster;
    this.#options = options;
    this.#listener = listener;
  }

  get name(): string {
    return this.#options.instanceId ?? this.#id;
  }

  async join(): Promise<void> {
    const join = untilAnswered(this.#cluster, this.#options.deadlineMs, () => this.#heartbeat());
    const pauseMs = await join.catch((error) => {
      if (brokerErrors(error).includes(NAME_TAKEN)) return RETRY_MS;
      throw error;
    });
    this.#running = this.#run(pauseMs);
  }

  commit(positions: readonly RecordPosition[]): Promise<void> {
    return this.#commits.add(positions);
  }

  async leave(): Promise<void> {
    this.#closing = true;
    this.#wake.abort();
    await this.#running;
    await this.#moving;
    this.#target = [];
    await this.#move();
    if (this.#epoch === JOIN) return;
    const epoch = this.#options.instanceId === undefined ? LEAVE : LEAVE_FOR_NOW;
    // If this fails, the group notices when the session times out.
    await this.#sendHeartbeat(epoch).catch(() => {});
  }

  async #run(firstPauseMs: number): Promise<void> {
    let pauseMs = firstPauseMs;
    while (!this.#closing && !this.#cluster.closed) {
      this.#moving ??= this.#move().finally(() => {
        this.#moving = undefined;
      });
      await sleep(pauseMs, undefined, { signal: this.#wake.signal }).catch(() => {});
      this.#wake = new AbortController();
      if (!this.#closing) pauseMs = await this.#heartbeat().catch((error) => this.#recover(error));
    }
  }

  /** Reports what this member has and learns what it should have. Returns the ms until the next heartbeat is due. */
  async #heartbeat(): Promise<number> {
    const answer = await this.#sendHeartbeat(this.#epoch);
    this.#epoch = answer.memberEpoch;
    if (answer.assignment !== null) {
      this.#target = answer.assignment.topicPartitions.flatMap(({ partitions }) => partitions);
    }
    return answer.heartbeatIntervalMs;
  }

  #sendHeartbeat(epoch: number) {
    const { topic, group, instanceId = null } = this.#options;
    const partitions = [...this.#owned];
    const owned = epoch === JOIN ? [] : [{ topicId: this.#cluster.topic(topic).id, partitions }];
    const call = heartbeatApi.async;
    return this.#cluster.askCoordinator(group, (connection) =>
      call(connection, group, this.#id, epoch, instanceId, null, REBALANCE_TIMEOUT_MS, [topic], null, null, owned),
    );
  }

  /** Drains what it should no longer have, which it owns until then; then takes what it should have. */
  async #move(): Promise<void> {
    const lost = [...this.#owned].filter((partition) => !this.#target.includes(partition));
    if (lost.length > 0) {
      await this.#listener.revoked(lost);
      // A commit that came after the next owner's would set the group back.
      await this.#commits.settled();
      for (const partition of lost) this.#owned.delete(partition);
    }
    const gained = this.#target.filter((partition) => !this.#owned.has(partition));
    if (gained.length > 0) {
      for (const partition of gained) this.#owned.add(partition);
      await this.#listener.assigned(gained);
    }
    if (lost.length + gained.length > 0) this.#wake.abort();
  }

  /** Handles a failed heartbeat; returns the ms until the next. */
  async #recover(error: unknown): Promise<number> {
    if (brokerErrors(error).some((name) => LOST.includes(name))) {
      await this.#moving;
      this.#target = [];
      await this.#move();
      this.#epoch = JOIN;
    }
    return RETRY_MS;
  }

  async #sendCommit(offsets: ReadonlyMap<number, number>): Promise<void> {
    const { topic, group, instanceId = null, deadlineMs } = this.#options;
    const partitions = [...offsets].map(([partitionIndex, offset]) => ({
      partitionIndex,
      committedOffset: BigInt(offset),
      committedLeaderEpoch: ANY_EPOCH,
    }));
    const topics = [{ name: topic, partitions }];
    const commit = () =>
      this.#cluster.askCoordinator(group, (connection) =>
        offsetCommitV9.api.async(connection, group, this.#epoch, this.#id, instanceId, topics),
      );
    await untilAnswered(this.#cluster, deadlineMs, () =>
      commit().catch((cause) => {
        if (!brokerErrors(cause).includes(EPOCH_MOVED)) throw cause;
        throw new LogUnavailable(`Group ${group} is moving to another epoch`, { cause });
      }),
    );
  }
}

/**
 * Joins a consumer group under the broker's own assignor (the "consumer" protocol of Kafka 4.0), which moves as few
 * partitions as it can: those that stay go on undisturbed, and none is given to another member before this one has
 * drained it. How soon a dead member's partitions move is the broker's group.consumer.session.timeout.ms.
 *
 * Resolves once the group has answered; partitions come afterwards. A member without contact to the brokers for a
 * session timeout has lost its partitions: it drains them and joins again. With the cluster closed it falls silent.
 */
export async function joinKafkaGroup(
  cluster: KafkaCluster,
  options: KafkaGroupOptions,
  listener: AssignmentListener,
): Promise<Assignment> {
  const member = new Member(cluster, options, listener);
  await member.join();
  let left: Promise<void> | undefined;
  return {
    name: member.name,
    members: () => groupMembers(cluster, options),
    commit: (positions) => member.commit(positions),
    close() {
      left ??= member.leave();
      return left;
    },
  };
}
