import type { Topic } from '../contract/topics.ts';
import type { EventLog, LogRecord, OffsetRange } from './event-log.ts';

const READ_BYTES = 1 << 20;

/**
 * The records of a range of a partition, some at a time. Throws as `EventLog.read`.
 *
 * @param maxBytes about how many bytes of them at a time
 */
export async function* readRange(
  log: Pick<EventLog, 'read'>,
  topic: Topic,
  partition: number,
  { start, end }: OffsetRange,
  maxBytes = READ_BYTES,
): AsyncGenerator<readonly LogRecord[]> {
  for (let offset = start; offset < end; ) {
    const records = await log.read(topic, { partition, offset }, { maxBytes, waitMs: 0 });
    // Compaction may have taken out the last records before the end.
    if (records.length === 0) return;
    yield records;
    offset = records.at(-1)!.offset + 1;
  }
}
