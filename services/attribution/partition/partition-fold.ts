import assert from 'node:assert/strict';
import { toBinary } from '@bufbuild/protobuf';
import { type PartitionProgress, PartitionProgressSchema } from '../../../gen/ts/clickmesh/v1/attribution_pb.js';
import { type ReportDays, reportDays } from '../../contract/report-days.ts';
import type { LogRecord, NewRecord } from '../../log/event-log.ts';
import { NO_TRACES, type TraceHeaders, type Traces } from '../../telemetry/tracing.ts';
import type { AttributionConfig } from '../decision/config.ts';
import { type Effects, newEffects } from '../decision/effects.ts';
import { readEvent } from '../input/read-event.ts';
import { OutputMemory } from '../outputs/output-memory.ts';
import { type DeadLetter, progressRecord, rowRecords, settingRecord } from '../outputs/records.ts';
import { Settings } from '../outputs/settings.ts';
import { type PublishedTotals, publishedThrough } from '../recovery/published-totals.ts';
import { PROGRESS_KEY } from '../store/keys.ts';
import type { StateEntry, StateStore } from '../store/state-store.ts';
import { EntryFailure } from '../store/store-failure.ts';
import { EventBatch } from '../users/event-batch.ts';
import { Users } from '../users/users.ts';
import { type Apart, Counting, NONE_APART } from './counting.ts';
import { countFolded } from './fold-metrics.ts';
import { RunningTotals } from './running-totals.ts';

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
   * Offset of the first record that is folded in part, as very many conversions follow from it, undefined if none is;
   * so is the last record of a `fold` that has made it, or another. Until all are folded whole, `progress` has not all
   * that it says, and nothing is flushed.
   */
  readonly unfinished: number | undefined;
  /** Whether the next call is `goOn`: no other record may be folded before one is that is folded in part. */
  readonly mustGoOn: boolean;
  /** Folds another part of the first record that is folded in part, and returns what `fold` does. */
  goOn(store: StateStore, memory?: OutputMemory): NewRecord[];
  /** Goes past the record that follows those before, which was set aside: it counts as a dead letter. */
  pass(record: LogRecord): void;
  /**
   * The totals and the counters that changed since they were last taken: those of rollups, of which there are many,
   * unless they are left for later; and while a record is folded in part, neither the totals nor the counters of what
   * counts apart. The first time also from when on settings hold.
   *
   * @param most records to be taken at once: if there are less, these are all. The totals are the last one
   */
  takeTotals(withRollups?: boolean, most?: number): NewRecord[];
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

export interface PartitionFoldOptions {
  /** Those that the store was rebuilt with, undefined if it never was. */
  publishedTotals?: PublishedTotals;
  /** Those of the zone of the configuration by default, as this process knows it. */
  days?: ReportDays;
  /** Which records count apart; none by default. */
  apart?: Apart;
  /** Memory for users' states and counters, in bytes, now; by default all that the node has. */
  cacheBytes?: () => number;
}

/** A fold that goes on after `before`, the progress in the store. */
export function newPartitionFold(
  config: AttributionConfig,
  before: PartitionProgress,
  options: PartitionFoldOptions = {},
): PartitionFold {
  const { publishedTotals, days = reportDays(config.timeZone), apart = NONE_APART } = options;
  const { cacheBytes = () => config.userCacheBytes } = options;
  const { partition } = before;
  const countFrom = publishedTotals?.countFrom ?? 0;
  const counters = new Counting(config, partition, { days, from: countFrom, apart, cacheBytes });
  const settings = new Settings(config, days);
  const users = new Users(config, () => cacheBytes() - counters.bytesUsed);
  const events = new EventBatch(0, users.table);
  const totals = new RunningTotals(before, publishedTotals);
  /** Of the records that are folded in part, by their offsets, what their outputs are traced by. */
  const inParts = new Map<number, TraceHeaders>();
  const through = publishedThrough(publishedTotals);
  return {
    get progress() {
      return totals.progress;
    },
    get unfinished() {
      return users.unfinished.offset;
    },
    get mustGoOn() {
      return users.unfinished.areInTheWay || !areApart(inParts, apart);
    },
    fold(store, records, memory = new OutputMemory(), traces = NO_TRACES) {
      const began = performance.now();
      assert(!this.mustGoOn, 'R-20: a record is folded before one is that it has to wait for');
      const isWithin = records.at(-1)!.offset <= through;
      assert(isWithin || records[0]!.offset > through, 'R-2: a batch goes across the published totals');
      const { progress } = totals;
      const hasCounted = progress.records > 0n || countFrom > 0;
      const clock = hasCounted ? greater(progress.watermark, publishedTotals?.totals.watermark ?? 0n) : undefined;
      settings.begin(store, partition, clock, Math.max(records[0]!.offset, through + 1));
      events.begin(records.length, users.table);
      const read = readAll(records, Number(progress.watermark), events);
      const effects = users.fold(store, events, (campaignSource, ad, timestamp, offset) => {
        counters.addClick(campaignSource, ad, timestamp, offset);
      });
      const inPart = users.unfinished.last;
      if (inPart !== undefined && !inParts.has(inPart)) {
        inParts.set(inPart, traces.get(inPart) ?? {});
        apart.begin(inPart);
      }
      counters.add(store, users.table, effects);
      const { folded, deadLetters, watermark } = untilCut(records, read, events.cutOffset, Number(progress.watermark));
      const letters = [...deadLetters, ...refusedOf(folded, effects)];
      const of = { records: folded.length, effects, deadLetters: letters.length, isWhole: inParts.size === 0 };
      totals.moveOn(folded.at(-1)!.offset, watermark, of);
      const rows = rowRecords({ partition, effects, deadLetters: letters, traces, memory });
      countFolded({ records: folded.length, events, effects, deadLetters: letters, models: config.models }, began);
      return rows;
    },
    goOn(store, memory = new OutputMemory()) {
      const began = performance.now();
      const offset = users.unfinished.offset!;
      const traces = new Map([[offset, inParts.get(offset)!]]);
      const effects = users.goOn();
      if (users.unfinished.offset !== offset) inParts.delete(offset);
      counters.add(store, users.table, effects);
      totals.add(offset, effects, inParts.size === 0);
      countFolded({ records: 0, events: NO_EVENTS, effects, deadLetters: [], models: config.models }, began);
      return rowRecords({ partition, effects, deadLetters: [], traces, memory });
    },
    pass({ offset, appendTime }) {
      const of = { records: 1, effects: newEffects(), deadLetters: 1, isWhole: inParts.size === 0 };
      totals.moveOn(offset, Math.max(Number(totals.progress.watermark), appendTime), of);
    },
    takeTotals(withRollups = true, most = Number.POSITIVE_INFINITY) {
      assert(areApart(inParts, apart), 'R-20: counts would be published of a record that is folded in part');
      // What counters mean stands before them in the log.
      const changed = settings.takeUnpublished().map(settingRecord);
      const isWhole = inParts.size === 0;
      for (const record of counters.takeChanged(withRollups, isWhole, most)) changed.push(record);
      if (isWhole && changed.length < most) changed.push(...totals.take().map(progressRecord));
      return changed;
    },
    discardCounters() {
      counters.takeChanged(true, true);
      totals.discard();
    },
    isFull: () => users.isFull() || counters.isFull(),
    flush(store, expired, ...more) {
      assert(inParts.size === 0, 'R-20: a record would be stored that is folded in part');
      write({ users, counters, settings, progress: totals.progress }, store, expired, more);
    },
  };
}

interface Written {
  users: Users;
  counters: Counting;
  settings: Settings;
  progress: PartitionProgress;
}

/** Writes what changed, and then lets go what there is no memory for. */
function write(
  { users, counters, settings, progress }: Written,
  store: StateStore,
  expired: readonly Buffer[],
  more: readonly StateEntry[],
): void {
  const value = Buffer.from(toBinary(PartitionProgressSchema, progress));
  const { deletes, puts, appends } = users.takeChanges(store, expired, Number(progress.watermark));
  const others = [...settings.takeDirty(), ...more, { key: PROGRESS_KEY, value }];
  store.write({ deletes, puts: oneAfterTheOther(puts, counters.takeDirty(), others), appends });
  users.dropForgottenIds(store, Number(progress.watermark));
  counters.forgetIfFull();
  users.forgetTexts();
}

const NO_EVENTS = { kinds: [], count: 0 };

/** Whether all these records, which are folded in part, count apart. */
function areApart(offsets: ReadonlyMap<number, unknown>, apart: Apart): boolean {
  for (const offset of offsets.keys()) if (!apart.has(offset)) return false;
  return true;
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
