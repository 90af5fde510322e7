import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ROCKSDB_TUNING, type RocksdbTuning } from '../../services/attribution/store/rocksdb-state-store.ts';
import { type EmbeddedLogOptions, openEmbeddedLog } from '../../services/log/embedded/log.ts';
import { firstMessage } from '../fixtures/first-message.ts';
import { NODE_FLAGS } from '../fixtures/service-process.ts';
import { drainLoad } from './drain-load.ts';
import type { Figure, Scenario, Subject } from './scenario.ts';
import type { StateStoreCost, StateStoreTask } from './state-store-child.ts';

/** So little that most users are loaded from the store when they come again. */
const USER_CACHE_MB = 16;
const FULL = { events: 600_000, users: 200_000 };
const QUICK: typeof FULL = { events: 5000, users: 2000 };

const MIB = 1 << 20;
const CHOICES: Record<string, Partial<RocksdbTuning>> = {
  'as it is': {},
  'compaction by levels, zstd from the third': { compaction: 'level' },
  zstd: { compression: true },
  'no filters of files': { filterPolicy: 'nullptr' },
  'ribbon filter': { filterPolicy: 'ribbonfilter:10' },
  'block cache of 4 MiB': { cacheSize: 4 * MIB },
  'block cache of 64 MiB': { cacheSize: 64 * MIB },
  'memtables of 4 MiB': { memtableMemoryBudget: 4 * MIB },
  'memtables of 64 MiB': { memtableMemoryBudget: 64 * MIB },
};

interface Folder extends Subject {
  dir: string;
}

/** What the options of RocksDB are chosen by. */
export const stateStore: Scenario<Folder> = {
  name: 'state-store',
  method:
    `The events of drain, ${FULL.events.toLocaleString('en-US')} of ${FULL.users.toLocaleString('en-US')} users, in an ` +
    'embedded log with one partition; for each choice, in random order, a process with an attribution node folds them all ' +
    `into a new store, with ${USER_CACHE_MB} MB for users in memory, and publishes nothing. As it is: ` +
    `${describe(ROCKSDB_TUNING)}; each other choice differs in what it says. CPU and the peak of memory are those of the ` +
    'process, RocksDB included; reads and writes are what its calls take of the thread that folds, the encoding of states ' +
    "included, flushes and compactions the CPU of RocksDB's own threads; the state on disk is what there is when the store " +
    'is closed. Every choice has to come to the same totals.',
  start: async (dir) => ({ dir, stop: async () => {} }),
  run: ({ dir }, quick) => runChoices(dir, quick ? QUICK : FULL),
};

function describe({ compaction, compression, memtableMemoryBudget, cacheSize, filterPolicy }: RocksdbTuning): string {
  const sizes = `memtables of ${memtableMemoryBudget / MIB} MiB and a block cache of ${cacheSize / MIB} MiB`;
  return `${compaction} compaction, ${compression ? 'zstd' : 'no compression'}, ${sizes}, ${filterPolicy}`;
}

async function runChoices(dir: string, { events, users }: typeof FULL): Promise<Figure[]> {
  const log = { dir: join(dir, 'log'), partitions: 1, retentionMs: -1, retentionBytes: -1 };
  await produce(log, { events, users });
  const figures = new Map<string, Figure[]>();
  const outcomes = new Set<string>();
  for (const choice of shuffled(Object.keys(CHOICES))) {
    const stateDir = join(dir, 'state');
    const cost = await fold({ log, stateDir, change: CHOICES[choice]!, userCacheMb: USER_CACHE_MB });
    outcomes.add(cost.outcome);
    const perMillion = (what: string, seconds: number): Figure => {
      return { name: `${choice}: ${what}`, value: seconds / (events / 1e6), unit: 'CPU-s per million events' };
    };
    figures.set(choice, [
      perMillion('CPU', cost.cpuSeconds),
      perMillion('in reads and writes', cost.callSeconds),
      perMillion('in flushes and compactions', cost.backgroundSeconds),
      { name: `${choice}: state on disk`, value: (await bytesIn(stateDir)) / MIB, unit: 'MiB' },
      { name: `${choice}: peak memory`, value: cost.peakResidentBytes / MIB, unit: 'MiB' },
    ]);
    await rm(stateDir, { recursive: true });
  }
  if (outcomes.size > 1) throw new Error(`stores that differ in their options: ${[...outcomes].join(' and ')}`);
  return Object.keys(CHOICES).flatMap((choice) => figures.get(choice)!);
}

/** Fisher and Yates. */
function shuffled<T>(items: readonly T[]): T[] {
  const left = [...items];
  return items.map(() => left.splice(Math.floor(Math.random() * left.length), 1)[0]!);
}

async function produce(options: EmbeddedLogOptions, { events, users }: typeof FULL): Promise<void> {
  const log = await openEmbeddedLog(options);
  await drainLoad({ users, hotShare: 0, eventsPerSpan: events, spans: 1 }).produce(log);
  await log.close();
}

async function fold(task: StateStoreTask): Promise<StateStoreCost> {
  const script = fileURLToPath(new URL('./state-store-child.ts', import.meta.url));
  const child = fork(script, [JSON.stringify(task)], { execArgv: NODE_FLAGS });
  const exited = once(child, 'exit');
  const cost = await firstMessage<StateStoreCost>(child, 'folding');
  await exited;
  return cost;
}

async function bytesIn(dir: string): Promise<number> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => stat(join(parentPath, name)));
  return (await Promise.all(files)).reduce((sum, { size }) => sum + size, 0);
}
