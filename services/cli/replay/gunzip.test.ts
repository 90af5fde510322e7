import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { generateEvents } from '../generate/journeys.ts';
import { gunzip } from './gunzip.ts';

const CONTENT = Buffer.from(
  [
    ...generateEvents({
      ...{ events: 400, users: 50, campaigns: 5, seed: 1, end: '2025-12-31', days: 1 },
      ...{ conversionRate: 0.1, duplicates: 0, late: 0, disorderMs: 0, refunds: 0, invalid: 0 },
    }),
  ]
    .map((event) => `${JSON.stringify(event)}\n`)
    .join(''),
);
const MEMBER = gzipSync(CONTENT);

/** What is read of the bytes, if they come in chunks of so many; and what is said of them. */
async function unpack(bytes: Buffer, chunkBytes = 1000) {
  async function* chunks() {
    for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes);
  }
  const said: Record<string, string> = {};
  const report = {
    fault(text: string) {
      said.fault = text;
    },
    warning(text: string) {
      said.warning = text;
    },
  };
  const parts: Buffer[] = [];
  for await (const part of gunzip(chunks(), report)) parts.push(part);
  return { content: Buffer.concat(parts), said };
}

test.each([
  ['one member', MEMBER, 1],
  ['several members', Buffer.concat([MEMBER, gzipSync(''), MEMBER, MEMBER]), 3],
  ['members between zeros', Buffer.concat([MEMBER, Buffer.alloc(1), MEMBER, Buffer.alloc(5000)]), 2],
  ['what is stored only', gzipSync(CONTENT, { level: 0 }), 1],
  ['a header with all that may be in one', withWholeHeader(MEMBER), 1],
])('%s', async (_, bytes, times) => {
  for (const chunkBytes of [10, 511, 512, 1 << 16]) {
    const { content, said } = await unpack(bytes, chunkBytes);
    expect(content.equals(Buffer.concat(Array(times).fill(CONTENT)))).toBe(true);
    expect(said).toEqual({});
  }
});

test('garbage behind a member costs nothing, and a warning', async () => {
  const { content, said } = await unpack(Buffer.concat([MEMBER, Buffer.from('\0\0garbage')]));
  expect(content.equals(CONTENT)).toBe(true);
  expect(said).toEqual({
    warning: `has trailing garbage from byte ${MEMBER.length + 2} on, which is no gzip: ignored`,
  });
});

test('cut off anywhere, all that is there is read', async () => {
  let before = 0;
  for (let bytes = 2; bytes < MEMBER.length; bytes += 97) {
    const { content, said } = await unpack(MEMBER.subarray(0, bytes));
    expect(said).toEqual({ fault: `is cut off at byte ${bytes}` });
    expect(content.length).toBeGreaterThanOrEqual(before);
    expect(content.equals(CONTENT.subarray(0, content.length))).toBe(true);
    before = content.length;
  }
  expect(before).toBeGreaterThan(CONTENT.length * 0.98);
  const { content } = await unpack(MEMBER.subarray(0, -1));
  expect(content.equals(CONTENT)).toBe(true);
});

test('damaged, what comes before is read', async () => {
  // Blocks of what is stored as it is: the length of each is there twice, which is how a damage is found at once.
  const damaged = gzipSync(CONTENT, { level: 0 });
  const firstBlock = damaged.readUInt16LE(11);
  const secondLength = 10 + 5 + firstBlock + 1;
  damaged[secondLength]! ^= 1;
  const { content, said } = await unpack(damaged, 1 << 20);
  const [, byte] = said.fault!.match(/^is damaged at byte (\d+): invalid stored block lengths$/)!;
  expect(secondLength - Number(byte)).toBeLessThan(secondLength / 60);
  expect(firstBlock - content.length).toBeLessThan(firstBlock / 60);
  expect(content.equals(CONTENT.subarray(0, content.length))).toBe(true);
});

test('damaged so that its data has no end, it is not called cut off', async () => {
  const damaged = Buffer.from(MEMBER);
  let faults = '';
  for (let at = MEMBER.length - 60; at < MEMBER.length - 8; at++) {
    damaged[at]! ^= 0xff;
    const { said } = await unpack(damaged);
    damaged[at]! ^= 0xff;
    expect(said.fault).toMatch(/^is damaged /);
    faults += said.fault;
  }
  expect(faults).toContain(
    `is damaged somewhere before byte ${MEMBER.length}: its compressed data has no end, and part of what was read may be wrong`,
  );
});

test('a wrong checksum is told, after all that was read', async () => {
  for (const at of [-8, -1]) {
    const damaged = Buffer.from(MEMBER);
    damaged[damaged.length + at]! ^= 1;
    const { content, said } = await unpack(damaged);
    expect(content.equals(CONTENT)).toBe(true);
    expect(said.fault).toContain(`is damaged somewhere before byte ${MEMBER.length}`);
  }
});

test('a header that is damaged is told', async () => {
  const damaged = Buffer.concat([MEMBER, MEMBER]);
  damaged[MEMBER.length + 2] = 9;
  const { content, said } = await unpack(damaged);
  expect(content.equals(CONTENT)).toBe(true);
  expect(said).toEqual({ fault: `is damaged at byte ${MEMBER.length}: no header of gzip` });
});

function withWholeHeader(member: Buffer): Buffer {
  const fixed = Buffer.from(member.subarray(0, 10));
  fixed[3] = 2 + 4 + 8 + 16;
  return Buffer.concat([fixed, Buffer.from('\x03\0abcname\0comment\0CC', 'latin1'), member.subarray(10)]);
}
