import { compressionsAlgorithmsByBitmask } from '@platformatic/kafka';
import { LogUnavailable } from '../../event-log.ts';
import { type DecodedBatch, KafkaRecord } from '../record.ts';
import * as format from '../record-batch-format.ts';

const NO_BYTES = Buffer.alloc(0);

/** The records decoded from some batches. */
export interface DecodedBatches {
  records: KafkaRecord[];
  /**
   * The offset after the last batch that was decoded, whose last records compaction may have taken out; the offset to
   * begin at if no batch was.
   */
  next: number;
  /** The bytes from the first whole batch on that was not decoded; empty if there is none. */
  rest: Buffer;
}

/**
 * Reads the whole batches at the start of `bytes` until their records, uncompressed, are `maxBytes` or more. Leaves out
 * records before the offset `from`: the first batch may begin before it. Throws LogUnavailable if a checksum does not
 * fit: the bytes are not what the broker has.
 */
export function decodeBatches(bytes: Buffer, partition: number, from: number, maxBytes: number): DecodedBatches {
  const records: KafkaRecord[] = [];
  let next = from;
  let at = 0;
  let end = endOfBatch(bytes, at);
  for (let read = 0; read < maxBytes && end <= bytes.length; end = endOfBatch(bytes, at)) {
    const batch = bytes.subarray(at, end);
    if (format.checksum(batch) !== batch.readUInt32BE(format.CRC)) {
      throw new LogUnavailable(`a record batch of partition ${partition} does not fit its checksum`);
    }
    read += decodeBatch(batch, partition, from, records);
    next = Math.max(next, Number(batch.readBigInt64BE(0)) + batch.readInt32BE(format.LAST_OFFSET_DELTA) + 1);
    at = end;
  }
  return { records, next, rest: end <= bytes.length ? bytes.subarray(at) : NO_BYTES };
}

/** Returns the end of the batch that begins at `at`: beyond `bytes` if the batch is not whole. */
function endOfBatch(bytes: Buffer, at: number): number {
  return at + format.HEADER_BYTES > bytes.length
    ? Infinity
    : at + format.BEFORE_LENGTH_BYTES + bytes.readInt32BE(at + format.LENGTH);
}

/** Offset in a batch's uncompressed records that is read next. */
let cursor = 0;

/** Adds a batch's records to `decoded`. Returns how many bytes all of them take, uncompressed. */
function decodeBatch(encoded: Buffer, partition: number, from: number, decoded: KafkaRecord[]): number {
  const attributes = encoded.readInt16BE(format.ATTRIBUTES);
  if (attributes & format.CONTROL) return 0;
  const baseOffset = Number(encoded.readBigInt64BE(0));
  const isAppendTime = (attributes & format.LOG_APPEND_TIME) !== 0;
  const time = Number(encoded.readBigInt64BE(isAppendTime ? format.LAST_TIMESTAMP : format.FIRST_TIMESTAMP));
  const algorithm = attributes & format.COMPRESSION;
  const stored = encoded.subarray(format.HEADER_BYTES);
  const bytes = algorithm === 0 ? stored : compressionsAlgorithmsByBitmask[algorithm]!.decompressSync(stored);
  const batch = { partition, time, bytes };
  const count = encoded.readInt32BE(format.COUNT);
  cursor = 0;
  for (let i = 0; i < count; i++) {
    const end = readVarint(bytes) + cursor;
    cursor++; // attributes, of which there are none
    const delta = readVarint(bytes);
    const offset = baseOffset + readVarint(bytes);
    if (offset >= from) decoded.push(readRecord(batch, offset, isAppendTime ? 0 : delta));
    cursor = end;
  }
  return bytes.length;
}

function readRecord(batch: DecodedBatch, offset: number, timeDelta: number): KafkaRecord {
  const { bytes } = batch;
  const keyStart = readSized(bytes);
  const keyEnd = cursor;
  const start = readSized(bytes);
  const end = cursor;
  const record = new KafkaRecord(batch, offset, timeDelta, keyStart, keyEnd, start, end);
  const headerCount = readVarint(bytes);
  if (headerCount > 0) record.headers = readHeaders(bytes, headerCount);
  return record;
}

function readHeaders(bytes: Buffer, count: number): Record<string, string> {
  return Object.fromEntries(Array.from({ length: count }, () => [readText(bytes), readText(bytes)] as const));
}

function readText(bytes: Buffer): string {
  const start = readSized(bytes);
  return bytes.toString('utf8', start, cursor);
}

/** Goes past bytes with their length before them, -1 where there are none, and returns where they start. */
function readSized(bytes: Buffer): number {
  const length = readVarint(bytes);
  const start = cursor;
  if (length > 0) cursor += length;
  return start;
}

/** Reads a zigzag varint of up to 53 bits; most have one byte or two. */
function readVarint(bytes: Buffer): number {
  const first = bytes[cursor++]!;
  if (first < 0x80) return (first >>> 1) ^ -(first & 1);
  const second = bytes[cursor++]!;
  if (second >= 0x80) return readLongVarint(bytes, (first & 0x7f) + (second & 0x7f) * 0x80);
  const value = (first & 0x7f) | (second << 7);
  return (value >>> 1) ^ -(value & 1);
}

/**
 * Reads on from the third byte.
 *
 * @param begun the value of the first two bytes
 */
function readLongVarint(bytes: Buffer, begun: number): number {
  let value = begun;
  for (let scale = 0x4000; ; scale *= 0x80) {
    const byte = bytes[cursor++]!;
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }
}
