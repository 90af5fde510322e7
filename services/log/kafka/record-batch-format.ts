import { crc32c, Reader } from '@platformatic/kafka';

/**
 * Kafka's message format v2 (kafka.apache.org/documentation/#recordbatch): a record batch is a header of fixed size and
 * its records, compressed together, of which each is
 *
 *     length | attributes 0 | timestamp delta | offset delta | key | value | header count | (name | text)*
 *
 * with zigzag varints for lengths, counts and deltas.
 */
export const HEADER_BYTES = 61;
/** Bytes that a batch's length leaves out: itself and the base offset before it. */
export const BEFORE_LENGTH_BYTES = 12;

/** Offsets of the header's fields, whose first is the base offset. */
export const LENGTH = 8;
export const LEADER_EPOCH = 12;
export const MAGIC = 16;
export const CRC = 17;
export const ATTRIBUTES = 21;
export const LAST_OFFSET_DELTA = 23;
export const FIRST_TIMESTAMP = 27;
export const LAST_TIMESTAMP = 35;
export const PRODUCER_ID = 43;
export const PRODUCER_EPOCH = 51;
export const SEQUENCE = 53;
export const COUNT = 57;

/** Bits of the attributes: the compression's number, whether the broker set the timestamp, whether it is no data. */
export const COMPRESSION = 7;
export const LOG_APPEND_TIME = 1 << 3;
export const CONTROL = 1 << 5;

/** CRC-32C of a whole batch from its attributes on. The library copies a Buffer first, but not what is in a reader. */
export function checksum(batch: Buffer): number {
  return crc32c(Reader.from(batch.subarray(ATTRIBUTES)).buffer);
}
