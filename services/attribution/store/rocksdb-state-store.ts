import { link, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { RocksLevel } from '@nxtedition/rocksdb';
import type { StateEntry, StateStore, StateStores } from './state-store.ts';

const BUFFERS = { keyEncoding: 'buffer', valueEncoding: 'buffer' } as const;

const NO_OPTIONS = {};
const CACHED = { valueEncoding: 'buffer', fillCache: true } as const;
/** A block that takes the place of another in the cache costs a fifth of the read of a value that is not there. */
const UNCACHED = { valueEncoding: 'buffer', fillCache: false } as const;

/** RocksDB keeps it to know that the folder is in use. */
const LOCK_FILE = 'LOCK';

/** Options of a partition's store, as the library has them; services/decisions/012-rocksdb.md has what others cost. */
const TUNING = {
  // By levels and with zstd, the same states, which grow with every click, are rewritten and compressed over and over.
  compaction: 'universal',
  compression: false,
  // In bytes: a memtable has a quarter of the budget. One store a partition: eight of them stay under 300 MB.
  memtableMemoryBudget: 16 << 20,
  cacheSize: 16 << 20,
  // The Ribbon filter, which `optimize` would choose, was no cheaper.
  filterPolicy: 'bloomfilter:10:false',
} as const;

/**
 * Stores in RocksDB, in folders of `dir` named for their partitions. Opening one throws if the folder can't be written
 * or another process has it.
 */
export function rocksdbStateStores(dir: string): StateStores {
  const folderOf = (partition: number) => join(dir, String(partition));
  return {
    open: (partition) => openStore(folderOf(partition)),
    async replace(partition, fill) {
      const filling = await emptyFolder(`${folderOf(partition)}.new`);
      await fill(filling);
      await rm(folderOf(partition), { recursive: true, force: true });
      await rename(filling, folderOf(partition));
    },
    async snapshot(partition) {
      const folder = await emptyFolder(`${folderOf(partition)}.snapshot`);
      const files = (await readdir(folderOf(partition))).filter((name) => name !== LOCK_FILE);
      // RocksDB changes no file that it closed: it only writes new ones and deletes what it no longer needs.
      await Promise.all(files.map((name) => link(join(folderOf(partition), name), join(folder, name))));
      return folder;
    },
  };
}

async function emptyFolder(path: string): Promise<string> {
  await rm(path, { recursive: true, force: true });
  await mkdir(path, { recursive: true });
  return path;
}

async function openStore(dir: string): Promise<StateStore> {
  await mkdir(dir, { recursive: true });
  const db = new RocksLevel(dir, {
    ...BUFFERS,
    createIfMissing: true,
    // Adds bytes to a value without a read of it, with nothing between them.
    mergeOperator: 'id=stringappend;delimiter=',
    walCompression: false,
    parallelism: 1,
    // Filters of the memtables, too: most of the ids that a user with too many is asked for are new.
    optimize: 'point-lookup',
    ...TUNING,
  });
  await db.open();
  return {
    getMany: (keys, areScattered = false) => db._getManySync(keys, areScattered ? UNCACHED : CACHED),
    write({ puts, deletes, appends }) {
      // Of its own: one that is used again keeps the memory of the largest write.
      const batch = db.batch();
      for (const key of deletes) batch._del(key, NO_OPTIONS);
      for (const { key, value } of puts) batch._put(key, value, NO_OPTIONS);
      for (const { key, value } of appends) batch._merge(key, value, NO_OPTIONS);
      batch._writeSync({ sync: false });
      void batch.close();
    },
    drop(from, to) {
      // Done when the call returns. It frees space: where it fails, so does the next write.
      db._clear({ gte: from, lt: to }, () => {});
    },
    scan: (from, to, limit) => entriesOf(db.querySync({ ...BUFFERS, gte: from, lt: to, limit })),
    scanBack: (from, to, limit) => entriesOf(db.querySync({ ...BUFFERS, gte: from, lt: to, limit, reverse: true })),
    bytes: () => Number(db.getProperty('rocksdb.total-sst-files-size')),
    close: () => db.close(),
  };
}

function entriesOf({ rows }: { rows: Buffer[] }): StateEntry[] {
  const entries: StateEntry[] = [];
  for (let i = 0; i < rows.length; i += 2) entries.push({ key: rows[i]!, value: rows[i + 1]! });
  return entries;
}
