import type { Event } from '../../../gen/ts/clickmesh/v1/event_pb.js';

/** An event and the line it came from. */
export interface InputEvent {
  line: number;
  text: string;
  event: Event;
}

interface Lane {
  events: InputEvent[];
  bytes: number;
  sending: Promise<void>;
}

export interface LaneOptions {
  /** Batches in flight at a time. */
  lanes: number;
  /** Most events of a batch, and most bytes of their JSON, which protobuf never exceeds. */
  maxEvents: number;
  maxBytes: number;
  send(batch: InputEvent[]): Promise<void>;
}

/**
 * Sends batches side by side, yet the events of one user in their order: a user always takes the same lane, and a lane
 * has one batch in flight while it fills the next.
 */
export function openLanes(options: LaneOptions) {
  const lanes: Lane[] = Array.from({ length: options.lanes }, () => ({
    events: [],
    bytes: 0,
    sending: Promise.resolve(),
  }));

  async function flush(lane: Lane): Promise<void> {
    await lane.sending;
    if (lane.events.length === 0) return;
    lane.sending = options.send(lane.events);
    // Whoever awaits the lane next sees the error; until then it must not count as unhandled.
    lane.sending.catch(() => {});
    lane.events = [];
    lane.bytes = 0;
  }

  return {
    /** Resolves when there is room for more. Throws what a send of the lane threw. */
    async push(item: InputEvent): Promise<void> {
      const lane = lanes[hash(item.event.event.value?.userId ?? '') % lanes.length]!;
      const bytes = Buffer.byteLength(item.text);
      if (lane.bytes + bytes > options.maxBytes) await flush(lane);
      lane.events.push(item);
      lane.bytes += bytes;
      if (lane.events.length >= options.maxEvents) await flush(lane);
    },
    /** Sends what is left and waits for everything. Throws what a send threw. */
    async finish(): Promise<void> {
      await Promise.all(lanes.map(flush));
      await Promise.all(lanes.map((lane) => lane.sending));
    },
    /** Waits for what is in flight, whatever becomes of it. */
    async settle(): Promise<void> {
      await Promise.allSettled(lanes.map((lane) => lane.sending));
    },
  };
}

/** FNV-1a over UTF-16 units. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  return value >>> 0;
}
