import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import pino from 'pino';
import { expect, test, vi } from 'vitest';
import {
  AttributionSettingSchema,
  DailyStatsSchema,
  PartitionProgressSchema,
} from '../../../gen/ts/clickmesh/v1/attribution_pb.js';
import { EventSchema } from '../../../gen/ts/clickmesh/v1/event_pb.js';
import { type MemoryLog, memoryLog } from '../../../test/fixtures/memory-log.ts';
import { memoryStateStores } from '../../../test/fixtures/memory-state-store.ts';
import { DAY_MS } from '../../contract/limits.ts';
import { reportDays } from '../../contract/report-days.ts';
import { attributionConfig, parseAttributionEnvironment } from '../decision/config.ts';
import { run } from '../node/node.ts';
import { PROGRESS_KEY } from '../store/keys.ts';
import type { StateStore } from '../store/state-store.ts';

const NEW_YORK = 'America/New_York';
/** The evening of the day before in New York. */
const TIME = Date.UTC(2026, 0, 2, 4, 30);

function start(log: MemoryLog, zone: string, stores = new Map<number, StateStore>()) {
  const config = attributionConfig(parseAttributionEnvironment({ REPORT_TIME_ZONE: zone, MODELS: 'linear' }));
  return run(config, { log, logger: pino({ level: 'silent' }), stores: memoryStateStores(stores) });
}

async function click(log: MemoryLog, partition: number, number: number): Promise<void> {
  const eventId = `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;
  const value = { eventId, userId: 'u', adId: 'ad', campaignId: 'camp', source: 's', timestamp: BigInt(TIME) };
  const event = create(EventSchema, { event: { case: 'click', value } });
  await log.append([{ topic: 'raw-events', partition, key: 'u', value: toBinary(EventSchema, event) }]);
}

/** Folds what is there with a node of this zone, and ends it. */
async function foldAll(log: MemoryLog, zone: string, stores = new Map<number, StateStore>()): Promise<void> {
  const node = await start(log, zone, stores);
  const folded = () => node.partitions().reduce((sum, { progress }) => sum + progress.records, 0n);
  const all = BigInt(log.records('raw-events').length);
  await Promise.race([node.failed, vi.waitFor(() => expect(folded()).toBe(all))]).finally(() => node.close());
}

/** Days of the counters published: partition and date, and clicks. */
function published(log: MemoryLog): string[] {
  const rows = log.records('daily-stats').map(({ value }) => fromBinary(DailyStatsSchema, value));
  return rows.map(({ partition, day, clicks }) =>
    [partition, new Date(day * DAY_MS).toISOString().slice(0, 10), clicks].join(' '),
  );
}

const OTHER =
  /^REPORT_TIME_ZONE is UTC, but .* days of America\/New_York.* start with REPORT_TIME_ZONE=America\/New_York/;

test.each([
  ['with its state', true],
  ['though its state is lost', false],
])('a partition that has counted goes on by its zone, and by no other: %s', async (_, keeps) => {
  const log = memoryLog(2);
  const stores = new Map<number, StateStore>();
  await click(log, 0, 1);
  await foldAll(log, NEW_YORK, stores);
  const kept = () => (keeps ? stores : new Map<number, StateStore>());
  await expect(start(log, 'UTC', kept())).rejects.toThrow(OTHER);
  // Nor has another partition, which has counted nothing.
  await click(log, 1, 2);
  await expect(start(log, 'UTC', kept())).rejects.toThrow(OTHER);
  await click(log, 0, 3);
  await foldAll(log, NEW_YORK, kept());
  expect(published(log).sort()).toEqual(['0 2026-01-01 1', '0 2026-01-01 2', '1 2026-01-01 1']);
});

test('a node whose log does not say so yet refuses its state', async () => {
  const stores = new Map<number, StateStore>();
  const log = memoryLog(1);
  await click(log, 0, 1);
  await foldAll(log, NEW_YORK, stores);
  const other = memoryLog(1);
  await click(other, 0, 1);
  const node = await start(other, 'UTC', stores);
  await expect(node.failed).rejects.toThrow(OTHER);
  await node.close();
});

test('what is counted keeps its offsets, whatever this process knows of the zone', async () => {
  const log = memoryLog(2);
  const stores = new Map<number, StateStore>();
  // By today's rules the click is of the day before.
  const table = '0 946702800:-14400';
  const setting = create(AttributionSettingSchema, { partition: 0, kind: 'time_zone', name: NEW_YORK, value: table });
  await log.append([
    { topic: 'attribution-settings', partition: 0, key: 's', value: toBinary(AttributionSettingSchema, setting) },
  ]);
  await click(log, 0, 1);
  await click(log, 1, 2);
  await foldAll(log, NEW_YORK, stores);
  await click(log, 0, 3);
  await foldAll(log, NEW_YORK, stores);
  expect(published(log).sort()).toEqual(['0 2026-01-02 1', '0 2026-01-02 2', '1 2026-01-02 1']);
  const settings = log.records('attribution-settings').map(({ value }) => fromBinary(AttributionSettingSchema, value));
  const zones = settings.filter(({ kind }) => kind === 'time_zone');
  expect(new Set(zones.map(({ value }) => value))).toEqual(new Set([table]));
  expect(table).not.toBe(reportDays(NEW_YORK).table);
});

test('what a build before has counted is by days of UTC', async () => {
  const log = memoryLog(1);
  const totals = create(PartitionProgressSchema, { records: 1n, clicks: 1n });
  const value = toBinary(PartitionProgressSchema, totals);
  await log.append([{ topic: 'attribution-progress', partition: 0, key: '0', value }]);
  await expect(start(log, NEW_YORK)).rejects.toThrow('REPORT_TIME_ZONE=UTC');
  const other = memoryLog(1);
  await click(other, 0, 1);
  await click(other, 0, 2);
  const stores = new Map<number, StateStore>();
  const node = await start(other, 'UTC', stores);
  await vi.waitFor(() => expect(node.partitions()[0]?.progress.records).toBe(2n));
  await node.close();
  for (const { key } of stores.get(0)!.scan(Buffer.from('f'), Buffer.from('g'), 100)) {
    stores.get(0)!.write({ deletes: [key], puts: [], appends: [] });
  }
  expect(stores.get(0)!.getMany([PROGRESS_KEY])[0]).toBeDefined();
  const third = memoryLog(1);
  await click(third, 0, 1);
  await click(third, 0, 2);
  const refused = await start(third, NEW_YORK, stores);
  await expect(refused.failed).rejects.toThrow('REPORT_TIME_ZONE=UTC');
  await refused.close();
});
