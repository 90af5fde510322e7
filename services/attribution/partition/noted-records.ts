import type { Topic } from '../../contract/topics.ts';
import type { EventLog, LogRecord } from '../../log/event-log.ts';
import { readRange } from '../../log/read-range.ts';
import type { StateEntry } from '../store/state-store.ts';

/** Most records that a note lists, which is written with every flush: some 100 KB. */
const MOST_NOTED = 10_000;

/** What a state says of a topic of notices, so that each is read once. */
interface Note {
  /** Offset in that topic of the first notice that was not read. */
  next: number;
  /** Offsets in raw-events, not folded yet, of the records that those before it are about. */
  offsets: number[];
}

/** A topic whose records tell something of single records of raw-events, in the same partition. */
export interface Notices {
  topic: Topic;
  /** Under which a state says how far it is read. */
  key: Buffer;
  /** Offset of the record that a notice is about; undefined if it is of another kind. */
  offsetIn(notice: LogRecord): number | undefined;
}

/**
 * The records of a partition of raw-events that have a notice in the log. It is durable before what follows from it is:
 * so every fold of the partition knows of it, on whatever node and from whatever state.
 */
export class NotedRecords {
  protected readonly log: EventLog;
  protected readonly partition: number;
  readonly #notices: Notices;
  /** By the offset of a record, that of its notice, or one before it. */
  readonly #noted: Map<number, number>;
  /** Offset of the first notice that was not read. */
  #next: number;

  /** @param noted what the state to go on from says, if it says anything: without it all notices are read */
  constructor(log: EventLog, partition: number, notices: Notices, noted?: Buffer) {
    const { next, offsets } = noted === undefined ? { next: 0, offsets: [] } : (JSON.parse(noted.toString()) as Note);
    this.log = log;
    this.partition = partition;
    this.#notices = notices;
    this.#noted = new Map(offsets.map((offset) => [offset, 0]));
    this.#next = next;
  }

  /** Takes in notices that are new. Throws LogUnavailable. */
  async update(): Promise<void> {
    const { topic, offsetIn } = this.#notices;
    const { start, end } = (await this.log.offsets(topic))[this.partition]!;
    // Behind the end there is nothing to go on from: the notices are others.
    this.#next = this.#next > end ? start : Math.max(this.#next, start);
    for await (const notices of readRange(this.log, topic, this.partition, { start: this.#next, end })) {
      for (const notice of notices) {
        const offset = offsetIn(notice);
        if (offset !== undefined) this.#noted.set(offset, notice.offset);
      }
      this.#next = notices.at(-1)!.offset + 1;
    }
  }

  /** Takes in that a notice of a record is written, which was not read. */
  protected add(offset: number): void {
    this.#noted.set(offset, this.#next);
  }

  /**
   * What a state is to say that was folded up to an offset: what is before that is forgotten. Of too many only those
   * are listed whose notices came first, and whoever goes on from there reads the others again.
   */
  note(nextOffset: number): StateEntry {
    for (const offset of this.#noted.keys()) if (offset < nextOffset) this.#noted.delete(offset);
    const inOrder = [...this.#noted].sort(([, a], [, b]) => a - b);
    const offsets = inOrder.slice(0, MOST_NOTED).map(([offset]) => offset);
    const note: Note = { next: inOrder[MOST_NOTED]?.[1] ?? this.#next, offsets };
    return { key: this.#notices.key, value: Buffer.from(JSON.stringify(note)) };
  }

  /** Records that have one, as far as the log has them. */
  get size(): number {
    return this.#noted.size;
  }

  has(offset: number): boolean {
    return this.#noted.has(offset);
  }

  /** Offset before which a batch from an offset on must end, so that a record that has one is a batch of its own. */
  boundaryAfter(offset: number): number {
    if (this.#noted.has(offset)) return offset + 1;
    let boundary = Number.POSITIVE_INFINITY;
    for (const each of this.#noted.keys()) if (each > offset && each < boundary) boundary = each;
    return boundary;
  }
}
