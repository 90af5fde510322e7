import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type MemoryLog, memoryLog } from '../../../test/fixtures/memory-log.ts';
import { attributionConfig, parseAttributionEnvironment } from '../decision/config.ts';
import { consumePartition } from '../partition/consumer.ts';
import { newStatus } from '../status.ts';
import { loadProgress, nextOffset } from '../store/progress.ts';
import { rocksdbStateStores } from '../store/rocksdb-state-store.ts';
import type { StateStores } from '../store/state-store.ts';
import { CheckpointDamaged, listCheckpoints, loadCheckpoint, saveCheckpoint } from './checkpoint.ts';
import type { CheckpointStore } from './checkpoint-store.ts';
import { directoryCheckpointStore } from './directory-checkpoint-store.ts';
import { recoverStore } from './recover.ts';

const never = new AbortController().signal;
const PARTITION = 3;
const silent = pino({ level: 'silent' });

let dir: string;
let store: CheckpointStore;
let stores: StateStores;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'clickmesh-checkpoint-'));
  store = directoryCheckpointStore(join(dir, 'checkpoints'));
  stores = rocksdbStateStores(join(dir, 'state'));
});
afterEach(() => rm(dir, { recursive: true }));

const value = (text: string) => [{ key: Buffer.from('key'), value: Buffer.from(text) }];

/** Writes to the partition's store and takes a checkpoint of it. Returns the bytes put. */
async function writeAndSave(text: string, offset: number): Promise<number> {
  const state = await stores.open(PARTITION);
  state.write({ puts: value(text), deletes: [], appends: [] });
  await state.close();
  const folder = await stores.snapshot(PARTITION);
  return saveCheckpoint(store, { partition: PARTITION, offset, takenAt: Date.now() }, folder, never);
}

async function read(): Promise<string | undefined> {
  const state = await stores.open(PARTITION);
  const [bytes] = state.getMany([Buffer.from('key')]);
  await state.close();
  return bytes?.toString();
}

async function restore(index: number): Promise<void> {
  const checkpoint = (await listCheckpoints(store, PARTITION))[index]!;
  await stores.replace(PARTITION, async (folder) => {
    await loadCheckpoint(store, checkpoint, folder, never);
  });
}

test('R-12: a checkpoint is the store as it was, whatever was written since', async () => {
  await writeAndSave('first', 10);
  await writeAndSave('second', 20);
  expect((await listCheckpoints(store, PARTITION)).map(({ offset }) => offset)).toEqual([20, 10]);
  await restore(1);
  expect(await read()).toBe('first');
  await restore(0);
  expect(await read()).toBe('second');
});

/** Folds records into the partition's store, taking a checkpoint of it as often as it can. */
function consume(log: MemoryLog) {
  const stopping = new AbortController();
  const config = attributionConfig(parseAttributionEnvironment({}));
  const checkpoints = { store, intervalMs: 1 };
  const deps = { config, log, stores, checkpoints, logger: silent, cacheBytes: () => 1 << 20, commit() {} };
  const done = consumePartition(deps, newStatus(PARTITION, 'active', false), stopping.signal);
  return () => {
    stopping.abort();
    return done;
  };
}

test('R-12: a checkpoint has all records before its offset, and none behind it', async () => {
  const log = memoryLog(4);
  const unreadable = { topic: 'raw-events' as const, key: '', value: Buffer.of(255), partition: PARTITION };
  const stop = consume(log);
  for (let i = 1; i <= 3; i++) {
    await log.append([unreadable, unreadable]);
    await vi.waitFor(async () => expect((await listCheckpoints(store, PARTITION))[0]?.offset).toBe(2 * i), 10_000);
  }
  await stop();
  for (const [index, { offset }] of (await listCheckpoints(store, PARTITION)).entries()) {
    await restore(index);
    const state = await stores.open(PARTITION);
    expect(nextOffset(loadProgress(state, PARTITION)) ?? 0).toBe(offset);
    await state.close();
  }
});

test('only new files are put, also by a node that has restored', async () => {
  const state = await stores.open(PARTITION);
  for (let i = 0; i < 40; i++) {
    const puts = Array.from({ length: 1000 }, (_, j) => ({
      key: Buffer.from(`${i}/${j}`),
      value: Buffer.alloc(500, `${i * j}`),
    }));
    state.write({ puts, deletes: [], appends: [] });
  }
  await state.close();
  const whole = await writeAndSave('first', 10);
  stores = rocksdbStateStores(join(dir, 'another node'));
  await restore(0);
  expect(await writeAndSave('second', 20)).toBeLessThan(whole / 2);
});

test('keeps the newest three, and their files, and young files of others', async () => {
  for (const offset of [10, 20, 30]) await writeAndSave(`at ${offset}`, offset);
  const abandoned = join(dir, 'checkpoints', String(PARTITION), 'objects', 'f'.repeat(64));
  const young = join(dir, 'checkpoints', String(PARTITION), 'objects', 'e'.repeat(64));
  await Promise.all([abandoned, young].map((path) => writeFile(path, 'x')));
  const objects = join(dir, 'checkpoints', String(PARTITION), 'objects');
  const longAgo = new Date(Date.now() - 2 * 3_600_000);
  for (const name of await readdir(objects))
    if (join(objects, name) !== young) await utimes(join(objects, name), longAgo, longAgo);
  await writeAndSave('at 40', 40);
  expect((await listCheckpoints(store, PARTITION)).map(({ offset }) => offset)).toEqual([40, 30, 20]);
  const left = (await readdir(objects)).map((name) => join(objects, name));
  expect(left).toContain(young);
  expect(left).not.toContain(abandoned);
  for (const [index, offset] of [40, 30, 20].entries()) {
    await restore(index);
    expect(await read()).toBe(`at ${offset}`);
  }
});

test('R-12: a checkpoint that is not complete is not there', async () => {
  await writeAndSave('first', 10);
  const failing: CheckpointStore = {
    ...store,
    put: (name, path) => (name.includes('/checkpoints/') ? Promise.reject(new Error('gone')) : store.put(name, path)),
  };
  const folder = await stores.snapshot(PARTITION);
  const saving = saveCheckpoint(failing, { partition: PARTITION, offset: 20, takenAt: 1 }, folder, never);
  await expect(saving).rejects.toThrow('gone');
  expect((await listCheckpoints(store, PARTITION)).map(({ offset }) => offset)).toEqual([10]);
});

test.each(['changed', 'missing'])(
  'R-12: a checkpoint with a file that is %s is refused, and the one before is taken',
  async (damage) => {
    await writeAndSave('first', 10);
    const objects = join(dir, 'checkpoints', String(PARTITION), 'objects');
    const before = new Set(await readdir(objects));
    await writeAndSave('second', 20);
    const [added] = (await readdir(objects)).filter((name) => !before.has(name));
    if (damage === 'changed') await writeFile(join(objects, added!), 'other');
    else await rm(join(objects, added!));
    await expect(restore(0)).rejects.toThrow(CheckpointDamaged);
    expect(await read()).toBe('second');

    await stores.replace(PARTITION, async () => {});
    const log = memoryLog(4);
    await log.append(
      Array.from({ length: 30 }, () => ({
        topic: 'raw-events' as const,
        key: '',
        value: Buffer.of(),
        partition: PARTITION,
      })),
    );
    const checkpoints = { store, intervalMs: Infinity };
    const deps = { log, stores, checkpoints, logger: silent };
    const recovered = await recoverStore(deps, { partition: PARTITION, committed: 0, stop: never });
    expect(recovered).toMatchObject({ source: 'checkpoint', next: 10 });
    await recovered.store.close();
    expect(await read()).toBe('first');
  },
);

test('a folder that is being filled replaces nothing until it is full', async () => {
  await writeAndSave('first', 10);
  const filling = stores.replace(PARTITION, async (folder) => {
    await mkdir(join(folder, 'part'));
    throw new Error('gone');
  });
  await expect(filling).rejects.toThrow('gone');
  expect(await read()).toBe('first');
});
