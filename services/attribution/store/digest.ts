import { createHash } from 'node:crypto';
import { fromBinary } from '@bufbuild/protobuf';
import { PartitionProgressSchema } from '../../../gen/ts/clickmesh/v1/attribution_pb.js';
import { type AttributionConfig, isForgotten } from '../decision/config.ts';
import { COUNTERS_FROM, COUNTERS_TO, isUserKey, PROGRESS_KEY, SWEPT_FROM, SWEPT_TO } from './keys.ts';
import { entriesBetween, type StateEntry, type StateStore } from './state-store.ts';
import { isExpired } from './sweep.ts';
import { decodeUser, encodeUser } from './user-codec.ts';

/**
 * SHA-256, in hex, of what a partition's state means: equal for stores that folded the same records under the same
 * configuration, however they came to it. Of users and ids only what is within its retention counts, since when the
 * rest is forgotten depends on when the sweep comes by.
 */
export function stateDigest(config: AttributionConfig, store: StateStore): string {
  const [progress = Buffer.alloc(0)] = store.getMany([PROGRESS_KEY]);
  const watermark = Number(fromBinary(PartitionProgressSchema, progress).watermark);
  const hash = createHash('sha256');
  const add = ({ key, value }: StateEntry) => {
    hash.update(`${key.length} ${value.length}\n`).update(key).update(value);
  };
  for (const entry of entriesBetween(store, COUNTERS_FROM, COUNTERS_TO)) add(entry);
  add({ key: PROGRESS_KEY, value: progress });
  for (const entry of entriesBetween(store, SWEPT_FROM, SWEPT_TO)) {
    if (isExpired(config, entry, watermark)) continue;
    add(isUserKey(entry.key) ? { key: entry.key, value: liveUser(config, entry.value, watermark) } : entry);
  }
  return hash.digest('hex');
}

function liveUser({ retentionMs }: AttributionConfig, bytes: Buffer, watermark: number): Buffer {
  const { touches, conversions } = decodeUser(bytes);
  return encodeUser({
    touches: touches.filter(({ arrival }) => !isForgotten(arrival, watermark, retentionMs.touch)),
    conversions: conversions.filter(({ arrival }) => !isForgotten(arrival, watermark, retentionMs.outcome)),
    hasSpilled: false,
  });
}
