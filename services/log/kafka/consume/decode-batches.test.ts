import { crc32c, createRecordsBatch } from '@platformatic/kafka';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { plainRecord } from '../../../../test/fixtures/log-record.ts';
import { type LogRecord, LogUnavailable } from '../../event-log.ts';
import { encodeBatch, newRecordBytes, putRecord } from '../produce/batch.ts';
import { decodeBatches } from './decode-batches.ts';

const bytes = fc.uint8Array({ maxLength: 300 });
const headers = fc.option(fc.dictionary(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' })), {
  nil: undefined,
});
const HEADER_BYTES = 61;

/** Batches as the library puts them together, with these base offsets and append times. */
const batches = fc.array(
  fc.record({
    given: fc.array(fc.record({ key: bytes, value: bytes, headers, timestamp: fc.integer({ min: 0, max: 2 ** 30 }) }), {
      minLength: 1,
      maxLength: 20,
    }),
    gap: fc.nat(5),
    compression: fc.constantFrom('none' as const, 'lz4' as const, 'gzip' as const, 'zstd' as const),
    hasAppendTime: fc.boolean(),
  }),
  { maxLength: 5 },
);

/** In steps of a few records. */
function readAll(bytes: Buffer, partition: number, from: number) {
  const all: LogRecord[] = [];
  for (let [left, next] = [bytes, from]; ; ) {
    const decoded = decodeBatches(left, partition, next, 50);
    all.push(...decoded.records);
    if (decoded.rest.length === left.length) return { records: all, next: decoded.next };
    [left, next] = [decoded.rest, decoded.next];
  }
}

test('batches that the library put together are read', () => {
  fc.assert(
    fc.property(batches, fc.nat(60), fc.nat(HEADER_BYTES), (given, from, cut) => {
      const parts: Buffer[] = [];
      const expected: unknown[] = [];
      const sizes: number[] = [];
      let offset = 0;
      for (const { given: records, gap, compression, hasAppendTime } of given) {
        offset += gap;
        const messages = records.map(({ headers, key, value, timestamp }) => ({
          ...{
            topic: 't',
            partition: 0,
            key: Buffer.from(key),
            value: Buffer.from(value),
            timestamp: BigInt(timestamp),
          },
          headers: new Map(Object.entries(headers ?? {}).map(([name, text]) => [Buffer.from(name), Buffer.from(text)])),
        }));
        const batch = createRecordsBatch(messages, { compression }).buffer;
        batch.writeBigInt64BE(BigInt(offset), 0);
        if (hasAppendTime) batch.writeInt16BE(batch.readInt16BE(21) | 8, 21);
        batch.writeUInt32BE(crc32c(batch.subarray(21)), 17);
        parts.push(batch);
        const last = Math.max(...records.map(({ timestamp }) => timestamp));
        for (const { key, value, headers, timestamp } of records) {
          const appendTime = hasAppendTime ? last : timestamp;
          const record = {
            partition: 3,
            offset,
            key: `${Buffer.from(key)}`,
            value,
            headers: { ...headers },
            appendTime,
          };
          if (offset >= from) expected.push(record);
          if (offset >= from) sizes.push(key.length + value.length);
          offset++;
        }
      }
      const end = Math.max(from, offset);
      // A broker cuts the last batch off where the answer is full.
      const beginning = Buffer.alloc(cut, 1);
      const { records, next } = readAll(Buffer.concat([...parts, beginning]), 3, from);
      expect(records.map(plainRecord)).toEqual(expected);
      expect(records.map(({ size }) => size)).toEqual(sizes);
      for (const { value, bytes, start, end } of records) expect(bytes.subarray(start, end)).toEqual(value);
      expect(next).toBe(end);
    }),
  );
});

test('bytes that changed on their way are not read', () => {
  const batch = newRecordBytes();
  putRecord(batch, { key: 'ann', value: Buffer.from('value') });
  const encoded = encodeBatch(batch, { producerId: 1n, epoch: 0, sequence: 0 }, 0);
  encoded[encoded.length - 1]! ^= 1;
  expect(() => decodeBatches(encoded, 0, 0, 1)).toThrow(LogUnavailable);
});
