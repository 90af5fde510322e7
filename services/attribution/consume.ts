import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { PartitionProgress } from '../../gen/ts/clickmesh/v1/attribution_pb.js';
import { type EventLog, LogFull, type LogRecord, LogUnavailable, OffsetOutOfRange } from '../shared/log/event-log.ts';
import { type Baseline, knownThrough, loadBaseline, untilBoundary } from './baseline.ts';
import { type CheckpointSettings, newCheckpointer } from './checkpointer.ts';
import type { AttributionConfig } from './config.ts';
import { publish } from './publish.ts';
import { type RecoveredStore, recoverStore } from './recover.ts';
import type { StateStore, StateStores } from './state-store.ts';
import type { PartitionStatus } from './status.ts';
import { newSweep, type Sweep } from './sweep.ts';
import { loadProgress, nextOffset, transact } from './transaction.ts';

/** The consumer group that attribution is. */
export const GROUP = 'attribution';

/** Most bytes of raw events in one transaction: some thousands of events, some tens of ms. */
const TRANSACTION_BYTES = 512 * 1024;

/**
 * Pause after a transaction that took all there was, in ms. At low rates it makes one transaction, with its fsync and
 * its changed counters, of many events.
 */
const LINGER_MS = 50;

/** Records in a batch from which on the next one is likely to be there already. */
const LARGE_BATCH = 1000;

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
  sweep: Sweep;
  baseline: Baseline | undefined;
  next: number;
  /** What follows from records before this offset is published. */
  published: number;
  /** By performance.now(). */
  startedAt: number;
}

/**
 * Folds one partition of raw-events until `signal` aborts; then finishes its transaction and closes the store. Keeps
 * `status` up to date.
 *
 * What follows from records before the group's offset is published and not published again. An active consumer
 * publishes the rest: first it publishes, then it writes its state, then it commits. A crash in between publishes the
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
      const published = await committedOffset(deps.log, status.partition);
      const stop = signal;
      return { ...(await recoverStore(deps, { partition: status.partition, committed: published, stop })), published };
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

/** The tallies and the watermark to go on from; of a store that nothing was folded on to yet, those of its baseline. */
function progressBefore(store: StateStore, partition: number, next: number): PartitionProgress {
  const progress = loadProgress(store, partition);
  const baseline = loadBaseline(store);
  const isFirst = nextOffset(progress) === undefined;
  return isFirst && baseline !== undefined && next > knownThrough(baseline) ? baseline.known : progress;
}

async function fold(
  deps: PartitionDeps,
  status: PartitionStatus,
  signal: AbortSignal,
  { store, next, published }: RecoveredStore & { published: number },
): Promise<void> {
  const { config, checkpoints } = deps;
  const run: Run = {
    deps,
    status,
    signal,
    store,
    sweep: newSweep(config),
    baseline: loadBaseline(store),
    next,
    published,
    startedAt: performance.now(),
  };
  const isActive = status.role === 'active';
  const checkpointer = isActive && checkpoints ? newCheckpointer({ ...deps, checkpoints }, status) : undefined;
  // This node published, and died before it could say so.
  if (isActive && next > published) deps.commit(status.partition, next);
  try {
    while (!signal.aborted) {
      status.restoring &&= run.next < run.published;
      const count = await retrying(deps, status, signal, () => step(run));
      if (checkpointer?.isDue()) run.store = await checkpointer.take(run.store);
      if (!status.restoring && count !== undefined && count < LARGE_BATCH) await pause(LINGER_MS, signal);
    }
  } finally {
    await checkpointer?.close();
    await run.store.close();
  }
}

/** Waits for records and folds them; returns how many. */
async function step(run: Run): Promise<number> {
  const { deps, status, signal } = run;
  const { partition, role } = status;
  if (role === 'standby' && run.next >= run.published) {
    run.published = await committedOffset(deps.log, partition);
    if (run.next >= run.published) {
      await pause(FOLLOW_MS, signal);
      return 0;
    }
  }
  const known = run.baseline === undefined ? -1 : Number(knownThrough(run.baseline));
  const read = await deps.log.read(
    'raw-events',
    { partition, offset: run.next },
    { maxBytes: TRANSACTION_BYTES, waitMs: READ_WAIT_MS, signal },
  );
  const records = untilBoundary(read, [run.published, known + 1]);
  if (records.length > 0) await runTransaction(run, records);
  return records.length;
}

async function runTransaction(run: Run, records: readonly LogRecord[]): Promise<void> {
  const { deps, status, store, sweep, baseline } = run;
  const transaction = transact(deps.config, store, status.progress, records, baseline);
  const isNew = run.next >= run.published;
  if (isNew) await publish(deps.log, transaction.outputs);
  const expired = sweep.next(store, Number(transaction.progress.watermark));
  // What the sweep read may have come back to life in this very batch: the put counts, because it comes last.
  store.write({ deletes: expired, puts: transaction.puts });
  run.next = nextOffset(transaction.progress)!;
  status.progress = transaction.progress;
  status.nextOffset = run.next;
  if (isNew) deps.commit(status.partition, run.next);
  else if (status.restoring) countReplayed(run, records);
}

function countReplayed({ status, startedAt }: Run, records: readonly LogRecord[]): void {
  const recovery = status.recovery!;
  recovery.replayedRecords += records.length;
  for (const { key, value } of records) recovery.replayedBytes += key.length + value.length;
  recovery.replayMs = performance.now() - startedAt;
}

async function committedOffset(log: EventLog, partition: number): Promise<number> {
  const positions = await log.committed('raw-events', GROUP);
  return positions.find((position) => position.partition === partition)?.offset ?? 0;
}

/** Repeats what fails because the log is down; undefined once `signal` aborts. */
async function retrying<T>(
  { logger }: PartitionDeps,
  { partition }: PartitionStatus,
  signal: AbortSignal,
  action: () => Promise<T>,
): Promise<T | undefined> {
  while (!signal.aborted) {
    try {
      return await action();
    } catch (error) {
      if (signal.aborted && (error as Error).name === 'AbortError') return undefined;
      if (!(error instanceof LogUnavailable || error instanceof LogFull)) throw error;
      logger.warn({ partition, err: error }, 'the log is unavailable, trying again');
      await pause(RETRY_MS, signal);
    }
  }
  return undefined;
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return sleep(ms, undefined, { signal }).catch(() => {});
}
