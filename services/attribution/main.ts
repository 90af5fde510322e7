import type { Logger } from 'pino';
import type { PartitionProgress } from '../../gen/ts/clickmesh/v1/attribution_pb.js';
import type { Assignment, EventLog } from '../shared/log/event-log.ts';
import type { AttributionConfig } from './config.ts';
import { consumePartition } from './consume.ts';
import type { StateStore } from './state-store.ts';
import { nextOffset } from './transaction.ts';

export interface AttributionAdapters {
  log: EventLog;
  logger: Logger;
  /** Opens the store of a partition this node was assigned. */
  openStore(partition: number): Promise<StateStore>;
}

export interface Attribution {
  /** Where the partitions of this node stand, in their order. */
  progress(): PartitionProgress[];
  /** Settles when the node can't go on: rejects with why. Never resolves before `close`. */
  failed: Promise<void>;
  /** Finishes running transactions, gives the partitions back. */
  close(): Promise<void>;
}

/** Runs an attribution node: folds the partitions of raw-events that its consumer group assigns to it. */
export async function run(config: AttributionConfig, adapters: AttributionAdapters): Promise<Attribution> {
  const { log, logger } = adapters;
  const running = new Map<number, { stop: AbortController; done: Promise<void> }>();
  const progress = new Map<number, PartitionProgress>();
  const failure = Promise.withResolvers<void>();
  let assignment: Assignment | undefined;

  const deps = {
    ...adapters,
    config,
    onProgress(made: PartitionProgress) {
      progress.set(made.partition, made);
      const offset = nextOffset(made);
      if (offset === undefined) return;
      assignment?.commit([{ partition: made.partition, offset }]).catch((error) => {
        logger.warn({ partition: made.partition, err: error }, 'could not note the group offset');
      });
    },
  };
  assignment = await log.join('raw-events', 'attribution', {
    async assigned(partitions) {
      for (const partition of partitions) {
        const stop = new AbortController();
        const done = consumePartition(deps, partition, stop.signal);
        done.catch((error) => {
          logger.fatal({ partition, err: error }, 'attribution of a partition failed');
          failure.reject(error);
        });
        running.set(partition, { stop, done });
      }
    },
    async revoked(partitions) {
      const stopped = partitions.flatMap((partition) => running.get(partition) ?? []);
      for (const { stop } of stopped) stop.abort();
      await Promise.allSettled(stopped.map(({ done }) => done));
      for (const partition of partitions) running.delete(partition);
    },
  });
  return {
    progress: () => [...progress.values()].sort((a, b) => a.partition - b.partition),
    failed: failure.promise,
    async close() {
      await assignment?.close();
      failure.resolve();
    },
  };
}
