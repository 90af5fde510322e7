import { crc32 } from 'node:zlib';
import type { Event } from '../../../gen/ts/clickmesh/v1/event_pb.js';
import { MAX_REQUEST_BYTES } from '../../contract/limits.ts';

/** An event and the line it came from. */
export interface InputEvent {
  line: number;
  bytes: Buffer;
  event: Event;
}

/** Batches in flight at a time. */
export const SENDERS = 4;

class Sender {
  events: InputEvent[] = [];
  /** Of their JSON, which protobuf never exceeds. */
  bytes = 0;
  sending = Promise.resolve();
}

/**
 * Sends batches of up to `maxEvents` side by side, yet the events of one user in their order: a user always takes the
 * same sender, and a sender has one batch in flight while it fills the next.
 */
export function openSenders(maxEvents: number, send: (batch: InputEvent[]) => Promise<void>) {
  const senders = Array.from({ length: SENDERS }, () => new Sender());

  async function flush(sender: Sender): Promise<void> {
    await sender.sending;
    if (sender.events.length === 0) return;
    sender.sending = send(sender.events);
    // The next await of the sender sees the error; until then it must not count as unhandled.
    sender.sending.catch(() => {});
    sender.events = [];
    sender.bytes = 0;
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
