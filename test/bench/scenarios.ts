import { join } from 'node:path';
import { startMeshProcess, temporaryFolder } from '../fixtures/mesh-process.ts';
import { batch } from './batch.ts';
import { cluster } from './cluster.ts';
import { freshness } from './freshness.ts';
import { idle } from './idle.ts';
import { listeners } from './listeners.ts';
import { replay } from './replay.ts';
import type { Figure, Scenario } from './scenario.ts';
import { stats } from './stats.ts';
import { stream } from './stream.ts';
import { unary } from './unary.ts';

export const SCENARIOS: readonly Scenario[] = [
  idle,
  listeners,
  ...unary,
  ...batch,
  stream,
  replay,
  freshness,
  stats,
  ...cluster,
];

/** Starts a mesh on an empty folder, runs the scenario on it, and stops it. */
export async function runScenario(scenario: Scenario, quick: boolean): Promise<Figure[]> {
  using folder = temporaryFolder();
  const start = scenario.start ?? startMeshProcess;
  const mesh = await start(join(folder.path, 'data'));
  try {
    return await scenario.run(mesh, quick);
  } finally {
    await mesh.stop();
  }
}
