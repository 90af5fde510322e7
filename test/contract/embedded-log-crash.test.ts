import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openEmbeddedLog } from '../../services/log/embedded/log.ts';
import type { EventLog } from '../../services/log/event-log.ts';

const PARTITIONS = 3;
const APPENDER = new URL('./append-until-killed.ts', import.meta.url).pathname;
let dir: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'clickmesh-crash-'));
});
afterEach(() => rm(dir, { recursive: true }));

/** Same numbers for the same seed, in [0, 1). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Kills a process that appends once it has acknowledged `count` records; answers the next offset by partition. */
async function appendAndKill(count: number): Promise<number[]> {
  const child = spawn(process.execPath, [APPENDER, dir], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ends = Array<number>(PARTITIONS).fill(0);
  let acknowledged = 0;
  for await (const line of createInterface(child.stdout)) {
    const [partition, offset] = line.split(' ').map(Number);
    ends[partition!] = offset! + 1;
    if (++acknowledged === count) child.kill('SIGKILL');
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  expect(child.signalCode).toBe('SIGKILL');
  return ends;
}

async function damageWal(damage: (bytes: Buffer) => Buffer): Promise<void> {
  const folder = join(dir, 'rocksdb');
  const newest = (await readdir(folder))
    .filter((name) => name.endsWith('.log'))
    .sort()
    .at(-1)!;
  await writeFile(join(folder, newest), damage(await readFile(join(folder, newest))));
}

const openHere = () =>
  openEmbeddedLog({ dir, partitions: PARTITIONS, retentionMs: Infinity, retentionBytes: Infinity });

async function expectEverything(log: EventLog, ends: readonly number[]): Promise<void> {
  for (const [partition, { end }] of (await log.offsets('raw-events')).entries()) {
    expect(end).toBeGreaterThanOrEqual(ends[partition]!);
    for (let next = 0; next < end; ) {
      for (const record of await log.read('raw-events', { partition, offset: next }, { maxBytes: 65_536, waitMs: 0 })) {
        expect(record.offset).toBe(next);
        expect(Buffer.from(record.value).toString().trimEnd()).toBe(`${partition}/${next}`);
        next++;
      }
    }
  }
}

test.each([1, 2, 3])('L-1: kill -9 of the appending process loses nothing acknowledged (seed %i)', async (seed) => {
  const ends = await appendAndKill(1 + Math.floor(randomFrom(seed)() * 3_000));
  const log = await openHere();
  await expectEverything(log, ends);
  await log.close();
});

/** Opens what was damaged: either everything acknowledged is there, or it says that it is not. */
async function openDamaged(ends: readonly number[]): Promise<'recovered' | 'refused'> {
  const log = await openHere().catch((error: Error) => {
    expect(error.message).toMatch(/has lost acknowledged records: raw-events|is corrupt/);
  });
  if (log === undefined) return 'refused';
  await expectEverything(log, ends);
  await log.close();
  return 'recovered';
}

/** Keeps the first part, in [0, 1), of the bytes. */
function cut(bytes: Buffer, part: number): Buffer {
  return bytes.subarray(0, Math.floor(bytes.length * part));
}

/** Flips the bit that lies after this part, in [0, 1), of the bytes. */
function flip(bytes: Buffer, part: number): Buffer {
  const bit = Math.floor(bytes.length * 8 * part);
  bytes[bit >> 3]! ^= 1 << (bit & 7);
  return bytes;
}

// What was under way when the process was killed may be lost without a word, so either outcome can be right.
test.each([
  ...[11, 12, 13, 14, 15, 16].map((seed) => ({ what: 'a torn', damage: cut, seed })),
  ...[21, 22, 23, 24, 25, 26].map((seed) => ({ what: 'a bit-flipped', damage: flip, seed })),
])('L-2: $what write-ahead log is recovered whole or refused, never less (seed $seed)', async ({ damage, seed }) => {
  const random = randomFrom(seed);
  const ends = await appendAndKill(1 + Math.floor(random() * 2_000));
  await damageWal((bytes) => damage(bytes, random()));
  await openDamaged(ends);
});

test.each([
  { what: 'cut in half', damage: cut },
  { what: 'with a flipped bit in the middle', damage: flip },
])('L-2: a write-ahead log $what is refused, however often it is opened', async ({ damage }) => {
  const ends = await appendAndKill(1_000);
  await damageWal((bytes) => damage(bytes, 0.5));
  expect(await openDamaged(ends)).toBe('refused');
  expect(await openDamaged(ends)).toBe('refused');
});
