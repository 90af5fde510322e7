import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { HOUR_MS } from '../../contract/limits.ts';
import type { CheckpointStore } from './checkpoint-store.ts';

/**
 * Layout of a partition's checkpoints in a CheckpointStore:
 *
 *     <partition>/checkpoints/<next offset>-<ms>.json   a manifest: the files of a store, by name, size and SHA-256
 *     <partition>/objects/<SHA-256>                     a file
 *
 * The manifest is put last, so a checkpoint that can be seen is whole. Files of RocksDB never change, so most files of
 * a checkpoint are there already from the one before, whichever node took it, and only new ones are put.
 */
const manifest = z.object({
  format: z.literal(1),
  files: z.array(z.object({ name: z.string().regex(/^[\w.-]+$/), bytes: z.number(), sha256: z.string() })),
});
type Manifest = z.infer<typeof manifest>;

/** The store of a partition as it was at an offset. */
export interface Checkpoint {
  partition: number;
  /** Offset of the first record that its state has not folded. */
  offset: number;
  /** Time of the snapshot, in ms since 1970-01-01 UTC. */
  takenAt: number;
}

/** Checkpoints kept of each partition: the newest. */
const KEPT = 3;

/**
 * Age, in ms, at which files are removed that no checkpoint kept refers to: one that another node is taking may refer
 * to younger ones. If it refers to an older one, it is found to be damaged, and the one before is restored.
 */
const GRACE_MS = HOUR_MS;

/** A file of the checkpoint is missing or has changed. */
export class CheckpointDamaged extends Error {
  override name = 'CheckpointDamaged';
}

/** A partition's checkpoints, newest first. */
export async function listCheckpoints(store: CheckpointStore, partition: number): Promise<Checkpoint[]> {
  const files = await store.list(manifestPrefix(partition));
  return files
    .flatMap(({ name }) => {
      const [, offset, takenAt] = /\/(\d+)-(\d+)\.json$/.exec(name) ?? [];
      return offset === undefined ? [] : [{ partition, offset: Number(offset), takenAt: Number(takenAt) }];
    })
    .sort((a, b) => b.offset - a.offset || b.takenAt - a.takenAt);
}

/**
 * Puts the files of a folder as a checkpoint; then removes files and checkpoints that are no longer needed. Returns the
 * bytes put. Rejects, without a checkpoint, when `stop` aborts.
 */
export async function saveCheckpoint(
  store: CheckpointStore,
  checkpoint: Checkpoint,
  folder: string,
  stop: AbortSignal,
): Promise<number> {
  const { partition } = checkpoint;
  const there = new Set((await store.list(objectPrefix(partition))).map(({ name }) => name));
  const files: Manifest['files'] = [];
  let bytesPut = 0;
  for (const name of await readdir(folder)) {
    stop.throwIfAborted();
    const path = join(folder, name);
    const { size: bytes } = await stat(path);
    const sha256 = await sha256Of(path);
    const object = objectPrefix(partition) + sha256;
    if (!there.has(object)) {
      await store.put(object, path);
      bytesPut += bytes;
    }
    files.push({ name, bytes, sha256 });
  }
  await inTemporaryFile(async (path) => {
    await writeFile(path, JSON.stringify({ format: 1, files } satisfies Manifest));
    await store.put(manifestName(checkpoint), path);
  });
  await prune(store, partition);
  return bytesPut;
}

/**
 * Fills an empty folder with the files of a checkpoint and returns their bytes. Throws CheckpointDamaged; rejects when
 * `stop` aborts.
 */
export async function loadCheckpoint(
  store: CheckpointStore,
  checkpoint: Checkpoint,
  folder: string,
  stop: AbortSignal,
): Promise<number> {
  const { files } = await readManifest(store, checkpoint);
  let bytesLoaded = 0;
  for (const { name, bytes, sha256 } of files) {
    stop.throwIfAborted();
    const path = join(folder, name);
    if (!(await store.get(objectPrefix(checkpoint.partition) + sha256, path))) {
      throw new CheckpointDamaged(`${manifestName(checkpoint)}: ${name} is missing`);
    }
    if ((await sha256Of(path)) !== sha256)
      throw new CheckpointDamaged(`${manifestName(checkpoint)}: ${name} has changed`);
    bytesLoaded += bytes;
  }
  return bytesLoaded;
}

async function readManifest(store: CheckpointStore, checkpoint: Checkpoint): Promise<Manifest> {
  const name = manifestName(checkpoint);
  return inTemporaryFile(async (path) => {
    if (!(await store.get(name, path))) throw new CheckpointDamaged(`${name} is missing`);
    try {
      return manifest.parse(JSON.parse(await readFile(path, 'utf8')));
    } catch (cause) {
      throw new CheckpointDamaged(`${name} can't be read`, { cause });
    }
  });
}

async function prune(store: CheckpointStore, partition: number): Promise<void> {
  const checkpoints = await listCheckpoints(store, partition);
  const needed = new Set<string>();
  for (const checkpoint of checkpoints.slice(0, KEPT)) {
    const { files } = await readManifest(store, checkpoint);
    for (const { sha256 } of files) needed.add(objectPrefix(partition) + sha256);
  }
  const objects = await store.list(objectPrefix(partition));
  const now = Date.now();
  await store.remove([
    ...checkpoints.slice(KEPT).map(manifestName),
    ...objects.filter(({ name, putAt }) => !needed.has(name) && now - putAt > GRACE_MS).map(({ name }) => name),
  ]);
}

function manifestPrefix(partition: number): string {
  return `${partition}/checkpoints/`;
}

function objectPrefix(partition: number): string {
  return `${partition}/objects/`;
}

function manifestName({ partition, offset, takenAt }: Checkpoint): string {
  return `${manifestPrefix(partition)}${offset}-${takenAt}.json`;
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

async function inTemporaryFile<T>(use: (path: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'clickmesh-checkpoint-'));
  try {
    return await use(join(folder, 'manifest.json'));
  } finally {
    await rm(folder, { recursive: true });
  }
}
