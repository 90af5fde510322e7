import type { GivenUp } from './attempts.ts';
import { type Acceptance, Rejected, SendFailed } from './errors.ts';
import type { CompletedEvent, EventInput } from './events.ts';
import type { ClickmeshOptions } from './options.ts';
import { type Prepared, prepare } from './prepare.ts';
import { type Counters, Reports } from './reports.ts';
import type { Answer } from './sender.ts';
import type { EventStore } from './store.ts';

/** Counts what becomes of each event, once, and tells what is lost or rejected. */
export class Ledger {
  readonly counts = { queued: 0, sent: 0, rejected: 0, lost: 0, stored: 0 };
  readonly reports: Reports;
  /** Set when the client ends: from then on what is lost is kept for NotSent. */
  isClosing = false;
  readonly discarded: CompletedEvent[] = [];
  readonly #store: EventStore | undefined;

  constructor(options: ClickmeshOptions, store: EventStore | undefined) {
    this.reports = new Reports(options);
    this.#store = store;
  }

  counters(): Counters {
    const { queued, sent, rejected, lost, stored } = this.counts;
    return { queued, sent, rejected, lost, stored, waiting: queued - sent - rejected - lost - stored };
  }

  /** The rejections of events, in their places, and the others. */
  prepareAll(inputs: readonly EventInput[]) {
    const results: (Acceptance | Rejected | undefined)[] = new Array(inputs.length).fill(undefined);
    const good: { index: number; prepared: Prepared }[] = [];
    this.counts.queued += inputs.length;
    const now = Date.now();
    inputs.forEach((input, index) => {
      const prepared = prepare(input, now);
      if (prepared instanceof Rejected) {
        this.counts.rejected++;
        results[index] = prepared;
      } else good.push({ index, prepared });
    });
    return { results, good };
  }

  /** What the gateway says of an event, as a caller sees it. */
  resultOf({ event, leftOut }: Prepared, answer: Answer): Acceptance | Rejected {
    const { eventId, timestamp } = event;
    if ('rejected' in answer) {
      this.counts.rejected++;
      return new Rejected(answer.rejected, eventId, timestamp, event);
    }
    this.counts.sent++;
    const { storedId, partition, offset, ignored } = answer.accepted;
    const all = leftOut.length === 0 || ignored === leftOut ? ignored : [...leftOut, ...ignored];
    return { eventId, storedId, timestamp, partition, offset, ignored: all };
  }

  tellRejected(rejected: Rejected): void {
    this.reports.tell(rejected, rejected.event === undefined ? [] : [rejected.event], 1);
  }

  /** Stores, or counts as lost, events that were not sent, and tells it. */
  async notSent(prepared: readonly Prepared[], cause: GivenUp, results?: SendFailed['results']): Promise<SendFailed> {
    const events = prepared.map(({ event }) => event);
    const isStored = (await this.#store?.put(events).catch(() => false)) ?? false;
    this.counts[isStored ? 'stored' : 'lost'] += events.length;
    if (!isStored && this.isClosing) this.discarded.push(...events);
    const count = `${events.length} ${events.length === 1 ? 'event' : 'events'}`;
    const message = `${count} not sent${isStored ? ' but stored' : ''}: ${cause.message}`;
    const more = { ...(results && { results }), isStored };
    const error = new SendFailed(message, cause.code, cause.cause ?? cause, events, more);
    this.reports.tell(error, events);
    return error;
  }
}
