import type { Assignment } from '../../log/event-log.ts';
import type { AttributionConfig } from '../decision/config.ts';
import { consumePartition } from '../partition/consumer.ts';
import { GROUP } from '../partition/opening.ts';
import { refuseOtherTimeZone } from '../recovery/fixed-days.ts';
import type { RecoverDeps } from '../recovery/recover.ts';
import { newStatus, type PartitionStatus, type Role } from '../status.ts';
import { watchStandbys } from './standby.ts';

export interface AttributionAdapters extends RecoverDeps {
  /** Number of other nodes that keep the state of each partition warm; 0 by default. */
  standbys?: number;
}

export interface Attribution {
  /** The partitions of this node, those that it follows included, by number. Live objects. */
  partitions(): PartitionStatus[];
  /** Rejects with the reason when the node can't go on. Never resolves before `close`. */
  failed: Promise<void>;
  /** Finishes running batches, flushes their state, gives the partitions back. */
  close(): Promise<void>;
}

interface Consumer {
  status: PartitionStatus;
  stop: AbortController;
  done: Promise<void>;
}

/**
 * Runs an attribution node: folds the partitions of raw-events that its consumer group assigns to it, and follows some
 * of those that others have. Rejects if what is counted has days of another time zone than the setting.
 */
export async function run(config: AttributionConfig, adapters: AttributionAdapters): Promise<Attribution> {
  const { log, logger, standbys = 0 } = adapters;
  const consumers = new Map<number, Consumer>();
  const failure = Promise.withResolvers<void>();
  const closing = new AbortController();
  let assignment: Assignment | undefined;

  const deps = {
    ...adapters,
    config,
    cacheBytes: () => config.userCacheBytes / consumers.size,
    commit(partition: number, offset: number) {
      assignment?.commit([{ partition, offset }]).catch((error) => {
        logger.warn({ partition, err: error }, 'could not note the group offset');
      });
    },
  };

  /** Starts a partition's consumer, once the one before has drained: it may be a standby that is promoted. */
  function start(partition: number, role: Role): void {
    const before = consumers.get(partition);
    before?.stop.abort();
    const stop = new AbortController();
    const status = newStatus(partition, role, before !== undefined);
    const drained = before === undefined ? Promise.resolve() : before.done.catch(() => {});
    const done = drained.then(() => consumePartition(deps, status, stop.signal));
    const consumer = { status, stop, done };
    consumers.set(partition, consumer);
    done.catch((error) => failed(consumer, error));
  }

  function failed(consumer: Consumer, error: unknown): void {
    const { partition, role } = consumer.status;
    logger.error({ partition, role, err: error }, 'attribution of a partition failed');
    if (role === 'active') failure.reject(error);
    else if (consumers.get(partition) === consumer) consumers.delete(partition);
  }

  async function stop(partitions: readonly number[]): Promise<void> {
    const stopped = partitions.map((partition) => consumers.get(partition)).filter((each) => each !== undefined);
    for (const { stop } of stopped) stop.abort();
    await Promise.allSettled(stopped.map(({ done }) => done));
    for (const each of stopped) {
      if (consumers.get(each.status.partition) === each) consumers.delete(each.status.partition);
    }
  }

  function followed(): number[] {
    const standing = [...consumers.values()].filter(({ status }) => status.role === 'standby');
    return standing.map(({ status }) => status.partition);
  }

  function follow(partitions: readonly number[]): void {
    for (const partition of partitions) if (!consumers.has(partition)) start(partition, 'standby');
    void stop(followed().filter((partition) => !partitions.includes(partition)));
  }

  await refuseOtherTimeZone(log, config.timeZone);
  const joined = await log.join('raw-events', GROUP, {
    async assigned(partitions) {
      for (const partition of partitions) start(partition, 'active');
    },
    revoked: stop,
  });
  assignment = joined;
  const watching =
    standbys > 0
      ? watchStandbys({ assignment: joined, standbys, logger, followed, follow }, closing.signal)
      : undefined;
  return {
    partitions: () => [...consumers.values()].map(({ status }) => status).sort((a, b) => a.partition - b.partition),
    failed: failure.promise,
    async close() {
      closing.abort();
      await watching;
      await joined.close();
      await stop([...consumers.keys()]);
      failure.resolve();
    },
  };
}
