import type { EventLog, NewRecord } from '../../log/event-log.ts';
import { COUNTED_APART_KEY } from '../store/keys.ts';
import { NotedRecords, type Notices } from './noted-records.ts';

const NOTICES: Notices = {
  topic: 'counted-apart',
  key: COUNTED_APART_KEY,
  offsetIn: ({ key }) => Number(key),
};

/**
 * The records of a partition of raw-events that count in counters of their own, as others are folded and counted before
 * they are done. Notices in counted-apart say so: every fold of the partition counts them so, though it may have
 * nothing to do in parts.
 */
export class CountedApart extends NotedRecords {
  /** @param noted as NotedRecords takes it */
  constructor(log: EventLog, partition: number, noted?: Buffer) {
    super(log, partition, NOTICES, noted);
  }

  /**
   * Counts a record apart from now on. Returns its notice, which must be durable before any counter is that has, or
   * should have, what is behind that record.
   */
  notice(offset: number): NewRecord {
    this.add(offset);
    const { partition } = this;
    return { topic: 'counted-apart', partition, key: String(offset), value: Buffer.from(JSON.stringify({ offset })) };
  }
}
