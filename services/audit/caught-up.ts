import { setTimeout as sleep } from 'node:timers/promises';
import { NOT_INSERTED, type Topic } from '../contract/topics.ts';
import type { MeshStatus } from './mesh-status.ts';

const RAW_EVENTS: Topic = 'raw-events';
const POLL_MS = 200;

/**
 * Asks until attribution and the sink have reached the ends of the log, twice in a row at the same ends: what
 * attribution has done is in the log before it notes that it has. Throws when the time is over or the mesh does not
 * answer.
 */
export async function waitUntilCaughtUp(ask: () => Promise<MeshStatus>, timeoutMs: number): Promise<MeshStatus> {
  const giveUpAt = performance.now() + timeoutMs;
  let before: string | undefined;
  for (;;) {
    const status = await ask();
    const behind = firstBehind(status);
    const ends = JSON.stringify(status.topics);
    if (behind === undefined && ends === before) return status;
    if (performance.now() > giveUpAt)
      throw new Error(`not caught up after ${timeoutMs / 1000} s: ${behind ?? 'still growing'}`);
    before = behind === undefined ? ends : undefined;
    if (behind !== undefined) await sleep(POLL_MS);
  }
}

/** The first partition that has not been read to its end, in words. */
function firstBehind(status: MeshStatus): string | undefined {
  for (const { topic, partitions } of status.topics) {
    for (const { partition, end, inserted } of partitions) {
      const done = published(status, partition);
      if (topic === RAW_EVENTS && done < end) return `attribution is at ${done} of ${end} in partition ${partition}`;
      if (!NOT_INSERTED.includes(topic as Topic) && (inserted ?? 0) < end) {
        return `ClickHouse is at ${inserted ?? 0} of ${end} in partition ${partition} of ${topic}`;
      }
    }
  }
  return undefined;
}

/** First offset of raw-events of which not all is published that follows, counters of rollups included. */
function published({ attribution }: MeshStatus, partition: number): number {
  const position = attribution.find((each) => each.partition === partition);
  const { next_offset: folded = 0 } = position ?? {};
  // A mesh of 0.1.0, which has no rollups, does not say what is committed; a state that was lost is folded again.
  return Math.min(position?.committed ?? folded, folded);
}
