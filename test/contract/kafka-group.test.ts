import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Assignment } from '../../services/log/event-log.ts';
import { openKafkaLog } from '../../services/log/kafka/log.ts';
import { KAFKA_PARTITIONS, startTestKafka, type TestKafka } from '../fixtures/kafka.ts';
import { KAFKA } from '../needs.ts';

const ALL = Array.from({ length: KAFKA_PARTITIONS }, (_, partition) => partition);
/** Longer than the interval of heartbeats, so that a member that does not wait for its listener would be caught. */
const DRAIN_MS = 1_500;
const WAIT = { timeout: 30_000, interval: 20 };

interface TestGroup {
  bootstrap: string;
  name: string;
  /** Who has a partition: from when it is assigned until it is drained. */
  owners: Map<number, string>;
  /** Partitions that were assigned while another member had them. */
  conflicts: string[];
}

interface TestMember extends Assignment {
  owned: Set<number>;
  /** Calls of its listener. */
  calls: string[];
  /** Stops without leaving the group. */
  vanish(): Promise<void>;
}

/** Joins the group and notes in `owners` what it has. */
async function join(group: TestGroup, name: string, groupInstanceId?: string): Promise<TestMember> {
  const { owners, conflicts, bootstrap } = group;
  const log = await openKafkaLog({ bootstrap, clientId: name, groupInstanceId });
  const owned = new Set<number>();
  const calls: string[] = [];
  const assignment = await log.join('raw-events', group.name, {
    async assigned(partitions) {
      calls.push(`assigned ${[...partitions].sort()}`);
      for (const partition of partitions) {
        if (owners.has(partition)) conflicts.push(`${name} got ${partition} of ${owners.get(partition)}`);
        owners.set(partition, name);
        owned.add(partition);
      }
    },
    async revoked(partitions) {
      calls.push(`revoked ${[...partitions].sort()}`);
      await sleep(DRAIN_MS);
      for (const partition of partitions) {
        owners.delete(partition);
        owned.delete(partition);
      }
    },
  });
  return {
    ...assignment,
    owned,
    calls,
    async close() {
      await assignment.close();
      await log.close();
    },
    vanish: () => log.close(),
  };
}

function owns(member: TestMember, count: number): Promise<void> {
  return vi.waitFor(() => expect([...member.owned]).toHaveLength(count), WAIT);
}

describe('a consumer group', { tags: KAFKA }, () => {
  let kafka: TestKafka;
  let group: TestGroup;
  beforeAll(async () => {
    kafka = await startTestKafka();
  });
  afterAll(() => kafka.close());
  beforeEach(() => {
    group = { bootstrap: kafka.bootstrap, name: randomUUID(), owners: new Map(), conflicts: [] };
  });

  test('L-16: spreads partitions over its members and gives none away before it is drained', async () => {
    const first = await join(group, 'first');
    await owns(first, KAFKA_PARTITIONS);
    const second = await join(group, 'second');
    await owns(second, KAFKA_PARTITIONS / 2);
    await owns(first, KAFKA_PARTITIONS / 2);
    const seen = new Map((await second.members()).map(({ name, partitions }) => [name, [...partitions].sort()]));
    expect(seen).toEqual(new Map([first, second].map(({ name, owned }) => [name, [...owned].sort()])));
    // Those that stayed were never taken from it.
    expect(first.calls).toEqual([`assigned ${ALL}`, `revoked ${[...second.owned].sort()}`]);
    await first.close();
    await owns(second, KAFKA_PARTITIONS);
    await second.close();
    expect(group.conflicts).toEqual([]);
  });

  test('moves the partitions of a member that vanished', async () => {
    const first = await join(group, 'first');
    await owns(first, KAFKA_PARTITIONS);
    await first.vanish();
    group.owners.clear();
    const second = await join(group, 'second');
    await owns(second, KAFKA_PARTITIONS);
    await second.close();
  });

  test('lets a static member come back to its partitions without disturbing others', async () => {
    const first = await join(group, 'first', 'node-1');
    const second = await join(group, 'second', 'node-2');
    await owns(second, KAFKA_PARTITIONS / 2);
    await owns(first, KAFKA_PARTITIONS / 2);
    const before = [...first.owned].sort();
    const undisturbed = [...second.calls];
    await first.close();
    const again = await join(group, 'first again', 'node-1');
    await owns(again, KAFKA_PARTITIONS / 2);
    expect([...again.owned].sort()).toEqual(before);
    expect(second.calls).toEqual(undisturbed);
    await again.close();
    await second.close();
    expect(group.conflicts).toEqual([]);
  });
});
