import type { CompletedEvent } from './events.ts';
import { IngestClient } from './ingest-client.ts';
import { type ClickmeshOptions, settingsOf } from './options.ts';
import { acceptingSender } from './sender.ts';

/** A client for tests: checks events as every client does, and keeps what it accepts. */
export class MemoryClient extends IngestClient {
  /** What was accepted, in the order in which it would have been sent. */
  readonly events: CompletedEvent[];

  constructor(options: ClickmeshOptions, events: CompletedEvent[]) {
    super(settingsOf(options), { sender: acceptingSender((event) => events.push(event)) });
    this.events = events;
  }
}

export function memoryClient(options: ClickmeshOptions = {}): MemoryClient {
  return new MemoryClient(options, []);
}
