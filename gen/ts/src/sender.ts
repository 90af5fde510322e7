import type { Rejection } from './errors.ts';
import type { CompletedEvent } from './events.ts';
import type { Prepared } from './prepare.ts';

/** What the gateway says of an event. */
export type Answer =
  | { accepted: { storedId: string; partition: number; offset: number; ignored: readonly string[] } }
  | { rejected: Rejection };

/** What the gateway says of a stream of events. */
export interface StreamAnswer {
  accepted: number;
  rejected: number;
  /** The first 1,000. */
  rejections: readonly { index: number; rejection: Rejection }[];
}

/** Makes one attempt at a call. Fails with AttemptFailed. `timeoutMs` is an integer from 1. */
export interface Sender {
  /** Most bytes of a batch. */
  readonly maxBatchBytes: number;
  /** Most batches under way. */
  readonly maxUnderWay: number;
  /** One answer per event, in order. */
  sendBatch(events: readonly Prepared[], timeoutMs: number, signal: AbortSignal): Promise<Answer[]>;
  sendStream?(events: readonly Prepared[], timeoutMs: number, signal: AbortSignal): Promise<StreamAnswer>;
  /** Calls `send`, whose batches are the last of a page: `room` is how many bytes of the next will still arrive. */
  whenLeaving?(send: (room: () => number) => void): void;
  close(): void;
}

/** What the gateway takes in one call is 1,000 events and 1 MiB; a little less leaves room for what surrounds them. */
export const MAX_BATCH_BYTES = 1_000_000;
/** More batches at a time only make each other wait. */
export const MAX_UNDER_WAY = 4;

/** Takes every event, and sends it nowhere. */
export function acceptingSender(keep?: (event: CompletedEvent) => void): Sender {
  const accept = ({ event, leftOut }: Prepared): Answer => {
    keep?.(event);
    return { accepted: { storedId: event.eventId, partition: 0, offset: 0, ignored: leftOut } };
  };
  return {
    maxBatchBytes: MAX_BATCH_BYTES,
    maxUnderWay: MAX_UNDER_WAY,
    sendBatch: async (events) => events.map(accept),
    async sendStream(events) {
      events.forEach(accept);
      return { accepted: events.length, rejected: 0, rejections: [] };
    },
    close() {},
  };
}
