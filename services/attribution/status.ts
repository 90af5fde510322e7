import { create } from '@bufbuild/protobuf';
import { type PartitionProgress, PartitionProgressSchema } from '../../gen/ts/clickmesh/v1/attribution_pb.js';

/** Part of a node in a partition: an active one publishes what follows from it, a standby keeps its state warm. */
export type Role = 'active' | 'standby';

/** Origin of a partition's state on a node. */
export type StateSource = 'local' | 'standby' | 'checkpoint' | 'replay';

/** What recovering a partition's state took; rates are its quotients. */
export interface Recovery {
  source: StateSource;
  /** Time until the store was open, in ms. */
  loadMs: number;
  /** Bytes of the checkpoint that was fetched, or of the counts that were read for a replay. */
  loadedBytes: number;
  /** Records folded without publishing, because what follows from them is published. */
  replayedRecords: number;
  replayedBytes: number;
  replayMs: number;
}

/** Where a partition stands on this node. Maintained by the partition's consumer. */
export interface PartitionStatus {
  partition: number;
  role: Role;
  /** The node followed the partition as a standby right until it became active. */
  followed: boolean;
  /** The state has not yet reached the group's offset. */
  restoring: boolean;
  /** Everything before this offset is folded, and what follows from it published; undefined while there is no state. */
  nextOffset: number | undefined;
  /** Why the fold can't go past records that it tries in smaller steps; undefined while it goes on. */
  trouble: string | undefined;
  /** Totals, version and watermark at that offset. */
  progress: PartitionProgress;
  /** Undefined while there is no state. */
  recovery: Recovery | undefined;
  /** The newest checkpoint that this node has taken or started from. */
  checkpoint: { offset: number; takenAt: number; bytes?: number } | undefined;
  /** Bytes of the stored state on disk. */
  stateBytes: number;
}

export function newStatus(partition: number, role: Role, followed: boolean): PartitionStatus {
  return {
    partition,
    role,
    followed,
    restoring: true,
    nextOffset: undefined,
    trouble: undefined,
    progress: create(PartitionProgressSchema, { partition }),
    recovery: undefined,
    checkpoint: undefined,
    stateBytes: 0,
  };
}
