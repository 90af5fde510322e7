import { constants, zstdCompressSync } from 'node:zlib';
import { compressionsAlgorithms } from '@platformatic/kafka';
import { putVarint, varintBytes } from '../../../contract/wire.ts';
import type { NewRecord } from '../../event-log.ts';
import * as format from '../record-batch-format.ts';

/**
 * The records of a batch to come, put together as they arrive, so that a batch is bytes and nothing else. The library's
 * way, by objects and a writer for each record, takes longer: decisions/003-kafka-batches.md.
 */
export interface RecordBytes {
  /** The records, of which the first `length` bytes count. */
  bytes: Buffer;
  length: number;
  count: number;
}

/** The producer of a batch, and the batch's place in what it sends. */
export interface BatchOrigin {
  producerId: bigint;
  epoch: number;
  /** The number of the batch's first record among those that the producer sent to the partition, modulo 2^31. */
  sequence: number;
}

const FIRST_BYTES = 1024;
/** Most bytes of the length before a record: a varint of 32 bits. */
const MAX_VARINT_BYTES = 5;
const NO_TEXTS: readonly Buffer[] = [];

const FORMAT = 2;
/**
 * Bytes of records from which on zstd is faster than lz4, which is WebAssembly here: zstd takes 30 µs to begin. Of
 * 512 KiB of decisions this level makes 560 MB a second and half the size, lz4 the same size at 340 MB/s, level 1 a
 * third at 350 MB/s (measured 2026-11, decisions/003-kafka-batches.md).
 */
const ZSTD_BYTES = 128 << 10;
/** Least chunk size that zlib takes, in bytes. */
const LEAST_CHUNK_BYTES = constants.Z_MIN_CHUNK;
const ZSTD_PARAMS = { [constants.ZSTD_c_compressionLevel]: -5 };
const UNKNOWN_EPOCH = -1;
const NO_BYTES = Buffer.alloc(0);

/** @param bytes memory to begin with */
export function newRecordBytes(bytes: Buffer = Buffer.allocUnsafeSlow(FIRST_BYTES)): RecordBytes {
  return { bytes, length: 0, count: 0 };
}

/** Adds a record: its bytes are copied. Lengths and counts are never negative, so that zigzag is doubling. */
export function putRecord(batch: RecordBytes, { key, value, headers }: Pick<NewRecord, 'key' | 'value' | 'headers'>) {
  const keyBytes = Buffer.byteLength(key);
  const texts = headers === undefined ? NO_TEXTS : textsOf(headers);
  let length = 2 + varintBytes(2 * batch.count) + sizedBytes(keyBytes) + sizedBytes(value.length);
  // Half as many headers as texts: doubled for zigzag, the number of texts.
  length += varintBytes(texts.length);
  for (const text of texts) length += sizedBytes(text.length);
  reserve(batch, MAX_VARINT_BYTES + length);

  const { bytes } = batch;
  let at = putVarint(bytes, batch.length, 2 * length);
  bytes[at] = 0;
  bytes[at + 1] = 0;
  at = putVarint(bytes, at + 2, 2 * batch.count);
  at = putVarint(bytes, at, 2 * keyBytes);
  at += bytes.write(key, at);
  at = putSized(bytes, at, value);
  at = putVarint(bytes, at, texts.length);
  for (const text of texts) at = putSized(bytes, at, text);
  batch.length = at;
  batch.count++;
}

/**
 * Returns the batch as it is sent, compressed with lz4 or, a large one, with zstd.
 *
 * @param timestamp of every record, in ms; the broker replaces it where the topic has LogAppendTime
 * @param memory where to put the batch, if there is room
 * @param share the probable ratio of compressed to uncompressed bytes
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
  const length = format.HEADER_BYTES + records.length;
  const encoded = length <= memory.length ? memory.subarray(0, length) : Buffer.allocUnsafeSlow(length);
  encoded.fill(0, 0, format.HEADER_BYTES);
  encoded.writeInt32BE(encoded.length - format.BEFORE_LENGTH_BYTES, format.LENGTH);
  encoded.writeInt32BE(UNKNOWN_EPOCH, format.LEADER_EPOCH);
  encoded[format.MAGIC] = FORMAT;
  encoded.writeInt16BE((isLarge ? zstd : lz4).bitmask, format.ATTRIBUTES);
  encoded.writeInt32BE(batch.count - 1, format.LAST_OFFSET_DELTA);
  encoded.writeBigInt64BE(BigInt(timestamp), format.FIRST_TIMESTAMP);
  encoded.writeBigInt64BE(BigInt(timestamp), format.LAST_TIMESTAMP);
  encoded.writeBigInt64BE(producerId, format.PRODUCER_ID);
  encoded.writeInt16BE(epoch, format.PRODUCER_EPOCH);
  encoded.writeInt32BE(sequence, format.SEQUENCE);
  encoded.writeInt32BE(batch.count, format.COUNT);
  encoded.set(records, format.HEADER_BYTES);
  encoded.writeUInt32BE(format.checksum(encoded), format.CRC);
  return encoded;
}

/** Compresses with zstd, whose output grows in chunks: one of the probable size is most often the only one. */
function compressLarge(bytes: Buffer, share: number): Buffer {
  const chunkSize = Math.max(LEAST_CHUNK_BYTES, Math.ceil(Math.min(share, 1) * bytes.length));
  return zstdCompressSync(bytes, { params: ZSTD_PARAMS, chunkSize });
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

/** Writes bytes with their length before them. */
function putSized(to: Buffer, at: number, bytes: Uint8Array): number {
  const start = putVarint(to, at, 2 * bytes.length);
  to.set(bytes, start);
  return start + bytes.length;
}

function sizedBytes(length: number): number {
  return varintBytes(2 * length) + length;
}
