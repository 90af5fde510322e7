import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { generateEvents } from '../../services/cli/generate/journeys.ts';
import { createRandom } from '../../services/cli/generate/random.ts';
import type { SeedEvent } from '../../services/cli/generate/seed-events.ts';
import { clickhouseClient } from '../../services/clickhouse/client.ts';
import { type ClusterUnderTest, startCluster } from '../fixtures/cluster-process.ts';
import { temporaryFolder } from '../fixtures/mesh-process.ts';
import { KAFKA } from '../needs.ts';
import { expectEveryEventCountedOnce } from './expectation.ts';
import { BATCH, startLoad } from './load.ts';

/** `npm run test:crash` goes through the rounds more often and stops processes for 30 s; the seed names the moments. */
const ROUNDS = Number(process.env.CRASH_ROUNDS ?? 1);
const STOP_MS = Number(process.env.CRASH_STOP_MS ?? 3000);
const SEED = Number(process.env.CRASH_SEED ?? 20260101);
const BATCHES_BETWEEN_KILLS = 60;
const ROLLS = Number(process.env.CRASH_ROLLS ?? 1);

/** Who dies, one line a moment: names as /status lists them. */
const VICTIMS: readonly (readonly string[])[] = [
  ['gateway-1'],
  ['attribution-1'],
  ['kafka-1'],
  ['clickhouse-1'],
  ['attribution-1', 'attribution-2'],
  ['gateway-2'],
  ['clickhouse-2'],
];
const STOPPED = ['kafka-1', 'clickhouse-2'];
const MOMENTS = ROUNDS * VICTIMS.length + STOPPED.length;

const SETTINGS = {
  PARTITIONS: '4',
  ATTRIBUTION_NODES: '3',
  GATEWAYS: '2',
  MAX_TOUCHES: '10000',
  MODELS: 'last_click',
};

describe('a cluster', { tags: KAFKA }, () => {
  const folder = temporaryFolder();
  let mesh: ClusterUnderTest;
  /** By all tests: they follow each other on one mesh. */
  const sent: SeedEvent[] = [];

  beforeAll(async () => {
    mesh = await startCluster(join(folder.path, 'data'), SETTINGS);
  }, 120_000);

  afterAll(async () => {
    await mesh?.kill();
    folder[Symbol.dispose]();
  });

  test(`kill -9 of everything in turn, and hung servers, under load (seed ${SEED})`, async () => {
    const random = createRandom(SEED);
    const events = eventsFor(MOMENTS, SEED);
    for (const event of events) sent.push(event);
    const watch = watchForDoubles(mesh);
    const load = startLoad({ url: () => mesh.url, events, batchesBetweenKills: BATCHES_BETWEEN_KILLS });
    for (let moment = 0; moment < MOMENTS; moment++) {
      const inStretch = 1 + (random.uint32() % (BATCHES_BETWEEN_KILLS - 5));
      await load.acknowledged(moment * BATCHES_BETWEEN_KILLS + inStretch);
      if (moment < STOPPED.length) await hang(mesh, STOPPED[moment]!, load.killed);
      else {
        const victims = VICTIMS[(moment - STOPPED.length) % VICTIMS.length]!;
        const restarted = victims.map((name) => mesh.signal(name, 'SIGKILL'));
        load.killed();
        await Promise.all(restarted);
      }
    }
    await load.done;
    await expectEveryEventCountedOnce(mesh, sent);
    const { polls, doubles } = await watch.stop();
    expect(doubles, 'conversions attributed twice at a time').toEqual([]);
    expect(polls).toBeGreaterThan(MOMENTS);
    expect(await keysOnTwoShards(mesh)).toEqual([]);
  }, 1_800_000);

  test(`every attribution node and gateway restarted in turn, ${ROLLS} times, under load`, async () => {
    const names = [...mesh.named('attribution'), ...mesh.named('gateway')];
    const events = eventsFor(ROLLS * names.length, SEED + 1);
    for (const event of events) sent.push(event);
    const load = startLoad({ url: () => mesh.url, events, batchesBetweenKills: BATCHES_BETWEEN_KILLS });
    for (let restart = 0; restart < ROLLS * names.length; restart++) {
      await load.acknowledged(restart * BATCHES_BETWEEN_KILLS + 1);
      const restarted = mesh.signal(names[restart % names.length]!, 'SIGTERM');
      load.killed();
      await restarted;
    }
    await load.done;
    expect(load.refused(), 'requests that failed').toEqual([]);
    await expectEveryEventCountedOnce(mesh, sent);
  }, 1_800_000);

  test('a hung broker: 503 with Retry-After, and events are taken again by themselves', async () => {
    const [event] = eventsFor(1, SEED + 3);
    sent.push(event!);
    const post = () => postEvent(mesh, event!);
    await mesh.signal('kafka-1', 'SIGSTOP');
    try {
      const refused = await post();
      expect(refused.status).toBe(503);
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
      expect((await fetch(`${mesh.url}/readyz`)).status).toBe(503);
    } finally {
      // The next test needs it.
      await mesh.signal('kafka-1', 'SIGCONT');
    }
    await expect.poll(async () => (await post()).status, { timeout: 30_000 }).toBe(202);
    await expectEveryEventCountedOnce(mesh, sent);
  }, 400_000);

  test(`ClickHouse hung for ${2 * STOP_MS} ms: ingest and attribution go on, and it catches up by itself`, async () => {
    const events = eventsFor(1, SEED + 2);
    for (const event of events) sent.push(event);
    for (const shard of mesh.named('clickhouse')) await mesh.signal(shard, 'SIGSTOP');
    const load = startLoad({ url: () => mesh.url, events, batchesBetweenKills: BATCHES_BETWEEN_KILLS });
    await load.done;
    expect(load.refused(), 'requests that failed').toEqual([]);
    await expect.poll(() => attributionLag(mesh), { timeout: 60_000 }).toBe(0);
    await sleep(2 * STOP_MS);
    for (const shard of mesh.named('clickhouse')) await mesh.signal(shard, 'SIGCONT').catch(() => {});
    await expectEveryEventCountedOnce(mesh, sent);
  }, 600_000);
});

function postEvent(mesh: ClusterUnderTest, event: SeedEvent): Promise<Response> {
  const headers = { 'content-type': 'application/json' };
  return fetch(`${mesh.url}/api/v1/events`, { method: 'POST', headers, body: JSON.stringify(event) });
}

/** Records of raw-events not yet folded. */
async function attributionLag(mesh: ClusterUnderTest): Promise<number> {
  const status = await (await fetch(`${mesh.url}/status`)).json();
  const { topics, attribution } = status as {
    topics: { topic: string; partitions: { end: number }[] }[];
    attribution: { next_offset: number }[];
  };
  const rawEvents = topics.find(({ topic }) => topic === 'raw-events')!.partitions;
  const folded = attribution.reduce((sum, { next_offset }) => sum + next_offset, 0);
  return rawEvents.reduce((sum, { end }) => sum + end, 0) - folded;
}

function eventsFor(moments: number, seed: number) {
  const options = { users: 2000, campaigns: 20, seed, end: '2026-01-20', days: 2, conversionRate: 0.2 };
  const disorder = { duplicates: 0.05, late: 0.05, disorderMs: 60_000, refunds: 0.3, invalid: 0.1 };
  return [...generateEvents({ events: moments * BATCHES_BETWEEN_KILLS * BATCH, ...options, ...disorder })];
}

async function hang(mesh: ClusterUnderTest, name: string, underWay: () => void): Promise<void> {
  await mesh.signal(name, 'SIGSTOP');
  underWay();
  await sleep(STOP_MS);
  // A supervisor may have killed it for not answering.
  await mesh.signal(name, 'SIGCONT').catch(() => {});
}

/** Asks over and over which conversions have more than one click, whatever is down meanwhile. */
function watchForDoubles(mesh: ClusterUnderTest) {
  const stopping = new AbortController();
  const doubles: unknown[] = [];
  let polls = 0;
  const query = `SELECT user_id, conversion_id, groupArray(click_id) AS clicks FROM attributed_events FINAL
    WHERE model = 'last_click' GROUP BY user_id, conversion_id HAVING count() > 1`;
  async function run() {
    const urls = shardUrls(mesh);
    while (!stopping.signal.aborted) {
      const client = clickhouseClient(urls[polls % urls.length]!);
      try {
        doubles.push(...(await (await client.query({ query, format: 'JSONEachRow' })).json()));
        polls++;
      } catch {
        // Down: it is the next that answers.
        await sleep(100);
      } finally {
        await client.close();
      }
    }
  }
  const running = run();
  return {
    async stop() {
      stopping.abort();
      await running;
      return { polls, doubles };
    },
  };
}

function shardUrls(mesh: ClusterUnderTest): string[] {
  return mesh.processes().flatMap(({ role, urls }) => (role === 'clickhouse' ? urls : []));
}

/** Keys that both shards hold: FINAL would count them twice. */
async function keysOnTwoShards(mesh: ClusterUnderTest): Promise<string[]> {
  const found = await Promise.all(
    shardUrls(mesh).map(async (url) => {
      await using client = clickhouseClient(url);
      const query = `SELECT DISTINCT 'attributed ' || toString((user_id, conversion_id, model, click_id)) AS key FROM attributed_events_local
        UNION ALL SELECT DISTINCT 'event ' || toString((user_id, event_type, event_id)) FROM events_local
        UNION ALL SELECT DISTINCT 'stats ' || toString((day, campaign_id, source, conversion_type, model, partition)) FROM daily_stats_local
        UNION ALL SELECT DISTINCT 'rollup ' || toString((rollup, day, hour, dimension_1, dimension_2, dimension_3, dimension_4, partition)) FROM rollup_stats_local
        UNION ALL SELECT DISTINCT 'decision ' || toString((conversion_id, user_id)) FROM decisions_local`;
      const rows = await (await client.query({ query, format: 'JSONEachRow' })).json<{ key: string }>();
      expect(rows.length, `${url} holds rows`).toBeGreaterThan(0);
      return new Set(rows.map(({ key }) => key));
    }),
  );
  return [...found[0]!].filter((key) => found[1]!.has(key));
}
