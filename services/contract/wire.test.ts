import { BinaryWriter } from '@bufbuild/protobuf/wire';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { putBigint, putBytes, putDouble, putNumber, putSizedText, putText, putVarint, varintBytes } from './wire.ts';

/** Numbers about as often of each length, and those around the ends of lengths. */
const number = fc
  .tuple(fc.integer({ min: 0, max: 53 }), fc.maxSafeNat(), fc.constantFrom(-1, 0, 1, undefined))
  .map(([bits, any, near]) => Math.min(Math.max(near === undefined ? any % 2 ** bits : 2 ** bits + near, 0), MAX));
const MAX = Number.MAX_SAFE_INTEGER;
const bigint = fc.oneof(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), number.map(BigInt));
const field = fc.integer({ min: 1, max: 2 ** 29 - 1 });
const text = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 200 }),
  fc.string({ unit: 'grapheme-ascii', minLength: 100, maxLength: 150 }),
  fc.string({ unit: fc.nat(0xff).map((code) => String.fromCharCode(code)), maxLength: 5 }),
);
const AT = 3;

/** What was written behind the first bytes, which are left alone, as is what is behind it. */
function written(put: (to: Buffer, at: number) => number): Buffer {
  const to = Buffer.alloc(1024, 0xee);
  const end = put(to, AT);
  const around = Buffer.concat([to.subarray(0, AT), to.subarray(end)]);
  expect(around.equals(Buffer.alloc(around.length, 0xee))).toBe(true);
  return to.subarray(AT, end);
}

function generic(write: (writer: BinaryWriter) => void): Buffer {
  const writer = new BinaryWriter();
  write(writer);
  return Buffer.from(writer.finish());
}

test('a varint is what the library writes, as long as announced', () => {
  fc.assert(
    fc.property(number, (value) => {
      const bytes = written((to, at) => putVarint(to, at, value));
      expect(bytes).toEqual(generic((writer) => writer.uint64(value)));
      expect(varintBytes(value)).toBe(bytes.length);
    }),
    { numRuns: 1000 },
  );
});

test('fields are what the library writes, absent where they are empty or zero', () => {
  fc.assert(
    fc.property(field, number, bigint, (no, value, big) => {
      const varint = no * 8;
      expect(written((to, at) => putNumber(to, at, varint, value))).toEqual(
        generic((writer) => value !== 0 && writer.tag(no, 0).uint64(value)),
      );
      expect(written((to, at) => putBigint(to, at, varint, big))).toEqual(
        generic((writer) => big !== 0n && writer.tag(no, 0).int64(big)),
      );
    }),
  );
  fc.assert(
    fc.property(field, fc.double(), (no, value) => {
      expect(written((to, at) => putDouble(to, at, no * 8 + 1, value))).toEqual(
        generic((writer) => value !== 0 && writer.tag(no, 1).double(value)),
      );
    }),
  );
  fc.assert(
    fc.property(field, text, fc.nat(20), (no, value, start) => {
      const tag = no * 8 + 2;
      const bytes = Buffer.from(value);
      const expected = generic((writer) => value !== '' && writer.tag(no, 2).string(value));
      expect(written((to, at) => putText(to, at, tag, value))).toEqual(expected);
      const source = Buffer.concat([Buffer.alloc(start), bytes, Buffer.alloc(1)]);
      expect(written((to, at) => putBytes(to, at, tag, source, start, start + bytes.length))).toEqual(expected);
      expect(written((to, at) => putSizedText(to, at, value))).toEqual(generic((writer) => writer.string(value)));
    }),
  );
});

test('an uint64 beyond the signed ones is written, too', () => {
  const max = 2n ** 64n - 1n;
  expect(written((to, at) => putBigint(to, at, 0x08, max))).toEqual(generic((writer) => writer.tag(1, 0).uint64(max)));
});

test.each([-1, -(2 ** 31), 0.5, 2 ** 32 + 0.5, 2 ** 53, 2 ** 64, NaN, Infinity])('%d is not a varint', (value) => {
  const to = Buffer.alloc(20);
  expect(() => putVarint(to, 0, value)).toThrow(RangeError);
  expect(() => putNumber(to, 0, 0x08, value)).toThrow(RangeError);
});

test.each([2n ** 64n, -(2n ** 63n) - 1n])('%s is not an int64 or uint64', (value) => {
  expect(() => putBigint(Buffer.alloc(20), 0, 0x08, value)).toThrow(RangeError);
});
