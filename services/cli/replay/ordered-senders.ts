import { crc32 } from 'node:zlib';
import type { Event } from '../../../gen/ts/clickmesh/v1/event_pb.js';
import { MAX_REQUEST_BYTES } from '../../contract/limits.ts';

/** An event and the piece of the input that it came from. */
export interface InputEvent {
  /** Its place among the pieces of the input. */
  index: number;
  /** Line of the input, from 1. */
  line: number;
  bytes: Buffer;
  event: Event;
  /** Names in it that are not understood. */
  ignored: readonly string[];
}

/** Batches in flight at a time. */
export const SENDERS = 4;

interface SendersOptions {
  /** Most events of a batch. */
  maxEvents: number;
  /** Resolves when the batch has been answered. */
  send(batch: InputEvent[]): Promise<void>;
  /** Called after a batch with the index of the first event that is not answered yet; infinite if there is none. */
  answered(oldest: number): void;
  /** Called with what a send threw. */
  failed(error: unknown): void;
}

class Sender {
  events: InputEvent[] = [];
  /** Of their JSON, which protobuf never exceeds. */
  bytes = 0;
  sending = Promise.resolve();
  inFlight: InputEvent[] = [];

  /** Index of the first event that is not answered; infinite if there is none. */
  get oldest(): number {
    return (this.inFlight[0] ?? this.events[0])?.index ?? Number.POSITIVE_INFINITY;
  }
}

/**
 * Sends batches side by side, yet the events of one user in their order: a user always takes the same sender, and a
 * sender has one batch in flight while it fills the next.
 */
export function openSenders({ maxEvents, send, answered, failed }: SendersOptions) {
  const senders = Array.from({ length: SENDERS }, () => new Sender());

  async function flush(sender: Sender): Promise<void> {
    await sender.sending;
    if (sender.events.length === 0) return;
    sender.inFlight = sender.events;
    sender.sending = deliver(sender);
    sender.sending.catch(failed);
    sender.events = [];
    sender.bytes = 0;
  }

  async function deliver(sender: Sender): Promise<void> {
    await send(sender.inFlight);
    sender.inFlight = [];
    answered(Math.min(...senders.map(({ oldest }) => oldest)));
  }

  return {
    /** Resolves when there is room for more. Throws what a send of the sender threw. */
    async push(item: InputEvent): Promise<void> {
      const sender = senders[crc32(item.event.event.value?.userId ?? '') % SENDERS]!;
      const bytes = item.bytes.length;
      if (sender.bytes + bytes > MAX_REQUEST_BYTES) await flush(sender);
      sender.events.push(item);
      sender.bytes += bytes;
      if (sender.events.length >= maxEvents) await flush(sender);
    },
    /** Sends what is left and waits for everything. Throws what a send threw. */
    async finish(): Promise<void> {
      await Promise.all(senders.map(flush));
      await Promise.all(senders.map((sender) => sender.sending));
    },
    /** Waits for what is in flight, whatever becomes of it. */
    async settle(): Promise<void> {
      await Promise.allSettled(senders.map((sender) => sender.sending));
    },
  };
}
