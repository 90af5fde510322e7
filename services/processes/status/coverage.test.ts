import { expect, test } from 'vitest';
import { memoryLog } from '../../../test/fixtures/memory-log.ts';
import { GROUP } from '../../attribution/partition/opening.ts';
import type { Topic } from '../../contract/topics.ts';
import { Coverage } from './coverage.ts';

/** A mesh of one partition, whose parts go on as they are told. */
async function mesh() {
  let now = 1_000_000;
  const log = memoryLog(1, () => now);
  const inserted: Partial<Record<Topic, number>> = {};
  const coverage = new Coverage({ log, inserted: async (topic) => [inserted[topic]] }, () => {
    now += 1_000_000;
    return now;
  });
  const member = await log.join('raw-events', GROUP, { assigned: async () => {}, revoked: async () => {} });
  return {
    log,
    coverage,
    append: (topic: Topic) => log.append([{ topic, partition: 0, key: 'k', value: Buffer.of(1) }]),
    commit: (offset: number) => member.commit([{ partition: 0, offset }]),
    insert: (topic: Topic, next: number) => {
      inserted[topic] = next;
    },
    timeOf: async (offset: number) => {
      const [record] = await log.read('raw-events', { partition: 0, offset }, { maxBytes: 1, waitMs: 0 });
      return record!.appendTime;
    },
  };
}

test('an event is covered once what follows from it is published, and all of that is in ClickHouse', async () => {
  const { coverage, append, commit, insert, timeOf } = await mesh();
  expect(await coverage.covered()).toMatchObject({ offsets: [0], ends: [0], lagMs: 0 });
  await append('raw-events');
  await append('raw-events');
  const missing = { offsets: [0], ends: [2], completeThrough: await timeOf(0) };
  expect(await coverage.covered()).toMatchObject(missing);
  // Folded, and published; then inserted but for what follows.
  await append('rollup-stats');
  expect(await coverage.covered()).toMatchObject(missing);
  await commit(1);
  expect(await coverage.covered()).toMatchObject(missing);
  insert('raw-events', 2);
  expect(await coverage.covered()).toMatchObject(missing);
  insert('rollup-stats', 1);
  expect(await coverage.covered()).toMatchObject({ offsets: [1], completeThrough: await timeOf(1) });
  await commit(2);
  expect(await coverage.covered()).toMatchObject({ offsets: [2], lagMs: 0 });
});

test('while more comes than ClickHouse has, what was published before is covered all the same', async () => {
  const { coverage, append, commit, insert } = await mesh();
  for (let i = 1; i <= 100; i++) {
    await append('raw-events');
    await append('daily-stats');
    await commit(i);
    insert('raw-events', i);
    insert('daily-stats', Math.max(0, i - 5));
    const { offsets } = await coverage.covered();
    expect(offsets[0]).toBe(Math.max(0, i - 5));
  }
});
