import type { LogRecord } from '../event-log.ts';

/** What the records of a batch have in common. */
export interface DecodedBatch {
  partition: number;
  /** A time of the batch, in ms: of the log's append, or else of its first record. */
  time: number;
  /** The records, uncompressed. */
  bytes: Buffer;
}

const NO_HEADERS: LogRecord['headers'] = Object.freeze({});

/**
 * A record in the memory of its uncompressed batch. A reader of millions looks at few bytes of each, so key and value
 * are made when they are asked for.
 */
export class KafkaRecord implements LogRecord {
  readonly offset: number;
  readonly start: number;
  readonly end: number;
  headers = NO_HEADERS;
  readonly #batch: DecodedBatch;
  readonly #keyStart: number;
  readonly #keyEnd: number;
  /** Small, as the time itself is not: that would be an object of its own. */
  readonly #timeDelta: number;

  /**
   * Key and value lie in the batch's bytes, each from its start to its end; the key is UTF-8.
   *
   * @param timeDelta what it was appended after the batch's time, in ms
   */
  constructor(
    batch: DecodedBatch,
    offset: number,
    timeDelta: number,
    keyStart: number,
    keyEnd: number,
    start: number,
    end: number,
  ) {
    this.#batch = batch;
    this.offset = offset;
    this.#timeDelta = timeDelta;
    this.#keyStart = keyStart;
    this.#keyEnd = keyEnd;
    this.start = start;
    this.end = end;
  }

  get partition(): number {
    return this.#batch.partition;
  }

  get appendTime(): number {
    return this.#batch.time + this.#timeDelta;
  }

  get bytes(): Buffer {
    return this.#batch.bytes;
  }

  get key(): string {
    return this.bytes.toString('utf8', this.#keyStart, this.#keyEnd);
  }

  get value(): Buffer {
    return this.bytes.subarray(this.start, this.end);
  }

  get size(): number {
    return this.#keyEnd - this.#keyStart + this.end - this.start;
  }
}
