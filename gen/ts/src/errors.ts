import type { CompletedEvent } from './events.ts';

/** Why an event is rejected, as the contract's RejectReason has it. */
export type RejectReason =
  | 'MALFORMED'
  | 'UNKNOWN_EVENT_TYPE'
  | 'REQUIRED'
  | 'TOO_LONG'
  | 'OUT_OF_RANGE'
  | 'NOT_FINITE'
  | 'CONTRADICTION'
  | 'PLACEHOLDER'
  | 'MISNAMED_VALUE'
  | 'OTHER_CURRENCY'
  | 'UNKNOWN_CHOICE'
  | 'UNKNOWN_TARGET'
  | 'UNSPECIFIED';

/** An event is durable. */
export interface Acceptance {
  /** As it was sent. */
  eventId: string;
  /** As it is stored: a UUID in lower case. */
  storedId: string;
  /** As it was sent, in ms since 1970-01-01 UTC. */
  timestamp: number;
  /** Position in the log. */
  partition: number;
  offset: number;
  /** What of the event was not kept, such as "metadata.gclid". */
  ignored: readonly string[];
}

/** What was wrong with an event. */
export interface Rejection {
  /** In the contract's spelling, such as "user_id"; "event" for the event as a whole. */
  field: string;
  reason: RejectReason;
  /** The limit it broke, such as "128 bytes"; empty where there is none. */
  limit: string;
  /** The field, what is wrong, the limit, and what to do. */
  message: string;
  /** What the field held, as JSON, cut to 64 characters; empty where it was absent. */
  received: string;
}

/** The event breaks a rule of the contract: sending it again unchanged can't help. */
export class Rejected extends Error implements Rejection {
  override name = 'Rejected';
  readonly field: string;
  readonly reason: RejectReason;
  readonly limit: string;
  readonly received: string;
  /** As it was sent; empty if it was no text. */
  readonly eventId: string;
  /** As it was sent, in ms since 1970-01-01 UTC; 0 if it was no time. */
  readonly timestamp: number;
  /** The event, completed; undefined if it was none. */
  readonly event: CompletedEvent | undefined;

  constructor(rejection: Rejection, eventId: string, timestamp: number, event: CompletedEvent | undefined) {
    super(rejection.message);
    this.field = rejection.field;
    this.reason = rejection.reason;
    this.limit = rejection.limit;
    this.received = rejection.received;
    this.eventId = eventId;
    this.timestamp = timestamp;
    this.event = event;
  }
}

/** Events could not be sent in time, or were refused together. Sending them again doubles nothing. */
export class SendFailed extends Error {
  override name = 'SendFailed';
  /** What was not sent, in order. */
  readonly events: readonly CompletedEvent[];
  /** Of sendBatch: what became of each event; undefined for those not sent. */
  readonly results: readonly (Acceptance | Rejected | undefined)[];
  /** Of the last attempt, as Connect names it, such as "unavailable". */
  readonly code: string;
  /** They are in the offline store, and will be sent from there. */
  readonly isStored: boolean;

  constructor(
    message: string,
    code: string,
    cause: unknown,
    events: readonly CompletedEvent[],
    more: SendFailedMore = {},
  ) {
    super(message, { cause });
    this.code = code;
    this.events = events;
    this.results = more.results ?? [];
    this.isStored = more.isStored ?? false;
  }
}

interface SendFailedMore {
  results?: readonly (Acceptance | Rejected | undefined)[];
  isStored?: boolean;
}

/** The queue has no room for the event, which is lost. */
export class QueueFull extends Error {
  override name = 'QueueFull';
  readonly event: CompletedEvent;

  constructor(event: CompletedEvent, limit: string) {
    super(`the queue is full (${limit}): await client.ready() before more is tracked`);
    this.event = event;
  }
}

/** The client was closed before the call. */
export class ClientClosed extends Error {
  override name = 'ClientClosed';

  constructor() {
    super('the client is closed');
  }
}

/** Events were lost in the life of a client. */
export class NotSent extends Error {
  override name = 'NotSent';
  readonly count: number;
  /** Those that the client still has: what it discarded when it was closed. */
  readonly events: readonly CompletedEvent[];

  constructor(count: number, events: readonly CompletedEvent[]) {
    super(`${count} ${count === 1 ? 'event was' : 'events were'} not sent`);
    this.count = count;
    this.events = events;
  }
}

/** One attempt at a call failed. */
export class AttemptFailed extends Error {
  override name = 'AttemptFailed';
  /** As Connect names it. */
  readonly code: string;
  /** Whether the same may be taken later. */
  readonly isTransient: boolean;
  /** How long the gateway asks to wait, in ms; 0 if it doesn't. */
  readonly retryAfterMs: number;

  constructor(message: string, code: string, isTransient: boolean, retryAfterMs = 0, cause?: unknown) {
    super(message, { cause });
    this.code = code;
    this.isTransient = isTransient;
    this.retryAfterMs = retryAfterMs;
  }
}
