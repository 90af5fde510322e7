import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { type DailyStats, DailyStatsSchema } from '../../gen/ts/clickmesh/v1/attribution_pb.js';
import type { CounterKey, Increment } from './effects.ts';
import { counterKey, counterName } from './keys.ts';
import type { StateStore } from './state-store.ts';

/** A counter that changed, with its new cumulative value, as it is stored and published. */
export interface ChangedCounter {
  key: Buffer;
  name: string;
  bytes: Buffer;
}

/**
 * Adds a batch of increments to the stored counters; one entry for each counter that changed. A counter that was loaded
 * from what is published has the increments up to its version already.
 */
export function addIncrements(
  store: StateStore,
  partition: number,
  increments: readonly Increment[],
): ChangedCounter[] {
  const byName = Map.groupBy(increments, counterName);
  const keys = [...byName.values()].map((group) => counterKey(group[0]!));
  const stored = store.getMany(keys);
  return [...byName].flatMap(([name, group], i) => {
    const bytes = stored[i];
    const counter = bytes === undefined ? newCounter(partition, group[0]!) : fromBinary(DailyStatsSchema, bytes);
    const fresh = bytes === undefined ? group : group.filter(({ offset }) => offset > counter.version);
    if (fresh.length === 0) return [];
    for (const { clicks, conversionsMicros, revenueMicros, offset } of fresh) {
      counter.clicks += BigInt(clicks);
      counter.conversionsMicros += conversionsMicros;
      counter.revenueMicros += revenueMicros;
      counter.version = BigInt(offset);
    }
    return { name, key: keys[i]!, bytes: Buffer.from(toBinary(DailyStatsSchema, counter)) };
  });
}

function newCounter(partition: number, key: CounterKey): DailyStats {
  const { day, campaignId, source, conversionType, model } = key;
  return create(DailyStatsSchema, { partition, day, campaignId, source, conversionType, model });
}
