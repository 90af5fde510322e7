import { setImmediate as turn } from 'node:timers/promises';
import { create, toBinary } from '@bufbuild/protobuf';
import pino from 'pino';
import { expect, test, vi } from 'vitest';
import { EventSchema } from '../../../gen/ts/clickmesh/v1/event_pb.js';
import { memoryLog } from '../../../test/fixtures/memory-log.ts';
import { memoryStateStore, memoryStateStores } from '../../../test/fixtures/memory-state-store.ts';
import { type AssignmentListener, type EventLog, LogUnavailable, type NewRecord } from '../../log/event-log.ts';
import { attributionConfig, parseAttributionEnvironment } from '../decision/config.ts';
import { GROUP } from '../partition/opening.ts';
import { USERS_FROM } from '../store/keys.ts';
import { loadProgress } from '../store/progress.ts';
import type { StateChanges, StateStore, StateStores } from '../store/state-store.ts';
import { run } from './node.ts';

const config = attributionConfig(parseAttributionEnvironment({}));
const logger = pino({ level: 'silent' });

function click(userId: string, number: number): NewRecord {
  const eventId = `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;
  const timestamp = BigInt(Date.UTC(2026, 0, 1));
  const value = { eventId, userId, adId: 'ad', campaignId: 'camp', source: 'src', timestamp };
  const event = create(EventSchema, { event: { case: 'click', value } });
  return { topic: 'raw-events', key: userId, value: toBinary(EventSchema, event) };
}

function start(log: EventLog, stores: Map<number, StateStore>) {
  return run(config, { log, logger, stores: memoryStateStores(stores) });
}

function sum(node: Awaited<ReturnType<typeof start>>, field: 'records' | 'clicks' | 'deadLettered'): bigint {
  return node.partitions().reduce((total, { progress }) => total + progress[field], 0n);
}

test('folds every partition, goes on after an outage and after a restart, and folds nothing twice', async () => {
  const log = memoryLog(4);
  const stores = new Map<number, StateStore>();
  const clicks = Array.from({ length: 60 }, (_, i) => click(`user ${i}`, i));
  const first = await start(log, stores);
  await log.append(clicks.slice(0, 20));
  await vi.waitFor(() => expect(sum(first, 'clicks')).toBe(20n));

  log.beforeAppend = (records) => {
    if (records.some((record) => record.topic !== 'raw-events')) throw new LogUnavailable('down');
  };
  await log.append(clicks.slice(20, 40));
  log.beforeAppend = () => {};
  await vi.waitFor(() => expect(sum(first, 'clicks')).toBe(40n), { timeout: 10_000 });
  await first.close();

  await log.append(clicks.slice(40));
  const second = await start(log, stores);
  await vi.waitFor(() => expect(sum(second, 'clicks')).toBe(60n));
  expect(sum(second, 'records')).toBe(60n);
  await second.close();
});

test('keeps a record it cannot read as a dead letter and goes on', async () => {
  const log = memoryLog(1);
  const node = await start(log, new Map());
  const garbage = {
    topic: 'raw-events',
    key: 'k',
    value: Buffer.from('\xff garbage', 'latin1'),
    headers: { a: 'b' },
  } as const;
  await log.append([click('user', 1), garbage, click('user', 2)]);
  await vi.waitFor(() => expect(sum(node, 'records')).toBe(3n));
  expect(sum(node, 'clicks')).toBe(2n);
  expect(sum(node, 'deadLettered')).toBe(1n);
  await node.close();
  const [letter] = log.records('raw-events.DLT');
  expect(Buffer.from(letter!.value)).toEqual(garbage.value);
  expect(letter!.headers).toMatchObject({
    a: 'b',
    'kafka_dlt-original-topic': 'raw-events',
    'kafka_dlt-original-offset': '1',
    'kafka_dlt-exception-message': expect.stringContaining('not an Event'),
  });
});

test('R-14: a partition changes hands once it is published, flushed and closed', async () => {
  const log = memoryLog(1);
  const publishing = Promise.withResolvers<void>();
  const durable = Promise.withResolvers<void>();
  const steps: string[] = [];
  log.beforeAppend = async ([first]) => {
    if (first!.topic === 'raw-events') return;
    publishing.resolve();
    await durable.promise;
    steps.push('published');
  };
  const stores = memoryStateStores();
  const noted: StateStores = {
    ...stores,
    async open(partition) {
      steps.push('opened');
      return { ...(await stores.open(partition)), close: async () => void steps.push('closed') };
    },
  };
  const listeners: AssignmentListener[] = [];
  const joined: EventLog = {
    ...log,
    join(topic, group, listener) {
      listeners.push(listener);
      return log.join(topic, group, listener);
    },
  };
  const node = await run(config, { log: joined, logger, stores: noted });
  await log.append([click('user', 1)]);
  await publishing.promise;
  steps.length = 0;
  const [listener] = listeners;
  const revoked = listener!.revoked([0]).then(() => steps.push('revoked'));
  await listener!.assigned([0]);
  for (let i = 0; i < 10; i++) await turn();
  expect(steps).toEqual([]);
  durable.resolve();
  await revoked;
  expect(steps).toContain('revoked');
  expect(steps.filter((step) => step !== 'opened' && step !== 'revoked')).toEqual(['published', 'published', 'closed']);
  // The rollups follow with the flush.
  expect(steps.slice(0, 3)).toEqual(['published', 'published', 'closed']);
  await node.close();
});

/** What a store refuses. */
interface Refusal {
  read?: (keys: readonly Buffer[]) => boolean;
  write?: (changes: StateChanges) => boolean;
}

test.each<[string, Refusal, published: bigint]>([
  ['read', { read: (keys) => keys.some(([kind]) => kind === USERS_FROM[0]) }, 0n],
  ['written', { write: ({ puts }) => [...puts].some(({ key }) => key[0] === USERS_FROM[0]) }, 2n],
])('R-15: stops at a record whose user can not be %s, instead of going past it', async (_, refuses, published) => {
  const log = memoryLog(1);
  const memory = memoryStateStore();
  const broken: StateStore = {
    ...memory,
    getMany(keys) {
      if (refuses.read?.(keys)) throw new Error('disk full');
      return memory.getMany(keys);
    },
    write(changes) {
      if (refuses.write?.(changes)) throw new Error('disk full');
      memory.write(changes);
    },
  };
  const stores: StateStores = { ...memoryStateStores(), open: async () => broken };
  const node = await run(config, { log, logger, stores });
  await log.append([click('user', 1), click('user', 2)]);
  await expect(node.failed).rejects.toThrow('disk full');
  expect(await log.committed('raw-events', GROUP)).toEqual([]);
  expect(loadProgress(memory, 0).records).toBe(0n);
  expect(node.partitions()[0]!.progress.records).toBe(published);
  await node.close();
});
