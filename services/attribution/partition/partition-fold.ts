import assert from 'node:assert/strict';
import { toBinary } from '@bufbuild/protobuf';
import { type PartitionProgress, PartitionProgressSchema } from '../../../gen/ts/clickmesh/v1/attribution_pb.js';
import { EVENT_TYPES } from '../../contract/event-rules.ts';
import { type ReportDays, reportDays } from '../../contract/report-days.ts';
import type { LogRecord, NewRecord } from '../../log/event-log.ts';
import { NO_TRACES, type Traces } from '../../telemetry/tracing.ts';
import type { AttributionConfig } from '../decision/config.ts';
import { type Effects, newEffects, type Totals } from '../decision/effects.ts';
import { KINDS } from '../decision/kinds.ts';
import { readEvent } from '../input/read-event.ts';
import { Counters } from '../outputs/counters.ts';
import type { Counted } from '../outputs/deltas.ts';
import { OutputMemory } from '../outputs/output-memory.ts';
import { type DeadLetter, progressRecord, rowRecords, settingRecord } from '../outputs/records.ts';
import { Settings } from '../outputs/settings.ts';
import { type PublishedTotals, publishedThrough } from '../recovery/published-totals.ts';
import { PROGRESS_KEY } from '../store/keys.ts';
import type { StateEntry, StateStore } from '../store/state-store.ts';
import { EntryFailure } from '../store/store-failure.ts';
import { EventBatch } from '../users/event-batch.ts';
import { Users } from '../users/users.ts';
import { countFolded } from './fold-metrics.ts';

/**
 * The fold of one partition, ahead of its store: changes stay in memory until they are flushed in one write, so that a
 * user is written once for many of its events.
 *
 * A transaction is any number of `fold`s, some `takeTotals`, one `flush`, and the commit of the group's offset. What
 * the first two return must be durable before `flush`: published twice is harmless, because outputs carry the offset
 * that caused them as version, and never published is not. The caller publishes one batch while it folds the next. A
 * fold that throws, or is dropped before `flush`, leaves nothing: folded from the store's offset, the same records
 * give the same bytes, however they are cut into batches.
 *
 * What looks at every record makes no closure for a batch, but for one that is compiled into its caller: V8 would drop
 * the optimized code of a function without a closure in use (decisions/016-no-closures.md).
 */
export interface PartitionFold {
  /** Totals, version and watermark after the last record folded. */
  readonly progress: PartitionProgress;
  /**
   * Folds the first of the records that follow those before, as many as memory allows, and returns their rows,
   * decisions and dead letters; `progress` tells which was the last. A batch lies on one side of the end of the
   * published totals, see `untilBoundary`.
   *
   * @param memory holds the values of the records returned, until it is released
   */
  fold(store: StateStore, records: readonly LogRecord[], memory?: OutputMemory, traces?: Traces): NewRecord[];
  /**
   * Whether the last record is folded in part, as very many conversions follow from it. Until it is folded whole, the
   * next call is `goOn`.
   */
  readonly isUnfinished: boolean;
  /** Folds another part of the last record, and returns what `fold` does; `progress` stays where it is. */
  goOn(store: StateStore, memory?: OutputMemory, traces?: Traces): NewRecord[];
  /** Goes past the record that follows those before, which was set aside: it counts as a dead letter. */
  pass(record: LogRecord): void;
  /**
   * The totals and the counters that changed since they were last taken: those of rollups, of which there are many,
   * unless they are left for later. The first time also from when on settings hold.
   */
  takeTotals(withRollups?: boolean): NewRecord[];
  /** Throws away which counters changed: they are published. */
  discardCounters(): void;
  /** True once unflushed changes have used up their share of the memory. */
  isFull(): boolean;
  /**
   * Writes users, counters, progress and what else is given in one write; of users in `expired` that didn't change only
   * ids are kept.
   */
  flush(store: StateStore, expired: readonly Buffer[], ...more: readonly StateEntry[]): void;
}

/** Share of the cache that counters may take before a flush is due and the store has them alone. */
const COUNTERS_SHARE = 0.125;

/**
 * A fold that goes on after `before`, the progress in the store.
 *
 * @param publishedTotals those that the store was rebuilt with, undefined if it never was
 * @param days those of the zone of the configuration by default, as this process knows it
 * @param cacheBytes memory for users' states and counters, in bytes, now; by default all that the node has
 */
export function newPartitionFold(
  config: AttributionConfig,
  before: PartitionProgress,
  {
    publishedTotals,
    days = reportDays(config.timeZone),
    cacheBytes = () => config.userCacheBytes,
  }: { publishedTotals?: PublishedTotals; days?: ReportDays; cacheBytes?: () => number } = {},
): PartitionFold {
  const { partition } = before;
  const counters = new Counters(partition, config.rollups, days, () => COUNTERS_SHARE * cacheBytes());
  const settings = new Settings(config, days);
  const users = new Users(config, () => cacheBytes() - counters.bytesUsed);
  const events = new EventBatch(0, users.table);
  let progress = before;
  /** The published totals include the last batch: they are not published again. */
  let isPublished = false;
  let progressTaken = before;
  const countFrom = publishedTotals?.countFrom ?? 0;
  const through = publishedThrough(publishedTotals);
  function moveOn(last: number, watermark: number, after: PartitionProgress): void {
    isPublished = last <= through;
    const totals = isPublished ? publishedTotals!.totals : after;
    progress = { ...totals, version: BigInt(last), watermark: BigInt(watermark) };
  }
  return {
    get progress() {
      return progress;
    },
    get isUnfinished() {
      return users.isUnfinished;
    },
    fold(store, records, memory = new OutputMemory(), traces = NO_TRACES) {
      const began = performance.now();
      assert(!users.isUnfinished, 'R-20: a record is folded before the one before it is');
      const isWithin = records.at(-1)!.offset <= through;
      assert(isWithin || records[0]!.offset > through, 'R-2: a batch goes across the published totals');
      const hasCounted = progress.records > 0n || countFrom > 0;
      const clock = hasCounted ? greater(progress.watermark, publishedTotals?.totals.watermark ?? 0n) : undefined;
      settings.begin(store, partition, clock, Math.max(records[0]!.offset, through + 1));
      events.begin(records.length, users.table);
      const read = readAll(records, Number(progress.watermark), events);
      const effects = users.fold(store, events, (campaignSource, ad, timestamp, offset) => {
        if (offset >= countFrom) counters.addClick(campaignSource, ad, timestamp, offset);
      });
      counters.add(store, users.table.texts, since(countFrom, effects));
      const { folded, deadLetters, watermark } = untilCut(records, read, events.cutOffset, Number(progress.watermark));
      const letters = [...deadLetters, ...refusedOf(folded, effects)];
      const after = advance(progress, folded.length, effects, letters.length);
      moveOn(folded.at(-1)!.offset, watermark, after);
      const rows = rowRecords({ partition, effects, deadLetters: letters, traces, memory });
      countFolded({ records: folded.length, events, effects, deadLetters: letters, models: config.models }, began);
      return rows;
    },
    goOn(store, memory = new OutputMemory(), traces = NO_TRACES) {
      const began = performance.now();
      const effects = users.goOn(store);
      counters.add(store, users.table.texts, since(countFrom, effects));
      moveOn(Number(progress.version), Number(progress.watermark), advance(progress, 0, effects, 0));
      countFolded({ records: 0, events: NO_EVENTS, effects, deadLetters: [], models: config.models }, began);
      return rowRecords({ partition, effects, deadLetters: [], traces, memory });
    },
    pass({ offset, appendTime }) {
      moveOn(offset, Math.max(Number(progress.watermark), appendTime), advance(progress, 1, newEffects(), 1));
    },
    takeTotals(withRollups = true) {
      assert(!users.isUnfinished, 'R-20: counts would be published of a record that is folded in part');
      // What counters mean stands before them in the log.
      const changed = settings.takeUnpublished().map(settingRecord);
      for (const record of counters.takeChanged(withRollups)) changed.push(record);
      if (isPublished || progress === progressTaken) return changed;
      progressTaken = progress;
      return [...changed, progressRecord(progress)];
    },
    discardCounters() {
      counters.takeChanged();
      progressTaken = progress;
    },
    isFull: () => users.isFull() || counters.isFull(),
    flush(store, expired, ...more) {
      const value = Buffer.from(toBinary(PartitionProgressSchema, progress));
      const { deletes, puts, appends } = users.takeChanges(store, expired, Number(progress.watermark));
      const others = [...settings.takeDirty(), ...more, { key: PROGRESS_KEY, value }];
      store.write({ deletes, puts: oneAfterTheOther(puts, counters.takeDirty(), others), appends });
      users.dropForgottenIds(store, Number(progress.watermark));
      counters.forgetIfFull();
      users.forgetTexts();
    },
  };
}

const NO_EVENTS = { kinds: [], count: 0 };

/** What is counted of records from an offset on. */
function since(from: number, { clicks, changes }: Effects): Counted {
  const isSince = ({ offset }: { offset: number }) => offset >= from;
  return { clicks: clicks.filter(isSince), changes: changes.filter(isSince) };
}

/** Letters of the events that could be read, but not be folded. */
function refusedOf(records: readonly LogRecord[], { refused }: Effects): DeadLetter[] {
  return refused.map(({ offset, reason }) => ({ record: records.find((each) => each.offset === offset)!, reason }));
}

function greater(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}

interface Folded {
  folded: readonly LogRecord[];
}

interface Read {
  deadLetters: readonly DeadLetter[];
  /** The greatest append time, in ms. */
  watermark: number;
}

/** What was read of the records before an offset. */
function untilCut(records: readonly LogRecord[], read: Read, offset: number, before: number): Read & Folded {
  if (offset === Number.POSITIVE_INFINITY) return { folded: records, ...read };
  const folded = records.slice(
    0,
    records.findIndex((record) => record.offset >= offset),
  );
  const deadLetters = read.deadLetters.filter(({ record }) => record.offset < offset);
  const watermark = folded.reduce((greatest, { appendTime }) => Math.max(greatest, appendTime), before);
  return { folded, deadLetters, watermark };
}

/** Entries whose making is the fold's: what it fails with is no fault of the store that takes them. */
function* oneAfterTheOther(...all: Iterable<StateEntry>[]): Generator<StateEntry> {
  try {
    for (const entries of all) yield* entries;
  } catch (error) {
    throw new EntryFailure(error);
  }
}

function readAll(records: readonly LogRecord[], before: number, events: EventBatch): Read {
  const deadLetters: DeadLetter[] = [];
  let watermark = before;
  for (const record of records) {
    watermark = Math.max(watermark, record.appendTime);
    const reason = readEvent(record, watermark, events);
    if (reason !== undefined) deadLetters.push({ record, reason });
  }
  return { deadLetters, watermark };
}

/** The totals of `before` with those of a batch. */
function advance(before: PartitionProgress, records: number, effects: Effects, deadLettered: number) {
  const { totals, duplicates } = effects;
  const after = {
    ...before,
    records: before.records + BigInt(records),
    deadLettered: before.deadLettered + BigInt(deadLettered),
  };
  for (const name of Object.keys(totals) as (keyof Totals)[]) {
    const total = after[name] + BigInt(totals[name]);
    // A state that was rebuilt from a part of the log may take back what its totals have not counted as such.
    after[name] = total < 0n ? 0n : total;
  }
  for (const type of EVENT_TYPES) after[KINDS[type].duplicates] += BigInt(duplicates[type]);
  return after;
}
