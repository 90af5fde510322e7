import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createClient } from '@clickhouse/client';
import { expect, onTestFinished, test } from 'vitest';
import { generateEvents, type SeedEvent } from '../../services/cli/journeys.ts';
import { createRandom } from '../../services/cli/random.ts';
import { clickmesh, isRunning, type MeshProcess, startMeshProcess, temporaryFolder } from '../fixtures/mesh-process.ts';
import { attributeNaively, type SimEvent } from '../sim/naive-attribution.ts';

/** `npm run test:crash` kills ten times each; the seed names the moments. */
const KILLS = Number(process.env.CRASH_KILLS ?? 3);
const SEED = Number(process.env.CRASH_SEED ?? 20260101);
const BATCH = 100;
const BATCHES_BETWEEN_KILLS = 60;
const DAY = { start: '2026-01-01', end: '2026-01-31' };

const events = [
  ...generateEvents({
    events: KILLS * BATCHES_BETWEEN_KILLS * BATCH,
    users: 2000,
    campaigns: 20,
    seed: SEED,
    end: '2026-01-20',
    days: 2,
    conversionRate: 0.2,
    duplicates: 0.05,
    late: 0.05,
    disorderMs: 60_000,
  }),
];

test(`kill -9 of the whole tree, ${KILLS} times under load (seed ${SEED})`, async () => {
  const { folder } = testFolder();
  const random = createRandom(SEED);
  let mesh = await startMeshProcess(folder);
  onTestFinished(() => mesh.kill());
  const load = startLoad(() => mesh.url);
  for (let kill = 0; kill < KILLS; kill++) {
    await load.acknowledged(nextKill(random, kill));
    const children = mesh.childPids();
    expect(children.length).toBeGreaterThan(0);
    await mesh.kill();
    load.killed();
    await expect.poll(() => children.filter(isRunning), { timeout: 5000, message: 'orphans' }).toEqual([]);
    mesh = await startMeshProcess(folder);
  }
  await load.done;
  await expectEveryEventCountedOnce(mesh);
}, 600_000);

test(`kill -9 of ClickHouse alone, ${KILLS} times under load (seed ${SEED})`, async () => {
  const { folder } = testFolder();
  const random = createRandom(SEED + 1);
  const mesh = await startMeshProcess(folder, { LOG_LEVEL: 'error' });
  onTestFinished(() => mesh.kill());
  const load = startLoad(() => mesh.url);
  for (let kill = 0; kill < KILLS; kill++) {
    await load.acknowledged(nextKill(random, kill));
    const [clickhouse] = mesh.childPids();
    process.kill(clickhouse!, 'SIGKILL');
    load.killed();
    await expect.poll(() => mesh.childPids().some((pid) => pid !== clickhouse), { timeout: 30_000 }).toBe(true);
  }
  await load.done;
  expect(load.refused(), 'ingest does not depend on ClickHouse').toBe(0);
  await expectEveryEventCountedOnce(mesh);
}, 600_000);

function testFolder() {
  const folder = temporaryFolder();
  onTestFinished(() => folder[Symbol.dispose]());
  return { folder: join(folder.path, 'data') };
}

/** After how many acknowledged batches the next kill comes: somewhere in its own stretch of the load. */
function nextKill(random: ReturnType<typeof createRandom>, kill: number): number {
  return kill * BATCHES_BETWEEN_KILLS + 1 + (random.uint32() % (BATCHES_BETWEEN_KILLS - 5));
}

/**
 * Sends all events in order, four batches at a time, each until it is acknowledged. It never gets past the stretch of
 * the next kill, so that every kill comes under load.
 */
function startLoad(url: () => string) {
  const batches = Array.from({ length: Math.ceil(events.length / BATCH) }, (_, i) =>
    events.slice(i * BATCH, (i + 1) * BATCH),
  );
  let acknowledged = 0;
  let refused = 0;
  let stretch = Promise.withResolvers<void>();
  const waiting: { batches: number; resolve(): void }[] = [];
  const next = batches.entries();
  let kills = 0;

  async function sender() {
    for (const [number, batch] of next) {
      while (number >= (kills + 1) * BATCHES_BETWEEN_KILLS) await stretch.promise;
      while (!(await send(url(), batch))) {
        refused++;
        await sleep(50);
      }
      acknowledged++;
      for (const waiter of waiting.filter((w) => w.batches <= acknowledged)) waiter.resolve();
    }
  }
  return {
    refused: () => refused,
    killed() {
      kills++;
      stretch.resolve();
      stretch = Promise.withResolvers();
    },
    acknowledged: (count: number) =>
      new Promise<void>((resolve) => {
        if (count <= acknowledged) resolve();
        else waiting.push({ batches: count, resolve });
      }),
    done: Promise.all([sender(), sender(), sender(), sender()]),
  };
}

async function send(url: string, batch: SeedEvent[]): Promise<boolean> {
  try {
    const response = await fetch(`${url}/api/v1/events`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(batch),
      signal: AbortSignal.timeout(10_000),
    });
    const answer = (await response.json()) as { accepted?: number };
    return response.status === 202 && answer.accepted === batch.length;
  } catch {
    return false;
  }
}

async function expectEveryEventCountedOnce(mesh: MeshProcess) {
  const audit = await clickmesh(['audit', '--url', mesh.url]);
  expect(audit, audit.stdout + audit.stderr).toMatchObject({ code: 0 });
  const expected = attributeNaively(events.map(toSim), ['last_click'], 24 * 3_600_000);

  const { clickhouse_url: url } = (await (await fetch(`${mesh.url}/status`)).json()) as { clickhouse_url: string };
  await using client = createClient({ url });
  const query = `SELECT user_id, toString(conversion_id) conversion, model, toString(click_id) click, campaign_id, credit_micros, value_micros FROM attributed_events FINAL`;
  const rows = await (await client.query({ query, format: 'JSONEachRow' })).json<Record<string, string>>();
  expect(rows.map((row) => Object.values(row).join(' ')).sort()).toEqual(expected.attributed);

  const answer = await fetch(`${mesh.url}/api/v1/stats?start_date=${DAY.start}&end_date=${DAY.end}`);
  const { data } = (await answer.json()) as { data: { clicks: number; conversions: number }[] };
  const distinctClicks = new Set(events.filter((e) => e.event_type === 'click').map((e) => e.event_id)).size;
  expect(data.reduce((sum, row) => sum + row.clicks, 0)).toBe(distinctClicks);
  expect(data.reduce((sum, row) => sum + row.conversions, 0)).toBe(expected.attributed.length);
}

function toSim(event: SeedEvent): SimEvent {
  const { event_id: id, user_id: userId, timestamp } = event;
  return event.event_type === 'click'
    ? { kind: 'click', id, userId, timestamp, label: event.campaign_id, valueMicros: 0n }
    : {
        kind: 'conversion',
        id,
        userId,
        timestamp,
        label: event.type,
        valueMicros: BigInt(Math.round(event.value * 1e6)),
      };
}
