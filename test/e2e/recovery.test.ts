import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { rocksdbStateStores } from '../../services/attribution/store/rocksdb-state-store.ts';
import { createRandom } from '../../services/cli/generate/random.ts';
import { TOPICS, type Topic } from '../../services/contract/topics.ts';
import type { EventLog, LogRecord, NewRecord } from '../../services/log/event-log.ts';
import { openKafkaLog } from '../../services/log/kafka/log.ts';
import { partitionOf } from '../../services/log/partitioner.ts';
import { type AttributionNode, startAttributionNode } from '../fixtures/attribution-node.ts';
import { KAFKA_PARTITIONS, startTestKafka, type TestKafka } from '../fixtures/kafka.ts';
import { stateDigest } from '../fixtures/state-digest.ts';
import { KAFKA } from '../needs.ts';
import { collapse, config, encodeEvent, LOOKBACK, MODELS, START } from '../sim/journey.ts';
import { attributeNaively, type SimEvent } from '../sim/naive-attribution.ts';

const SEED = Number(process.env.CRASH_SEED ?? 20260101);
const EVENTS = 6_000;
const OUTPUTS = TOPICS.filter((topic) => topic !== 'raw-events');
const PARTITIONS = Array.from({ length: KAFKA_PARTITIONS }, (_, partition) => partition);
const SOON = { timeout: 60_000, interval: 100 };

let kafka: TestKafka;
let log: EventLog;
let dir: string;

/** Clicks and conversions of few users, in any order; every twentieth again. */
function randomEvents(): SimEvent[] {
  const random = createRandom(SEED);
  const below = (limit: number) => random.uint32() % limit;
  const events: SimEvent[] = [];
  for (let i = 0; i < EVENTS; i++) {
    const repeated = i > 0 && below(20) === 0 ? events[below(i)]! : undefined;
    events.push(
      repeated ?? {
        kind: below(3) === 0 ? 'conversion' : 'click',
        id: `00000000-0000-4000-8000-${String(i).padStart(12, '0')}`,
        userId: `user-${below(300)}`,
        timestamp: START + below(48 * 3600) * 1000,
        label: `campaign-${below(20)}`,
        valueMicros: BigInt(below(1_000_000_000)),
      },
    );
  }
  return events;
}

async function append(events: readonly SimEvent[]): Promise<void> {
  const records = events.map(
    (event): NewRecord => ({ topic: 'raw-events', key: event.userId, value: encodeEvent(event) }),
  );
  for (let at = 0; at < records.length; at += 500) await log.append(records.slice(at, at + 500));
}

interface NodeOptions {
  name?: string;
  standbys?: number;
  checkpoints?: boolean;
}

async function startNode({ name = 'a', standbys = 0, checkpoints = false }: NodeOptions): Promise<AttributionNode> {
  const checkpointUrl = checkpoints ? pathToFileURL(join(dir, 'checkpoints')).href : '';
  const node = await startAttributionNode({
    bootstrap: kafka.bootstrap,
    name,
    stateDir: join(dir, name),
    standbys,
    checkpointUrl,
  });
  onTestFinished(() => node.kill());
  return node;
}

/** Everything in the log is folded, published and committed. */
async function folded(): Promise<void> {
  const ends = (await log.offsets('raw-events')).map(({ end }, partition) => ({ partition, offset: end }));
  await vi.waitFor(async () => expect(await log.committed('raw-events', 'attribution')).toEqual(ends), SOON);
}

/** All partitions are this node's, and as far as the group. */
async function restored(node: AttributionNode) {
  return vi.waitFor(async () => {
    const status = await node.status();
    expect(status.filter(({ role, restoring }) => role === 'active' && !restoring)).toHaveLength(KAFKA_PARTITIONS);
    return status;
  }, SOON);
}

/** Of the stores of a node that has stopped. */
async function digests(name: string): Promise<string[]> {
  const stores = rocksdbStateStores(join(dir, name));
  return Promise.all(
    PARTITIONS.map(async (partition) => {
      const store = await stores.open(partition);
      const digest = stateDigest(config, store);
      await store.close();
      return digest;
    }),
  );
}

async function readAll(topic: Topic, partition: number): Promise<LogRecord[]> {
  const records: LogRecord[] = [];
  const { end } = (await log.offsets(topic))[partition]!;
  while (records.length < end) {
    const from = { partition, offset: records.length };
    records.push(...(await log.read(topic, from, { maxBytes: 1 << 20, waitMs: 10_000 })));
  }
  return records;
}

/** What is published is what the naive model makes of all events. */
async function expectRightOutputs(events: readonly SimEvent[]): Promise<void> {
  for (const partition of PARTITIONS) {
    const published = await Promise.all(
      OUTPUTS.map(async (topic) => (await readAll(topic, partition)).map(({ value }) => ({ topic, value }))),
    );
    const own = events.filter(({ userId }) => partitionOf(userId, KAFKA_PARTITIONS) === partition);
    const { totals: _, ...expected } = attributeNaively(own, [...MODELS], LOOKBACK);
    expect(collapse(published.flat())).toEqual(expected);
  }
}

async function outputEnds(): Promise<unknown> {
  return Promise.all(OUTPUTS.map((topic) => log.offsets(topic)));
}

/** Half of the events go in before a checkpoint of every partition, half after. Returns the digests of the stores. */
async function foldWithCheckpoints(events: readonly SimEvent[]): Promise<string[]> {
  const first = await startNode({ checkpoints: true });
  await append(events.slice(0, EVENTS / 2));
  await folded();
  await vi.waitFor(async () => {
    const taken = (await first.status()).map(({ checkpoint }) => checkpoint !== undefined);
    expect(taken).toEqual(PARTITIONS.map(() => true));
  }, SOON);
  await first.kill();
  const second = await startNode({});
  await append(events.slice(EVENTS / 2));
  await folded();
  await second.stop();
  return digests('a');
}

/** Kills one of two nodes under load, and returns the survivor and the partitions that it took over. */
async function killOneOfTwo(events: readonly SimEvent[], standbys: number) {
  const killed = await startNode({ name: 'a', standbys });
  await restored(killed);
  const survivor = await startNode({ name: 'b', standbys });
  await append(events.slice(0, EVENTS / 2));
  await vi.waitFor(async () => {
    const ready = (await survivor.status()).filter(({ restoring }) => !restoring);
    expect(ready).toHaveLength(standbys > 0 ? KAFKA_PARTITIONS : KAFKA_PARTITIONS / 2);
  }, SOON);
  await folded();
  const lost = (await killed.status()).filter(({ role }) => role === 'active').map(({ partition }) => partition);
  const load = appendSlowly(events.slice(EVENTS / 2));
  await advanced(lost);
  await killed.kill();
  const killedAt = performance.now();
  await advanced(lost);
  return { survivor, lost, load, resumedMs: Math.round(performance.now() - killedAt) };
}

/** Something more is published of each of these partitions. */
async function advanced(partitions: readonly number[]): Promise<void> {
  const ends = (await log.offsets('attribution-progress')).map(({ end }) => end);
  const reads = partitions.map((partition) =>
    log.read('attribution-progress', { partition, offset: ends[partition]! }, { maxBytes: 1, waitMs: 60_000 }),
  );
  for (const records of await Promise.all(reads)) expect(records).not.toEqual([]);
}

async function appendSlowly(events: readonly SimEvent[]): Promise<void> {
  for (let at = 0; at < events.length; at += 20) {
    await append(events.slice(at, at + 20));
    await sleep(50);
  }
}

describe(`a partition's state (seed ${SEED})`, { tags: KAFKA }, () => {
  const events = randomEvents();
  beforeAll(async () => {
    kafka = await startTestKafka();
  });
  afterAll(() => kafka.close());
  beforeEach(async () => {
    await kafka.emptyTopics();
    log = await openKafkaLog({ bootstrap: kafka.bootstrap, clientId: 'test' });
    dir = await mkdtemp(join(tmpdir(), 'clickmesh-recovery-'));
  });
  afterEach(async () => {
    await log.close();
    await rm(dir, { recursive: true });
  });

  test('is the same from its store, a checkpoint and the log, and nothing is published again', async () => {
    const expected = await foldWithCheckpoints(events);
    const published = await outputEnds();
    for (const source of ['local', 'checkpoint', 'replay']) {
      if (source !== 'local') await rm(join(dir, 'a'), { recursive: true });
      const node = await startNode({ checkpoints: source !== 'replay' });
      const status = await restored(node);
      expect(status.map(({ recovery }) => recovery!.source)).toEqual(PARTITIONS.map(() => source));
      await node.stop();
      expect(await digests('a'), source).toEqual(expected);
      expect(await outputEnds(), source).toEqual(published);
    }
    await expectRightOutputs(events);
  }, 180_000);

  test.each([
    ['standby', 1],
    ['replay', 0],
  ])(
    'goes on from a %s when its node is killed',
    async (source, standbys) => {
      const { survivor, lost, load, resumedMs } = await killOneOfTwo(events, standbys);
      process.stdout.write(`publishing resumed ${resumedMs} ms after the kill, from a ${source}\n`);
      await load;
      await folded();
      const taken = (await restored(survivor)).filter(({ partition }) => lost.includes(partition));
      expect(taken.map(({ recovery }) => recovery!.source)).toEqual(lost.map(() => source));
      await survivor.stop();
      await expectRightOutputs(events);

      const replaying = await startNode({ name: 'c' });
      await restored(replaying);
      await replaying.stop();
      expect(await digests('b')).toEqual(await digests('c'));
    },
    180_000,
  );
});
