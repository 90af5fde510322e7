import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import { type LogRecord, type NewRecord, OffsetOutOfRange } from '../../log/event-log.ts';
import { NO_TRACES, type Traces, withRecordSpans } from '../../telemetry/tracing.ts';
import { OutputMemory } from '../outputs/output-memory.ts';
import { type Checkpointer, newCheckpointer } from '../recovery/checkpointer.ts';
import { behind, loadPublishedTotals, publishedThrough, untilBoundary } from '../recovery/published-totals.ts';
import type { PartitionStatus } from '../status.ts';
import { nextOffset } from '../store/progress.ts';
import { withKnownFailures } from '../store/store-failure.ts';
import { newSweep } from '../store/sweep.ts';
import { FoldFailure } from './caution.ts';
import { committedOffset, type Opened, openPartition } from './opening.ts';
import { isOutage, pause, RETRY_MS, retrying, type Waiter } from './outage.ts';
import { newPartitionFold } from './partition-fold.ts';
import {
  hasUnpublishedCounters,
  positionOf,
  publishAll,
  publishNext,
  publishTotals,
  takeTotals,
  trackPublishing,
} from './publishing.ts';
import { type PartitionDeps, phaseOf, type Run } from './run.ts';

/** Most bytes of raw events in one batch: some thousands of events, some tens of ms. */
const BATCH_BYTES = 512 * 1024;

/**
 * Pause after a batch that reached the end of the log, in ms: at low rates many events then share one batch, and one
 * publication of the counters that they change.
 */
const LINGER_MS = 50;

/**
 * Longest that the fold runs ahead of its store, in ms, at the end of the log and behind it. A crash makes it fold, and
 * publish, that much again; the longer it is, the fewer writes there are of the same user and counter.
 */
const FLUSH_MS = { caughtUp: 1_000, behind: 30_000 };

/**
 * Most records that the fold runs ahead of its store: folding them again takes some seconds, and writing them blocks
 * the thread, and with it the group's heartbeats, for half a second. With each flush counters are published that would
 * only change again, those of rollups above all.
 */
const FLUSH_RECORDS = 500_000;

/** Longest wait for a record, in ms; a checkpoint may be late by as much. */
const READ_WAIT_MS = 10_000;

/** Pause between two looks of a standby at the group's offset, in ms. */
const FOLLOW_MS = 250;

/**
 * Folds one partition of raw-events until `signal` aborts; then finishes its batch, flushes and closes the store. Keeps
 * `status` up to date. An outage of the log makes it wait; a record that the fold fails at is set aside in
 * raw-events.DLT; it rejects with every other failure.
 *
 * An active consumer works in transactions, each of many batches: publish, flush, commit. Before the group's offset
 * nothing is published (replaying), and a standby stays before it. RECOVERY.md has the positions, transactions, phases
 * and invariants.
 */
export async function consumePartition(
  deps: PartitionDeps,
  status: PartitionStatus,
  signal: AbortSignal,
): Promise<void> {
  const { partition } = status;
  const waiter = { partition, logger: deps.logger, signal };
  while (!signal.aborted) {
    const opened = await openPartition(deps, status, waiter);
    if (opened === undefined) return;
    try {
      return await fold(deps, status, waiter, opened);
    } catch (error) {
      if (error instanceof FoldFailure) {
        deps.logger.error({ partition, err: error }, 'the fold failed, going on with caution from what is stored');
        await turn();
        continue;
      }
      if (!(error instanceof OffsetOutOfRange)) throw error;
      deps.logger.error({ partition, err: error }, 'the log has gone on without this state');
      await pause(RETRY_MS, signal);
    }
  }
}

async function fold(
  deps: PartitionDeps,
  status: PartitionStatus,
  waiter: Waiter,
  { store, next, committed, days, aside, apart, caution }: Opened,
): Promise<void> {
  const { config, checkpoints } = deps;
  const { signal } = waiter;
  const publishedTotals = loadPublishedTotals(store);
  const run: Run = {
    deps,
    status,
    waiter,
    store,
    fold: newPartitionFold(config, status.progress, {
      ...{ publishedTotals, days, cacheBytes: deps.cacheBytes },
      apart: {
        get size() {
          return apart.size;
        },
        has: (offset) => apart.has(offset),
        begin: (offset) => beginApart(run, offset),
      },
    }),
    sweep: newSweep(config),
    expired: [],
    publishedThrough: publishedThrough(publishedTotals),
    nextOffset: next,
    committed,
    aside,
    apart,
    caution,
    flushed: next,
    countersTaken: next,
    rollupsTaken: next,
    rollupsTakenAt: performance.now(),
    publishing: Promise.resolve(),
    unfolded: [],
    unflushed: 0,
    flushedAt: performance.now(),
    startedAt: performance.now(),
  };
  const isActive = status.role === 'active';
  const checkpointer = isActive && checkpoints ? newCheckpointer(deps, checkpoints, status) : undefined;
  status.trouble = caution.troubleAt(next);
  // What is stored is published: the node that did so ended before it had committed.
  commit(run);
  try {
    while (!signal.aborted) await step(run, checkpointer);
    await flush(run);
  } catch (error) {
    // What could not be published is not flushed either: the partition's next consumer folds it again.
    if (!signal.aborted || !isOutage(error)) throw error;
  } finally {
    await run.publishing.catch(() => {});
    await checkpointer?.close();
    await run.store.close();
  }
}

/** Waits for records, folds them, and flushes when it is time. */
async function step(run: Run, checkpointer: Checkpointer | undefined): Promise<void> {
  const { status, waiter } = run;
  status.restoring &&= phaseOf(run) === 'replaying';
  if (run.fold.unfinished !== undefined) await goOn(run);
  if (mustGoOn(run)) return;
  const records = (await retrying(waiter, () => readBatch(run))) ?? [];
  const isCaughtUp = records.length === 0 || (await foldNext(run, records));
  if (records.length === 0) run.caution.attempt(run.store, run.flushed, run.nextOffset, publishTotals, run, false);
  // Appends go out before the next batch takes the thread.
  await turn();
  if (run.fold.unfinished !== undefined) {
    // What is not flushed meanwhile is published as if it were.
    const isDue = isCaughtUp && !mustGoOn(run) && performance.now() - run.rollupsTakenAt >= FLUSH_MS.caughtUp;
    if (isDue) run.caution.attempt(run.store, run.flushed, run.nextOffset, publishTotals, run, true);
    return;
  }
  if (checkpointer?.isDue()) {
    await flush(run);
    assert(run.unflushed === 0, 'R-12: the store is not at the offset of its checkpoint');
    run.store = withKnownFailures(await checkpointer.take(run.store));
  } else if (isFlushDue(run, isCaughtUp)) {
    await flush(run);
  }
  if (isCaughtUp) run.caution.relax(run.flushed);
  if (!status.restoring && isCaughtUp) await pause(LINGER_MS, waiter.signal);
}

/**
 * Whether records have to wait until one is done that is folded in part: the next one, before anything counts that is
 * not published; and when a flush is due.
 */
function mustGoOn(run: Run): boolean {
  const { fold } = run;
  return fold.unfinished !== undefined && (fold.mustGoOn || phaseOf(run) !== 'live' || isFlushDue(run, false));
}

/** Folds another part of a record, and begins to publish what follows, unless it is published already. */
async function goOn(run: Run): Promise<void> {
  const { caution, store, fold, publishing } = run;
  const offset = fold.unfinished!;
  caution.attempt(store, offset, offset + 1, foldPart, run, offset);
  await publishing;
  await turn();
}

function foldPart(run: Run, offset: number): void {
  const { fold, store, status } = run;
  const memory = new OutputMemory();
  const rows = fold.goOn(store, memory);
  const isReplayed = offset < run.committed;
  if (fold.unfinished === undefined) advance(run, nextOffset(fold.progress)!);
  if (isReplayed) {
    memory.release();
    if (fold.unfinished === undefined) Object.assign(status, positionOf(run));
    return;
  }
  if (fold.unfinished !== offset) {
    run.countersTaken = Math.min(run.countersTaken, offset);
    run.rollupsTaken = Math.min(run.rollupsTaken, offset);
  }
  trackPublishing(
    run,
    publishNext(run, rows).then(() => memory.release()),
  );
}

/**
 * Whether a record that is folded in part counts apart: if it has a notice, which it gets where nothing is published
 * that has counted it with the rest.
 */
function beginApart(run: Run, offset: number): boolean {
  if (run.apart.has(offset)) return true;
  if (run.status.role !== 'active' || phaseOf(run) !== 'live') return false;
  trackPublishing(run, publishNext(run, [run.apart.notice(offset)]));
  return true;
}

/** Whether all of the log is folded, as far as it was seen. */
function isAtEnd({ deps, status, nextOffset }: Run): boolean {
  return nextOffset >= deps.log.endSeen('raw-events', status.partition);
}

/** Records of one phase: none at the end of the log or, for a standby, at the group's offset. */
async function readBatch(run: Run): Promise<readonly LogRecord[]> {
  const { deps, waiter, unfolded } = run;
  const { partition, signal } = waiter;
  if (unfolded.length > 0) return unfolded;
  if (mustWait(run)) await follow(run);
  if (mustWait(run)) {
    await pause(FOLLOW_MS, signal);
    return [];
  }
  const options = { maxBytes: BATCH_BYTES, waitMs: waitMs(run), signal };
  const read = await deps.log.read('raw-events', { partition, offset: run.nextOffset }, options);
  // Offsets may have gaps, such as those of control records, and a phase may end in one.
  if (read.length > 0) advance(run, read[0]!.offset);
  const { aside, caution, nextOffset } = run;
  const boundaries = [aside.boundaryAfter(nextOffset), caution.boundaryAfter(nextOffset)];
  return mustWait(run) ? [] : untilBoundary(read, [run.committed, run.publishedThrough + 1, ...boundaries]);
}

/** Whether the next record is for the partition's active consumer to fold, or set aside: this one is a standby. */
function mustWait(run: Run): boolean {
  return run.status.role === 'standby' && (phaseOf(run) !== 'replaying' || verdictOnNext(run) !== undefined);
}

/** Why the next record is to be set aside; undefined if it is not, or was. */
function verdictOnNext({ aside, caution, nextOffset }: Run): string | undefined {
  return aside.has(nextOffset) ? undefined : caution.verdictOn(nextOffset);
}

/** Looks how far the active consumer has come, and what it set aside: a letter is older than a commit behind it. */
async function follow(run: Run): Promise<void> {
  const committed = await committedOffset(run.deps.log, run.status.partition);
  if (committed !== run.committed) {
    await run.aside.update();
    await run.apart.update();
  }
  run.committed = committed;
}

/** How long to wait for records, in ms, before there is something else to do. */
function waitMs(run: Run): number {
  if (run.fold.unfinished !== undefined) return 0;
  if (hasUnpublishedCounters(run)) return LINGER_MS;
  return run.unflushed > 0 ? FLUSH_MS.caughtUp : READ_WAIT_MS;
}

/**
 * Folds records, or sets one aside, and returns whether it folded the log to its end. Resolves when the outputs of the
 * batch before are durable; those of this one may still be under way, while the next batch is read and folded.
 */
async function foldNext(run: Run, records: readonly LogRecord[]): Promise<boolean> {
  const reason = verdictOnNext(run);
  if (reason !== undefined) await run.aside.setAside(records[0]!, reason, run.waiter);
  const before = run.publishing;
  const { caution, store, nextOffset } = run;
  const isCaughtUp = caution.attempt(store, nextOffset, records.at(-1)!.offset + 1, foldBatch, run, records);
  await before;
  return isCaughtUp;
}

/** Folds records and begins to publish what follows, unless it is published already. Returns as `foldNext` does. */
function foldBatch(run: Run, records: readonly LogRecord[]): boolean {
  if (phaseOf(run) === 'replaying') return replay(run, records);
  assert(run.status.role === 'active', 'R-8: a standby folds nothing that is not published');
  let isCaughtUp = false;
  const publishing = withRecordSpans('attribute', 'raw-events', records, (traces) => {
    const memory = new OutputMemory();
    const rows = foldRecords(run, records, memory, traces);
    isCaughtUp = isAtEnd(run);
    // While there is more to fold, counters would only change again.
    const outputs = isCaughtUp ? [...rows, ...takeTotals(run, false)] : rows;
    return publishNext(run, outputs).then(() => memory.release());
  });
  trackPublishing(run, publishing);
  return isCaughtUp;
}

/** Folds records before the group's offset: what follows from them is published. */
function replay(run: Run, records: readonly LogRecord[]): boolean {
  const memory = new OutputMemory();
  foldRecords(run, records, memory, NO_TRACES);
  memory.release();
  assert(run.nextOffset <= run.committed, 'R-2: a replayed batch goes across the group offset');
  if (run.status.restoring) countReplayed(run, records.slice(0, records.length - run.unfolded.length));
  if (run.fold.unfinished === undefined) Object.assign(run.status, positionOf(run));
  return isAtEnd(run);
}

function foldRecords(run: Run, records: readonly LogRecord[], memory: OutputMemory, traces: Traces): NewRecord[] {
  const { store, fold } = run;
  let rows: NewRecord[] = [];
  if (run.aside.has(records[0]!.offset)) fold.pass(records[0]!);
  else rows = fold.fold(store, records, memory, traces);
  const next = nextOffset(fold.progress)!;
  run.expired.push(...run.sweep.next(store, Number(fold.progress.watermark)));
  run.unfolded = behind(records, next);
  run.unflushed += records.length - run.unfolded.length;
  // A phase ends when all of its records are done.
  const isNext = fold.unfinished !== undefined && phaseOf(run) !== 'live';
  advance(run, isNext ? fold.unfinished! : next);
  return rows;
}

/** Goes on to an offset. A replay that ends there throws away the counters that it changed: they are published. */
function advance(run: Run, nextOffset: number): void {
  const wasReplaying = phaseOf(run) === 'replaying';
  assert(nextOffset >= run.nextOffset, 'L-3: the log went back');
  run.nextOffset = nextOffset;
  if (!wasReplaying || phaseOf(run) === 'replaying') return;
  run.fold.discardCounters();
  run.countersTaken = run.rollupsTaken = nextOffset;
}

function isFlushDue({ fold, unflushed, flushedAt, flushed, caution }: Run, isCaughtUp: boolean): boolean {
  const limitMs = isCaughtUp ? FLUSH_MS.caughtUp : FLUSH_MS.behind;
  const isLate = unflushed > 0 && performance.now() - flushedAt >= limitMs;
  return isLate || unflushed >= FLUSH_RECORDS || fold.isFull() || caution.isWatching(flushed);
}

/** Ends a transaction: publishes what is not yet published, writes the state, commits. */
async function flush(run: Run): Promise<void> {
  const { status, store, caution, flushed, nextOffset } = run;
  if (run.unflushed === 0 || run.fold.unfinished !== undefined) return;
  await publishAll(run);
  caution.attempt(store, flushed, nextOffset, writeState, run);
  status.stateBytes = store.bytes();
  status.trouble = caution.troubleAt(nextOffset);
  commit(run);
}

function writeState(run: Run): void {
  const isPublished = run.status.progress === run.fold.progress && !hasUnpublishedCounters(run, run.rollupsTaken);
  assert(isPublished, 'R-1: what is not published would be flushed');
  run.fold.flush(run.store, run.expired, run.aside.note(run.nextOffset), run.apart.note(run.nextOffset));
  run.expired = [];
  run.unflushed = 0;
  run.flushed = run.nextOffset;
  run.flushedAt = performance.now();
}

/** Commits what is folded, unless the group is as far. */
function commit({ deps, status, nextOffset, committed, unflushed }: Run): void {
  if (status.role !== 'active' || nextOffset <= committed) return;
  assert(unflushed === 0, 'R-1: what is not flushed would be committed');
  deps.commit(status.partition, nextOffset);
}

function countReplayed({ status, startedAt }: Run, records: readonly LogRecord[]): void {
  const recovery = status.recovery!;
  recovery.replayedRecords += records.length;
  for (const { size } of records) recovery.replayedBytes += size;
  recovery.replayMs = performance.now() - startedAt;
}
