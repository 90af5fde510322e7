import { consumerGroupHeartbeatV1, offsetCommitV9, type Reader } from '@platformatic/kafka';
import { expect, onTestFinished, test, vi } from 'vitest';
import { fakeKafkaCluster, TOPIC_ID } from '../../../../test/fixtures/fake-kafka-cluster.ts';
import type { AssignmentListener } from '../../event-log.ts';
import { joinKafkaGroup } from './member.ts';

/** Partitions that a heartbeat names as the member's. */
function ownedIn(request: Reader): number[] {
  request.readString(); // group
  request.readString(); // member
  request.readInt32(); // epoch
  request.readNullableString(); // instance
  request.readNullableString(); // rack
  request.readInt32(); // rebalance timeout
  const plain = [true, false] as const;
  request.readArray((topic) => topic.readString(), ...plain);
  request.readNullableString(); // topics by expression
  request.readNullableString(); // assignor
  const topics = request.readArray(
    (topic) => {
      topic.readUUID();
      const partitions = topic.readArray((partition) => partition.readInt32(), ...plain);
      topic.readTaggedFields();
      return partitions;
    },
    ...plain,
  );
  return topics.flat();
}

/** The offset of a commit of one partition. */
function offsetIn(request: Reader): number {
  request.readString(); // group
  request.readInt32(); // epoch
  request.readString(); // member
  request.readNullableString(); // instance
  const topics = request.readArray((topic) => {
    topic.readString();
    return topic.readArray((partition) => {
      partition.readInt32();
      const offset = Number(partition.readInt64());
      partition.readInt32(); // leader epoch
      partition.readNullableString(); // metadata
      return offset;
    });
  });
  return topics.flat()[0]!;
}

/** Joins a group that wants the member to have `target`, and answers commits once `committed` resolves. */
async function join(listener: Partial<AssignmentListener>) {
  const group = { target: [0, 1], committed: Promise.withResolvers<void>() };
  const heartbeats: number[][] = [];
  const commits: number[] = [];
  const cluster = fakeKafkaCluster(async (apiKey, request) => {
    if (apiKey === offsetCommitV9.api.key) {
      commits.push(offsetIn(request));
      await group.committed.promise;
      return {};
    }
    expect(apiKey).toBe(consumerGroupHeartbeatV1.api.key);
    heartbeats.push(ownedIn(request));
    const assignment = { topicPartitions: [{ topicId: TOPIC_ID, partitions: group.target }] };
    return { memberEpoch: 1, heartbeatIntervalMs: 1, assignment };
  });
  const options = { topic: 'raw-events', group: 'attribution', deadlineMs: 10_000 };
  const nothing = { async assigned() {}, async revoked() {} };
  const member = await joinKafkaGroup(cluster, options, { ...nothing, ...listener });
  onTestFinished(() => {
    group.committed.resolve();
    return member.close();
  });
  /** Partitions that the member has reported in its next heartbeats. */
  async function reported(): Promise<string> {
    const { length } = heartbeats;
    await vi.waitFor(() => expect(heartbeats.length).toBeGreaterThan(length + 3), 10_000);
    return heartbeats.at(-1)!.join();
  }
  return { member, group, commits, reported };
}

test('L-16: a partition is given back when its listener has drained it', async () => {
  const drained = Promise.withResolvers<void>();
  const revoked = vi.fn((_: readonly number[]) => drained.promise);
  const { group, reported } = await join({ revoked });
  expect(await reported()).toBe('0,1');
  group.target = [0];
  expect(await reported()).toBe('0,1');
  expect(revoked.mock.calls).toEqual([[[1]]]);
  drained.resolve();
  await vi.waitFor(async () => expect(await reported()).toBe('0'), 10_000);
});

test('L-16: a partition is given back when its commits have settled', async () => {
  const { member, group, commits, reported } = await join({});
  expect(await reported()).toBe('0,1');
  const committing = member.commit([{ partition: 1, offset: 5 }]);
  group.target = [0];
  expect(await reported()).toBe('0,1');
  expect(commits).toEqual([5]);
  group.committed.resolve();
  await committing;
  await vi.waitFor(async () => expect(await reported()).toBe('0'), 10_000);
});

test('L-17: one commit is under way at a time, and the next has the newest offset', async () => {
  const { member, group, commits } = await join({});
  const all = [5, 6, 7].map((offset) => member.commit([{ partition: 0, offset }]));
  await vi.waitFor(() => expect(commits).toEqual([7]));
  all.push(...[8, 9].map((offset) => member.commit([{ partition: 0, offset }])));
  await new Promise((resolve) => setImmediate(resolve));
  expect(commits).toEqual([7]);
  group.committed.resolve();
  await Promise.all(all);
  expect(commits).toEqual([7, 9]);
});
