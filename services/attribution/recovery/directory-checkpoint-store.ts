import { randomUUID } from 'node:crypto';
import { copyFile, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import type { CheckpointStore, StoredFile } from './checkpoint-store.ts';

/** Ending of files being written; a crash may leave some. */
const PARTIAL = '.partial';

/** Checkpoints in a directory, such as one that several nodes mount. The first put creates it. */
export function directoryCheckpointStore(root: string): CheckpointStore {
  return {
    async put(name, path) {
      const target = join(root, name);
      const partial = `${target}.${randomUUID()}${PARTIAL}`;
      await mkdir(dirname(target), { recursive: true });
      await copyFile(path, partial);
      await sync(partial);
      await rename(partial, target);
      await sync(dirname(target));
    },
    async get(name, path) {
      return unlessMissing(false, async () => {
        await copyFile(join(root, name), path);
        return true;
      });
    },
    async list(prefix) {
      const folder = join(root, dirname(`${prefix}x`));
      const entries = await unlessMissing([], () => readdir(folder, { recursive: true, withFileTypes: true }));
      const files = entries.filter((entry) => entry.isFile() && !entry.name.endsWith(PARTIAL));
      const listed: StoredFile[] = [];
      for (const file of files) {
        const path = join(file.parentPath, file.name);
        const name = relative(root, path);
        if (!name.startsWith(prefix)) continue;
        const stats = await unlessMissing(undefined, () => stat(path));
        if (stats !== undefined) listed.push({ name, bytes: stats.size, putAt: stats.mtimeMs });
      }
      return listed;
    },
    async remove(names) {
      await Promise.all(names.map((name) => rm(join(root, name), { force: true })));
    },
  };
}

async function sync(path: string): Promise<void> {
  const handle = await open(path);
  await handle.sync().finally(() => handle.close());
}

async function unlessMissing<T>(otherwise: T, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return otherwise;
    throw error;
  }
}
