import type { Topic } from '../contract/topics.ts';

/** A record to append. */
export interface NewRecord {
  topic: Topic;
  /** Chooses the partition (murmur2, as the Java client does) and is kept with the record. */
  key: string;
  value: Uint8Array;
  /** Overrides the key's choice. */
  partition?: number;
  headers?: Readonly<Record<string, string>>;
}

/** Where a record is. Offsets start at 0; those of a partition have no gaps, but for what compaction took out. */
export interface RecordPosition {
  partition: number;
  offset: number;
}

/** A record as read. */
export interface LogRecord extends Readonly<RecordPosition> {
  readonly key: string;
  readonly value: Uint8Array;
  readonly headers: Readonly<Record<string, string>>;
  /** When the log took it, in ms since 1970-01-01 UTC; never decreases within a partition of the embedded log. */
  readonly appendTime: number;
  /** The value where it lies, for who reads millions: `value` is a view of `bytes` from `start` to `end`. */
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
  /** Bytes of key and value, for who counts them without looking at either. */
  readonly size: number;
}

export interface ReadOptions {
  /** Stop after about this many bytes of keys and values; at least one record is returned if there is one. */
  maxBytes: number;
  /** How long to wait for a first record, in ms; 0 answers at once. */
  waitMs: number;
  signal?: AbortSignal;
}

/** First kept and next offset of a partition: `start <= offset < end` can be read. */
export interface OffsetRange {
  start: number;
  end: number;
}

export interface AssignmentListener {
  /** These partitions are now this consumer's; it continues at its own checkpoint. */
  assigned(partitions: readonly number[]): Promise<void>;
  /** Called before others get them: on return nothing of these partitions may be in flight (drain first). */
  revoked(partitions: readonly number[]): Promise<void>;
}

/** A consumer of a group, with what it has now. */
export interface GroupMember {
  /** Unique in the group, and the same after a restart where the log was given a name for it. */
  name: string;
  partitions: readonly number[];
}

export interface Assignment {
  /** This consumer's name among the members. */
  readonly name: string;
  /** Everyone in the group; throws LogUnavailable. */
  members(): Promise<GroupMember[]>;
  /** Notes how far the group has come, as next offsets; a consumer's truth is its own checkpoint. */
  commit(positions: readonly RecordPosition[]): Promise<void>;
  /** Gives the partitions back (revoked is called) and leaves the group. */
  close(): Promise<void>;
}

/**
 * The log between gateways, attribution and ClickHouse.
 *
 * - An append that resolved is durable: it survives kill -9 of every process and loss of power.
 * - An append that rejected with LogUnavailable may or may not have happened; the caller may repeat it.
 * - Within a partition, records are in the order of the append calls of one caller and never change.
 * - Reads see only durable records, in offset order.
 * - Records are dropped only from the start of a partition, by retention; in the COMPACTED topics also those that a
 *   later record with the same key replaces, so that their offsets may have gaps.
 * - The same key always goes to the same partition, also by other clients of the same topic.
 *
 * test/contract/event-log.ts holds every adapter to this.
 */
export interface EventLog {
  /** Positions come in the order of the records. Throws LogUnavailable, or LogFull past the limit of bytes in flight. */
  append(records: readonly NewRecord[]): Promise<RecordPosition[]>;
  /** Records from an offset on; empty at the end. Throws OffsetOutOfRange before `start` or after `end`. */
  read(topic: Topic, from: RecordPosition, options: ReadOptions): Promise<LogRecord[]>;
  /**
   * Where a partition ended when its last read looked, 0 before the first: a read whose records go up to here left
   * nothing behind, and one that does not left more to read at once. What compaction took out may lie before it, so an
   * empty answer is the end, too. Asks nobody.
   */
  endSeen(topic: Topic, partition: number): number;
  /** One per partition, by partition number. */
  offsets(topic: Topic): Promise<OffsetRange[]>;
  /** What a group has committed; nothing of partitions it never committed. Throws LogUnavailable. */
  committed(topic: Topic, group: string): Promise<RecordPosition[]>;
  /** Joins a consumer group on a topic. */
  join(topic: Topic, group: string, listener: AssignmentListener): Promise<Assignment>;
  close(): Promise<void>;
}

/** The log can't be reached or can't write now; nothing is known of the records in flight. */
export class LogUnavailable extends Error {
  override name = 'LogUnavailable';
}

/** More bytes are in flight than the limit; nothing of the call was appended. */
export class LogFull extends Error {
  override name = 'LogFull';
}

/** The offset was dropped by retention or was never written. */
export class OffsetOutOfRange extends Error {
  override name = 'OffsetOutOfRange';
}
