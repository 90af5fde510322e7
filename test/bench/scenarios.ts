import { join } from 'node:path';
import { startMeshProcess, temporaryFolder } from '../fixtures/mesh-process.ts';
import { batch } from './batch.ts';
import { cluster } from './cluster.ts';
import { conversions } from './conversions.ts';
import { dashboard } from './dashboard.ts';
import { drain } from './drain.ts';
import { freshness } from './freshness.ts';
import { hotUser } from './hot-user.ts';
import { kafkaGateway } from './kafka-gateway.ts';
import { listeners } from './listeners.ts';
import { replay } from './replay.ts';
import type { Figure, Scenario, Subject } from './scenario.ts';
import { sdk } from './sdk.ts';
import { stats } from './stats.ts';
import { statsByAd } from './stats-by-ad.ts';
import { stream } from './stream.ts';
import { tracing } from './tracing.ts';
import { unary } from './unary.ts';
import { variety } from './variety.ts';

export const SCENARIOS: readonly Scenario<Subject>[] = [
  listeners,
  ...unary,
  ...batch,
  stream,
  tracing,
  replay,
  ...freshness,
  ...dashboard,
  ...stats,
  statsByAd,
  conversions,
  ...cluster,
  ...drain,
  hotUser,
  ...kafkaGateway,
  ...variety,
  ...sdk,
];

/** Starts what the scenario runs on in an empty folder, runs it, and stops that. */
export async function runScenario(scenario: Scenario<Subject>, quick: boolean): Promise<Figure[]> {
  using folder = temporaryFolder();
  const start = scenario.start ?? startMeshProcess;
  const subject = await start(join(folder.path, 'data'));
  try {
    return await scenario.run(subject, quick);
  } finally {
    await subject.stop();
  }
}
