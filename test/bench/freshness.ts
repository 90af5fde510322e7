import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { statusCaughtUp } from '../../services/cli/ask-mesh.ts';
import { startCluster } from '../fixtures/cluster-process.ts';
import type { MeshProcess } from '../fixtures/mesh-process.ts';
import { KAFKA } from '../needs.ts';
import { grpcClient, jsonClient, type Send } from './clients.ts';
import { closedLoop, openLoop, percentile } from './load.ts';
import { measureIngest } from './measure-ingest.ts';
import { batchProto, prepareRequests, restJson } from './requests.ts';
import type { Figure, Scenario } from './scenario.ts';

const BACKGROUND_RATE = 500;
const PER_REQUEST = 100;
const PROBERS = 2;
const POLL_MS = 20;
const CATCH_UP_TIMEOUT_MS = 300_000;
const DAY = '2025-12-31';
const FULL = { seconds: 60, capacitySeconds: 20, poolEvents: 30_000 };
const QUICK: typeof FULL = { seconds: 1, capacitySeconds: 0.2, poolEvents: 500 };

const METHOD = `Time from the acknowledgement of a click of a new campaign until GetStats (by REST, every ${POLL_MS} ms) counts it`;

export const freshness: Scenario<MeshProcess>[] = [
  {
    name: 'freshness',
    method: `${METHOD}, while ${BACKGROUND_RATE} other events a second come in, for ${FULL.seconds} s.`,
    run: (mesh, quick) => runFreshness(mesh, quick ? QUICK : FULL, singleEvents),
  },
  {
    name: 'freshness-cluster',
    method:
      `${METHOD}, on clickmesh cluster with one broker, two gateways, two attribution nodes and two ClickHouse shards, at ` +
      `half of its capacity, for ${FULL.seconds} s. Its capacity is what it counts a second of ${FULL.capacitySeconds} s of ` +
      `IngestBatch of ${PER_REQUEST} events, until ClickHouse has them.`,
    needs: KAFKA,
    start: (dataDir) => startCluster(dataDir, {}),
    run: (mesh, quick) => runFreshness(mesh, quick ? QUICK : FULL, halfOfCapacity),
  },
];

/** Other events than the probes: sends them for so long, and says how many and at which rate. */
type Background = (
  mesh: MeshProcess,
  size: typeof FULL,
) => Promise<{ before: number; perSecond: number; send(): Promise<number> }>;

async function runFreshness(mesh: MeshProcess, size: typeof FULL, prepare: Background): Promise<Figure[]> {
  using client = jsonClient(mesh.url, '/api/v1/events', PROBERS);
  const { load } = await measureIngest(
    mesh,
    async () => {
      const background = await prepare(mesh, size);
      const sending = background.send();
      const probing = Array.from({ length: PROBERS }, () => probeRepeatedly(mesh.url, client.send, size.seconds));
      const delays = (await Promise.all(probing)).flat();
      const sent = background.before + (await sending) + delays.length;
      return { sent, perSecond: background.perSecond, delays: delays.sort((a, b) => a - b) };
    },
    ({ sent }) => sent,
  );
  return [
    { name: 'p50', value: percentile(load.delays, 0.5), unit: 'ms' },
    { name: 'p99', value: percentile(load.delays, 0.99), unit: 'ms', floor: { atMost: 2000 } },
    { name: 'probes', value: load.delays.length, unit: '' },
    { name: 'other events', value: load.perSecond, unit: 'events/s' },
  ];
}

const singleEvents: Background = async (mesh, { seconds, poolEvents }) => {
  const requests = prepareRequests(restJson, 1, poolEvents);
  return {
    ...{ before: 0, perSecond: BACKGROUND_RATE },
    async send() {
      using client = jsonClient(mesh.url, '/api/v1/events', 16);
      return (await openLoop(BACKGROUND_RATE, seconds, () => client.send(requests.next()))).requests;
    },
  };
};

const halfOfCapacity: Background = async (mesh, { seconds, capacitySeconds, poolEvents }) => {
  const requests = prepareRequests(batchProto, PER_REQUEST, poolEvents);
  const connect = () => grpcClient(mesh.url, '/clickmesh.v1.IngestService/IngestBatch', 4);
  const began = performance.now();
  using client = connect();
  const { requests: sent } = await closedLoop(16, capacitySeconds, () => client.send(requests.next()));
  await statusCaughtUp(mesh.url, CATCH_UP_TIMEOUT_MS);
  const before = sent * PER_REQUEST;
  const perSecond = before / ((performance.now() - began) / 1000) / 2;
  return {
    ...{ before, perSecond },
    async send() {
      using client = connect();
      const load = await openLoop(perSecond / PER_REQUEST, seconds, () => client.send(requests.next()));
      return load.requests * PER_REQUEST;
    },
  };
};

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
