import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { type MeshProcess, startMeshProcess, temporaryFolder } from '../fixtures/mesh-process.ts';
import { buildDriver, type Driver, hasDriver, type LanguageName, PROGRAMS, startDriver } from './conformance/driver.ts';
import { COLUMNS } from './conformance/readme.ts';
import { type SharedMesh, startSharedMesh } from './conformance/run.ts';
import { type StoredEvents, storedEvents } from './conformance/stored.ts';
import { type Fault, startFaultProxy } from './fault-proxy.ts';

/** What every client must live through, counted by what the mesh has. */
const languages = COLUMNS.filter(hasDriver);
const tags = ['long', ...languages.flatMap((language) => PROGRAMS[language].language.tools)].filter(
  (t) => t !== 'node',
);

/** `npm run test:sdk` tries all of it; else a sample. */
const IS_WHOLE = process.env.SDK_WHOLE !== undefined;
const KILL_SECONDS = IS_WHOLE ? 60 : 20;
const UP_MS = 2000;
const RATE = 500;
const OUTAGE_RATE = 20;
/** Longest time until the last event of a load is answered, in ms. */
const LOAD_TIMEOUT_MS = 300_000;
const OUTAGES: readonly Fault[] = IS_WHOLE
  ? ['refuse', 'fin', 'rst', 'black hole', '503', '503 over HTTP/2', 'cut']
  : ['rst', 'cut'];
/** In seconds: shorter than a client's deadline, and longer. */
const OUTAGE_SECONDS = IS_WHOLE ? [20, 40] : [20];

beforeAll(() => {
  for (const language of languages) expect(buildDriver(language)).toBeUndefined();
}, 600_000);

describe('clients', { tags }, () => {
  test(`lose nothing while the mesh is killed every ${UP_MS / 1000} s for ${KILL_SECONDS} s`, async () => {
    using folder = temporaryFolder();
    const env = { PORT: String(await freePort()) };
    let mesh = await startMeshProcess(join(folder.path, 'data'), env);
    onTestFinished(() => mesh.kill());
    await using events = await storedEvents(() => mesh.url);
    const loads = languages.map((language) =>
      startLoad(language, mesh.url, { count: RATE * KILL_SECONDS, rate: RATE }),
    );
    const end = performance.now() + KILL_SECONDS * 1000;
    let kills = 0;
    while (performance.now() < end) {
      await sleep(UP_MS);
      await mesh.kill();
      kills++;
      mesh = await startMeshProcess(join(folder.path, 'data'), env);
    }
    expect(kills).toBeGreaterThan(1);
    for (const load of loads) await expectAllOnce(await load.end(), events, RATE * KILL_SECONDS);
  }, 600_000);

  describe('on a mesh that stays', () => {
    let mesh: MeshProcess;
    let events: StoredEvents;
    const folder = temporaryFolder();
    beforeAll(async () => {
      mesh = await startMeshProcess(join(folder.path, 'data'));
      events = await storedEvents(() => mesh.url);
    });
    afterAll(async () => {
      await events[Symbol.asyncDispose]();
      await mesh.kill();
      folder[Symbol.dispose]();
    });

    test.each(OUTAGE_SECONDS)(
      'lose nothing, or say what, in outages of %i s of every kind',
      async (seconds) => {
        const count = OUTAGE_RATE * (seconds + 10);
        const loads = await Promise.all(
          OUTAGES.map(async (fault) => {
            const proxy = await startFaultProxy(mesh.url);
            onTestFinished(() => proxy[Symbol.asyncDispose]());
            return {
              fault,
              proxy,
              loads: languages.map((language) => startLoad(language, proxy.url, { count, rate: OUTAGE_RATE })),
            };
          }),
        );
        await sleep(3000);
        for (const { proxy, fault } of loads) await proxy.set(fault);
        await sleep(seconds * 1000);
        for (const { proxy } of loads) await proxy.set('none');
        for (const { fault, loads: ofFault } of loads) {
          for (const load of ofFault) {
            const ended = await load.end();
            // Within the deadline nothing may be lost; of `cut` all was stored before the answer went.
            if (seconds < 30) await expectAllOnce(ended, events, count);
            else await expectToldExactly(ended, events, count, fault);
          }
        }
      },
      300_000,
    );
  });

  describe('as gen/README.md says', () => {
    let mesh: SharedMesh;
    beforeAll(async () => {
      mesh = await startSharedMesh();
    });
    afterAll(() => mesh[Symbol.asyncDispose]());

    for (const language of languages) {
      test.each(['C-011', 'C-033', 'C-064'])(
        `${language} keeps %s`,
        async (statement) => {
          expect(await mesh.try(language, statement)).toEqual({ verdict: 'holds', why: '' });
        },
        300_000,
      );
    }
  });
});

interface Ended {
  campaign: string;
  accepted: number;
  failed: number;
  /** Told to onError. */
  reported: number;
  counters: NonNullable<Awaited<ReturnType<Driver['do']>>['counters']>;
}

let loads = 0;

/** A driver that tracks events of one campaign at a rate, with default options. */
function startLoad(
  language: LanguageName,
  url: string,
  { count, rate }: { count: number; rate: number },
): { end(): Promise<Ended> } {
  const driver = startDriver(language);
  onTestFinished(() => driver.stop());
  const campaign = `must-hold-${language}-${process.pid}-${++loads}`;
  const event = {
    type: 'click',
    fields: { user_id: `${campaign}-user`, ad_id: 'ad', campaign_id: campaign, source: 'test' },
  };
  const tracked = driver
    .do('open', { url, options: { silent: true } })
    .then(() => driver.do('trackMany', { event, count, ratePerSecond: rate }, LOAD_TIMEOUT_MS));
  return {
    async end() {
      const { accepted, failed } = await tracked;
      const { errors } = await driver.do('reports');
      const { counters } = await driver.do('counters');
      const reported = errors!.reduce((sum, error) => sum + error.events.length, 0);
      return { campaign, accepted: accepted!, failed: failed!, reported, counters: counters! };
    },
  };
}

async function expectAllOnce({ campaign, ...ended }: Ended, events: StoredEvents, count: number): Promise<void> {
  const counters = { queued: count, sent: count, rejected: 0, lost: 0, stored: 0, waiting: 0 };
  expect([campaign, ended]).toEqual([campaign, { accepted: count, failed: 0, reported: 0, counters }]);
  expect([campaign, await events.clicks(campaign)]).toEqual([campaign, count]);
}

async function expectToldExactly(ended: Ended, events: StoredEvents, count: number, fault: Fault): Promise<void> {
  const { campaign, accepted, failed, reported, counters } = ended;
  const told = [campaign, fault, accepted + failed, reported];
  expect(told).toEqual([campaign, fault, count, failed]);
  expect(counters).toEqual({ queued: count, sent: accepted, rejected: 0, lost: failed, stored: 0, waiting: 0 });
  const clicks = await events.clicks(campaign);
  // What was under way as the fault began may have been stored, and its answer lost.
  expect(clicks).toBeGreaterThanOrEqual(accepted);
  expect(clicks).toBeLessThanOrEqual(count);
  if (fault === 'cut') expect(clicks).toBe(count);
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
