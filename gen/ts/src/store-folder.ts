import { randomUUID } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type EventStore, eventsOf, linesOf } from './store.ts';

const ENDING = '.ndjson';

/**
 * Keeps events in a folder, a file for each batch. Several processes may share it: what two of them send counts once,
 * as it has the same ids.
 */
export function folderStore(folder: string, maxBytes: number): EventStore {
  let last: Promise<unknown> = Promise.resolve();

  async function names(): Promise<string[]> {
    const all = await readdir(folder).catch((error) => (error.code === 'ENOENT' ? [] : Promise.reject(error)));
    return all.filter((name) => name.endsWith(ENDING)).sort();
  }

  async function sizeOf(name: string): Promise<number> {
    const found = await stat(join(folder, name)).catch(() => undefined);
    return found?.size ?? 0;
  }

  async function put(bytes: Buffer): Promise<boolean> {
    await mkdir(folder, { recursive: true });
    const sizes = await Promise.all((await names()).map(sizeOf));
    if (sizes.reduce((sum, size) => sum + size, bytes.length) > maxBytes) return false;
    const name = `${String(Date.now()).padStart(15, '0')}-${randomUUID()}`;
    const file = await open(join(folder, `${name}.new`), 'w');
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(join(folder, `${name}.new`), join(folder, name + ENDING));
    return true;
  }

  return {
    put(events) {
      const bytes = Buffer.from(linesOf(events));
      // One after the other, so that all are counted against the bound.
      const kept = last.then(() => put(bytes));
      last = kept.catch(() => {});
      return kept;
    },
    async oldest() {
      for (const key of await names()) {
        const lines = await readFile(join(folder, key), 'utf8').catch(() => undefined);
        if (lines !== undefined) return { key, events: eventsOf(lines) };
      }
      return undefined;
    },
    async remove(key) {
      await rm(join(folder, key as string), { force: true });
    },
    close() {},
  };
}
