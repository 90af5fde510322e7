import { attempts, GivenUp } from './attempts.ts';
import { type Acceptance, ClientClosed, NotSent, QueueFull, Rejected, SendFailed } from './errors.ts';
import { MAX_CALL_EVENTS } from './event-rules.ts';
import type { CompletedEvent, EventInput } from './events.ts';
import { Ledger } from './ledger.ts';
import type { Settings } from './options.ts';
import { complete, type Prepared, prepare } from './prepare.ts';
import { Queue, type Tracked } from './queue.ts';
import type { Counters } from './reports.ts';
import type { Answer, Sender } from './sender.ts';
import type { EventStore } from './store.ts';

/** How long flush and close take at most, in ms. 30,000. */
export interface Limit {
  limitMs?: number;
}

/** Ends a call: it rejects with SendFailed, whose code is "canceled". */
export interface Cancel {
  signal?: AbortSignal;
}

/** What became of the events of a stream. */
export interface StreamResult {
  accepted: number;
  rejected: number;
  /** All that the client rejected, and the first 1,000 that the gateway did; `index` is from 0. */
  rejections: { index: number; rejected: Rejected }[];
}

/** What the place where a client runs gives it. */
export interface Surroundings {
  sender: Sender;
  /** Opened once, if the option is set. */
  store?: EventStore | undefined;
  /** Calls `leave` when the page goes away, and `ended` when the program ends. Returns what takes both back. */
  watch?(leave: () => void, ended: () => void): () => void;
  /** Calls `close` at SIGTERM, and then ends the program as SIGTERM ends it. Returns what takes it back. */
  watchSigterm?(close: () => Promise<unknown>): () => void;
}

const DEFAULT_LIMIT_MS = 30_000;

/**
 * Sends events.
 *
 * An event is copied, completed and checked at the call. Every attempt to send it has the same event_id, so nothing
 * counts twice. What can't be sent within `timeoutMs` is lost, and told: by the answer, onError, a warning,
 * counters() and close().
 */
export class IngestClient {
  readonly #settings: Settings;
  readonly #sender: Sender;
  readonly #store: EventStore | undefined;
  readonly #queue: Queue;
  readonly #ledger: Ledger;
  /** Aborted when the client ends. */
  readonly #ended = new AbortController();
  readonly #calls = new Set<Promise<unknown>>();
  readonly #undo: (() => void)[] = [];
  readonly #watchSigterm: Surroundings['watchSigterm'];
  #closing: Promise<void> | undefined;
  #isEmptyingStore = false;

  constructor(settings: Settings, { sender, store, watch, watchSigterm }: Surroundings) {
    this.#settings = settings;
    this.#sender = sender;
    this.#store = store;
    this.#watchSigterm = watchSigterm;
    this.#ledger = new Ledger(settings, store);
    const { batchSize, batchDelayMs } = settings;
    const { maxBatchBytes, maxUnderWay } = sender;
    this.#queue = new Queue({ batchSize, batchDelayMs, maxBatchBytes, maxUnderWay }, (batch) => this.#deliver(batch));
    if (watch)
      this.#undo.push(
        watch(
          () => this.#leave(),
          () => this.#warnOfEnd(),
        ),
      );
    this.#outlast(this.#emptyStore());
  }

  /**
   * Queues one event, to be sent with others. Resolves once it is durable; rejects with Rejected, QueueFull,
   * SendFailed or ClientClosed. The promise may be left alone: its rejection is never an unhandled one.
   */
  track(event: EventInput): Promise<Acceptance> {
    const answer = this.#track(event);
    answer.catch(() => {});
    return answer;
  }

  #track(input: EventInput): Promise<Acceptance> {
    if (this.#closing !== undefined) {
      const error = new ClientClosed();
      this.#ledger.reports.refused(error);
      return Promise.reject(error);
    }
    const prepared = prepare(input, Date.now());
    this.#ledger.counts.queued++;
    if (prepared instanceof Rejected) {
      this.#ledger.counts.rejected++;
      this.#ledger.tellRejected(prepared);
      return Promise.reject(prepared);
    }
    const limit = this.#fullBy(prepared.bytes);
    if (limit === undefined) return this.#queue.put(prepared);
    this.#ledger.counts.lost++;
    const error = new QueueFull(prepared.event, limit);
    this.#ledger.reports.tell(error, [prepared.event]);
    return Promise.reject(error);
  }

  /** The limit that leaves no room for so many bytes more, if one does. */
  #fullBy(bytes: number): string | undefined {
    const { maxQueueEvents, maxQueueBytes, onFull } = this.#settings;
    if (onFull === 'reject' && this.#queue.events >= maxQueueEvents) return `maxQueueEvents ${maxQueueEvents}`;
    return this.#queue.bytes + bytes > maxQueueBytes ? `maxQueueBytes ${maxQueueBytes}` : undefined;
  }

  /** Resolves when the queue has room. In a loop over many events it keeps memory bounded. */
  async ready(): Promise<void> {
    const { maxQueueEvents, maxQueueBytes } = this.#settings;
    const queue = this.#queue;
    if (this.#closing === undefined) {
      await queue.when(
        () => this.#closing !== undefined || (queue.events < maxQueueEvents && queue.bytes < maxQueueBytes),
      );
    }
    if (this.#closing !== undefined) throw new ClientClosed();
  }

  /** Stores one event; resolves once it is durable. Rejects with Rejected or SendFailed. */
  async send(event: EventInput, options: Cancel = {}): Promise<Acceptance> {
    const [result] = await this.#call(() => this.#sendAll([event], options));
    if (result instanceof Rejected) throw result;
    return result!;
  }

  /**
   * Stores any number of events, in calls as large as the gateway takes. One result per event, in order. Rejects
   * with SendFailed if any could not be sent; it has these results, and the events that were not sent.
   */
  async sendBatch(events: Iterable<EventInput>, options: Cancel = {}): Promise<(Acceptance | Rejected)[]> {
    const inputs = listOf(events);
    return (await this.#call(() => this.#sendAll(inputs, options))) as (Acceptance | Rejected)[];
  }

  /**
   * Stores any number of events over one stream, answered when all are durable. A stream that breaks is sent again from
   * its start, so they are kept in memory until then. Browsers can't.
   */
  async sendStream(events: Iterable<EventInput>, options: Cancel = {}): Promise<StreamResult> {
    const inputs = listOf(events);
    return this.#call(() => this.#stream(inputs, options));
  }

  /** A copy of an event with its id and time, which is one event however often it is sent. */
  complete(event: EventInput): CompletedEvent {
    return complete(event);
  }

  /** Sends what waits. Resolves with whether all that was tracked before was answered within the limit. */
  flush({ limitMs = DEFAULT_LIMIT_MS }: Limit = {}): Promise<boolean> {
    this.#queue.hurry();
    return within(limitMs, this.#queue.answered());
  }

  /**
   * Takes no more events, sends what waits, and ends within the limit. Rejects with NotSent if any event was lost in
   * the life of the client.
   */
  close(limit: Limit = {}): Promise<void> {
    this.#closing ??= this.#close(limit);
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Closes the client at SIGTERM; the program then ends as SIGTERM ends it, unless it has a handler of its own. */
  closeOnSigterm(): void {
    if (this.#closing !== undefined) throw new ClientClosed();
    if (this.#watchSigterm) this.#undo.push(this.#watchSigterm(() => this.close()));
  }

  /** What became of the events so far. */
  counters(): Counters {
    return this.#ledger.counters();
  }

  async #close({ limitMs = DEFAULT_LIMIT_MS }: Limit): Promise<void> {
    const giveUpAt = performance.now() + limitMs;
    // track() and others are refused from here on: the promise is set before anything is awaited.
    await Promise.resolve();
    await within(limitMs, Promise.all([this.flush({ limitMs }), ...this.#calls]));
    this.#ledger.isClosing = true;
    this.#ended.abort(new Error('the client was closed'));
    const left = this.#queue.empty();
    if (left.length > 0)
      await this.#giveUp(left, new GivenUp('the client was closed before it was their turn', 'canceled', undefined));
    await within(Math.max(1000, giveUpAt - performance.now()), Promise.all([this.#queue.answered(), ...this.#calls]));
    for (const undo of this.#undo) undo();
    this.#sender.close();
    this.#store?.close();
    this.#ledger.reports.end();
    if (this.#ledger.counts.lost > 0) throw new NotSent(this.#ledger.counts.lost, this.#ledger.discarded);
  }

  async #deliver(batch: Tracked[]): Promise<void> {
    const events = batch.map(({ prepared }) => prepared);
    let answers: Answer[];
    try {
      answers = await attempts(this.#settings, this.#ended.signal, (timeoutMs, signal) =>
        this.#sender.sendBatch(events, timeoutMs, signal),
      );
    } catch (error) {
      return this.#giveUp(batch, error as GivenUp);
    }
    for (let i = 0; i < batch.length; i++) {
      const { prepared, resolve, reject } = batch[i]!;
      const result = this.#ledger.resultOf(prepared, answers[i]!);
      if (result instanceof Rejected) {
        this.#ledger.tellRejected(result);
        reject(result);
      } else resolve(result);
    }
    this.#emptyStore();
  }

  /** Ends tracked events that were not sent. */
  async #giveUp(batch: readonly Tracked[], cause: GivenUp): Promise<void> {
    const { message, code, isStored } = await this.#ledger.notSent(
      batch.map(({ prepared }) => prepared),
      cause,
    );
    // Each has its own event.
    for (const { prepared, reject } of batch)
      reject(new SendFailed(message, code, cause, [prepared.event], { isStored }));
  }

  /** Makes a call that close() waits for. */
  #call<T>(call: () => Promise<T>): Promise<T> {
    if (this.#closing !== undefined) return Promise.reject(new ClientClosed());
    const made = call();
    this.#outlast(made);
    return made;
  }

  /** Makes close() wait for what is under way. */
  #outlast(made: Promise<unknown>): void {
    const ended = made.then(
      () => {},
      () => {},
    );
    this.#calls.add(ended);
    ended.then(() => this.#calls.delete(ended));
  }

  async #sendAll(inputs: readonly EventInput[], options: Cancel): Promise<(Acceptance | Rejected | undefined)[]> {
    const { results, good } = this.#ledger.prepareAll(inputs);
    while (good.length > 0) {
      const chunk = good.slice(0, fitting(good, this.#sender.maxBatchBytes));
      try {
        const answers = await this.#attempt(options, (timeoutMs, signal) =>
          this.#sender.sendBatch(
            chunk.map(({ prepared }) => prepared),
            timeoutMs,
            signal,
          ),
        );
        chunk.forEach(({ index, prepared }, i) => {
          results[index] = this.#ledger.resultOf(prepared, answers[i]!);
        });
      } catch (error) {
        throw await this.#ledger.notSent(
          good.map(({ prepared }) => prepared),
          error as GivenUp,
          results,
        );
      }
      good.splice(0, chunk.length);
    }
    return results;
  }

  async #stream(inputs: readonly EventInput[], options: Cancel): Promise<StreamResult> {
    if (this.#sender.sendStream === undefined) throw new Error('sendStream is not for browsers: use sendBatch');
    const { results, good } = this.#ledger.prepareAll(inputs);
    const events = good.map(({ prepared }) => prepared);
    const rejections = results.flatMap((result, index) =>
      result instanceof Rejected ? [{ index, rejected: result }] : [],
    );
    const byClient = rejections.length;
    if (events.length === 0) return { accepted: 0, rejected: byClient, rejections };
    const answer = await this.#attempt(options, (timeoutMs, signal) =>
      this.#sender.sendStream!(events, timeoutMs, signal),
    ).catch(async (error) => {
      throw await this.#ledger.notSent(events, error, results);
    });
    this.#ledger.counts.sent += answer.accepted;
    const rejected = events.length - answer.accepted;
    this.#ledger.counts.rejected += rejected;
    for (const { index, rejection } of answer.rejections) {
      const { event } = good[index]!.prepared;
      const why = new Rejected(rejection, event.eventId, event.timestamp, event);
      rejections.push({ index: good[index]!.index, rejected: why });
    }
    rejections.sort((a, b) => a.index - b.index);
    return { accepted: answer.accepted, rejected: byClient + rejected, rejections };
  }

  async #attempt<T>({ signal }: Cancel, attempt: (timeoutMs: number, signal: AbortSignal) => Promise<T>): Promise<T> {
    if (signal === undefined) return attempts(this.#settings, this.#ended.signal, attempt);
    const either = new AbortController();
    const sources = [signal, this.#ended.signal];
    const undo = sources.map((source) => {
      const end = () => either.abort(source.reason);
      if (source.aborted) end();
      source.addEventListener('abort', end);
      return () => source.removeEventListener('abort', end);
    });
    try {
      return await attempts(this.#settings, either.signal, attempt);
    } finally {
      for (const one of undo) one();
    }
  }

  /** Sends what earlier clients left in the store. What can't be sent now stays there until a batch was sent. */
  async #emptyStore(): Promise<void> {
    const store = this.#store;
    if (store === undefined || this.#isEmptyingStore) return;
    this.#isEmptyingStore = true;
    try {
      while (!this.#ended.signal.aborted && (await this.#sendStored(store)));
    } catch (error) {
      this.#ledger.reports.warn(`the store can't be read: ${error}`);
    }
    this.#isEmptyingStore = false;
  }

  /** Returns whether there may be more. */
  async #sendStored(store: EventStore): Promise<boolean> {
    const kept = await store.oldest();
    if (kept === undefined) return false;
    const own = Math.min(kept.events.length, this.#ledger.counts.stored);
    const { good } = this.#ledger.prepareAll(kept.events);
    // Those that this client stored are counted already.
    this.#ledger.counts.queued -= own;
    this.#ledger.counts.stored -= own;
    while (good.length > 0) {
      const chunk = good.splice(0, fitting(good, this.#sender.maxBatchBytes)).map(({ prepared }) => prepared);
      try {
        const answers = await this.#sender.sendBatch(
          chunk,
          Math.ceil(this.#settings.attemptTimeoutMs),
          this.#ended.signal,
        );
        chunk.forEach((prepared, i) => {
          const result = this.#ledger.resultOf(prepared, answers[i]!);
          if (result instanceof Rejected) this.#ledger.tellRejected(result);
        });
      } catch {
        this.#ledger.counts.stored += chunk.length + good.length;
        return false;
      }
    }
    await store.remove(kept.key);
    return true;
  }

  /** The page goes away: what waits is sent beside what is under way. */
  #leave(): void {
    this.#sender.whenLeaving?.((room) => this.#queue.hurryAll(room));
  }

  #warnOfEnd(): void {
    const { waiting } = this.counters();
    const { reports } = this.#ledger;
    if (waiting > 0) reports.warn(`${waiting} ${waiting === 1 ? 'event' : 'events'} not sent: the program ended`);
    reports.end();
  }
}

/** How many events, from the first on, fit into one call: at least one. */
function fitting(events: readonly { prepared: Prepared }[], maxBytes: number): number {
  let bytes = 0;
  let count = 0;
  for (const { prepared } of events) {
    bytes += prepared.bytes;
    if (count === MAX_CALL_EVENTS || (count > 0 && bytes > maxBytes)) break;
    count++;
  }
  return count;
}

function listOf(events: Iterable<EventInput>): EventInput[] {
  if (typeof events === 'object' && events !== null && Symbol.iterator in events) return [...events];
  throw new TypeError('events must be an array or another iterable: send() takes one event');
}

/** Resolves with whether the promise was fulfilled within the limit. */
function within(limitMs: number, promise: Promise<unknown>): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), limitMs);
    promise.then(() => {
      clearTimeout(timer);
      resolve(true);
    });
  });
}
