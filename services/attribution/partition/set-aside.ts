import type { EventLog, LogRecord } from '../../log/event-log.ts';
import { setAsideOffset, setAsideRecord } from '../outputs/records.ts';
import { countSetAside } from './fold-metrics.ts';
import { untilDone, type Waiter } from './outage.ts';
import { publish } from './publish.ts';

const READ_BYTES = 1 << 20;

/**
 * The records of a partition of raw-events that were set aside. Their letters in raw-events.DLT say so, which are as
 * old as the decision: so every fold of the partition, on whatever node and from whatever state, passes them over.
 */
export class SetAside {
  readonly #log: EventLog;
  readonly #partition: number;
  readonly #offsets = new Set<number>();
  /** Offset of the first letter that was not read. */
  #next = 0;

  constructor(log: EventLog, partition: number) {
    this.#log = log;
    this.#partition = partition;
  }

  /** Takes in letters that are new. Throws LogUnavailable. */
  async update(): Promise<void> {
    const partition = this.#partition;
    const { start, end } = (await this.#log.offsets('raw-events.DLT'))[partition]!;
    this.#next = Math.max(this.#next, start);
    while (this.#next < end) {
      const from = { partition, offset: this.#next };
      const letters = await this.#log.read('raw-events.DLT', from, { maxBytes: READ_BYTES, waitMs: 0 });
      if (letters.length === 0) return;
      for (const letter of letters) {
        const offset = setAsideOffset(letter);
        if (offset !== undefined) this.#offsets.add(offset);
      }
      this.#next = letters.at(-1)!.offset + 1;
    }
  }

  /** Sets a record aside. Not before its letter is durable the fold goes past it, with or without it. */
  async add(record: LogRecord, reason: string, waiter: Waiter): Promise<void> {
    const { partition, offset } = record;
    await untilDone(waiter, () => publish(this.#log, [setAsideRecord(record, reason)]));
    this.#offsets.add(offset);
    countSetAside();
    const message = 'a record that the fold fails at was set aside in raw-events.DLT';
    waiter.logger.error({ partition, offset, reason }, message);
  }

  /** Records that were set aside, as far as the log has their letters. */
  get size(): number {
    return this.#offsets.size;
  }

  has(offset: number): boolean {
    return this.#offsets.has(offset);
  }

  /** Offset before which a batch from an offset on must end, so that a record set aside is a batch of its own. */
  boundaryAfter(offset: number): number {
    if (this.#offsets.has(offset)) return offset + 1;
    let boundary = Number.POSITIVE_INFINITY;
    for (const each of this.#offsets) if (each > offset && each < boundary) boundary = each;
    return boundary;
  }
}
