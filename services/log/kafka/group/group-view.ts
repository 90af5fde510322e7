import { consumerGroupDescribeV0, offsetFetchV9 } from '@platformatic/kafka';
import type { GroupMember, RecordPosition } from '../../event-log.ts';
import { type KafkaCluster, untilAnswered } from '../cluster.ts';

/** A consumer group of a topic, and how long it may take to answer; the asker need not be in it. */
export interface GroupQuestion {
  topic: string;
  group: string;
  /** Longest that each answer may take, in ms. */
  deadlineMs: number;
}

const NO_EPOCH = -1;
/** Answers wait for transactions that have offsets of the group. */
const STABLE = true;

/** As EventLog.committed. */
export async function committedOffsets(
  cluster: KafkaCluster,
  { topic, group, deadlineMs }: GroupQuestion,
): Promise<RecordPosition[]> {
  const partitionIndexes = [...cluster.topic(topic).leaders.keys()];
  const wanted = { groupId: group, memberId: null, memberEpoch: NO_EPOCH, topics: [{ name: topic, partitionIndexes }] };
  const answer = await untilAnswered(cluster, deadlineMs, () =>
    cluster.askCoordinator(group, (connection) => offsetFetchV9.api.async(connection, [wanted], STABLE)),
  );
  return answer.groups[0]!.topics.flatMap(({ partitions }) =>
    partitions
      .filter(({ committedOffset }) => committedOffset >= 0n)
      .map(({ partitionIndex, committedOffset }) => ({ partition: partitionIndex, offset: Number(committedOffset) })),
  );
}

/** As Assignment.members. */
export async function groupMembers(
  cluster: KafkaCluster,
  { topic, group, deadlineMs }: GroupQuestion,
): Promise<GroupMember[]> {
  const answer = await untilAnswered(cluster, deadlineMs, () =>
    cluster.askCoordinator(group, (connection) => consumerGroupDescribeV0.api.async(connection, [group], false)),
  );
  return answer.groups[0]!.members.map(({ memberId, instanceId, assignment }) => ({
    name: instanceId ?? memberId,
    partitions: assignment.topicPartitions.flatMap(({ topicName, partitions }) =>
      topicName === topic ? partitions : [],
    ),
  }));
}
