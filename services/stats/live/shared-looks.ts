import { setTimeout as sleep } from 'node:timers/promises';

/** Longest time between two messages of a stream, in ms: proxies close connections on which nothing comes. */
export const HEARTBEAT_MS = 10_000;

/** What is looked at again and again for as long as anybody watches. */
export interface Look<T> {
  /** What is new; undefined if nothing is. It is not called again before it has answered. */
  next(signal: AbortSignal): Promise<T | undefined>;
  /** What a watcher gets who has not taken `waiting` when `next` comes, so that nobody's answers pile up. */
  merge(waiting: T, next: T): T;
  /** What somebody who begins to watch gets at once, after `next` came. */
  remember(last: T | undefined, next: T): T;
  periodMs: number;
}

interface Watched<T> {
  slots: Set<Slot<T>>;
  stop: AbortController;
  /** What the next to watch gets at once; undefined before the first answer. */
  last: T | undefined;
}

/** Of one watcher: what it has not taken yet, or why there will be no more. */
interface Slot<T> {
  waiting: T | undefined;
  failure: Error | undefined;
  wake(): void;
}

/** Looks by what is looked at: those who watch the same share them. */
export class SharedLooks<T> {
  readonly #watched = new Map<string, Watched<T>>();

  /** How many different things are looked at. */
  get size(): number {
    return this.#watched.size;
  }

  /**
   * Yields what is remembered at once, then what is new, and undefined where nothing was for HEARTBEAT_MS, until the
   * signal aborts. Throws what a look throws; whoever watches after that looks anew.
   *
   * @param look begins to look; called only if nobody watches this yet
   */
  async *watch(key: string, look: () => Look<T>, signal: AbortSignal): AsyncGenerator<T | undefined> {
    const watched = this.#watched.get(key) ?? this.#begin(key, look());
    const slot: Slot<T> = { waiting: watched.last, failure: undefined, wake: () => {} };
    watched.slots.add(slot);
    try {
      while (!signal.aborted) {
        if (slot.waiting === undefined && slot.failure === undefined) await wakened(slot, signal);
        if (slot.failure !== undefined) throw slot.failure;
        if (signal.aborted) return;
        const { waiting } = slot;
        slot.waiting = undefined;
        yield waiting;
      }
    } finally {
      watched.slots.delete(slot);
      if (watched.slots.size === 0) this.#end(key, watched);
    }
  }

  #begin(key: string, look: Look<T>): Watched<T> {
    const watched: Watched<T> = { slots: new Set(), stop: new AbortController(), last: undefined };
    this.#watched.set(key, watched);
    this.#run(look, watched).catch((error) => {
      this.#end(key, watched);
      for (const slot of watched.slots) {
        slot.failure = error as Error;
        slot.wake();
      }
    });
    return watched;
  }

  #end(key: string, watched: Watched<T>): void {
    watched.stop.abort();
    if (this.#watched.get(key) === watched) this.#watched.delete(key);
  }

  async #run(look: Look<T>, watched: Watched<T>): Promise<void> {
    const { signal } = watched.stop;
    while (!signal.aborted) {
      const next = await look.next(signal);
      if (next !== undefined) {
        watched.last = look.remember(watched.last, next);
        for (const slot of watched.slots) {
          slot.waiting = slot.waiting === undefined ? next : look.merge(slot.waiting, next);
          slot.wake();
        }
      }
      await sleep(look.periodMs, undefined, { signal }).catch(() => {});
    }
  }
}

/** Waits until a slot is wakened, HEARTBEAT_MS have passed or the signal aborts. */
function wakened<T>(slot: Slot<T>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      slot.wake = () => {};
      resolve();
    };
    const timer = setTimeout(done, HEARTBEAT_MS);
    signal.addEventListener('abort', done);
    slot.wake = done;
    if (signal.aborted) done();
  });
}
