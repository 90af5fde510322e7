import fc from 'fast-check';
import { expect, test } from 'vitest';
import { addRecord, openBatch, readHeader, readRecords, sealBatch } from './record-batch.ts';

const KEY = Buffer.from('where');
const anyRecord = fc.record({
  key: fc.string({ unit: 'grapheme', maxLength: 300 }),
  value: fc.uint8Array({ maxLength: 10_000 }),
  headers: fc.dictionary(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme', maxLength: 200 })),
});
type AnyRecord = { key: string; value: Uint8Array; headers: Record<string, string> };

function pack(records: readonly AnyRecord[]): Buffer {
  const batch = openBatch();
  for (const { key, value, headers } of records) addRecord(batch, Buffer.from(key), value, headers);
  const bytes = batch.bytes.subarray(0, batch.length);
  sealBatch(KEY, bytes, { count: batch.count, appendTime: 1_700_000_000_123, logBytes: 5e12 });
  return bytes;
}

function unpack(bytes: Buffer, first: number): AnyRecord[] {
  return [...readRecords(bytes, first)].map((record) => ({
    key: record.key,
    value: Uint8Array.from(record.value),
    headers: { ...record.headers },
  }));
}

test('records come out as they went in, from any index on', () => {
  fc.assert(
    fc.property(fc.array(anyRecord, { maxLength: 20 }), fc.nat(20), (records, first) => {
      const bytes = pack(records);
      expect(readHeader(KEY, bytes)).toEqual({
        count: records.length,
        appendTime: 1_700_000_000_123,
        logBytes: 5e12,
      });
      expect(unpack(bytes, first)).toEqual(records.slice(first).map((record) => ({ ...record })));
    }),
    { numRuns: 200, seed: 1 },
  );
});

test('L-9: a flipped bit anywhere, a cut end and another place are noticed', () => {
  const bytes = pack([{ key: 'user-1', value: Buffer.from('a value'), headers: { trace: 'on' } }]);
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const flipped = Buffer.from(bytes);
    flipped[bit >> 3]! ^= 1 << (bit & 7);
    expect(readHeader(KEY, flipped)).toBeUndefined();
  }
  for (let length = 0; length < bytes.length; length++) {
    expect(readHeader(KEY, bytes.subarray(0, length))).toBeUndefined();
  }
  expect(readHeader(Buffer.from('elsewhere'), bytes)).toBeUndefined();
});
