import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { MeshProcess } from '../fixtures/mesh-process.ts';
import { jsonClient, type Send } from './clients.ts';
import { openLoop, percentile } from './load.ts';
import { measureIngest } from './measure-ingest.ts';
import { prepareRequests, restJson } from './requests.ts';
import type { Figure, Scenario } from './scenario.ts';

const BACKGROUND_RATE = 500;
const PROBERS = 2;
const POLL_MS = 20;
const DAY = '2025-12-31';
const FULL = { seconds: 60, poolEvents: 30_000 };
const QUICK: typeof FULL = { seconds: 1, poolEvents: 500 };

export const freshness: Scenario = {
  name: 'freshness',
  method:
    `Time from the acknowledgement of a click of a new campaign until GetStats (by REST, every ${POLL_MS} ms) counts it, ` +
    `while ${BACKGROUND_RATE} other events a second come in, for ${FULL.seconds} s.`,
  run: (mesh, quick) => runFreshness(mesh, quick ? QUICK : FULL),
};

async function runFreshness(mesh: MeshProcess, size: typeof FULL): Promise<Figure[]> {
  const requests = prepareRequests(restJson, 1, size.poolEvents);
  using client = jsonClient(mesh.url, '/api/v1/events', 16);
  const { load } = await measureIngest(
    mesh,
    async () => {
      const background = openLoop(BACKGROUND_RATE, size.seconds, () => client.send(requests.next()));
      const probing = Array.from({ length: PROBERS }, () => probeRepeatedly(mesh.url, client.send, size.seconds));
      const delays = (await Promise.all(probing)).flat();
      return { sent: (await background).requests + delays.length, delays: delays.sort((a, b) => a - b) };
    },
    ({ sent }) => sent,
  );
  return [
    { name: 'p50', value: percentile(load.delays, 0.5), unit: 'ms' },
    { name: 'p99', value: percentile(load.delays, 0.99), unit: 'ms', floor: { atMost: 2000 } },
    { name: 'probes', value: load.delays.length, unit: '' },
  ];
}

/** Returns how long each click took to show, in ms. */
async function probeRepeatedly(url: string, send: Send, seconds: number): Promise<number[]> {
  const end = performance.now() + seconds * 1000;
  const delays: number[] = [];
  while (performance.now() < end) {
    delays.push(await probe(url, send));
    // Else every probe would start right after an insert into ClickHouse.
    await sleep(Math.random() * 500);
  }
  return delays;
}

async function probe(url: string, send: Send): Promise<number> {
  const id = randomUUID();
  const ids = { event_id: id, user_id: `prober-${id}`, ad_id: 'ad-1', campaign_id: `probe-${id}` };
  const event = { event_type: 'click', ...ids, source: 'bench', timestamp: Date.parse(DAY) };
  await send(Buffer.from(JSON.stringify(event)));
  const acknowledged = performance.now();
  const query = `${url}/api/v1/stats?start_date=${DAY}&end_date=${DAY}&campaign_id=${ids.campaign_id}`;
  for (;;) {
    const asked = performance.now();
    const { data } = (await (await fetch(query)).json()) as { data: { clicks: number }[] };
    if (data[0]?.clicks === 1) return performance.now() - acknowledged;
    await sleep(Math.max(0, asked + POLL_MS - performance.now()));
  }
}
