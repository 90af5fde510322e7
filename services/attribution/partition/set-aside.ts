import { setAsideOf } from '../../contract/dead-letters.ts';
import type { EventLog, LogRecord } from '../../log/event-log.ts';
import { readRange } from '../../log/read-range.ts';
import { setAsideRecord } from '../outputs/records.ts';
import { LETTERS_KEY } from '../store/keys.ts';
import type { StateEntry } from '../store/state-store.ts';
import { countSetAside } from './fold-metrics.ts';
import { untilDone, type Waiter } from './outage.ts';
import { publish } from './publish.ts';

/** Most records that a note lists, which is written with every flush: some 100 KB. */
const MOST_NOTED = 10_000;

/** What a state says of the letters, so that each is read once. */
interface Note {
  /** Offset in raw-events.DLT of the first letter that was not read. */
  next: number;
  /** Offsets in raw-events, not folded yet, of the records that those before it set aside. */
  offsets: number[];
}

/**
 * The records of a partition of raw-events that were set aside. Their letters in raw-events.DLT say so, which are as
 * old as the decision: so every fold of the partition, on whatever node and from whatever state, passes them over.
 */
export class SetAside {
  readonly #log: EventLog;
  readonly #partition: number;
  /** By the offset of a record, that of its letter, or one before it. */
  readonly #letters: Map<number, number>;
  /** Offset of the first letter that was not read. */
  #next: number;

  /** @param noted what the state to go on from says, if it says anything: without it all letters are read */
  constructor(log: EventLog, partition: number, noted?: Buffer) {
    const { next, offsets } = noted === undefined ? { next: 0, offsets: [] } : (JSON.parse(noted.toString()) as Note);
    this.#log = log;
    this.#partition = partition;
    this.#letters = new Map(offsets.map((offset) => [offset, 0]));
    this.#next = next;
  }

  /** Takes in letters that are new. Throws LogUnavailable. */
  async update(): Promise<void> {
    const partition = this.#partition;
    const { start, end } = (await this.#log.offsets('raw-events.DLT'))[partition]!;
    // Behind the end there is nothing to go on from: the letters are others.
    this.#next = this.#next > end ? start : Math.max(this.#next, start);
    for await (const letters of readRange(this.#log, 'raw-events.DLT', partition, { start: this.#next, end })) {
      for (const letter of letters) {
        const setAside = setAsideOf(letter.headers);
        if (setAside !== undefined) this.#letters.set(setAside.offset, letter.offset);
      }
      this.#next = letters.at(-1)!.offset + 1;
    }
  }

  /** Sets a record aside. Not before its letter is durable the fold goes past it, with or without it. */
  async add(record: LogRecord, reason: string, waiter: Waiter): Promise<void> {
    const { partition, offset } = record;
    await untilDone(waiter, () => publish(this.#log, [setAsideRecord(record, reason)]));
    this.#letters.set(offset, this.#next);
    countSetAside();
    const message = 'a record that the fold fails at was set aside in raw-events.DLT';
    waiter.logger.error({ partition, offset, reason }, message);
  }

  /**
   * What a state is to say that was folded up to an offset: what is before that is forgotten. Of too many only those
   * are listed whose letters came first, and whoever goes on from there reads the others again.
   */
  note(nextOffset: number): StateEntry {
    for (const offset of this.#letters.keys()) if (offset < nextOffset) this.#letters.delete(offset);
    const inOrder = [...this.#letters].sort(([, a], [, b]) => a - b);
    const offsets = inOrder.slice(0, MOST_NOTED).map(([offset]) => offset);
    const note: Note = { next: inOrder[MOST_NOTED]?.[1] ?? this.#next, offsets };
    return { key: LETTERS_KEY, value: Buffer.from(JSON.stringify(note)) };
  }

  /** Records that were set aside, as far as the log has their letters. */
  get size(): number {
    return this.#letters.size;
  }

  has(offset: number): boolean {
    return this.#letters.has(offset);
  }

  /** Offset before which a batch from an offset on must end, so that a record set aside is a batch of its own. */
  boundaryAfter(offset: number): number {
    if (this.#letters.has(offset)) return offset + 1;
    let boundary = Number.POSITIVE_INFINITY;
    for (const each of this.#letters.keys()) if (each > offset && each < boundary) boundary = each;
    return boundary;
  }
}
