import { create } from '@bufbuild/protobuf';
import { type PartitionProgress, PartitionProgressSchema } from '../../gen/ts/clickmesh/v1/attribution_pb.js';

/** Who publishes what follows from a partition, and who only keeps its state warm. */
export type Role = 'active' | 'standby';

/** How a node came to a partition's state. */
export type StateSource = 'local' | 'standby' | 'checkpoint' | 'replay';

/** What recovering a partition's state took; rates are its quotients. */
export interface Recovery {
  source: StateSource;
  /** Until the store could be folded on to, in ms. */
  loadMs: number;
  /** Of the checkpoint that was fetched, or of the counts that were read for a replay. */
  loadedBytes: number;
  /** Folded without publishing, because it was published before. */
  replayedRecords: number;
  replayedBytes: number;
  replayMs: number;
}

/** Where a partition stands on this node. Who folds the partition keeps it up to date. */
export interface PartitionStatus {
  partition: number;
  role: Role;
  /** The node followed the partition as a standby right until it became active. */
  followed: boolean;
  /** The state is not yet as far as what the group has published. */
  restoring: boolean;
  /** Offset of the next record to fold; undefined while there is no state. */
  nextOffset: number | undefined;
  /** Tallies and watermark. */
  progress: PartitionProgress;
  /** Undefined while there is no state. */
  recovery: Recovery | undefined;
  /** The newest checkpoint that this node has taken or started from. */
  checkpoint: { offset: number; takenAt: number; bytes?: number } | undefined;
  /** Of the stored state. */
  stateBytes: number;
}

export function newStatus(partition: number, role: Role, followed: boolean): PartitionStatus {
  return {
    partition,
    role,
    followed,
    restoring: true,
    nextOffset: undefined,
    progress: create(PartitionProgressSchema, { partition }),
    recovery: undefined,
    checkpoint: undefined,
    stateBytes: 0,
  };
}
