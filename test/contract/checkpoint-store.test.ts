import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { CheckpointStore } from '../../services/attribution/recovery/checkpoint-store.ts';
import { directoryCheckpointStore } from '../../services/attribution/recovery/directory-checkpoint-store.ts';
import { checkpointStore } from '../../services/attribution/recovery/recovery-config.ts';
import { S3_KEY, type S3Server, startS3 } from '../fixtures/s3-server.ts';

const BUILD_MS = 600_000;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'clickmesh-checkpoints-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function file(content: string | Buffer): Promise<string> {
  const path = join(folder, `file-${Math.random()}`);
  await writeFile(path, content);
  return path;
}

/** What services/attribution/recovery/checkpoint-store.ts promises, for any adapter. */
function contract(open: () => CheckpointStore): void {
  let store: CheckpointStore;
  beforeEach(() => {
    store = open();
  });

  test('gives back what was put', async () => {
    const content = Buffer.alloc(5 << 20, 'what was put ');
    await store.put('1/objects/a', await file(content));
    expect(await store.get('1/objects/a', join(folder, 'copy'))).toBe(true);
    expect(Buffer.compare(await readFile(join(folder, 'copy')), content)).toBe(0);
  });

  test('takes an empty file', async () => {
    await store.put('1/objects/empty', await file(''));
    expect(await store.get('1/objects/empty', join(folder, 'copy'))).toBe(true);
    expect(await readFile(join(folder, 'copy'), 'utf8')).toBe('');
  });

  test('says so if there is none of a name', async () => {
    expect(await store.get('1/objects/a', join(folder, 'copy'))).toBe(false);
    expect(await store.list('1/')).toEqual([]);
  });

  test('replaces what is there', async () => {
    for (const content of ['before', 'after']) await store.put('1/objects/a', await file(content));
    await store.get('1/objects/a', join(folder, 'copy'));
    expect(await readFile(join(folder, 'copy'), 'utf8')).toBe('after');
  });

  test('lists a prefix only, and removes', async () => {
    const before = Date.now();
    const names = ['1/checkpoints/9-1.json', '1/objects/a', '1/objects/b', '11/objects/c'];
    for (const name of names.toReversed()) await store.put(name, await file(name));
    const listed = await store.list('1/objects/');
    expect(listed.map(({ name, bytes }) => `${name}: ${bytes}`).sort()).toEqual(['1/objects/a: 11', '1/objects/b: 11']);
    for (const { putAt } of listed) expect(Math.abs(putAt - before)).toBeLessThan(60_000);
    await store.remove(['1/objects/a', '1/objects/none']);
    expect((await store.list('1/')).map(({ name }) => name).sort()).toEqual(['1/checkpoints/9-1.json', '1/objects/b']);
    await store.remove([]);
  });
}

describe('in a directory', () => {
  contract(() => directoryCheckpointStore(join(folder, 'checkpoints')));

  test('by its URL', async () => {
    const store = checkpointStore({ CHECKPOINT_URL: `file://${folder}/store`, CHECKPOINT_INTERVAL_S: 1 })!;
    await store.put('1/objects/a', await file('a'));
    expect(await readFile(join(folder, 'store/1/objects/a'), 'utf8')).toBe('a');
  });
});

describe('in S3', { tags: ['go', 'long'] }, () => {
  let server: S3Server;
  let dir: string;
  let prefix = 0;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'clickmesh-s3-'));
    await mkdir(dir, { recursive: true });
    server = await startS3(dir, 'bucket');
  }, BUILD_MS);
  afterAll(async () => {
    await server.close();
    await rm(dir, { recursive: true });
  });

  contract(() => {
    const CHECKPOINT_URL = `s3://bucket/deep/${prefix++}`;
    return checkpointStore({ ...S3_KEY, CHECKPOINT_URL, CHECKPOINT_INTERVAL_S: 1, S3_ENDPOINT: server.endpoint })!;
  });
});
