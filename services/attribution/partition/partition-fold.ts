import { toBinary } from '@bufbuild/protobuf';
import { type PartitionProgress, PartitionProgressSchema } from '../../../gen/ts/clickmesh/v1/attribution_pb.js';
import type { LogRecord, NewRecord } from '../../log/event-log.ts';
import { NO_TRACES, type Traces } from '../../telemetry/tracing.ts';
import type { AttributionConfig } from '../decision/config.ts';
import type { Totals } from '../decision/effects.ts';
import { readEvent } from '../input/read-event.ts';
import { Counters } from '../outputs/counters.ts';
import { OutputMemory } from '../outputs/encode-outputs.ts';
import { counterRecords, type DeadLetter, progressRecord, rowRecords } from '../outputs/records.ts';
import { type PublishedTotals, publishedThrough } from '../recovery/published-totals.ts';
import { PROGRESS_KEY } from '../store/keys.ts';
import type { StateEntry, StateStore } from '../store/state-store.ts';
import { EventBatch } from '../users/event-batch.ts';
import { Users } from '../users/users.ts';
import { countFolded } from './fold-metrics.ts';

/**
 * The fold of one partition, ahead of its store: what changes stays in memory until `flush` writes it as one, so that
 * a user is written once for many of his events. If it is lost before, folding the same records again from where the
 * store stands leads to the same, however they are cut into calls.
 *
 * What looks at every record makes no closure for a batch, but for one that is compiled into its caller: when V8 marks its
 * heap and finds none of a function's closures in use, it drops the function's optimized code, only to compile it again.
 * That took 4 to 10 % of the CPU.
 */
export interface PartitionFold {
  /** Where the partition stands. */
  readonly progress: PartitionProgress;
  /**
   * Folds records that follow those before. The rows, decisions and dead letters that it returns have to be published
   * before `flush`: published twice is harmless, never published is not. With published totals, the records must not go
   * across those that it knows, see `untilBoundary`.
   *
   * @param memory where the values lie of what it returns
   */
  fold(store: StateStore, records: readonly LogRecord[], memory?: OutputMemory, traces?: Traces): NewRecord[];
  /** Counters that changed since the last call, and the totals: also to be published before `flush`. */
  takeTotals(): NewRecord[];
  /** It is time to flush: what is not yet written takes as much memory as it may. */
  isFull(): boolean;
  /** Writes state, counters and progress; `expired` are keys to be deleted unless they changed. */
  flush(store: StateStore, expired: readonly Buffer[]): void;
}

/**
 * A fold that goes on after `before`, which is where the store stands.
 *
 * @param cacheBytes about how many bytes of users' states to keep in memory, now; all that the node has if absent
 */
export function newPartitionFold(
  config: AttributionConfig,
  before: PartitionProgress,
  {
    publishedTotals,
    cacheBytes = () => config.userCacheBytes,
  }: { publishedTotals?: PublishedTotals; cacheBytes?: () => number } = {},
): PartitionFold {
  const { partition } = before;
  const users = new Users(config, cacheBytes);
  const counters = new Counters(partition);
  const events = new EventBatch(0, users.table);
  let progress = before;
  /** Later totals are published already. */
  let isPublished = false;
  const countFrom = publishedTotals?.countFrom ?? 0;
  const isUncounted = ({ offset }: { offset: number }) => offset >= countFrom;
  return {
    get progress() {
      return progress;
    },
    fold(store, records, memory = new OutputMemory(), traces = NO_TRACES) {
      const began = performance.now();
      const { table } = users;
      events.begin(records.length, table);
      const { deadLetters, watermark } = readAll(records, Number(progress.watermark), events);
      const effects = users.fold(store, events, (campaignSource, timestamp, offset) => {
        if (offset >= countFrom) counters.addClick(store, table.texts, campaignSource, timestamp, offset);
      });
      counters.add(store, table.texts, effects.clicks.filter(isUncounted), effects.increments.filter(isUncounted));
      const moment = { version: BigInt(records.at(-1)!.offset), watermark: BigInt(watermark) };
      isPublished = publishedTotals !== undefined && moment.version <= publishedThrough(publishedTotals);
      const totals = isPublished
        ? publishedTotals!.totals
        : advance(progress, records.length, effects.totals, deadLetters.length);
      progress = { ...totals, ...moment };
      const rows = rowRecords({ partition, effects, deadLetters, traces, memory });
      countFolded({ events, effects, deadLetters, models: config.models }, began);
      return rows;
    },
    takeTotals() {
      const changed = counterRecords(partition, counters.takeChanged());
      return isPublished ? changed : [...changed, progressRecord(progress)];
    },
    isFull: () => users.isFull(),
    flush(store, expired) {
      const value = Buffer.from(toBinary(PartitionProgressSchema, progress));
      const { deletes, puts, appends } = users.takeChanges(expired);
      const others = [...counters.takeDirty(), { key: PROGRESS_KEY, value }];
      store.write({ deletes, puts: oneAfterTheOther(puts, others), appends });
      users.forgetTexts();
    },
  };
}

function* oneAfterTheOther(...all: Iterable<StateEntry>[]): Generator<StateEntry> {
  for (const entries of all) yield* entries;
}

function readAll(records: readonly LogRecord[], before: number, events: EventBatch) {
  const deadLetters: DeadLetter[] = [];
  let watermark = before;
  for (const record of records) {
    watermark = Math.max(watermark, record.appendTime);
    const poison = readEvent(record, watermark, events);
    if (poison !== undefined) deadLetters.push({ record, reason: poison.reason });
  }
  return { deadLetters, watermark };
}

/** The totals of `before` with those of a batch. */
function advance(before: PartitionProgress, records: number, totals: Totals, deadLettered: number): PartitionProgress {
  const after = {
    ...before,
    records: before.records + BigInt(records),
    deadLettered: before.deadLettered + BigInt(deadLettered),
  };
  for (const name of Object.keys(totals) as (keyof Totals)[]) after[name] += BigInt(totals[name]);
  return after;
}
