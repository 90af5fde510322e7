import { create, fromBinary } from '@bufbuild/protobuf';
import { type PartitionProgress, PartitionProgressSchema } from '../../../gen/ts/clickmesh/v1/attribution_pb.js';
import { PROGRESS_KEY } from './keys.ts';
import type { StateStore } from './state-store.ts';

/** Where a partition stands; zeros for a new one. */
export function loadProgress(store: StateStore, partition: number): PartitionProgress {
  const [bytes] = store.getMany([PROGRESS_KEY]);
  return bytes === undefined
    ? create(PartitionProgressSchema, { partition })
    : fromBinary(PartitionProgressSchema, bytes);
}

/** Offset of the first record not yet folded, undefined if none was. */
export function nextOffset(progress: PartitionProgress): number | undefined {
  return progress.records === 0n ? undefined : Number(progress.version) + 1;
}
