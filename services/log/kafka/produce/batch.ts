import { constants, zstdCompressSync } from 'node:zlib';
import { compressionsAlgorithms, compressionsAlgorithmsByBitmask, crc32c, Reader } from '@platformatic/kafka';
import { LogUnavailable, type NewRecord } from '../../event-log.ts';
import { type DecodedBatch, KafkaRecord } from '../record.ts';

/**
 * A record batch of Kafka's message format v2 (kafka.apache.org/documentation/#recordbatch): a header of fixed size and
 * the records, of which each is
 *
 *     length | attributes 0 | timestamp delta 0 | offset delta | key | value | header count | (name | text)*
 *
 * with zigzag varints for lengths and deltas. Records are put together as they come, so that a batch is bytes and
 * nothing else: the library's way, by objects and a writer for each record, took four times as long.
 */
export interface RecordBytes {
  /** The records, of which the first `length` bytes count. */
  bytes: Buffer;
  length: number;
  count: number;
}

/** Who sends a batch, and its place in what it sends. */
export interface BatchOrigin {
  producerId: bigint;
  epoch: number;
  sequence: number;
}

const FIRST_BYTES = 1024;
/** Of a zigzag varint of 32 bits. */
const MAX_VARINT_BYTES = 5;
const NO_TEXTS: readonly Buffer[] = [];

const HEADER_BYTES = 61;
/** What the length leaves out: itself and the base offset before it. */
const BEFORE_LENGTH_BYTES = 12;
const LENGTH = 8;
const LEADER_EPOCH = 12;
const MAGIC = 16;
const CRC = 17;
/** From here on the checksum covers the batch. */
const ATTRIBUTES = 21;
const LAST_OFFSET_DELTA = 23;
const FIRST_TIMESTAMP = 27;
const LAST_TIMESTAMP = 35;
const PRODUCER_ID = 43;
const PRODUCER_EPOCH = 51;
const SEQUENCE = 53;
const COUNT = 57;
const FORMAT = 2;
/**
 * From so many bytes on zstd is faster than lz4, which is WebAssembly here: it takes 30 µs to begin. Of 512 KiB of
 * decisions this level makes 560 MB a second and half the size, lz4 the same size at 340 MB/s, level 1 a third at 350.
 */
const ZSTD_BYTES = 128 << 10;
/** Least that zlib takes. */
const LEAST_CHUNK_BYTES = constants.Z_MIN_CHUNK;
const ZSTD_PARAMS = { [constants.ZSTD_c_compressionLevel]: -5 };
/** Bits of the attributes. */
const COMPRESSION = 7;
const LOG_APPEND_TIME = 1 << 3;
const CONTROL = 1 << 5;
const UNKNOWN_EPOCH = -1;
const NO_BYTES = Buffer.alloc(0);

/** @param bytes memory to begin with */
export function newRecordBytes(bytes: Buffer = Buffer.allocUnsafeSlow(FIRST_BYTES)): RecordBytes {
  return { bytes, length: 0, count: 0 };
}

/** Adds a record, whose bytes are copied. */
export function putRecord(batch: RecordBytes, { key, value, headers }: Pick<NewRecord, 'key' | 'value' | 'headers'>) {
  const keyBytes = Buffer.byteLength(key);
  const texts = headers === undefined ? NO_TEXTS : textsOf(headers);
  let length = 2 + varintBytes(batch.count) + sizedBytes(keyBytes) + sizedBytes(value.length);
  length += varintBytes(texts.length / 2);
  for (const text of texts) length += sizedBytes(text.length);
  reserve(batch, MAX_VARINT_BYTES + length);

  const { bytes } = batch;
  let at = putVarint(bytes, batch.length, length);
  bytes[at] = 0;
  bytes[at + 1] = 0;
  at = putVarint(bytes, at + 2, batch.count);
  at = putVarint(bytes, at, keyBytes);
  at += bytes.write(key, at);
  at = putBytes(bytes, at, value);
  at = putVarint(bytes, at, texts.length / 2);
  for (const text of texts) at = putBytes(bytes, at, text);
  batch.length = at;
  batch.count++;
}

/**
 * The batch as it is sent, compressed with lz4 or, a large one, with zstd.
 *
 * @param timestamp of every record, in ms; the broker replaces it where the topic has LogAppendTime
 * @param memory where to put it, if there is room
 * @param share of its size that it probably comes to
 */
export function encodeBatch(
  batch: RecordBytes,
  { producerId, epoch, sequence }: BatchOrigin,
  timestamp: number,
  memory: Buffer = NO_BYTES,
  share = 1,
): Buffer {
  const { lz4, zstd } = compressionsAlgorithms;
  const bytes = batch.bytes.subarray(0, batch.length);
  const isLarge = bytes.length >= ZSTD_BYTES;
  const records = isLarge ? compressLarge(bytes, share) : lz4.compressSync(bytes);
  const length = HEADER_BYTES + records.length;
  const encoded = length <= memory.length ? memory.subarray(0, length) : Buffer.allocUnsafeSlow(length);
  encoded.fill(0, 0, HEADER_BYTES);
  encoded.writeInt32BE(encoded.length - BEFORE_LENGTH_BYTES, LENGTH);
  encoded.writeInt32BE(UNKNOWN_EPOCH, LEADER_EPOCH);
  encoded[MAGIC] = FORMAT;
  encoded.writeInt16BE((isLarge ? zstd : lz4).bitmask, ATTRIBUTES);
  encoded.writeInt32BE(batch.count - 1, LAST_OFFSET_DELTA);
  encoded.writeBigInt64BE(BigInt(timestamp), FIRST_TIMESTAMP);
  encoded.writeBigInt64BE(BigInt(timestamp), LAST_TIMESTAMP);
  encoded.writeBigInt64BE(producerId, PRODUCER_ID);
  encoded.writeInt16BE(epoch, PRODUCER_EPOCH);
  encoded.writeInt32BE(sequence, SEQUENCE);
  encoded.writeInt32BE(batch.count, COUNT);
  encoded.set(records, HEADER_BYTES);
  encoded.writeUInt32BE(checksum(encoded), CRC);
  return encoded;
}

/** The memory for what it comes to is taken at first, and in pieces of that size. */
function compressLarge(bytes: Buffer, share: number): Buffer {
  const chunkSize = Math.max(LEAST_CHUNK_BYTES, Math.ceil(Math.min(share, 1) * bytes.length));
  return zstdCompressSync(bytes, { params: ZSTD_PARAMS, chunkSize });
}

/** What was decoded of some batches. */
export interface DecodedBatches {
  records: KafkaRecord[];
  /**
   * The offset after the last batch read, whose last records compaction may have taken out; where reading was to begin
   * if there is none.
   */
  next: number;
  /** The whole batches that were not read, and what follows them. Empty if there are none. */
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
    if (checksum(batch) !== batch.readUInt32BE(CRC)) {
      throw new LogUnavailable(`a record batch of partition ${partition} does not fit its checksum`);
    }
    read += decodeBatch(batch, partition, from, records);
    next = Math.max(next, Number(batch.readBigInt64BE(0)) + batch.readInt32BE(LAST_OFFSET_DELTA) + 1);
    at = end;
  }
  return { records, next, rest: end <= bytes.length ? bytes.subarray(at) : NO_BYTES };
}

/** Past the end of `bytes` if the batch is not whole. */
function endOfBatch(bytes: Buffer, at: number): number {
  return at + HEADER_BYTES > bytes.length ? Infinity : at + BEFORE_LENGTH_BYTES + bytes.readInt32BE(at + LENGTH);
}

/** Of a whole batch. The library copies a Buffer first, but not what is in a reader. */
function checksum(batch: Buffer): number {
  return crc32c(Reader.from(batch.subarray(ATTRIBUTES)).buffer);
}

/** Where the reading of a batch's records is. */
let cursor = 0;

/** Returns the bytes of its records, uncompressed. */
function decodeBatch(encoded: Buffer, partition: number, from: number, decoded: KafkaRecord[]): number {
  const attributes = encoded.readInt16BE(ATTRIBUTES);
  if (attributes & CONTROL) return 0;
  const baseOffset = Number(encoded.readBigInt64BE(0));
  const firstTime = Number(encoded.readBigInt64BE(FIRST_TIMESTAMP));
  const appendTime = attributes & LOG_APPEND_TIME ? Number(encoded.readBigInt64BE(LAST_TIMESTAMP)) : undefined;
  const algorithm = attributes & COMPRESSION;
  const stored = encoded.subarray(HEADER_BYTES);
  const bytes = algorithm === 0 ? stored : compressionsAlgorithmsByBitmask[algorithm]!.decompressSync(stored);
  const batch = { partition, bytes };
  const count = encoded.readInt32BE(COUNT);
  cursor = 0;
  for (let i = 0; i < count; i++) {
    const end = readVarint(bytes) + cursor;
    cursor++; // attributes, of which there are none
    const time = firstTime + readVarint(bytes);
    const offset = baseOffset + readVarint(bytes);
    if (offset >= from) decoded.push(readRecord(batch, offset, appendTime ?? time));
    cursor = end;
  }
  return bytes.length;
}

function readRecord(batch: DecodedBatch, offset: number, appendTime: number): KafkaRecord {
  const { bytes } = batch;
  const keyStart = readSized(bytes);
  const keyEnd = cursor;
  const start = readSized(bytes);
  const end = cursor;
  const record = new KafkaRecord(batch, offset, appendTime, keyStart, keyEnd, start, end);
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

/** Zigzag, up to 53 bits; most are of one byte or two. */
function readVarint(bytes: Buffer): number {
  const first = bytes[cursor++]!;
  if (first < 0x80) return (first >>> 1) ^ -(first & 1);
  const second = bytes[cursor++]!;
  if (second >= 0x80) return readLongVarint(bytes, (first & 0x7f) + (second & 0x7f) * 0x80);
  const value = (first & 0x7f) | (second << 7);
  return (value >>> 1) ^ -(value & 1);
}

/** @param begun the value of its first two bytes */
function readLongVarint(bytes: Buffer, begun: number): number {
  let value = begun;
  for (let scale = 0x4000; ; scale *= 0x80) {
    const byte = bytes[cursor++]!;
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }
}

function textsOf(headers: Readonly<Record<string, string>>): Buffer[] {
  return Object.entries(headers).flatMap(([name, text]) => [Buffer.from(name), Buffer.from(text)]);
}

function reserve(batch: RecordBytes, more: number): void {
  const needed = batch.length + more;
  if (needed <= batch.bytes.length) return;
  const larger = Buffer.allocUnsafeSlow(Math.max(needed, 2 * batch.bytes.length));
  batch.bytes.copy(larger, 0, 0, batch.length);
  batch.bytes = larger;
}

/** With its length before it. */
function putBytes(to: Buffer, at: number, bytes: Uint8Array): number {
  const start = putVarint(to, at, bytes.length);
  to.set(bytes, start);
  return start + bytes.length;
}

function sizedBytes(length: number): number {
  return varintBytes(length) + length;
}

/** A number that is not negative, in [0, 2^30): zigzag doubles it. */
function putVarint(to: Buffer, at: number, value: number): number {
  let end = at;
  let rest = value << 1;
  for (; rest >= 0x80; rest >>>= 7) to[end++] = (rest & 0x7f) | 0x80;
  to[end++] = rest;
  return end;
}

function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value >>> 6; rest > 0; rest >>>= 7) bytes++;
  return bytes;
}
