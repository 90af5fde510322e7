import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type MeshProcess, startMeshProcess } from '../fixtures/mesh-process.ts';
import { jsonClient } from './clients.ts';
import { closedLoop } from './load.ts';
import { measureIngest } from './measure-ingest.ts';
import { prepareRequests, restJson } from './requests.ts';
import type { Figure, Scenario, Subject } from './scenario.ts';

const CONNECTIONS = 64;
/** What is traced is rare: until its code is compiled, a trace costs several times as much. */
const FULL = { warmUpSeconds: 24, rounds: 16, seconds: 3, poolEvents: 50_000 };
const QUICK: typeof FULL = { warmUpSeconds: 0.2, rounds: 1, seconds: 0.2, poolEvents: 500 };

/** Two meshes, of which one sends its traces and metrics to a server that only takes them. */
interface Pair extends Subject {
  plain: MeshProcess;
  traced: MeshProcess;
  /** Bytes of OTLP so far. */
  exported(): number;
}

export const tracing: Scenario<Pair> = {
  name: 'tracing',
  method:
    `REST, one event a request, ${CONNECTIONS} in flight: on a mesh that traces 1 % of them and one that exports nothing, ` +
    `in turn, ${FULL.rounds} times ${FULL.seconds} s each after ${FULL.warmUpSeconds} s to warm up, every other time the ` +
    'second one first. Ratios are of the sums over all rounds.',
  start: startPair,
  run: (pair, quick) => compare(pair, quick ? QUICK : FULL),
};

async function startPair(dataDir: string): Promise<Pair> {
  let bytes = 0;
  const receiver = createServer(async (request, response) => {
    for await (const chunk of request) bytes += chunk.length;
    response.end();
  }).listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  const endpoint = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`;
  const plain = await startMeshProcess(join(dataDir, 'plain'));
  const traced = await startMeshProcess(join(dataDir, 'traced'), { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint });
  return {
    plain,
    traced,
    exported: () => bytes,
    async stop() {
      await Promise.all([plain.stop(), traced.stop()]);
      receiver.close();
    },
  };
}

async function compare({ plain, traced, exported }: Pair, size: typeof FULL): Promise<Figure[]> {
  const own = [newSide(plain, size), newSide(traced, size)] as const;
  for (const { load } of own) await load(size.warmUpSeconds);
  const sums = [newSum(), newSum()] as const;
  for (let round = 0; round < size.rounds; round++) {
    const order = round % 2 === 0 ? [0, 1] : [1, 0];
    for (const i of order) await own[i as 0 | 1].measure(sums[i as 0 | 1]);
  }
  for (const { close } of own) close();
  if (exported() === 0 && size === FULL) throw new Error('nothing was exported');
  const [without, withTraces] = sums.map(({ requests, seconds, cpu }) => ({
    rate: requests / seconds,
    cpu: (cpu / requests) * 10_000,
  })) as [Rates, Rates];
  return [
    { name: 'without tracing', value: without.rate, unit: 'requests/s' },
    { name: '1 % traced', value: withTraces.rate, unit: 'requests/s' },
    { name: 'throughput kept', value: withTraces.rate / without.rate, unit: 'ratio', floor: { atLeast: 0.95 } },
    { name: 'CPU without tracing', value: without.cpu, unit: 'CPU-s per 10k requests' },
    { name: 'CPU with 1 % traced', value: withTraces.cpu, unit: 'CPU-s per 10k requests' },
  ];
}

interface Rates {
  rate: number;
  cpu: number;
}

interface Sum {
  requests: number;
  seconds: number;
  cpu: number;
}

function newSum(): Sum {
  return { requests: 0, seconds: 0, cpu: 0 };
}

function newSide(mesh: MeshProcess, size: typeof FULL) {
  const requests = prepareRequests(restJson, 1, size.poolEvents);
  const client = jsonClient(mesh.url, '/api/v1/events', CONNECTIONS);
  let sent = 0;
  const load = async (seconds: number) => {
    const done = await closedLoop(CONNECTIONS, seconds, () => client.send(requests.next()));
    sent += done.requests;
    return done;
  };
  return {
    load,
    /** One round, until ClickHouse has it all. */
    async measure(sum: Sum) {
      const { load: done, cpu } = await measureIngest(
        mesh,
        () => load(size.seconds),
        () => sent,
      );
      sum.requests += done.requests;
      sum.seconds += done.seconds;
      sum.cpu += cpu.mesh;
    },
    close: () => client[Symbol.dispose](),
  };
}
