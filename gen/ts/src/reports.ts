import { type ClientClosed, type QueueFull, Rejected, type SendFailed } from './errors.ts';
import type { CompletedEvent } from './events.ts';
import type { ClickmeshOptions } from './options.ts';

/** What became of events: always queued = sent + rejected + lost + stored + waiting. */
export interface Counters {
  /** Handed to the client, by whatever call. */
  queued: number;
  /** Durable in the mesh. */
  sent: number;
  /** Against a rule of the contract. */
  rejected: number;
  /** Given up, refused by a full queue, or discarded by close(). */
  lost: number;
  /** In the offline store. */
  stored: number;
  /** Without an answer so far. */
  waiting: number;
}

/** Shortest time between two warnings, in ms. */
const WARNING_MS = 10_000;

/** Calls what the program gave, which may fail at once or later, where it is an async function. */
function attempt(call: () => unknown, failed: (thrown: unknown) => void): void {
  try {
    const called = call();
    if (called instanceof Promise) called.catch(failed);
  } catch (thrown) {
    failed(thrown);
  }
}

/** Tells what was lost or rejected: the program by onError, people by a line of the log. */
export class Reports {
  readonly #onError: ClickmeshOptions['onError'];
  readonly #warn: ((line: string) => void) | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #since: Map<string, { events: number; last: string }> = new Map();

  constructor({ onError, logger }: ClickmeshOptions) {
    this.#onError = onError;
    this.#warn = warnBy(logger);
  }

  /** Calls onError, whatever it throws, and warns. */
  tell(error: SendFailed | QueueFull | Rejected, events: readonly CompletedEvent[], count = events.length): void {
    const what =
      error instanceof Rejected ? 'rejected' : 'isStored' in error && error.isStored ? 'kept in the store' : 'not sent';
    this.#note(what, count, error.message);
    const failed = (thrown: unknown) =>
      this.#note('told to an onError that failed', count, thrown instanceof Error ? thrown.message : typeof thrown);
    attempt(() => this.#onError?.(error, events), failed);
  }

  /** Warns of an event that was tracked too late: it counts nowhere, and its promise may be left alone. */
  refused({ message }: ClientClosed): void {
    this.#note('not taken', 1, message);
  }

  /** Warns at once, whatever was warned of before. */
  warn(line: string): void {
    // A logger that fails is no reason to lose events.
    attempt(
      () => this.#warn?.(`clickmesh: ${line.replace(/\s+/g, ' ')}`),
      () => {},
    );
  }

  /** Warns of what was held back. */
  end(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#since.size > 0) this.#warnOfAll();
  }

  #note(what: string, events: number, last: string): void {
    const before = this.#since.get(what);
    this.#since.set(what, { events: events + (before?.events ?? 0), last });
    if (this.#timer !== undefined) return;
    this.#warnOfAll();
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      const [first] = this.#since.entries();
      // Nothing happened meanwhile, or it is told now and the clock runs on.
      if (first !== undefined) this.#note(first[0], 0, first[1].last);
    }, WARNING_MS);
    // In browsers it is a number.
    (this.#timer as { unref?(): void }).unref?.();
  }

  #warnOfAll(): void {
    const all = [...this.#since].map(
      ([what, { events, last }]) => `${events} ${events === 1 ? 'event' : 'events'} ${what} (${last})`,
    );
    this.#since = new Map();
    this.warn(all.join('; '));
  }
}

function warnBy(logger: ClickmeshOptions['logger']): ((line: string) => void) | undefined {
  if (logger === null || logger === false) return undefined;
  if (logger === undefined) return (line) => console.warn(line);
  return typeof logger === 'function' ? logger : (line) => logger.warn(line);
}
