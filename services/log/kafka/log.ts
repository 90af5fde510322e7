import { MAX_IN_FLIGHT_BYTES } from '../../contract/limits.ts';
import { TOPICS, type Topic } from '../../contract/topics.ts';
import { type EventLog, type GroupMember, LogUnavailable } from '../event-log.ts';
import { KafkaCluster, untilAnswered } from './cluster.ts';
import { kafkaReader, LONGEST_POLL_MS } from './consume/reader.ts';
import { committedOffsets, groupMembers } from './group/group-view.ts';
import { joinKafkaGroup } from './group/member.ts';
import { KafkaProducer } from './produce/producer.ts';

export interface KafkaLogOptions {
  /** Brokers to start from, as "host:port,host:port". Kafka 4.0 or later. */
  bootstrap: string;
  clientId: string;
  /**
   * Name of a static member, unique within a group: restarted within the group's session timeout, it gets its
   * partitions again and no other member is disturbed. A member of its own at every join if undefined.
   */
  groupInstanceId?: string;
  /** Longest that a call takes before it rejects with LogUnavailable, in ms; 10,000 by default. */
  deadlineMs?: number;
  /**
   * Time that a record waits for others to share its batch, in ms; 0 by default: records that come while a request is
   * under way to a broker make up its next.
   */
  lingerMs?: number;
  /** Most bytes of keys and values that wait; MAX_IN_FLIGHT_BYTES by default. */
  maxInFlightBytes?: number;
}

/** The log, as any process of a mesh opens it. */
export interface KafkaLog extends EventLog {
  /** All members of a group, without being one. Throws LogUnavailable. */
  members(topic: Topic, group: string): Promise<GroupMember[]>;
}

const DEADLINE_MS = 10_000;

/**
 * Opens the log in Kafka, whose topics `createKafkaTopics` creates. Rejects with LogUnavailable if no broker answers
 * before the deadline or a topic is missing. Afterwards the log recovers by itself from any outage.
 */
export async function openKafkaLog(options: KafkaLogOptions): Promise<KafkaLog> {
  const { bootstrap, clientId, deadlineMs = DEADLINE_MS } = options;
  // A hung broker's partitions get another leader after some seconds: that leaves time for several tries.
  const replicationTimeoutMs = Math.ceil(deadlineMs / 5);
  const requestTimeoutMs = LONGEST_POLL_MS + replicationTimeoutMs;
  const cluster = new KafkaCluster({ bootstrap, clientId, topics: TOPICS, requestTimeoutMs });
  const closing = new AbortController();
  try {
    await untilAnswered(cluster, deadlineMs, async () => {
      await cluster.refresh();
      for (const topic of TOPICS) cluster.topic(topic);
    });
  } catch (error) {
    cluster.close();
    throw error;
  }
  const { lingerMs = 0, maxInFlightBytes = MAX_IN_FLIGHT_BYTES, groupInstanceId } = options;
  const producer = new KafkaProducer(cluster, { deadlineMs, lingerMs, maxInFlightBytes, replicationTimeoutMs });
  const reader = kafkaReader(cluster, deadlineMs, closing.signal);
  return {
    append: (records) => producer.append(records),
    async read(topic, from, readOptions) {
      if (closing.signal.aborted) throw new LogUnavailable('The log is closed');
      return reader.read(topic, from, readOptions);
    },
    endSeen: reader.endSeen,
    offsets: reader.offsets,
    committed: (topic, group) => committedOffsets(cluster, { topic, group, deadlineMs }),
    members: (topic, group) => groupMembers(cluster, { topic, group, deadlineMs }),
    join: (topic, group, listener) =>
      joinKafkaGroup(cluster, { topic, group, instanceId: groupInstanceId, deadlineMs }, listener),
    async close() {
      closing.abort();
      await producer.close();
      cluster.close();
    },
  };
}
