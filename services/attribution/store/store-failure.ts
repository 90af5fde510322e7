import type { StateStore } from './state-store.ts';

/** What state stores failed with. */
const failures = new WeakSet<object>();

/** Whether an error came from a state store: its disk is full, say, which is no fault of what was folded. */
export function isStoreFailure(error: unknown): boolean {
  return typeof error === 'object' && error !== null && failures.has(error);
}

/** What made an entry failed, and not the store that took it. */
export class EntryFailure extends Error {
  override name = 'EntryFailure';

  constructor(cause: unknown) {
    super(`an entry of the state could not be made: ${cause instanceof Error ? cause.message : cause}`, { cause });
  }
}

/** The store, whose failures `isStoreFailure` knows from then on. */
export function withKnownFailures(store: StateStore): StateStore {
  return {
    getMany(keys, areScattered) {
      try {
        return store.getMany(keys, areScattered);
      } catch (error) {
        throw noted(error);
      }
    },
    write(changes) {
      try {
        store.write(changes);
      } catch (error) {
        throw error instanceof EntryFailure ? error : noted(error);
      }
    },
    drop(from, to) {
      try {
        store.drop(from, to);
      } catch (error) {
        throw noted(error);
      }
    },
    scan(from, to, limit) {
      try {
        return store.scan(from, to, limit);
      } catch (error) {
        throw noted(error);
      }
    },
    scanBack(from, to, limit) {
      try {
        return store.scanBack(from, to, limit);
      } catch (error) {
        throw noted(error);
      }
    },
    bytes: () => store.bytes(),
    close: () => store.close(),
  };
}

function noted(error: unknown): unknown {
  if (typeof error === 'object' && error !== null) failures.add(error);
  return error;
}
