import type { Topic } from '../contract/topics.ts';

/** A record to append. */
export interface NewRecord {
  topic: Topic;
  /** Kept with the record; chooses its partition, by murmur2 as the Java client does. */
  key: string;
  value: Uint8Array;
  /** The record's partition; chosen by the key if undefined. */
  partition?: number;
  headers?: Readonly<Record<string, string>>;
}

/**
 * Place of a record, or of the next one. Offsets of a partition ascend from 0: without gaps in the embedded log; in
 * Kafka with gaps where compaction took records out or another client's transaction left a control record.
 */
export interface RecordPosition {
  partition: number;
  offset: number;
}

/** A record as read. */
export interface LogRecord extends Readonly<RecordPosition> {
  readonly key: string;
  readonly value: Uint8Array;
  readonly headers: Readonly<Record<string, string>>;
  /** Time of the append, in ms since 1970-01-01 UTC; never decreases within a partition of the embedded log. */
  readonly appendTime: number;
  /** Memory that holds the value, from `start` to `end`: a reader of millions needs no view of each. */
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
  /** Bytes of key and value together. */
  readonly size: number;
}

export interface ReadOptions {
  /** Bytes of keys and values after which the read stops, roughly; at least one record is returned if there is one. */
  maxBytes: number;
  /** Longest wait for a first record, in ms; 0 answers at once. */
  waitMs: number;
  /** Ends the wait, with no records. */
  signal?: AbortSignal;
}

/** First kept and next offset of a partition: `start <= offset < end` can be read. */
export interface OffsetRange {
  start: number;
  end: number;
}

export interface AssignmentListener {
  /** These partitions are now this consumer's; where to go on in them is for the consumer to know. */
  assigned(partitions: readonly number[]): Promise<void>;
  /** Takes partitions away. Others get them once it has resolved: then nothing of them may be under way. */
  revoked(partitions: readonly number[]): Promise<void>;
}

/** A consumer of a group, with what it has now. */
export interface GroupMember {
  /** Unique in the group; the same after a restart if the log was opened with a groupInstanceId. */
  name: string;
  partitions: readonly number[];
}

export interface Assignment {
  /** This consumer's name among the members. */
  readonly name: string;
  /** All members of the group. Throws LogUnavailable. */
  members(): Promise<GroupMember[]>;
  /**
   * Sets the group's offsets, as next offsets. The log keeps them for `committed` and acts on none; what n means is
   * up to the group. Throws LogUnavailable.
   *
   * - attribution: what follows from records before n is published, and will not be published again, by no node;
   *   where a node's state stands is in its store. Set forward by hand, n loses outputs; set back, they are published
   *   again, under the same versions. attribution/RECOVERY.md tells the whole.
   * - ClickHouse's Kafka engine, a group for each topic, which commits in Kafka without this port: the rows of
   *   records before n are in the tables, and it goes on at n. Set forward, n loses rows; set back, rows are inserted
   *   again, and collapse. The embedded log's sink has no group: its offsets are in ClickHouse, in sink_offsets.
   */
  commit(positions: readonly RecordPosition[]): Promise<void>;
  /** Gives the partitions back (revoked is called) and leaves the group. */
  close(): Promise<void>;
}

/**
 * The log between gateways, attribution and ClickHouse. LOG.md has its invariants by number, and how both adapters keep
 * them; test/contract/event-log.ts holds each adapter to these:
 *
 * - An append that resolved is durable: it survives kill -9 of every process and loss of power.
 * - An append that rejected with LogUnavailable may or may not have happened; the caller may repeat it.
 * - Within a partition, records are in the order of the append calls of one caller and never change.
 * - Reads see only durable records, in offset order.
 * - Records are dropped only from the start of a partition, by retention; in the COMPACTED topics also those that a
 *   later record with the same key replaces.
 * - The same key always goes to the same partition, also by other clients of the same topic.
 */
export interface EventLog {
  /** Positions in the order of the records. Throws LogUnavailable, or LogFull past the limit of bytes in flight. */
  append(records: readonly NewRecord[]): Promise<RecordPosition[]>;
  /** Records from an offset on; empty at the end. Throws OffsetOutOfRange before `start` or after `end`. */
  read(topic: Topic, from: RecordPosition, options: ReadOptions): Promise<LogRecord[]>;
  /**
   * End of the partition as of its latest read, 0 before the first: a read whose records go up to it reached the end,
   * and any other left more to read. Compaction may have taken out the last records before it, so an empty read has
   * reached the end, too. Local: no request is made.
   */
  endSeen(topic: Topic, partition: number): number;
  /** Ranges by partition number. Throws LogUnavailable. */
  offsets(topic: Topic): Promise<OffsetRange[]>;
  /** Offsets that a group has committed; none for partitions that it never did. Throws LogUnavailable. */
  committed(topic: Topic, group: string): Promise<RecordPosition[]>;
  /** Joins a consumer group on a topic. Throws LogUnavailable. */
  join(topic: Topic, group: string, listener: AssignmentListener): Promise<Assignment>;
  /** Finishes the appends under way and ends reads; later calls throw LogUnavailable. */
  close(): Promise<void>;
}

/** The log can't be reached or can't write now. Records of the call may have been appended or not. */
export class LogUnavailable extends Error {
  override name = 'LogUnavailable';
}

/** The bytes in flight would exceed their limit. No record of the call was appended. */
export class LogFull extends Error {
  override name = 'LogFull';
}

/** The offset was dropped by retention or was never written. */
export class OffsetOutOfRange extends Error {
  override name = 'OffsetOutOfRange';
}
