import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Assignment, GroupMember } from '../../log/event-log.ts';

/** Pause between two looks at the members' partitions, in ms. */
const LOOK_MS = 2_000;

export interface StandbyDeps {
  assignment: Assignment;
  /** Number of nodes besides its owner that keep each partition's state warm. */
  standbys: number;
  logger: Logger;
  /** Partitions that this node follows now. */
  followed(): readonly number[];
  /** Sets the partitions that this node follows from now on. */
  follow(partitions: readonly number[]): void;
}

/**
 * The partitions that a member follows. Each partition is followed by the first `standbys` members other than its
 * owner, in the order of a hash of their names and the partition's number: so every node finds the same without
 * asking, and few change when a member comes or goes. A partition without an owner is about to get another, and stays
 * `followed`.
 *
 * The broker gives the partitions of a dead member to others without knowing which of them followed. Only with
 * `standbys` = members - 1 is the new owner sure to have; another restores the state from a checkpoint or the log.
 */
export function partitionsToFollow(
  members: readonly GroupMember[],
  self: string,
  standbys: number,
  followed: readonly number[],
): number[] {
  const owned = new Set(members.flatMap(({ partitions }) => partitions));
  const chosen = members.flatMap((owner) =>
    owner.partitions.filter((partition) => {
      const others = members.filter(({ name }) => name !== owner.name).map(({ name }) => name);
      const ranked = others.sort((a, b) => (rank(a, partition) < rank(b, partition) ? -1 : 1));
      return ranked.slice(0, standbys).includes(self);
    }),
  );
  return [...chosen, ...followed.filter((partition) => !owned.has(partition))];
}

/** Keeps the partitions that this node follows up to date until `signal` aborts. */
export async function watchStandbys(deps: StandbyDeps, signal: AbortSignal): Promise<void> {
  const { assignment, standbys, logger, followed, follow } = deps;
  while (!signal.aborted) {
    try {
      follow(partitionsToFollow(await assignment.members(), assignment.name, standbys, followed()));
    } catch (error) {
      logger.warn({ err: error }, 'could not look who has which partition, trying again');
    }
    await sleep(LOOK_MS, undefined, { signal }).catch(() => {});
  }
}

function rank(name: string, partition: number): string {
  return createHash('sha256').update(`${name}/${partition}`).digest('hex');
}
