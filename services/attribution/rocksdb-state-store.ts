import { RocksLevel } from '@nxtedition/rocksdb';
import type { StateEntry, StateStore } from './state-store.ts';

const BUFFERS = { keyEncoding: 'buffer', valueEncoding: 'buffer' } as const;

/** A StateStore in a folder of its own. Throws if the folder can't be written or another process has it. */
export async function openRocksdbStateStore(dir: string): Promise<StateStore> {
  const db = new RocksLevel(dir, {
    ...BUFFERS,
    createIfMissing: true,
    compaction: 'level',
    // One store a partition: eight of them stay under 300 MB.
    memtableMemoryBudget: 16 << 20,
    cacheSize: 16 << 20,
    walCompression: false,
    parallelism: 1,
  });
  await db.open();
  const batch = db.batch();
  return {
    getMany: (keys) => db._getManySync(keys, { valueEncoding: 'buffer' }),
    write({ puts, deletes }) {
      batch._clear();
      for (const key of deletes) batch._del(key, {});
      for (const { key, value } of puts) batch._put(key, value, {});
      batch._writeSync({ sync: false });
    },
    scan(from, to, limit) {
      const { rows } = db.querySync({ ...BUFFERS, gte: from, lt: to, limit });
      const entries: StateEntry[] = [];
      for (let i = 0; i < rows.length; i += 2) entries.push({ key: rows[i]!, value: rows[i + 1]! });
      return entries;
    },
    async close() {
      batch._closeSync();
      await db.close();
    },
  };
}
