import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { PartitionProgress } from '../../../gen/ts/clickmesh/v1/attribution_pb.js';
import {
  type EventLog,
  LogFull,
  type LogRecord,
  LogUnavailable,
  type NewRecord,
  OffsetOutOfRange,
} from '../../log/event-log.ts';
import { NO_TRACES, type Traces, withRecordSpans } from '../../telemetry/tracing.ts';
import type { AttributionConfig } from '../decision/config.ts';
import { OutputMemory } from '../outputs/encode-outputs.ts';
import { type Checkpointer, type CheckpointSettings, newCheckpointer } from '../recovery/checkpointer.ts';
import {
  loadPublishedTotals,
  type PublishedTotals,
  publishedThrough,
  untilBoundary,
} from '../recovery/published-totals.ts';
import { type RecoveredStore, recoverStore } from '../recovery/recover.ts';
import type { PartitionStatus } from '../status.ts';
import { loadProgress, nextOffset } from '../store/progress.ts';
import type { StateStore, StateStores } from '../store/state-store.ts';
import { newSweep, type Sweep } from '../store/sweep.ts';
import { newPartitionFold, type PartitionFold } from './partition-fold.ts';
import { publish } from './publish.ts';

/** The consumer group that attribution is. */
export const GROUP = 'attribution';

/** Most bytes of raw events in one batch: some thousands of events, some tens of ms. */
const BATCH_BYTES = 512 * 1024;

/**
 * Pause after a batch that took all there was, in ms. At low rates it makes one batch, with its changed counters, of
 * many events.
 */
const LINGER_MS = 50;

/**
 * How long a fold may be ahead of its store, in ms, where it has caught up with the log and where it has not. What a
 * crash loses is folded, and published, again; but the longer, the fewer writes of the same user and counter.
 */
const FLUSH_MS = { caughtUp: 1_000, behind: 30_000 };

/**
 * The same in records: what a crash loses is folded again in a second or two, and writing it holds the thread, and with it
 * the heartbeats to the group, for some tenths of a second.
 */
const FLUSH_RECORDS = 250_000;

/** Longest wait for a record, in ms; a checkpoint may come that much late. */
const READ_WAIT_MS = 10_000;

/** Pause before a partition tries again when the log is down, in ms. */
const RETRY_MS = 500;

/** Pause before a standby looks again how far the group has come, in ms. */
const FOLLOW_MS = 250;

export interface PartitionDeps {
  config: AttributionConfig;
  log: EventLog;
  logger: Logger;
  stores: StateStores;
  /** About how many bytes of users' states this partition may keep in memory, now. */
  cacheBytes(): number;
  /** Where and how often checkpoints are taken; none where it is absent. */
  checkpoints?: CheckpointSettings;
  /** Notes for the group that everything before this offset is folded and published. */
  commit(partition: number, offset: number): void;
}

/** One partition's fold under way. */
interface Run {
  deps: PartitionDeps;
  status: PartitionStatus;
  signal: AbortSignal;
  store: StateStore;
  fold: PartitionFold;
  sweep: Sweep;
  /** What the sweep found, to be deleted with the next flush. */
  expired: Buffer[];
  publishedTotals: PublishedTotals | undefined;
  nextOffset: number;
  /** Settles when all is durable that was to be published so far; what fails is thrown where this is awaited. */
  publishing: Promise<void>;
  /** Some counters have changed since they were last handed to the publisher. */
  countersUnpublished: boolean;
  /** Records folded since the last flush, and when that was by performance.now(). */
  unflushed: number;
  flushedAt: number;
  /** What follows from records before this offset is published. */
  committed: number;
  /** By performance.now(). */
  startedAt: number;
}

/**
 * Folds one partition of raw-events until `signal` aborts; then finishes its batch and closes the store. Keeps `status`
 * up to date.
 *
 * What follows from records before the group's offset is published and not published again. An active consumer
 * publishes the rest: first it publishes, then it flushes its state, then it commits. A crash in between publishes the
 * same again with the same versions, which changes nothing. A standby stays behind the group's offset: a state that
 * is ahead of what is published would leave a gap when it becomes active.
 *
 * Throws what is no passing fault of the log: the fold must not go on past a record it could not fold.
 */
export async function consumePartition(
  deps: PartitionDeps,
  status: PartitionStatus,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    const startedAt = performance.now();
    const recovered = await retrying(deps, status, signal, async () => {
      const committed = await committedOffset(deps.log, status.partition);
      const stop = signal;
      return { ...(await recoverStore(deps, { partition: status.partition, committed, stop })), committed };
    });
    if (recovered === undefined) return;
    begin(status, recovered, performance.now() - startedAt);
    try {
      return await fold(deps, status, signal, recovered);
    } catch (error) {
      if (!(error instanceof OffsetOutOfRange)) throw error;
      deps.logger.error({ partition: status.partition, err: error }, 'the log has gone on without this state');
      await pause(RETRY_MS, signal);
    }
  }
}

function begin(status: PartitionStatus, recovered: RecoveredStore, loadMs: number): void {
  const { store, next, checkpoint, loadedBytes } = recovered;
  const source = status.followed && recovered.source === 'local' ? 'standby' : recovered.source;
  status.recovery ??= { source, loadMs, loadedBytes, replayedRecords: 0, replayedBytes: 0, replayMs: 0 };
  status.checkpoint ??= checkpoint;
  status.progress = progressBefore(store, status.partition, next);
  status.nextOffset = next;
}

/** The totals and the watermark to go on from; of a store that nothing was folded on to yet, those of its published totals. */
function progressBefore(store: StateStore, partition: number, next: number): PartitionProgress {
  const progress = loadProgress(store, partition);
  const publishedTotals = loadPublishedTotals(store);
  const isFirst = nextOffset(progress) === undefined;
  return isFirst && publishedTotals !== undefined && next > publishedThrough(publishedTotals)
    ? publishedTotals.totals
    : progress;
}

async function fold(
  deps: PartitionDeps,
  status: PartitionStatus,
  signal: AbortSignal,
  { store, next, committed }: RecoveredStore & { committed: number },
): Promise<void> {
  const { config, checkpoints } = deps;
  const publishedTotals = loadPublishedTotals(store);
  const run: Run = {
    deps,
    status,
    signal,
    store,
    fold: newPartitionFold(config, status.progress, { publishedTotals, cacheBytes: deps.cacheBytes }),
    sweep: newSweep(config),
    expired: [],
    publishedTotals,
    nextOffset: next,
    committed,
    publishing: Promise.resolve(),
    countersUnpublished: false,
    unflushed: 0,
    flushedAt: performance.now(),
    startedAt: performance.now(),
  };
  const isActive = status.role === 'active';
  const checkpointer = isActive && checkpoints ? newCheckpointer({ ...deps, checkpoints }, status) : undefined;
  // This node published, and died before it could say so.
  if (isActive && next > committed) deps.commit(status.partition, next);
  try {
    while (!signal.aborted) await step(run, checkpointer);
    await flush(run);
  } catch (error) {
    // What could not be published is not flushed either: it is folded again by who comes next.
    if (!signal.aborted || !isOutage(error)) throw error;
  } finally {
    await run.publishing.catch(() => {});
    await checkpointer?.close();
    await run.store.close();
  }
}

/** Waits for records and folds them. */
async function step(run: Run, checkpointer: Checkpointer | undefined): Promise<void> {
  const { deps, status, signal } = run;
  status.restoring &&= run.nextOffset < run.committed;
  const records = (await retrying(deps, status, signal, () => readBatch(run))) ?? [];
  const isCaughtUp = isEnd(run, records);
  if (records.length > 0) await foldBatch(run, records, isCaughtUp);
  else publishTotals(run);
  // What is to be published is sent before the next batch takes the thread for itself.
  await turn();
  if (checkpointer?.isDue()) {
    await flush(run);
    run.store = await checkpointer.take(run.store);
  } else if (isFlushDue(run, isCaughtUp)) {
    await flush(run);
  }
  if (!status.restoring && isCaughtUp) await pause(LINGER_MS, signal);
}

/** Whether there was nothing behind these records when they were read. */
function isEnd({ deps, status }: Run, records: readonly LogRecord[]): boolean {
  const last = records.at(-1);
  return last === undefined || last.offset + 1 >= deps.log.endSeen('raw-events', status.partition);
}

async function readBatch(run: Run): Promise<readonly LogRecord[]> {
  const { deps, status, signal } = run;
  const { partition, role } = status;
  if (role === 'standby' && run.nextOffset >= run.committed) {
    run.committed = await committedOffset(deps.log, partition);
    if (run.nextOffset >= run.committed) {
      await pause(FOLLOW_MS, signal);
      return [];
    }
  }
  const published = run.publishedTotals === undefined ? -1 : Number(publishedThrough(run.publishedTotals));
  const options = { maxBytes: BATCH_BYTES, waitMs: waitMs(run), signal };
  const read = await deps.log.read('raw-events', { partition, offset: run.nextOffset }, options);
  return untilBoundary(read, [run.committed, published + 1]);
}

/** How long to wait for records while there is nothing else to do. */
function waitMs({ countersUnpublished, unflushed }: Run): number {
  if (countersUnpublished) return LINGER_MS;
  return unflushed > 0 ? FLUSH_MS.caughtUp : READ_WAIT_MS;
}

/**
 * Folds records and begins to publish what follows from them, unless it is published already. Meanwhile the next batch
 * may be folded; it waits here until this one is published.
 */
async function foldBatch(run: Run, records: readonly LogRecord[], isCaughtUp: boolean): Promise<void> {
  if (run.nextOffset < run.committed) return replay(run, records);
  const before = run.publishing;
  const publishing = withRecordSpans('attribute', 'raw-events', records, (traces) => {
    const memory = new OutputMemory();
    const rows = foldRecords(run, records, memory, traces);
    // While there is more to fold, counters would only change again.
    run.countersUnpublished = !isCaughtUp;
    const outputs = run.countersUnpublished ? rows : [...rows, ...run.fold.takeTotals()];
    return publishNext(run, outputs).then(() => memory.release());
  });
  trackPublishing(run, publishing);
  await before;
}

/** Folds records from which nothing follows that is not published. */
function replay(run: Run, records: readonly LogRecord[]): void {
  const memory = new OutputMemory();
  foldRecords(run, records, memory, NO_TRACES);
  memory.release();
  if (run.nextOffset >= run.committed) run.fold.takeTotals();
  if (run.status.restoring) countReplayed(run, records);
  noteStatus(run.status, positionOf(run));
}

function foldRecords(run: Run, records: readonly LogRecord[], memory: OutputMemory, traces: Traces): NewRecord[] {
  const { store } = run;
  const rows = run.fold.fold(store, records, memory, traces);
  const { progress } = run.fold;
  run.expired.push(...run.sweep.next(store, Number(progress.watermark)));
  run.nextOffset = nextOffset(progress)!;
  run.unflushed += records.length;
  return rows;
}

/** Publishes the counters that changed and the totals: then all that follows from the records folded is published. */
function publishTotals(run: Run): void {
  if (!run.countersUnpublished) return;
  run.countersUnpublished = false;
  trackPublishing(run, publishNext(run, run.fold.takeTotals()));
}

/** Lets the fold go on while something is published. If that fails, it is thrown where `publishing` is awaited. */
function trackPublishing(run: Run, publishing: Promise<void>): void {
  run.publishing = publishing;
  publishing.catch(() => {});
}

/** Publishes after what is being published. What is folded now counts when it is told in full. */
async function publishNext(run: Run, outputs: readonly NewRecord[]): Promise<void> {
  const position = run.countersUnpublished ? undefined : positionOf(run);
  await run.publishing;
  await publishAll(run, outputs);
  if (position) noteStatus(run.status, position);
}

type Position = Pick<PartitionStatus, 'progress' | 'nextOffset'>;

function positionOf({ fold, nextOffset }: Run): Position {
  return { progress: fold.progress, nextOffset };
}

function noteStatus(status: PartitionStatus, { progress, nextOffset }: Position): void {
  status.progress = progress;
  status.nextOffset = nextOffset;
}

function isFlushDue({ fold, unflushed, flushedAt }: Run, isCaughtUp: boolean): boolean {
  const limitMs = isCaughtUp ? FLUSH_MS.caughtUp : FLUSH_MS.behind;
  const isLate = unflushed > 0 && performance.now() - flushedAt >= limitMs;
  return isLate || unflushed >= FLUSH_RECORDS || fold.isFull();
}

/** Publishes what is not yet published and writes the state. */
async function flush(run: Run): Promise<void> {
  const { deps, status, store } = run;
  if (run.unflushed === 0) return;
  publishTotals(run);
  await run.publishing;
  run.fold.flush(store, run.expired);
  run.expired = [];
  run.unflushed = 0;
  status.stateBytes = store.bytes();
  run.flushedAt = performance.now();
  if (status.role === 'active' && run.nextOffset > run.committed) deps.commit(status.partition, run.nextOffset);
}

/** Repeats an append that fails because the log is down; once `signal` aborts, throws what it failed with. */
async function publishAll({ deps, status, signal }: Run, outputs: readonly NewRecord[]): Promise<void> {
  for (;;) {
    try {
      return await publish(deps.log, outputs);
    } catch (error) {
      if (signal.aborted || !isOutage(error)) throw error;
      await pauseForOutage(deps, status, signal, error);
    }
  }
}

function countReplayed({ status, startedAt }: Run, records: readonly LogRecord[]): void {
  const recovery = status.recovery!;
  recovery.replayedRecords += records.length;
  for (const { size } of records) recovery.replayedBytes += size;
  recovery.replayMs = performance.now() - startedAt;
}

async function committedOffset(log: EventLog, partition: number): Promise<number> {
  const positions = await log.committed('raw-events', GROUP);
  return positions.find((position) => position.partition === partition)?.offset ?? 0;
}

/** Repeats what fails because the log is down; undefined once `signal` aborts. */
async function retrying<T>(
  deps: PartitionDeps,
  status: PartitionStatus,
  signal: AbortSignal,
  action: () => Promise<T>,
): Promise<T | undefined> {
  while (!signal.aborted) {
    try {
      return await action();
    } catch (error) {
      if (signal.aborted && (error as Error).name === 'AbortError') return undefined;
      if (!isOutage(error)) throw error;
      await pauseForOutage(deps, status, signal, error);
    }
  }
  return undefined;
}

function isOutage(error: unknown): boolean {
  return error instanceof LogUnavailable || error instanceof LogFull;
}

function pauseForOutage({ logger }: PartitionDeps, { partition }: PartitionStatus, signal: AbortSignal, err: unknown) {
  logger.warn({ partition, err }, 'the log is unavailable, trying again');
  return pause(RETRY_MS, signal);
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return sleep(ms, undefined, { signal }).catch(() => {});
}
