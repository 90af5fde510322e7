import type { Event } from '../../../gen/ts/clickmesh/v1/event_pb.js';

/** An event and the line it came from. */
export interface InputEvent {
  line: number;
  bytes: Buffer;
  event: Event;
}

interface Sender {
  events: InputEvent[];
  bytes: number;
  sending: Promise<void>;
}

export interface SenderOptions {
  /** Batches in flight at a time. */
  senders: number;
  /** Most events of a batch, and most bytes of their JSON, which protobuf never exceeds. */
  maxEvents: number;
  maxBytes: number;
  send(batch: InputEvent[]): Promise<void>;
}

/**
 * Sends batches side by side, yet the events of one user in their order: a user always takes the same sender, and a sender
 * has one batch in flight while it fills the next.
 */
export function openSenders(options: SenderOptions) {
  const senders: Sender[] = Array.from({ length: options.senders }, () => ({
    events: [],
    bytes: 0,
    sending: Promise.resolve(),
  }));

  async function flush(sender: Sender): Promise<void> {
    await sender.sending;
    if (sender.events.length === 0) return;
    sender.sending = options.send(sender.events);
    // The next await of the sender sees the error; until then it must not count as unhandled.
    sender.sending.catch(() => {});
    sender.events = [];
    sender.bytes = 0;
  }

  return {
    /** Resolves when there is room for more. Throws what a send of the sender threw. */
    async push(item: InputEvent): Promise<void> {
      const sender = senders[hash(item.event.event.value?.userId ?? '') % senders.length]!;
      const bytes = item.bytes.length;
      if (sender.bytes + bytes > options.maxBytes) await flush(sender);
      sender.events.push(item);
      sender.bytes += bytes;
      if (sender.events.length >= options.maxEvents) await flush(sender);
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

/** FNV-1a over UTF-16 units. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  return value >>> 0;
}
