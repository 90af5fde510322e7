import type { EventLog, NewRecord } from '../../log/event-log.ts';

/**
 * Most bytes in one append, roughly: an append over the log's limit of bytes in flight would be refused for ever, and
 * the partitions of a node share that limit.
 */
const APPEND_BYTES = 2 << 20;

/** Appends outputs in their order. When it resolves all are durable; when it rejects some may be. */
export async function publish(log: EventLog, outputs: readonly NewRecord[]): Promise<void> {
  let bytes = 0;
  let from = 0;
  for (let at = 0; at < outputs.length; at++) {
    bytes += outputs[at]!.value.length;
    if (bytes < APPEND_BYTES && at < outputs.length - 1) continue;
    await log.append(outputs.slice(from, at + 1));
    bytes = 0;
    from = at + 1;
  }
}
