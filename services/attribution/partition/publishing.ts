import assert from 'node:assert/strict';
import type { NewRecord } from '../../log/event-log.ts';
import type { PartitionStatus } from '../status.ts';
import { untilDone } from './outage.ts';
import { publish } from './publish.ts';
import { phaseOf, type Run } from './run.ts';

/** Whether counters before some offset are taken only that records behind it may have changed. */
export function hasUnpublishedCounters(run: Run, taken = run.countersTaken): boolean {
  return phaseOf(run) !== 'replaying' && taken < run.nextOffset;
}

/**
 * Most counters taken at once for a flush: of hundreds of thousands each would be a record, a key and a value in memory
 * until all of them are published.
 */
const MOST_TAKEN = 8_000;

/** The counters that changed since they were last taken, and the totals, to be published. */
export function takeTotals(run: Run, withRollups: boolean, most = Number.POSITIVE_INFINITY): NewRecord[] {
  assert(run.rollupsTaken >= run.committed, 'R-3: counters that a replay changed would be published');
  const taken = run.fold.takeTotals(withRollups, most);
  if (taken.length >= most) return taken;
  run.countersTaken = run.nextOffset;
  if (withRollups) {
    run.rollupsTaken = run.nextOffset;
    run.rollupsTakenAt = performance.now();
  }
  return taken;
}

/** Publishes the counters that changed and the totals; with rollups, all that follows is published. */
export function publishTotals(run: Run, withRollups: boolean, most?: number): void {
  if (!hasUnpublishedCounters(run, withRollups ? run.rollupsTaken : run.countersTaken)) return;
  trackPublishing(run, publishNext(run, takeTotals(run, withRollups, most)));
}

/** Publishes all that is not: some counters while those before them are appended. */
export async function publishAll(run: Run): Promise<void> {
  const { caution, store, flushed, nextOffset } = run;
  while (hasUnpublishedCounters(run, run.rollupsTaken)) {
    const before = run.publishing;
    caution.attempt(store, flushed, nextOffset, publishTotals, run, true, MOST_TAKEN);
    await before;
  }
  await run.publishing;
}

/** Lets the fold go on while something is published; a failure is thrown where `publishing` is awaited. */
export function trackPublishing(run: Run, publishing: Promise<void>): void {
  run.publishing = publishing;
  publishing.catch(() => {});
}

/** Appends outputs after those under way; the status moves on once all that follows from the records is durable. */
export async function publishNext(run: Run, outputs: readonly NewRecord[]): Promise<void> {
  const position = hasUnpublishedCounters(run) || run.fold.unfinished !== undefined ? undefined : positionOf(run);
  await run.publishing;
  await untilDone(run.waiter, () => publish(run.deps.log, outputs));
  Object.assign(run.status, position);
}

/** Where a run stands. */
export function positionOf({ fold, nextOffset }: Run): Pick<PartitionStatus, 'progress' | 'nextOffset'> {
  return { progress: fold.progress, nextOffset };
}
