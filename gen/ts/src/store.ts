import type { CompletedEvent } from './events.ts';

/** Keeps events, a batch at a time, beyond the life of a client. Clients may share one: each may send what is in it. */
export interface EventStore {
  /** Keeps a batch. Resolves with false if it has no room. */
  put(events: readonly CompletedEvent[]): Promise<boolean>;
  /** The oldest batch; undefined if there is none. */
  oldest(): Promise<{ key: IDBValidKey; events: CompletedEvent[] } | undefined>;
  /** Forgets a batch. */
  remove(key: IDBValidKey): Promise<void>;
  close(): void;
}

/** Events as lines of JSON. */
export function linesOf(events: readonly CompletedEvent[]): string {
  return `${events.map((event) => JSON.stringify(event)).join('\n')}\n`;
}

/** The events of `linesOf`; a line that was cut off is none. */
export function eventsOf(lines: string): CompletedEvent[] {
  return lines
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line));
}
