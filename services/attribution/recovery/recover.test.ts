import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import pino from 'pino';
import { expect, onTestFinished, test, vi } from 'vitest';
import { type DailyStats, DailyStatsSchema } from '../../../gen/ts/clickmesh/v1/attribution_pb.js';
import { EventSchema } from '../../../gen/ts/clickmesh/v1/event_pb.js';
import { type MemoryLog, memoryLog } from '../../../test/fixtures/memory-log.ts';
import { memoryStateStore, memoryStateStores } from '../../../test/fixtures/memory-state-store.ts';
import type { NewRecord } from '../../log/event-log.ts';
import { attributionConfig, parseAttributionEnvironment } from '../decision/config.ts';
import { run } from '../node/node.ts';
import type { StateStore } from '../store/state-store.ts';
import { loadPublished } from './published-totals.ts';

const config = attributionConfig(parseAttributionEnvironment({}));

function click(number: number, campaignId = 'camp'): NewRecord {
  const eventId = `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;
  const timestamp = BigInt(Date.UTC(2026, 0, 1));
  const value = { eventId, userId: 'ann', adId: 'ad', campaignId, source: 'src', timestamp };
  return {
    topic: 'raw-events',
    key: 'ann',
    value: toBinary(EventSchema, create(EventSchema, { event: { case: 'click', value } })),
  };
}

async function start(log: MemoryLog, stores: Map<number, StateStore>) {
  const node = await run(config, { log, logger: pino({ level: 'silent' }), stores: memoryStateStores(stores) });
  onTestFinished(() => node.close());
  return node;
}

/** Runs a node until the log is folded and committed to its end. */
async function foldAll(log: MemoryLog, stores: Map<number, StateStore>) {
  const node = await start(log, stores);
  const { end } = (await log.offsets('raw-events'))[0]!;
  await vi.waitFor(
    async () => expect(await log.committed('raw-events', 'attribution')).toEqual([{ partition: 0, offset: end }]),
    10_000,
  );
  await vi.waitFor(() => expect(node.partitions()[0]).toMatchObject({ nextOffset: end, restoring: false }));
  const [status] = node.partitions();
  await node.close();
  return status!;
}

function clicksCounted(log: MemoryLog): bigint {
  const counters = log.records('daily-stats').map(({ value }): DailyStats => fromBinary(DailyStatsSchema, value));
  return counters.reduce((newest, counter) => (counter.version >= newest.version ? counter : newest)).clicks;
}

test('R-10: what the group has committed is not counted anew, though the log has lost what it repeats', async () => {
  const log = memoryLog(1);
  await log.append([click(1), click(1), click(2, 'other')]);
  await foldAll(log, new Map());
  log.dropBefore('raw-events', 1);
  await log.append([click(3), click(4)]);
  const status = await foldAll(log, new Map());
  expect(status.recovery).toMatchObject({ source: 'replay', replayedRecords: 2 });
  expect(status.progress).toMatchObject({ records: 5n, clicks: 4n, clickDuplicates: 1n });
  expect(clicksCounted(log)).toBe(3n);
});

test('R-11: a store that is older than the log is replaced', async () => {
  const log = memoryLog(1);
  const left = new Map<number, StateStore>();
  await log.append([click(1)]);
  await foldAll(log, left);
  await log.append([click(2), click(3)]);
  await foldAll(log, new Map());
  log.dropBefore('raw-events', 2);
  await log.append([click(4)]);
  const status = await foldAll(log, left);
  expect(status.recovery!.source).toBe('replay');
  expect(status.progress).toMatchObject({ records: 4n, clicks: 4n });
  expect(clicksCounted(log)).toBe(4n);
});

test('R-11: a store that falls behind the log while it is open is replaced', async () => {
  const log = memoryLog(1);
  await log.append([click(1)]);
  const node = await start(log, new Map());
  await vi.waitFor(() => expect(node.partitions()[0]!.nextOffset).toBe(1));
  log.beforeAppend = (records) => {
    // Retention is quicker than the node.
    if (records[0]!.key === 'ann' && records[0]!.topic === 'raw-events') log.dropBefore('raw-events', 3);
  };
  await log.append([click(2), click(3), click(4)]);
  await vi.waitFor(() => expect(node.partitions()[0]).toMatchObject({ nextOffset: 4, restoring: false }), 10_000);
  expect(node.partitions()[0]!.progress).toMatchObject({ records: 2n, clicks: 2n });
});

test('R-11: a store that was rebuilt and never flushed is rebuilt again, with what was published since', async () => {
  const log = memoryLog(1);
  await log.append([click(1), click(2)]);
  await foldAll(log, new Map());
  const left = new Map([[0, memoryStateStore()]]);
  await loadPublished(log, left.get(0)!, { partition: 0, committed: 2, stop: new AbortController().signal });
  await log.append([click(3)]);
  await foldAll(log, new Map());
  log.dropBefore('raw-events', 3);
  await log.append([click(4)]);
  const status = await foldAll(log, left);
  expect(status.recovery!.source).toBe('replay');
  expect(status.progress).toMatchObject({ records: 4n, clicks: 4n });
  expect(clicksCounted(log)).toBe(4n);
});

test('R-13: counts that are no longer all published are not guessed', async () => {
  const log = memoryLog(1);
  await log.append([click(1)]);
  await foldAll(log, new Map());
  log.dropBefore('daily-stats', 1);
  const node = await start(log, new Map());
  await expect(node.failed).rejects.toThrow("can't be rebuilt: daily-stats has lost its first 1 records");
});
