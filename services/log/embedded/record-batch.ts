import { crc32 } from 'node:zlib';
import { putVarint, varintBytes } from '../../contract/wire.ts';
import type { LogRecord } from '../event-log.ts';

/**
 * A record batch is what the embedded log stores under one key: consecutive records of one partition.
 *
 *     crc32 u32 | record count u32 | append time f64 (ms) | log bytes f64 | records
 *     record: bytes of the rest | key bytes | header entries | key | (name bytes | name | value bytes | value)* | value
 *
 * Fixed numbers are big-endian, lengths are varints. The checksum covers everything after it and the batch's database
 * key, so that a batch in the wrong place does not pass either.
 */
const HEADER_BYTES = 24;
const FIRST_BYTES = 4096;

export interface BatchHeader {
  count: number;
  /** Append time of every record of the batch, in ms since 1970-01-01 UTC. */
  appendTime: number;
  /** Bytes of all batches the partition ever had, this one included: the size of a range is a difference. */
  logBytes: number;
}

/** A batch that takes more records; its header is still empty. */
export interface OpenBatch {
  bytes: Buffer<ArrayBuffer>;
  length: number;
  count: number;
}

/** The part of a record that its batch holds. */
export type BatchRecord = Omit<LogRecord, 'partition' | 'offset' | 'appendTime'>;

const NO_HEADERS: Readonly<Record<string, string>> = Object.freeze({});

export function openBatch(): OpenBatch {
  return { bytes: Buffer.allocUnsafeSlow(FIRST_BYTES), length: HEADER_BYTES, count: 0 };
}

/** Adds a record whose key is already UTF-8. */
export function addRecord(batch: OpenBatch, key: Buffer, value: Uint8Array, headers = NO_HEADERS): void {
  const strings = Object.entries(headers).flatMap(([name, text]) => [Buffer.from(name), Buffer.from(text)]);
  let rest = varintBytes(key.length) + key.length + varintBytes(strings.length / 2) + value.length;
  for (const string of strings) rest += varintBytes(string.length) + string.length;
  reserve(batch, varintBytes(rest) + rest);

  const { bytes } = batch;
  let at = putVarint(bytes, batch.length, rest);
  at = putVarint(bytes, at, key.length);
  at = putVarint(bytes, at, strings.length / 2);
  bytes.set(key, at);
  at += key.length;
  for (const string of strings) {
    at = putVarint(bytes, at, string.length);
    bytes.set(string, at);
    at += string.length;
  }
  bytes.set(value, at);
  batch.length = at + value.length;
  batch.count++;
}

/** Fills in the header. */
export function sealBatch(key: Buffer, bytes: Buffer, header: BatchHeader): void {
  bytes.writeUInt32BE(header.count, 4);
  bytes.writeDoubleBE(header.appendTime, 8);
  bytes.writeDoubleBE(header.logBytes, 16);
  bytes.writeUInt32BE(checksum(key, bytes), 0);
}

/** Undefined if the checksum does not fit: the bytes are not what was written under this key. */
export function readHeader(key: Buffer, bytes: Buffer): BatchHeader | undefined {
  if (bytes.length < HEADER_BYTES || bytes.readUInt32BE(0) !== checksum(key, bytes)) return undefined;
  return { count: bytes.readUInt32BE(4), appendTime: bytes.readDoubleBE(8), logBytes: bytes.readDoubleBE(16) };
}

/** The records of an intact batch, from the index `first` on. Values are views of `bytes`. */
export function* readRecords(bytes: Buffer, first: number): Generator<BatchRecord> {
  const cursor = { at: HEADER_BYTES };
  for (let index = 0; cursor.at < bytes.length; index++) {
    const length = readVarint(bytes, cursor);
    const end = cursor.at + length;
    if (index >= first) yield readRecord(bytes, cursor, end);
    cursor.at = end;
  }
}

interface Cursor {
  at: number;
}

function readRecord(bytes: Buffer, cursor: Cursor, end: number): BatchRecord {
  const keyBytes = readVarint(bytes, cursor);
  const headerCount = readVarint(bytes, cursor);
  const key = readString(bytes, cursor, keyBytes);
  const headers = headerCount === 0 ? NO_HEADERS : readHeaders(bytes, cursor, headerCount);
  const start = cursor.at;
  return { key, value: bytes.subarray(start, end), headers, bytes, start, end, size: keyBytes + end - start };
}

function readHeaders(bytes: Buffer, cursor: Cursor, count: number): Record<string, string> {
  const text = () => readString(bytes, cursor, readVarint(bytes, cursor));
  return Object.fromEntries(Array.from({ length: count }, () => [text(), text()] as const));
}

function readString(bytes: Buffer, cursor: Cursor, length: number): string {
  const start = cursor.at;
  cursor.at += length;
  return bytes.toString('utf8', start, cursor.at);
}

function checksum(key: Buffer, bytes: Buffer): number {
  return crc32(bytes.subarray(4), crc32(key));
}

function reserve(batch: OpenBatch, more: number): void {
  const needed = batch.length + more;
  if (needed <= batch.bytes.length) return;
  const grown = Buffer.allocUnsafeSlow(Math.max(needed, 2 * batch.bytes.length));
  grown.set(batch.bytes.subarray(0, batch.length));
  batch.bytes = grown;
}

function readVarint(bytes: Buffer, cursor: Cursor): number {
  let value = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[cursor.at++]!;
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
}
