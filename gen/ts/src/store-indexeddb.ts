import type { CompletedEvent } from './events.ts';
import { type EventStore, eventsOf, linesOf } from './store.ts';

const BATCHES = 'batches';

/** Keeps events in a database of the page's origin. */
export function indexedDbStore(name: string, maxBytes: number): EventStore {
  let opened: Promise<IDBDatabase> | undefined;

  async function table(mode: IDBTransactionMode): Promise<IDBObjectStore> {
    opened ??= open(name);
    return (await opened).transaction(BATCHES, mode).objectStore(BATCHES);
  }

  return {
    async put(events) {
      const lines = linesOf(events);
      const batches = await table('readwrite');
      const kept: string[] = await done(batches.getAll());
      const bytes = kept.reduce((sum, one) => sum + one.length, lines.length);
      if (bytes > maxBytes) return false;
      await done(batches.add(lines));
      return true;
    },
    async oldest() {
      const cursor = await done((await table('readonly')).openCursor());
      if (!cursor) return undefined;
      return { key: cursor.key, events: eventsOf(cursor.value) as CompletedEvent[] };
    },
    async remove(key) {
      await done((await table('readwrite')).delete(key));
    },
    async close() {
      (await opened?.catch(() => undefined))?.close();
    },
  };
}

function open(name: string): Promise<IDBDatabase> {
  const request = indexedDB.open(name, 1);
  request.onupgradeneeded = () => request.result.createObjectStore(BATCHES, { autoIncrement: true });
  return done(request);
}

function done<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
