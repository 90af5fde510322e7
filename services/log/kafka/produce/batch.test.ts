import { crc32c, Reader, readRecordsBatch } from '@platformatic/kafka';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeBatches } from '../consume/decode-batches.ts';
import { encodeBatch, newRecordBytes, putRecord } from './batch.ts';

const bytes = fc.uint8Array({ maxLength: 300 });
const headers = fc.option(fc.dictionary(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' })), {
  nil: undefined,
});
const key = fc.string({ unit: 'binary', maxLength: 100 });
const records = fc.array(fc.record({ key, value: bytes, headers }), { minLength: 1, maxLength: 200 });
const origin = fc.record({
  producerId: fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }),
  epoch: fc.nat(0x7fff),
  sequence: fc.nat(0x7fffffff),
});

test('a batch is read by the library as it was put together', () => {
  fc.assert(
    fc.property(records, origin, fc.nat(Number.MAX_SAFE_INTEGER), (given, sender, timestamp) => {
      const batch = newRecordBytes();
      for (const record of given) putRecord(batch, record);
      const encoded = encodeBatch(batch, sender, timestamp);
      const read = readRecordsBatch(Reader.from(encoded));
      expect(read).toMatchObject({
        firstOffset: 0n,
        length: encoded.length - 12,
        magic: 2,
        crc: crc32c(encoded.subarray(21)),
        lastOffsetDelta: given.length - 1,
        firstTimestamp: BigInt(timestamp),
        maxTimestamp: BigInt(timestamp),
        producerId: sender.producerId,
        producerEpoch: sender.epoch,
        firstSequence: sender.sequence,
      });
      expect(read.records.map(({ timestampDelta, offsetDelta }) => [Number(timestampDelta), offsetDelta])).toEqual(
        given.map((_, i) => [0, i]),
      );
      const texts = read.records.map(({ key, value, headers }) => ({
        key: `${key}`,
        value: Uint8Array.from(value!),
        headers: Object.fromEntries(headers.map(([name, text]) => [`${name}`, `${text}`])),
      }));
      expect(texts).toEqual(given.map(({ key, value, headers }) => ({ key, value, headers: { ...headers } })));
    }),
  );
});

test('a large batch is read as it was put together', () => {
  const batch = newRecordBytes();
  const values = Array.from({ length: 300 }, (_, i) => Buffer.alloc(1000, `value ${i}`));
  for (const value of values) putRecord(batch, { key: 'ann', value });
  const encoded = encodeBatch(batch, { producerId: 1n, epoch: 0, sequence: 0 }, 0);
  encoded.writeBigInt64BE(0n, 0);
  expect(decodeBatches(encoded, 0, 0, 1).records.map(({ value }) => Buffer.from(value))).toEqual(values);
});

test('a record of the largest size fits', () => {
  const batch = newRecordBytes();
  const value = Buffer.alloc(1 << 20, 'x');
  putRecord(batch, { key: 'ann', value });
  const [record] = readRecordsBatch(
    Reader.from(encodeBatch(batch, { producerId: 1n, epoch: 0, sequence: 0 }, 0)),
  ).records;
  expect(value.equals(record!.value!)).toBe(true);
});
