import fc from 'fast-check';
import { expect, test } from 'vitest';
import { escapedText } from './escaped-text.ts';

test('UTF-8 is its text', () => {
  const text = fc.string({ unit: 'binary' }).filter((each) => each.isWellFormed());
  fc.assert(
    fc.property(text, (each) => {
      expect(escapedText(Buffer.from(each))).toBe(each);
    }),
  );
});

test('other bytes keep what is UTF-8 beside them, and can be told apart', () => {
  const part = fc.oneof(fc.string({ unit: 'grapheme', maxLength: 4 }), fc.constant(undefined));
  fc.assert(
    fc.property(fc.array(part), fc.integer({ min: 0xf8, max: 0xff }), (parts, bad) => {
      const bytes = Buffer.concat(parts.map((each) => (each === undefined ? Buffer.of(bad) : Buffer.from(each))));
      const lone = String.fromCharCode(0xdc00 + bad);
      expect(escapedText(bytes)).toBe(parts.map((each) => each ?? lone).join(''));
    }),
  );
});

test('any bytes are well-formed text exactly if they are UTF-8', () => {
  const byte = fc.oneof(fc.nat(255), fc.constantFrom(0x41, 0x80, 0xbf, 0xc0, 0xc3, 0xe0, 0xed, 0xa0, 0xf0, 0x9f, 0xf4));
  fc.assert(
    fc.property(fc.array(byte, { maxLength: 12 }), (bytes) => {
      const fatal = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
      let text: string | undefined;
      try {
        text = fatal.decode(Uint8Array.from(bytes));
      } catch {}
      const escaped = escapedText(Uint8Array.from(bytes));
      expect(escaped.isWellFormed()).toBe(text !== undefined);
      if (text !== undefined) expect(escaped).toBe(text);
    }),
    { numRuns: 5000 },
  );
});
