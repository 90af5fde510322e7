import { rm } from 'node:fs/promises';
import type { PartitionStatus } from '../status.ts';
import type { StateStore } from '../store/state-store.ts';
import { saveCheckpoint } from './checkpoint.ts';
import type { CheckpointSettings } from './checkpoint-store.ts';
import type { RecoverDeps } from './recover.ts';

export type Checkpointer = ReturnType<typeof newCheckpointer>;

/**
 * Takes the checkpoints of one partition, one at a time, while its fold goes on. The partition's offset is read from
 * `status`; the newest checkpoint is noted there.
 */
export function newCheckpointer(
  { stores, logger }: RecoverDeps,
  checkpoints: CheckpointSettings,
  status: PartitionStatus,
) {
  const { partition } = status;
  const closing = new AbortController();
  let uploading: Promise<void> | undefined;
  let nextAt = performance.now() + checkpoints.intervalMs;

  async function upload(folder: string, offset: number): Promise<void> {
    const takenAt = Date.now();
    try {
      const bytes = await saveCheckpoint(checkpoints.store, { partition, offset, takenAt }, folder, closing.signal);
      status.checkpoint = { offset, takenAt, bytes };
      logger.info({ partition, offset, bytes }, 'took a checkpoint');
    } catch (error) {
      if (!closing.signal.aborted) logger.warn({ partition, err: error }, 'could not take a checkpoint');
    } finally {
      await rm(folder, { recursive: true, force: true });
      uploading = undefined;
    }
  }

  return {
    /** Whether it is time for a checkpoint and something was folded since the last. */
    isDue: (): boolean =>
      uploading === undefined && performance.now() >= nextAt && status.nextOffset !== status.checkpoint?.offset,
    /**
     * Takes a snapshot of the store, which must be flushed, and uploads it in the background. The store is closed for
     * some milliseconds: the fold goes on with the one returned.
     */
    async take(open: StateStore): Promise<StateStore> {
      nextAt = performance.now() + checkpoints.intervalMs;
      await open.close();
      try {
        uploading = upload(await stores.snapshot(partition), status.nextOffset!);
      } catch (error) {
        logger.warn({ partition, err: error }, 'could not take a checkpoint');
      }
      return stores.open(partition);
    },
    /** Gives up the upload under way. */
    async close(): Promise<void> {
      closing.abort();
      await uploading;
    },
  };
}
