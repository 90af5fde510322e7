import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { toJsonString } from '@bufbuild/protobuf';
import pino from 'pino';
import { PartitionProgressSchema } from '../../gen/ts/clickmesh/v1/attribution_pb.js';
import { attributionConfig, parseAttributionEnvironment } from '../../services/attribution/decision/config.ts';
import { run } from '../../services/attribution/node/node.ts';
import {
  ROCKSDB_TUNING,
  type RocksdbTuning,
  rocksdbStateStores,
} from '../../services/attribution/store/rocksdb-state-store.ts';
import type { StateStore } from '../../services/attribution/store/state-store.ts';
import { type EmbeddedLogOptions, openEmbeddedLog } from '../../services/log/embedded/log.ts';
import type { EventLog } from '../../services/log/event-log.ts';
import { cpuSecondsOf, peakResidentBytes } from './usage.ts';

/** An attribution node that folds all of a log into new stores, publishes nothing, tells what it took, and ends. */
export interface StateStoreTask {
  log: EmbeddedLogOptions;
  stateDir: string;
  change: Partial<RocksdbTuning>;
  userCacheMb: number;
}

export interface StateStoreCost {
  /** This and the next two until the state is flushed and the store is closed. */
  cpuSeconds: number;
  /** Of the thread that folds, in reads and writes; the encoding of states is part of writes. */
  callSeconds: number;
  /** CPU of RocksDB's own threads, which write and merge its files. */
  backgroundSeconds: number;
  peakResidentBytes: number;
  /** Where the partitions stand, with their totals. */
  outcome: string;
}

const POLL_MS = 20;

const { log: logOptions, stateDir, change, userCacheMb } = JSON.parse(process.argv[2]!) as StateStoreTask;
const log = await openEmbeddedLog(logOptions);
const ends = (await log.offsets('raw-events')).map(({ end }) => end);
const stores = rocksdbStateStores(stateDir, { ...ROCKSDB_TUNING, ...change });
let callMs = 0;
const before = { cpu: process.cpuUsage(), background: backgroundSeconds() };
const node = await run(attributionConfig(parseAttributionEnvironment({ USER_CACHE_MB: String(userCacheMb) })), {
  log: publishingNothing(log),
  logger: pino({ level: 'error' }),
  stores: { ...stores, open: async (partition) => timed(await stores.open(partition)) },
});
while (ends.some((end, partition) => (node.partitions()[partition]?.nextOffset ?? 0) < end)) {
  await Promise.race([sleep(POLL_MS), node.failed]);
}
const outcome = node
  .partitions()
  .map(({ progress }) => toJsonString(PartitionProgressSchema, progress))
  .join();
await node.close();
const { user, system } = process.cpuUsage(before.cpu);
process.send!({
  cpuSeconds: (user + system) / 1e6,
  callSeconds: callMs / 1000,
  backgroundSeconds: backgroundSeconds() - before.background,
  peakResidentBytes: peakResidentBytes(process.pid),
  outcome,
} satisfies StateStoreCost);
await log.close();
process.disconnect();

function publishingNothing(log: EventLog): EventLog {
  return { ...log, append: async (records) => records.map(() => ({ partition: 0, offset: 0 })) };
}

function timed(store: StateStore): StateStore {
  const time = <T>(call: () => T): T => {
    const began = performance.now();
    const result = call();
    callMs += performance.now() - began;
    return result;
  };
  return {
    ...store,
    getMany: (keys) => time(() => store.getMany(keys)),
    write: (changes) => time(() => store.write(changes)),
    scan: (from, to, limit) => time(() => store.scan(from, to, limit)),
  };
}

function backgroundSeconds(): number {
  const stats = readdirSync('/proc/self/task').map((thread) =>
    readFileSync(`/proc/self/task/${thread}/stat`, 'latin1'),
  );
  return stats.filter((stat) => stat.includes('(rocksdb:')).reduce((sum, stat) => sum + cpuSecondsOf(stat).own, 0);
}
