import type { Acceptance } from './errors.ts';
import type { Prepared } from './prepare.ts';

/** A tracked event that has no answer yet. */
export interface Tracked {
  prepared: Prepared;
  /** Number of the event in the queue, from 1. */
  number: number;
  resolve(acceptance: Acceptance): void;
  reject(reason: Error): void;
}

export interface QueueLimits {
  batchSize: number;
  batchDelayMs: number;
  maxBatchBytes: number;
  maxUnderWay: number;
}

/**
 * Gathers events into batches by number, bytes and time, of which a few are under way at a time. `deliver` settles the
 * events of a batch, and never fails.
 */
export class Queue {
  readonly #limits: QueueLimits;
  readonly #deliver: (batch: Tracked[]) => Promise<void>;
  #waiting: Tracked[] = [];
  readonly #underWay = new Set<Tracked[]>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Number of the last event put. */
  #last = 0;
  /** Events up to this number wait for no others. */
  #due = 0;
  readonly #watchers = new Set<() => void>();
  /** Events without an answer, and their bytes. */
  events = 0;
  bytes = 0;

  constructor(limits: QueueLimits, deliver: (batch: Tracked[]) => Promise<void>) {
    this.#limits = limits;
    this.#deliver = deliver;
  }

  put(prepared: Prepared): Promise<Acceptance> {
    this.events++;
    this.bytes += prepared.bytes;
    const number = ++this.#last;
    const answer = new Promise<Acceptance>((resolve, reject) =>
      this.#waiting.push({ prepared, number, resolve, reject }),
    );
    if (this.#waiting.length >= this.#limits.batchSize || this.bytes >= this.#limits.maxBatchBytes) this.#pump();
    else this.#timer ??= setTimeout(() => this.hurry(), this.#limits.batchDelayMs);
    return answer;
  }

  /** Sends what waits, without waiting for more. */
  hurry(): void {
    this.#due = this.#last;
    this.#pump();
  }

  /** Sends what waits at once, however much is under way, in batches of as many bytes as `room` says before each. */
  hurryAll(room: () => number): void {
    while (this.#waiting.length > 0) this.#send(this.#take(Math.min(room(), this.#limits.maxBatchBytes)));
  }

  /** Resolves when all that was put before is answered. */
  answered(): Promise<void> {
    const last = this.#last;
    return this.when(() => this.#firstUnanswered() > last);
  }

  /** Resolves when the condition holds, which is looked at after each batch. */
  when(condition: () => boolean): Promise<void> {
    if (condition()) return Promise.resolve();
    return new Promise((resolve) => {
      const watch = () => {
        if (!condition()) return;
        this.#watchers.delete(watch);
        resolve();
      };
      this.#watchers.add(watch);
    });
  }

  /** Takes out what waits. */
  empty(): Tracked[] {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const all = this.#waiting;
    this.#waiting = [];
    this.#forget(all);
    return all;
  }

  #firstUnanswered(): number {
    let first = this.#waiting[0]?.number ?? Number.POSITIVE_INFINITY;
    for (const batch of this.#underWay) first = Math.min(first, batch[0]!.number);
    return first;
  }

  #pump(): void {
    const { batchSize, maxBatchBytes, maxUnderWay } = this.#limits;
    while (this.#underWay.size < maxUnderWay && this.#waiting.length > 0) {
      const isDue = this.#waiting[0]!.number <= this.#due;
      if (!isDue && this.#waiting.length < batchSize && this.#waitingBytes() < maxBatchBytes) break;
      this.#send(this.#take(maxBatchBytes));
    }
    if (this.#waiting.length > 0 && this.#waiting.at(-1)!.number > this.#due) {
      this.#timer ??= setTimeout(() => this.hurry(), this.#limits.batchDelayMs);
    } else {
      clearTimeout(this.#timer);
      this.#timer = undefined;
    }
  }

  #waitingBytes(): number {
    let bytes = 0;
    for (const { prepared } of this.#waiting) bytes += prepared.bytes;
    return bytes;
  }

  /** The next batch: at least one event. */
  #take(maxBytes: number): Tracked[] {
    let bytes = 0;
    let count = 0;
    for (const { prepared } of this.#waiting) {
      bytes += prepared.bytes;
      if (count === this.#limits.batchSize || (count > 0 && bytes > maxBytes)) break;
      count++;
    }
    return this.#waiting.splice(0, count);
  }

  async #send(batch: Tracked[]): Promise<void> {
    this.#underWay.add(batch);
    await this.#deliver(batch);
    this.#underWay.delete(batch);
    this.#forget(batch);
    this.#pump();
  }

  #forget(events: readonly Tracked[]): void {
    this.events -= events.length;
    for (const { prepared } of events) this.bytes -= prepared.bytes;
    for (const watch of [...this.#watchers]) watch();
  }
}
