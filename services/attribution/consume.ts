import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { PartitionProgress } from '../../gen/ts/clickmesh/v1/attribution_pb.js';
import { type EventLog, LogFull, LogUnavailable } from '../shared/log/event-log.ts';
import type { AttributionConfig } from './config.ts';
import type { StateStore } from './state-store.ts';
import { newSweep, type Sweep } from './sweep.ts';
import { loadProgress, nextOffset, transact } from './transaction.ts';

/** Most bytes of raw events in one transaction: some thousands of events, some tens of ms. */
const TRANSACTION_BYTES = 512 * 1024;

/**
 * Pause after a transaction that took all there was, in ms. At low rates it makes one transaction, with its fsync and
 * its changed counters, of many events.
 */
const LINGER_MS = 50;

/** Records in a batch from which on the next one is likely to be there already. */
const LARGE_BATCH = 1000;

/**
 * Most outputs in one append: decisions with many candidates take some 30 kB each, and an append over the log's limit
 * of bytes in flight would be refused for ever.
 */
const APPEND_RECORDS = 500;

/** Pause before a partition tries again when the log is down, in ms. */
const RETRY_MS = 500;

export interface PartitionDeps {
  config: AttributionConfig;
  log: EventLog;
  logger: Logger;
  openStore(partition: number): Promise<StateStore>;
  /** Told where the partition stands: once at start, then after every transaction. */
  onProgress(progress: PartitionProgress): void;
}

/**
 * Folds one partition of raw-events until `signal` aborts; then finishes its transaction and closes the store.
 *
 * A crash between publishing and writing publishes the same again with the same versions, which changes nothing.
 * Throws what is no passing fault of the log: the fold must not go on past a record it could not fold.
 */
export async function consumePartition(deps: PartitionDeps, partition: number, signal: AbortSignal): Promise<void> {
  const store = await deps.openStore(partition);
  try {
    const sweep = newSweep(deps.config, store);
    let progress = loadProgress(store, partition);
    deps.onProgress(progress);
    let next = nextOffset(progress) ?? (await deps.log.offsets('raw-events'))[partition]!.start;
    while (!signal.aborted) {
      try {
        const records = await deps.log.read(
          'raw-events',
          { partition, offset: next },
          { maxBytes: TRANSACTION_BYTES, waitMs: 60_000, signal },
        );
        if (records.length === 0) continue;
        progress = await runTransaction(deps, { store, sweep, progress }, records);
        next = nextOffset(progress)!;
        deps.onProgress(progress);
        if (records.length < LARGE_BATCH) await pause(LINGER_MS, signal);
      } catch (error) {
        if (!(error instanceof LogUnavailable || error instanceof LogFull)) throw error;
        deps.logger.warn({ partition, err: error }, 'the log is unavailable, trying again');
        await pause(RETRY_MS, signal);
      }
    }
  } finally {
    await store.close();
  }
}

async function runTransaction(
  { config, log }: PartitionDeps,
  { store, sweep, progress }: { store: StateStore; sweep: Sweep; progress: PartitionProgress },
  records: Awaited<ReturnType<EventLog['read']>>,
): Promise<PartitionProgress> {
  const transaction = transact(config, store, progress, records);
  for (let at = 0; at < transaction.outputs.length; at += APPEND_RECORDS) {
    await log.append(transaction.outputs.slice(at, at + APPEND_RECORDS));
  }
  const expired = sweep.next(Number(transaction.progress.watermark));
  // What the sweep read may have come back to life in this very batch: the put counts, because it comes last.
  store.write({ deletes: expired, puts: transaction.puts });
  return transaction.progress;
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return sleep(ms, undefined, { signal }).catch(() => {});
}
