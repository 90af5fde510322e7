import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { generateEvents } from '../../services/cli/generate/journeys.ts';
import { createRandom } from '../../services/cli/generate/random.ts';
import { isRunning, startMeshProcess, temporaryFolder } from '../fixtures/mesh-process.ts';
import { expectEveryEventCountedOnce } from './expectation.ts';
import { BATCH, startLoad } from './load.ts';

/** How often each is killed by tests that are long; `npm run test:crash` kills ten times, `npm test` once. */
const KILLS = Number(process.env.CRASH_KILLS ?? 3);
/** Names the moments. */
const SEED = Number(process.env.CRASH_SEED ?? 20260101);
const BATCHES_BETWEEN_KILLS = 60;
const SETTINGS = { ROLLUPS: 'day:campaign_id,ad_id; hour:campaign_id; day:campaign_id,metadata.geo' };

const eventsFor = (kills: number) => [
  ...generateEvents({
    events: kills * BATCHES_BETWEEN_KILLS * BATCH,
    users: 2000,
    campaigns: 20,
    seed: SEED,
    end: '2026-01-20',
    days: 2,
    conversionRate: 0.2,
    duplicates: 0.05,
    late: 0.05,
    disorderMs: 60_000,
    refunds: 0.3,
    invalid: 0.1,
  }),
];

describe.each([
  { kills: 1, times: 'once', tags: [] },
  { kills: KILLS, times: `${KILLS} times`, tags: ['long'] },
])('kill -9', ({ kills, times, tags }) => {
  const events = eventsFor(kills);

  test(`of the whole tree, ${times} under load (seed ${SEED})`, { tags, timeout: 600_000 }, async () => {
    const { folder } = testFolder();
    const random = createRandom(SEED);
    let mesh = await startMeshProcess(folder, SETTINGS);
    onTestFinished(() => mesh.kill());
    const load = startLoad({ url: () => mesh.url, events, batchesBetweenKills: BATCHES_BETWEEN_KILLS });
    for (let kill = 0; kill < kills; kill++) {
      await load.acknowledged(nextKill(random, kill));
      const children = mesh.childPids();
      expect(children.length).toBeGreaterThan(0);
      await mesh.kill();
      load.killed();
      await expect.poll(() => children.filter(isRunning), { timeout: 5000, message: 'orphans' }).toEqual([]);
      mesh = await startMeshProcess(folder, SETTINGS);
    }
    await load.done;
    await expectEveryEventCountedOnce(mesh, events);
  });

  test(`of ClickHouse alone, ${times} under load (seed ${SEED})`, { tags, timeout: 600_000 }, async () => {
    const { folder } = testFolder();
    const random = createRandom(SEED + 1);
    const mesh = await startMeshProcess(folder, { LOG_LEVEL: 'error' });
    onTestFinished(() => mesh.kill());
    const load = startLoad({ url: () => mesh.url, events, batchesBetweenKills: BATCHES_BETWEEN_KILLS });
    for (let kill = 0; kill < kills; kill++) {
      await load.acknowledged(nextKill(random, kill));
      const [clickhouse] = mesh.childPids();
      process.kill(clickhouse!, 'SIGKILL');
      load.killed();
      await expect.poll(() => mesh.childPids().some((pid) => pid !== clickhouse), { timeout: 30_000 }).toBe(true);
    }
    await load.done;
    expect(load.refused(), 'ingest does not depend on ClickHouse').toEqual([]);
    await expectEveryEventCountedOnce(mesh, events);
  });
});

function testFolder() {
  const folder = temporaryFolder();
  onTestFinished(() => folder[Symbol.dispose]());
  return { folder: join(folder.path, 'data') };
}

/** After how many acknowledged batches the next kill comes: somewhere in its own stretch of the load. */
function nextKill(random: ReturnType<typeof createRandom>, kill: number): number {
  return kill * BATCHES_BETWEEN_KILLS + 1 + (random.uint32() % (BATCHES_BETWEEN_KILLS - 5));
}
