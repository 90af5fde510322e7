import type { LogRecord } from '../../log/event-log.ts';
import type { AttributionConfig } from '../decision/config.ts';
import type { RecoverDeps } from '../recovery/recover.ts';
import type { PartitionStatus } from '../status.ts';
import type { StateStore } from '../store/state-store.ts';
import type { Sweep } from '../store/sweep.ts';
import type { Caution } from './caution.ts';
import type { CountedApart } from './counted-apart.ts';
import type { Waiter } from './outage.ts';
import type { PartitionFold } from './partition-fold.ts';
import type { SetAside } from './set-aside.ts';

export interface PartitionDeps extends RecoverDeps {
  config: AttributionConfig;
  /** Memory for users' states that this partition may take now, in bytes; kept to roughly. */
  cacheBytes(): number;
  /** Commits the group's offset: what follows from the records before it is published, and will not be again. */
  commit(partition: number, offset: number): void;
}

/**
 * What folding the next record means. Replaying, what follows from it is published; passing, all but totals is to be
 * published; live, everything. Before there is a Run the partition is opening: it gets its store.
 */
export type Phase = 'replaying' | 'passing' | 'live';

/** The fold of one partition under way. Offsets are those of raw-events. */
export interface Run {
  deps: PartitionDeps;
  status: PartitionStatus;
  waiter: Waiter;
  store: StateStore;
  fold: PartitionFold;
  sweep: Sweep;
  /** Keys of users that the sweep found, to be deleted with the next flush. */
  expired: Buffer[];
  /** Offset of the last record in the published totals that the store was rebuilt with, -1 if it never was. */
  publishedThrough: number;
  /** Offset of the next record to fold. */
  nextOffset: number;
  /** The group's offset: when the run began or, at a standby, when it was last asked for. */
  committed: number;
  /** Records that were set aside, and those that count apart. */
  aside: SetAside;
  apart: CountedApart;
  caution: Caution;
  /** Offset of the next record that is not in the store. */
  flushed: number;
  /** Counters that records before this offset changed were handed to the publisher, or thrown away by a replay. */
  countersTaken: number;
  /** As countersTaken, of rollups, which are many: they are published with a flush. */
  rollupsTaken: number;
  /** When they were taken last, in ms of performance.now(). */
  rollupsTakenAt: number;
  /** Settles when everything handed to the publisher is durable, and rejects with the reason if it can't be. */
  publishing: Promise<void>;
  /** Records that were read and are not yet folded, as those before them filled the memory of a batch. */
  unfolded: readonly LogRecord[];
  /** Records folded since the last flush. */
  unflushed: number;
  /** Time of the last flush, and of the begin, in ms of performance.now(). */
  flushedAt: number;
  startedAt: number;
}

export function phaseOf({ nextOffset, committed, publishedThrough }: Run): Phase {
  if (nextOffset < committed) return 'replaying';
  return nextOffset <= publishedThrough ? 'passing' : 'live';
}
