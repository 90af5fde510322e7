import type { Logger } from 'pino';
import type { EventLog, OffsetRange } from '../../log/event-log.ts';
import type { StateSource } from '../status.ts';
import { ATTEMPT_KEY } from '../store/keys.ts';
import { loadProgress, nextOffset } from '../store/progress.ts';
import type { StateStore, StateStores } from '../store/state-store.ts';
import { type Checkpoint, listCheckpoints, loadCheckpoint } from './checkpoint.ts';
import type { CheckpointSettings } from './checkpoint-store.ts';
import { loadPublished } from './published-totals.ts';

export interface RecoverDeps {
  log: EventLog;
  logger: Logger;
  /** The stores of this node's partitions. */
  stores: StateStores;
  /** Where and how often checkpoints are taken; undefined if none are. */
  checkpoints?: CheckpointSettings;
}

export interface RecoveredStore {
  store: StateStore;
  source: StateSource;
  /** Offset of the first record to fold. */
  next: number;
  /** The checkpoint that it was restored from, if it was. */
  checkpoint: Checkpoint | undefined;
  /** As Recovery. */
  loadedBytes: number;
}

/**
 * Records that a checkpoint must be ahead of the local store to replace it: folding them takes some ten seconds, about
 * as long as fetching a checkpoint of a gigabyte.
 */
const WORTH_FETCHING_RECORDS = 500_000;

/**
 * Opens a partition's store: the local one; a checkpoint if there is no local one or it is far behind; or else a new
 * one with the counts that are published, to be completed by folding the log from its start. A store or checkpoint
 * whose offset is not in the log's range can't go on and is not used.
 *
 * @param committed the group's offset
 * @param stop ends it early: it rejects
 */
export async function recoverStore(
  deps: RecoverDeps,
  { partition, committed, stop }: { partition: number; committed: number; stop: AbortSignal },
): Promise<RecoveredStore> {
  const { log, logger, stores } = deps;
  const range = (await log.offsets('raw-events'))[partition]!;
  const { local, attempt } = await openLocal(stores, partition, range);
  const least = local === undefined ? range.start : local.next + WORTH_FETCHING_RECORDS;
  const checkpoints = await usableCheckpoints(deps, partition, { start: least, end: range.end });
  if (local !== undefined && checkpoints.length === 0) return local;
  await local?.store.close();
  for (const checkpoint of checkpoints) {
    const restored = await restore(deps, checkpoint, stop);
    if (restored === undefined) continue;
    keepAttempt(restored.store, attempt);
    return restored;
  }
  if (local !== undefined) return { ...local, store: await stores.open(partition) };
  logger.info({ partition, from: range.start, committed }, 'folding the log from its start');
  await stores.replace(partition, async () => {});
  const store = await stores.open(partition);
  try {
    keepAttempt(store, attempt);
    const loadedBytes = await loadPublished(log, store, { partition, committed, stop });
    return { store, source: 'replay', next: range.start, checkpoint: undefined, loadedBytes };
  } catch (error) {
    await store.close();
    throw error;
  }
}

/** The local store, undefined if it can't go on in this range of the log; and what it says of the fold's caution. */
async function openLocal(
  stores: StateStores,
  partition: number,
  range: OffsetRange,
): Promise<{ local?: RecoveredStore; attempt: Buffer | undefined }> {
  const store = await stores.open(partition);
  const [attempt] = store.getMany([ATTEMPT_KEY]);
  // A store that was rebuilt and never flushed has no offset: counts published since are not in it.
  const next = nextOffset(loadProgress(store, partition));
  if (next !== undefined && next >= range.start && next <= range.end) {
    const local = { store, source: 'local', next, checkpoint: undefined, loadedBytes: 0 } as const;
    return { local, attempt };
  }
  await store.close();
  return { attempt };
}

/** Keeps what was noted of the fold's caution in a store that is replaced: it is about the log, not the state. */
function keepAttempt(store: StateStore, attempt: Buffer | undefined): void {
  if (attempt !== undefined) store.write({ deletes: [], puts: [{ key: ATTEMPT_KEY, value: attempt }], appends: [] });
}

async function usableCheckpoints(
  { logger, checkpoints }: RecoverDeps,
  partition: number,
  { start, end }: OffsetRange,
): Promise<Checkpoint[]> {
  if (checkpoints === undefined) return [];
  try {
    const all = await listCheckpoints(checkpoints.store, partition);
    return all.filter(({ offset }) => offset >= start && offset <= end);
  } catch (error) {
    logger.error({ partition, err: error }, 'could not look for checkpoints, doing without');
    return [];
  }
}

/** Replaces the local store by a checkpoint; undefined if it can't be loaded. */
async function restore(
  { logger, stores, checkpoints }: RecoverDeps,
  checkpoint: Checkpoint,
  stop: AbortSignal,
): Promise<RecoveredStore | undefined> {
  const { partition, offset } = checkpoint;
  let loadedBytes = 0;
  try {
    await stores.replace(partition, async (folder) => {
      loadedBytes = await loadCheckpoint(checkpoints!.store, checkpoint, folder, stop);
    });
  } catch (error) {
    stop.throwIfAborted();
    logger.error({ partition, offset, err: error }, 'could not restore a checkpoint, doing without');
    return undefined;
  }
  return { store: await stores.open(partition), source: 'checkpoint', next: offset, checkpoint, loadedBytes };
}
