import { setAsideOf } from '../../contract/dead-letters.ts';
import type { EventLog, LogRecord } from '../../log/event-log.ts';
import { setAsideRecord } from '../outputs/records.ts';
import { LETTERS_KEY } from '../store/keys.ts';
import { countSetAside } from './fold-metrics.ts';
import { NotedRecords, type Notices } from './noted-records.ts';
import { untilDone, type Waiter } from './outage.ts';
import { publish } from './publish.ts';

const LETTERS: Notices = {
  topic: 'raw-events.DLT',
  key: LETTERS_KEY,
  offsetIn: ({ headers }) => setAsideOf(headers)?.offset,
};

/**
 * The records of a partition of raw-events that were set aside. Their letters in raw-events.DLT say so, which are as
 * old as the decision: so every fold of the partition, on whatever node and from whatever state, passes them over.
 */
export class SetAside extends NotedRecords {
  /** @param noted as NotedRecords takes it */
  constructor(log: EventLog, partition: number, noted?: Buffer) {
    super(log, partition, LETTERS, noted);
  }

  /** Sets a record aside. Not before its letter is durable the fold goes past it, with or without it. */
  async setAside(record: LogRecord, reason: string, waiter: Waiter): Promise<void> {
    const { partition, offset } = record;
    await untilDone(waiter, () => publish(this.log, [setAsideRecord(record, reason)]));
    this.add(offset);
    countSetAside();
    const message = 'a record that the fold fails at was set aside in raw-events.DLT';
    waiter.logger.error({ partition, offset, reason }, message);
  }
}
