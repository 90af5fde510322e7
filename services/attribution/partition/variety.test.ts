import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { expect, onTestFinished, test } from 'vitest';
import { temporaryFolder } from '../../../test/fixtures/mesh-process.ts';
import type { VariedCounts, VariedFold } from '../../../test/fixtures/varied-fold-child.ts';

const CHILD = new URL('../../../test/fixtures/varied-fold-child.ts', import.meta.url);
/** The heap of V8 in which all must be folded, in MiB, a part of which is code and what every process has. */
const HEAP_MIB = 96;
const CACHE_BYTES = 8 << 20;
const MODELS = 5;

test('20,000 campaigns and sources, and 10,000 conversions of a type each, are folded in little memory', async () => {
  const folder = temporaryFolder();
  onTestFinished(() => folder[Symbol.dispose]());
  const load = { events: 30_000, users: 10_000, keys: 100_000 };
  const workerData: VariedFold = { dir: folder.path, cacheBytes: CACHE_BYTES, ...load };
  const worker = new Worker(CHILD, { workerData, resourceLimits: { maxOldGenerationSizeMb: HEAP_MIB } });
  const [counts] = (await once(worker, 'message')) as [VariedCounts];
  expect(counts).toMatchObject({ clicks: 20_000, attributed: 10_000, countedClicks: 20_000 });
  expect(counts.countedMicros).toBe(MODELS * 10_000 * 1e6);
  // Of clicks about one each, of conversions one for each credit.
  expect(counts.counters).toBeGreaterThan(10_000 + MODELS * 10_000);
}, 60_000);
