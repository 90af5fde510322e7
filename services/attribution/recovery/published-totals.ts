import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import {
  AttributionSettingSchema,
  type DailyStats,
  DailyStatsSchema,
  type PartitionProgress,
  PartitionProgressSchema,
  RollupStatsSchema,
} from '../../../gen/ts/clickmesh/v1/attribution_pb.js';
import type { Topic } from '../../contract/topics.ts';
import type { EventLog, LogRecord } from '../../log/event-log.ts';
import { readRange } from '../../log/read-range.ts';
import { APART, apartKey, counterKey } from '../store/counter-keys.ts';
import { oldCounterKey, PUBLISHED_TOTALS_KEY, settingKey, settingName } from '../store/keys.ts';
import type { StateEntry, StateStore } from '../store/state-store.ts';
import { sumsOf } from './old-counters.ts';

/**
 * Counts that a store starts from if it is rebuilt by folding the log again: those that its partition has published.
 * The log may no longer have the records of the first counts, and the first records it has are decided without those
 * before them; so records that are in these counts are not counted again.
 */
export interface PublishedTotals {
  /** Records before this offset are in the counters that were loaded; later ones in those with a later version. */
  countFrom: number;
  /** The totals published last, with all records up to their version. */
  totals: PartitionProgress;
}

const READ_BYTES = 4 << 20;

/** Offset of the last record in the published totals; -1 if there are none. */
export function publishedThrough(published: PublishedTotals | undefined): number {
  return published === undefined || published.totals.records === 0n ? -1 : Number(published.totals.version);
}

/** The published totals of a store that was rebuilt; undefined if it never was. */
export function loadPublishedTotals(store: StateStore): PublishedTotals | undefined {
  const [bytes] = store.getMany([PUBLISHED_TOTALS_KEY]);
  if (bytes === undefined) return undefined;
  return { countFrom: bytes.readDoubleLE(), totals: fromBinary(PartitionProgressSchema, bytes.subarray(8)) };
}

/**
 * Fills an empty store with the counters that a partition has published and, last, its totals: until these are there,
 * and until the first flush, the store counts as empty.
 *
 * @param committed the group's offset: everything that follows from the records before it is published
 * @param stop ends it early: it rejects
 * @returns bytes read
 */
export async function loadPublished(
  log: EventLog,
  store: StateStore,
  { partition, committed, stop }: { partition: number; committed: number; stop: AbortSignal },
): Promise<number> {
  let bytes = 0;
  for (const topic of ['daily-stats', 'rollup-stats', 'attribution-settings'] as const) {
    for await (const records of wholePartition(log, topic, partition, stop)) {
      putNewest(store, records, READ[topic], VERSION_IN[topic]);
      for (const { value } of records) bytes += value.length;
    }
  }
  let totals = create(PartitionProgressSchema, { partition });
  for await (const records of wholePartition(log, 'attribution-progress', partition, stop)) {
    for (const { value } of records) {
      const progress = fromBinary(PartitionProgressSchema, value);
      if (progress.version >= totals.version) totals = progress;
      bytes += value.length;
    }
  }
  // Offsets can be committed by hand; totals can't.
  const countFrom = Math.min(committed, publishedThrough({ countFrom: 0, totals }) + 1);
  const value = Buffer.concat([Buffer.alloc(8), toBinary(PartitionProgressSchema, totals)]);
  value.writeDoubleLE(countFrom);
  store.write({ deletes: [], appends: [], puts: [{ key: PUBLISHED_TOTALS_KEY, value }] });
  return bytes;
}

/** Reads what the store is to have of a record, by the topic that it is published in: counters without their keys. */
const READ = {
  'daily-stats': readDaily,
  'rollup-stats'(value: Uint8Array): ToStore {
    const counter = fromBinary(RollupStatsSchema, value);
    const counts = { ...counter, partition: 0, period: 0, rollup: '', values: [] };
    return {
      key: keyIn(counter.partition, counterKey(counter.rollup, counter.period, counter.values)),
      version: counter.version,
      value: toBinary(RollupStatsSchema, counts),
    };
  },
  'attribution-settings'(value: Uint8Array): ToStore {
    const setting = fromBinary(AttributionSettingSchema, value);
    return { key: settingKey(settingName(setting)), version: setting.version, value };
  },
};

function readDaily(value: Uint8Array): ToStore {
  const counter = fromBinary(DailyStatsSchema, value);
  const { clicks, invalidClicks, version, model } = counter;
  if (model !== '')
    return { key: oldCounterKey(counter), version, value: toBinary(DailyStatsSchema, countsOf(counter)) };
  const isUnattributed = counter.models.length === 0 && counter.conversionType !== '';
  const models = isUnattributed ? [sumsOf('', counter)] : counter.models;
  const stored = create(RollupStatsSchema, { clicks, invalidClicks, version, models });
  const { day, campaignId, source, conversionType } = counter;
  const key = keyIn(counter.partition, counterKey(undefined, day, [campaignId, source, conversionType]));
  return { key, version, value: toBinary(RollupStatsSchema, stored) };
}

/** The key of a counter that was published as one of a partition, or of what is counted apart there. */
function keyIn(partition: number, key: Buffer): Buffer {
  return partition >= APART ? apartKey(key) : key;
}

/** The same without its key: a RollupStats, but for fields that this does not know. */
function countsOf(counter: DailyStats): DailyStats {
  return { ...counter, partition: 0, day: 0, campaignId: '', source: '', conversionType: '', model: '' };
}

interface ToStore {
  key: Buffer;
  version: bigint;
  value: Uint8Array;
}

/** Reads the version of what the store has of a topic. */
const VERSION_IN = {
  'daily-stats': versionOfCounter,
  'rollup-stats': versionOfCounter,
  'attribution-settings': (stored: Uint8Array) => fromBinary(AttributionSettingSchema, stored).version,
};

function versionOfCounter(stored: Uint8Array): bigint {
  return fromBinary(RollupStatsSchema, stored).version;
}

/** Puts the counters, or settings, that are newer than those in the store. */
function putNewest(
  store: StateStore,
  records: readonly LogRecord[],
  read: (value: Uint8Array) => ToStore,
  versionIn: (stored: Uint8Array) => bigint,
): void {
  const newest = new Map<string, { entry: StateEntry; version: bigint }>();
  for (const { key: name, value } of records) {
    const { key, version, value: stored } = read(value);
    const before = newest.get(name);
    if (before !== undefined && before.version > version) continue;
    newest.set(name, { entry: { key, value: Buffer.from(stored) }, version });
  }
  const candidates = [...newest.values()];
  const stored = store.getMany(candidates.map(({ entry }) => entry.key));
  const puts = candidates.flatMap(({ entry, version }, i) => {
    const bytes = stored[i];
    return bytes === undefined || versionIn(bytes) <= version ? [entry] : [];
  });
  store.write({ deletes: [], appends: [], puts });
}

/** Every record of a partition. Throws if retention has dropped some: counts without them would be wrong. */
async function* wholePartition(log: EventLog, topic: Topic, partition: number, stop: AbortSignal) {
  const { start, end } = (await log.offsets(topic))[partition]!;
  if (start > 0) {
    throw new Error(
      `The state of partition ${partition} can't be rebuilt: ${topic} has lost its first ${start} records. ` +
        'Restore the state folder or a checkpoint',
    );
  }
  for await (const records of readRange(log, topic, partition, { start, end }, READ_BYTES)) {
    stop.throwIfAborted();
    yield records;
  }
}

/** The first of the records, as far as they lie on one side of every boundary; boundaries are offsets. */
export function untilBoundary(records: readonly LogRecord[], boundaries: readonly number[]): readonly LogRecord[] {
  const first = records[0]?.offset ?? 0;
  const boundary = Math.min(...boundaries.filter((offset) => offset > first));
  const last = records.at(-1)?.offset ?? first;
  if (last < boundary) return records;
  const end = records.findIndex(({ offset }) => offset >= boundary);
  return records.slice(0, end);
}

/** The records from an offset on. */
export function behind(records: readonly LogRecord[], offset: number): readonly LogRecord[] {
  if (records.at(-1)!.offset < offset) return [];
  return records.slice(records.findIndex((record) => record.offset >= offset));
}
