import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { create, type DescMessage, fromBinary, toBinary, toJson } from '@bufbuild/protobuf';
import {
  AttributedConversionSchema,
  AttributionSettingSchema,
  ConversionDecisionSchema,
  DailyStatsSchema,
  EventConflictSchema,
  PartitionProgressSchema,
  RollupStatsSchema,
} from '../../gen/ts/clickmesh/v1/attribution_pb.js';
import { type Event, EventSchema } from '../../gen/ts/clickmesh/v1/event_pb.js';
import { attributionConfig, parseAttributionEnvironment } from '../../services/attribution/decision/config.ts';
import { newPartitionFold } from '../../services/attribution/partition/partition-fold.ts';
import { listCheckpoints, loadCheckpoint, saveCheckpoint } from '../../services/attribution/recovery/checkpoint.ts';
import { directoryCheckpointStore } from '../../services/attribution/recovery/directory-checkpoint-store.ts';
import { joinOldCounters, rekeyOldCounters } from '../../services/attribution/recovery/old-counters.ts';
import { loadProgress, nextOffset } from '../../services/attribution/store/progress.ts';
import { entriesBetween, type StateStore } from '../../services/attribution/store/state-store.ts';
import { HOUR_MS } from '../../services/contract/limits.ts';
import type { Topic } from '../../services/contract/topics.ts';
import { openAcknowledged, readAcknowledged } from '../../services/log/embedded/acknowledged-offsets.ts';
import { addRecord, openBatch, readHeader, readRecords, sealBatch } from '../../services/log/embedded/record-batch.ts';
import { committedEntry, recordKey } from '../../services/log/embedded/store.ts';
import type { LogRecord, NewRecord } from '../../services/log/event-log.ts';
import { dailyRows } from '../fixtures/daily-rows.ts';
import { logRecord } from '../fixtures/log-record.ts';
import { memoryStateStore } from '../fixtures/memory-state-store.ts';

/** Bytes by name, in hex: keys and values of a store, files of a folder, records of a topic. */
export type Sample = Record<string, string>;

/** Something that is stored: how today's code writes it, and what a build makes of what some build wrote. */
export interface Format {
  write(): Sample | Promise<Sample>;
  /** What is read of it, as JSON: the same for all versions that hold the same. */
  read(sample: Sample): unknown;
}

const TIME = Date.UTC(2026, 0, 5, 12);
const id = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;

/**
 * More clicks and conversions of a user than are kept, so that some ids are spilled; texts that are not ASCII, too;
 * what corrects them, and what waits for what it corrects.
 */
const EVENTS: readonly Event[] = [
  ...[1, 2, 3, 4].map((n) => click(n, 'ann', `camp-${n % 2}`)),
  click(5, 'Ünal', 'Kämpagne'),
  ...[11, 12, 13].map((n) => conversion(n, 'ann')),
  conversion(14, 'Ünal'),
  conversion(15, 'nobody'),
  adjustment(21, 'ann', { conversionId: id(13), kind: 'refund', valueMicros: 5_000_000n }),
  adjustment(22, 'ann', { conversionId: id(16), kind: 'restate', valueMicros: 1_000_000n }),
  verdict(23, 'ann', id(4), false),
];
/** What follows: duplicates of kept and of spilled ids, a late click, one more conversion. */
const LATER: readonly Event[] = [
  click(1, 'ann', 'camp-1'),
  click(4, 'ann', 'camp-0'),
  conversion(11, 'ann'),
  conversion(13, 'ann'),
  click(6, 'Ünal', 'late'),
  conversion(16, 'ann'),
];

function click(n: number, userId: string, campaignId: string): Event {
  const value = { eventId: id(n), userId, adId: 'ad', campaignId, source: 'src', timestamp: BigInt(TIME + n * 1000) };
  return create(EventSchema, { event: { case: 'click', value: { ...value, metadata: { geo: 'US' } } } });
}

function conversion(n: number, userId: string): Event {
  const value = { eventId: id(n), userId, type: 'purchase', source: 'app', valueMicros: 19_990_000n };
  return create(EventSchema, {
    event: { case: 'conversion', value: { ...value, timestamp: BigInt(TIME + n * 1000) } },
  });
}

function adjustment(n: number, userId: string, of: { conversionId: string; kind: string; valueMicros: bigint }): Event {
  const value = { eventId: id(n), userId, timestamp: BigInt(TIME + n * 1000), ...of };
  return create(EventSchema, { event: { case: 'adjustment', value } });
}

function verdict(n: number, userId: string, clickId: string, valid: boolean): Event {
  const value = { eventId: id(n), userId, clickId, valid, timestamp: BigInt(TIME + n * 1000) };
  return create(EventSchema, { event: { case: 'verdict', value } });
}

function recordsOf(events: readonly Event[], first: number): LogRecord[] {
  return events.map((event, i) => {
    const appendTime = TIME + HOUR_MS + first + i;
    return logRecord({ value: toBinary(EventSchema, event), offset: first + i, appendTime });
  });
}

const config = attributionConfig(
  parseAttributionEnvironment({ MODELS: 'last_click,linear', MAX_TOUCHES: '2', USER_CACHE_MB: '1', ROLLUPS: '' }),
);

/** Folds records on to what a store holds; returns everything that is published. */
function foldOn(store: StateStore, records: readonly LogRecord[]): NewRecord[] {
  const fold = newPartitionFold(config, loadProgress(store, 0));
  const rows = fold.fold(store, records).map((record) => ({ ...record, value: Buffer.from(record.value) }));
  // Without settings, which are published again whenever a fold begins.
  // In which order counters are published is no matter of the format.
  const totals = fold.takeTotals(false).sort((a, b) => Buffer.compare(nameOf(a), nameOf(b)));
  fold.flush(store, []);
  return [...rows, ...totals];
}

function nameOf({ topic, key }: NewRecord): Buffer {
  return Buffer.from(`${topic} ${key}`);
}

const MESSAGES: Partial<Record<Topic, DescMessage>> = {
  'raw-events': EventSchema,
  'attributed-events': AttributedConversionSchema,
  'conversion-decisions': ConversionDecisionSchema,
  'daily-stats': DailyStatsSchema,
  'attribution-progress': PartitionProgressSchema,
  'rollup-stats': RollupStatsSchema,
  'attribution-settings': AttributionSettingSchema,
  'event-conflicts': EventConflictSchema,
};

function published(outputs: readonly NewRecord[]): unknown {
  return outputs.flatMap(({ topic, key, value }) => {
    const rows = topic === 'daily-stats' ? dailyRows(value) : [];
    if (rows.length > 0)
      return rows.map((row) => ({ topic, key: key + row.model, ...(toJson(DailyStatsSchema, row) as object) }));
    return [{ topic, key, ...(messageJson(topic, value) as object) }];
  });
}

function messageJson(topic: Topic, value: Uint8Array): unknown {
  const message = MESSAGES[topic]!;
  return toJson(message, fromBinary(message, value));
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const bytesOf = (text: string): Buffer => Buffer.from(text, 'hex');

const SLOT = 3;
const BASE_OFFSET = 1000;

/** A batch of the embedded log under its key, and the offset of a group. */
const logBatch: Format = {
  write() {
    const batch = openBatch();
    addRecord(batch, Buffer.from('ann'), Buffer.from('value'), { traceparent: '00-0af7-b7ad-01' });
    addRecord(batch, Buffer.from('Ünal'), Buffer.alloc(200, 'x'));
    const key = recordKey(SLOT, BASE_OFFSET);
    const bytes = batch.bytes.subarray(0, batch.length);
    sealBatch(key, bytes, { count: batch.count, appendTime: TIME, logBytes: bytes.length });
    const [groupKey, offset] = committedEntry('raw-events', 'attribution', { partition: 3, offset: 77 });
    return { [hex(key)]: hex(bytes), [hex(groupKey)]: hex(offset) };
  },
  read(sample) {
    const key = recordKey(SLOT, BASE_OFFSET);
    const [groupKey] = committedEntry('raw-events', 'attribution', { partition: 3, offset: 0 });
    const bytes = bytesOf(sample[hex(key)]!);
    const records = [...readRecords(bytes, 0)].map(({ key, value, headers }) => ({ key, value: hex(value), headers }));
    return { header: readHeader(key, bytes), records, committed: String(bytesOf(sample[hex(groupKey)]!)) };
  },
};

const acknowledgedOffsets: Format = {
  write: () =>
    inFolder((folder) => {
      const path = join(folder, 'acknowledged-offsets');
      openAcknowledged(path, [0, 7, 2 ** 40]);
      return { file: hex(readFileSync(path)) };
    }),
  read: ({ file }) =>
    inFolder((folder) => {
      writeFileSync(join(folder, 'file'), bytesOf(file!));
      return readAcknowledged(join(folder, 'file'), 4);
    }),
};

/** Everything in a partition's state: users, spilled ids, counters, progress. Read by folding on to it. */
const state: Format = {
  write() {
    const store = memoryStateStore();
    foldOn(store, recordsOf(EVENTS, 0));
    const all = [...entriesBetween(store, Buffer.of(0), Buffer.of(0xff))];
    return Object.fromEntries(all.map(({ key, value }) => [hex(key), hex(value)]));
  },
  read(sample) {
    const store = memoryStateStore();
    const puts = Object.entries(sample).map(([key, value]) => ({ key: bytesOf(key), value: bytesOf(value) }));
    store.write({ deletes: [], puts, appends: [] });
    joinOldCounters(store);
    rekeyOldCounters(store);
    return published(foldOn(store, recordsOf(LATER, nextOffset(loadProgress(store, 0))!)));
  },
};

/** Records of every topic that attribution reads or writes. */
const topics: Format = {
  write() {
    const raw = EVENTS.map(
      (event): NewRecord => ({ topic: 'raw-events', key: '', value: toBinary(EventSchema, event) }),
    );
    const outputs = [...raw, ...foldOn(memoryStateStore(), recordsOf(EVENTS, 0))];
    return Object.fromEntries(outputs.map(({ topic, value }, i) => [`${i} ${topic}`, hex(value)]));
  },
  read(sample) {
    return Object.entries(sample).map(([name, value]) => messageJson(name.split(' ')[1] as Topic, bytesOf(value)));
  },
};

const checkpoint: Format = {
  write: () =>
    inFolder(async (folder) => {
      const [store, files] = [directoryCheckpointStore(join(folder, 'store')), mkdtempSync(join(folder, 'files-'))];
      writeFileSync(join(files, 'CURRENT'), 'MANIFEST-000001\n');
      await saveCheckpoint(store, { partition: 3, offset: 77, takenAt: TIME }, files, new AbortController().signal);
      const listed = await store.list('3/');
      const stored = listed.map(({ name }) => [name, hex(readFileSync(join(folder, 'store', name)))]);
      return Object.fromEntries(stored);
    }),
  read: (sample) =>
    inFolder(async (folder) => {
      const [store, files] = [directoryCheckpointStore(join(folder, 'store')), mkdtempSync(join(folder, 'files-'))];
      for (const [name, bytes] of Object.entries(sample)) {
        writeFileSync(join(folder, 'object'), bytesOf(bytes));
        await store.put(name, join(folder, 'object'));
      }
      const [newest] = await listCheckpoints(store, 3);
      await loadCheckpoint(store, newest!, files, new AbortController().signal);
      return { newest, current: readFileSync(join(files, 'CURRENT'), 'utf8') };
    }),
};

export const FORMATS: Readonly<Record<string, Format>> = {
  'log batch': logBatch,
  'acknowledged offsets': acknowledgedOffsets,
  state,
  topics,
  checkpoint,
};

async function inFolder<T>(use: (folder: string) => T | Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'clickmesh-formats-'));
  try {
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
