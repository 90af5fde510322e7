import { expect, test } from 'vitest';
import { envelope } from '../../../test/fixtures/rpc-ways.ts';
import { EnvelopeReader } from './envelope.ts';

const COMPRESSED = 1;

test('messages that inflate are decompressed one at a time, as they are asked for', () => {
  let decoded = 0;
  const reader = new EnvelopeReader(100, (bytes) => {
    decoded++;
    return Buffer.concat([bytes, bytes]);
  });
  const bombs = Buffer.concat(Array(1000).fill(envelope(Buffer.from('ab'), COMPRESSED)));
  const envelopes = reader.read(bombs);
  expect([envelopes.length, decoded]).toEqual([1000, 0]);
  expect(reader.messageIn(envelopes[0]!).toString()).toBe('abab');
  expect(decoded).toBe(1);
});
