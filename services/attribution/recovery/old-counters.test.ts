import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import pino from 'pino';
import { expect, onTestFinished, test, vi } from 'vitest';
import {
  DailyStatsSchema,
  PartitionProgressSchema,
  RollupStatsSchema,
} from '../../../gen/ts/clickmesh/v1/attribution_pb.js';
import { EventSchema } from '../../../gen/ts/clickmesh/v1/event_pb.js';
import { dailyRows } from '../../../test/fixtures/daily-rows.ts';
import { type MemoryLog, memoryLog } from '../../../test/fixtures/memory-log.ts';
import { memoryStateStores } from '../../../test/fixtures/memory-state-store.ts';
import type { NewRecord } from '../../log/event-log.ts';
import { attributionConfig, parseAttributionEnvironment } from '../decision/config.ts';
import { run } from '../node/node.ts';
import { COUNTERS_FROM, COUNTERS_TO, counterKey, ROLLUPS_FROM, ROLLUPS_TO } from '../store/counter-keys.ts';
import { OLD_COUNTERS_FROM, OLD_COUNTERS_TO, OLD_DAILY_FROM, oldCounterKey } from '../store/keys.ts';
import type { StateStore } from '../store/state-store.ts';

const TIME = Date.UTC(2026, 0, 1);
const DAY = TIME / 86_400_000;
const config = attributionConfig(parseAttributionEnvironment({ MODELS: 'last_click,linear', ROLLUPS: '' }));

const id = (number: number) => `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;
const common = (number: number) => ({ eventId: id(number), userId: 'ann', timestamp: BigInt(TIME + number) });

/** A click, conversions by it, and one by nothing. */
const EVENTS = [
  { case: 'click', value: { ...common(0), adId: 'ad', campaignId: 'camp', source: 'src' } },
  ...[1, 2, 3].map((n) => conversion({ ...common(n), type: 'buy', source: 'app', valueMicros: 10n ** BigInt(n) })),
  conversion({ ...common(4), userId: 'bob', type: 'buy', source: 'app', valueMicros: 10_000n }),
] as const;

function conversion<Value>(value: Value) {
  return { case: 'conversion', value } as const;
}

function rawEvents(from: number, to: number): NewRecord[] {
  return EVENTS.slice(from, to).map((event) => {
    return { topic: 'raw-events', key: 'ann', value: toBinary(EventSchema, create(EventSchema, { event })) };
  });
}

/** Runs a node until the log is folded to its end. */
async function foldAll(log: MemoryLog, stores: Map<number, StateStore>, by = config): Promise<void> {
  const node = await run(by, { log, logger: pino({ level: 'silent' }), stores: memoryStateStores(stores) });
  onTestFinished(() => node.close());
  const { end } = (await log.offsets('raw-events'))[0]!;
  await vi.waitFor(async () => {
    expect(await log.committed('raw-events', 'attribution')).toEqual([{ partition: 0, offset: end }]);
  }, 10_000);
  await node.close();
}

/** What daily_stats has in the end. */
function counted(log: MemoryLog): string[] {
  const rows = log.records('daily-stats').flatMap(({ value }) => dailyRows(value));
  const newest = new Map<string, (typeof rows)[number]>();
  for (const row of rows) {
    const key = [row.campaignId, row.conversionType, row.model].join(' ');
    if (row.version >= (newest.get(key)?.version ?? 0n)) newest.set(key, row);
  }
  return [...newest]
    .map(([key, row]) => `${key}: ${row.clicks} ${row.conversionsMicros} ${row.revenueMicros} @${row.version}`)
    .sort();
}

const ALL = [
  ' buy : 0 1000000 10000 @4',
  'camp  : 1 0 0 @0',
  'camp buy last_click: 0 3000000 1110 @3',
  'camp buy linear: 0 3000000 1110 @3',
];

test('counters that a state has for each model are joined when it is opened', async () => {
  const log = memoryLog(1);
  const stores = new Map<number, StateStore>();
  await log.append(rawEvents(0, 3));
  await foldAll(log, stores);
  const store = stores.get(0)!;
  const joined = store.scan(COUNTERS_FROM, COUNTERS_TO, 10);
  const key = { day: DAY, campaignId: 'camp', source: 'src', conversionType: '' };
  const ofModels = fromBinary(
    RollupStatsSchema,
    store.getMany([counterKey(undefined, DAY, ['camp', 'src', 'buy'])])[0]!,
  );
  const old = (model: string, conversionType: string, counts: object) => ({
    key: oldCounterKey({ ...key, conversionType, model }),
    value: Buffer.from(toBinary(DailyStatsSchema, create(DailyStatsSchema, counts))),
  });
  const { models, version } = ofModels;
  const puts = [
    old('', '', { clicks: 1n, version: 0n }),
    ...models.map(({ $typeName: _, model, ...sums }) => old(model, 'buy', { ...sums, version })),
  ];
  store.write({ deletes: joined.map(({ key }) => key), puts, appends: [] });
  expect(puts).toHaveLength(3);
  await log.append(rawEvents(3, 5));
  await foldAll(log, stores);
  expect(counted(log)).toEqual(ALL);
  expect(store.scan(OLD_COUNTERS_FROM, OLD_COUNTERS_TO, 10)).toEqual([]);
});

test('counters that have keys by their texts get those by their hashes, and go on from there', async () => {
  const log = memoryLog(1);
  const stores = new Map<number, StateStore>();
  const withRollup = attributionConfig(
    parseAttributionEnvironment({ MODELS: 'last_click', ROLLUPS: 'hour:campaign_id,ad_id' }),
  );
  await log.append(rawEvents(0, 3));
  await foldAll(log, stores, withRollup);
  const store = stores.get(0)!;
  const entries = [...store.scan(COUNTERS_FROM, COUNTERS_TO, 10), ...store.scan(ROLLUPS_FROM, ROLLUPS_TO, 10)];
  const before = [
    `d${DAY}\0camp\0src\0\0`,
    `d${DAY}\0camp\0src\0buy\0`,
    `rhour:campaign_id,ad_id\0${24 * DAY}\0camp\0ad`,
  ].map((key) => Buffer.from(key));
  const keys = [
    counterKey(undefined, DAY, ['camp', 'src', '']),
    counterKey(undefined, DAY, ['camp', 'src', 'buy']),
    counterKey('hour:campaign_id,ad_id', 24 * DAY, ['camp', 'ad']),
  ];
  expect(entries.map(({ key }) => key).sort(Buffer.compare)).toEqual([...keys].sort(Buffer.compare));
  const values = store.getMany(keys);
  const puts = before.map((key, i) => ({ key, value: values[i]! }));
  store.write({ deletes: keys, puts, appends: [] });
  await log.append(rawEvents(3, 5));
  await foldAll(log, stores, withRollup);
  expect(counted(log)).toEqual(ALL.filter((row) => !row.includes('linear')));
  expect(store.getMany(before)).toEqual([undefined, undefined, undefined]);
  const [rollup] = store.getMany([keys[2]!]).map((value) => fromBinary(RollupStatsSchema, value!));
  expect(rollup).toMatchObject({ clicks: 1n, version: 3n, models: [{ conversionsMicros: 3_000_000n }] });
  expect(store.scan(OLD_DAILY_FROM, COUNTERS_FROM, 10).filter(({ key }) => key[0] === OLD_DAILY_FROM[0])).toEqual([]);
});

test.each([
  ['unevenly', 2],
  ['evenly', 1],
])('counters that were published %s for each model go on from their own versions', async (_, ofLinear) => {
  const log = memoryLog(1);
  const key = { day: DAY, campaignId: 'camp', source: 'src', partition: 0 };
  const counters = [
    { ...key, clicks: 1n, version: 0n },
    {
      ...key,
      conversionType: 'buy',
      model: 'last_click',
      conversionsMicros: 1_000_000n,
      revenueMicros: 10n,
      version: 1n,
    },
    {
      ...{ ...key, conversionType: 'buy', model: 'linear', version: BigInt(ofLinear) },
      ...{ conversionsMicros: BigInt(ofLinear) * 1_000_000n, revenueMicros: ofLinear === 1 ? 10n : 110n },
    },
    {
      ...{ ...key, campaignId: '', source: '', conversionType: 'buy' },
      conversionsMicros: 1_000_000n,
      revenueMicros: 10_000n,
      version: 4n,
    },
  ].map((counter): NewRecord => {
    const name = [counter.day, counter.campaignId, 'conversionType' in counter, 'model' in counter].join(' ');
    const value = toBinary(DailyStatsSchema, create(DailyStatsSchema, counter));
    return { topic: 'daily-stats', partition: 0, key: `${name} ${'model' in counter ? counter.model : ''}`, value };
  });
  // The node died while it published them: the totals are older.
  const totals = create(PartitionProgressSchema, { records: 1n, clicks: 1n, version: 0n, watermark: BigInt(TIME) });
  const progress: NewRecord = {
    topic: 'attribution-progress',
    partition: 0,
    key: '0',
    value: toBinary(PartitionProgressSchema, totals),
  };
  await log.append([...rawEvents(0, 5), ...counters, progress]);
  await foldAll(log, new Map());
  expect(counted(log)).toEqual(ALL);
});
