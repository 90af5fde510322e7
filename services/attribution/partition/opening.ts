import type { PartitionProgress } from '../../../gen/ts/clickmesh/v1/attribution_pb.js';
import type { ReportDays } from '../../contract/report-days.ts';
import type { EventLog } from '../../log/event-log.ts';
import type { AttributionConfig } from '../decision/config.ts';
import { daysToCountBy } from '../recovery/fixed-days.ts';
import { joinOldCounters, rekeyOldCounters } from '../recovery/old-counters.ts';
import { loadPublishedTotals, publishedThrough } from '../recovery/published-totals.ts';
import { type RecoverDeps, type RecoveredStore, recoverStore } from '../recovery/recover.ts';
import type { PartitionStatus } from '../status.ts';
import { COUNTED_APART_KEY, LETTERS_KEY } from '../store/keys.ts';
import { loadProgress, nextOffset } from '../store/progress.ts';
import type { StateStore } from '../store/state-store.ts';
import { withKnownFailures } from '../store/store-failure.ts';
import { Caution } from './caution.ts';
import { CountedApart } from './counted-apart.ts';
import { retrying, type Waiter } from './outage.ts';
import { SetAside } from './set-aside.ts';

/** The consumer group of attribution; what its offsets mean stands at Assignment.commit. */
export const GROUP = 'attribution';

/** A partition's store as it was opened, and what the log says of the partition. */
export interface Opened extends RecoveredStore {
  /** The group's offset. */
  committed: number;
  /** Those that it counts by. */
  days: ReportDays;
  aside: SetAside;
  apart: CountedApart;
  caution: Caution;
}

/** Opens a partition's store and fills in its status; undefined once the signal has aborted. */
export async function openPartition(
  deps: RecoverDeps & { config: AttributionConfig },
  status: PartitionStatus,
  waiter: Waiter,
): Promise<Opened | undefined> {
  const { partition } = status;
  const startedAt = performance.now();
  const opened = await retrying(waiter, async () => {
    const committed = await committedOffset(deps.log, partition);
    const recovered = await recoverStore(deps, { partition, committed, stop: waiter.signal });
    const store = withKnownFailures(recovered.store);
    try {
      joinOldCounters(store);
      rekeyOldCounters(store);
      const days = await daysToCountBy(deps.log, deps.config.timeZone, partition, store);
      const [letters, notices] = store.getMany([LETTERS_KEY, COUNTED_APART_KEY]);
      const aside = new SetAside(deps.log, partition, letters);
      await aside.update();
      const apart = new CountedApart(deps.log, partition, notices);
      await apart.update();
      return { ...recovered, store, committed, days, aside, apart, caution: new Caution(store, recovered.next) };
    } catch (error) {
      await store.close();
      throw error;
    }
  });
  if (opened !== undefined) begin(status, opened, performance.now() - startedAt);
  return opened;
}

/** Fills in the status of a partition whose store was opened. */
function begin(status: PartitionStatus, recovered: RecoveredStore, loadMs: number): void {
  const { store, next, checkpoint, loadedBytes } = recovered;
  const source = status.followed && recovered.source === 'local' ? 'standby' : recovered.source;
  status.recovery ??= { source, loadMs, loadedBytes, replayedRecords: 0, replayedBytes: 0, replayMs: 0 };
  status.checkpoint ??= checkpoint;
  status.progress = progressBefore(store, status.partition, next);
  status.nextOffset = next;
  status.stateBytes = store.bytes();
}

/** Totals and watermark to go on from: the store's, or its published totals if the log begins behind those. */
function progressBefore(store: StateStore, partition: number, next: number): PartitionProgress {
  const progress = loadProgress(store, partition);
  const published = loadPublishedTotals(store);
  const isBehind = published !== undefined && next > publishedThrough(published);
  return nextOffset(progress) === undefined && isBehind ? published.totals : progress;
}

/** The group's offset in a partition; 0 if there is none. */
export async function committedOffset(log: EventLog, partition: number): Promise<number> {
  const positions = await log.committed('raw-events', GROUP);
  return positions.find((position) => position.partition === partition)?.offset ?? 0;
}
