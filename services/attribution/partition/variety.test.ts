import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { expect, onTestFinished, test } from 'vitest';
import { temporaryFolder } from '../../../test/fixtures/mesh-process.ts';
import type { VariedCounts, VariedFold } from '../../../test/fixtures/varied-fold-child.ts';

const CHILD = new URL('../../../test/fixtures/varied-fold-child.ts', import.meta.url);
/** The heap of V8 in which all must be folded, in MiB, a part of which is code and what every process has. */
const HEAP_MIB = 96;
const CACHE_BYTES = 8 << 20;
/** Of buffers, some of which V8 has not yet taken back: without flushes these values take half as much again. */
const BUFFERS_MIB = 48;
const MODELS = 5;

/** Folds a load in a thread of so little memory; tells what was counted. */
async function foldVaried(load: Omit<VariedFold, 'dir' | 'cacheBytes'>): Promise<VariedCounts> {
  const folder = temporaryFolder();
  onTestFinished(() => folder[Symbol.dispose]());
  const workerData: VariedFold = { dir: folder.path, cacheBytes: CACHE_BYTES, ...load };
  const worker = new Worker(CHILD, { workerData, resourceLimits: { maxOldGenerationSizeMb: HEAP_MIB } });
  const [counts] = await once(worker, 'message');
  return counts;
}

test('20,000 campaigns and sources, and 10,000 conversions of a type each, are folded in little memory', async () => {
  const counts = await foldVaried({ events: 30_000, users: 10_000, keys: 100_000 });
  expect(counts).toMatchObject({ clicks: 20_000, attributed: 10_000, countedClicks: 20_000 });
  expect(counts.countedMicros).toBe(MODELS * 10_000 * 1e6);
  // Of clicks about one each, of conversions one for each click that has a credit.
  expect(counts.counters).toBeGreaterThan(20_000 + 10_000);
}, 60_000);

test('60,000 values of a key of metadata, of 128 bytes each, are counted in as little', async () => {
  const rollups = 'day:metadata.geo; day:campaign_id,metadata.geo';
  const counts = await foldVaried({ events: 60_000, users: 30_000, keys: 1000, geos: true, rollups });
  expect(counts.mostBuffers).toBeLessThan(BUFFERS_MIB << 20);
  expect(counts).toMatchObject({ clicks: 60_000, rollups: 120_000, rollupClicks: 120_000 });
}, 60_000);
