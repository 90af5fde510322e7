import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type MeshProcess, startMeshProcess } from '../fixtures/mesh-process.ts';
import { type BenchClient, jsonClient } from './clients.ts';
import { closedLoop } from './load.ts';
import { measureIngest } from './measure-ingest.ts';
import { prepareRequests, restJson } from './requests.ts';
import type { Figure, Scenario, Subject } from './scenario.ts';

const CONNECTIONS = 64;
/** Two processes that do the same differ by up to a tenth, for as long as they run: so there are several of each. */
const FULL = { pairs: 4, warmUpSeconds: 4, rounds: 6, seconds: 2, poolEvents: 50_000 };
const QUICK: typeof FULL = { pairs: 1, warmUpSeconds: 0.2, rounds: 1, seconds: 0.2, poolEvents: 500 };
/** What is traced is rare: until its code is compiled, a trace costs several times as much. */
const TRACED = { traceparent: `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01` };

/** Where the meshes keep their data. */
interface Folder extends Subject {
  path: string;
}

export const tracing: Scenario<Folder> = {
  name: 'tracing',
  method:
    `REST, one event a request, ${CONNECTIONS} in flight: on a mesh that traces 1 % of them and sends its traces and ` +
    'metrics to a server that only takes them, and on one that exports nothing, in turn, ' +
    `${FULL.rounds} times ${FULL.seconds} s each, every other time the second one first; after ${FULL.warmUpSeconds} s ` +
    `with all requests traced and ${FULL.warmUpSeconds} s without. Ratios are of the sums over ${FULL.pairs} such pairs of ` +
    'meshes, one after the other.',
  start: async (path) => ({ path, stop: async () => {} }),
  run: ({ path }, quick) => compare(path, quick ? QUICK : FULL),
};

async function compare(dataDir: string, size: typeof FULL): Promise<Figure[]> {
  let exported = 0;
  const receiver = createServer(async (request, response) => {
    for await (const chunk of request) exported += chunk.length;
    response.end();
  }).listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  const endpoint = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`;
  const sums: Sums = [newSum(), newSum()];
  for (let pair = 0; pair < size.pairs; pair++) {
    const plain = await startMeshProcess(join(dataDir, `${pair}-plain`));
    const traced = await startMeshProcess(join(dataDir, `${pair}-traced`), { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint });
    await measurePair([newSide(plain, size), newSide(traced, size)], sums, size);
    await Promise.all([plain.stop(), traced.stop()]);
  }
  receiver.close();
  if (exported === 0) throw new Error('nothing was exported');
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

async function measurePair(sides: [Side, Side], sums: Sums, { rounds, warmUpSeconds }: typeof FULL): Promise<void> {
  for (const { warmUp } of sides) await warmUp(warmUpSeconds);
  for (let round = 0; round < rounds; round++) {
    for (const i of round % 2 === 0 ? ([0, 1] as const) : ([1, 0] as const)) await sides[i].measure(sums[i]);
  }
  for (const { close } of sides) close();
}

interface Rates {
  rate: number;
  cpu: number;
}

type Sums = [plain: Sum, traced: Sum];

interface Sum {
  requests: number;
  seconds: number;
  cpu: number;
}

function newSum(): Sum {
  return { requests: 0, seconds: 0, cpu: 0 };
}

interface Side {
  warmUp(seconds: number): Promise<void>;
  /** One round, until ClickHouse has it all. */
  measure(sum: Sum): Promise<void>;
  close(): void;
}

function newSide(mesh: MeshProcess, size: typeof FULL): Side {
  const requests = prepareRequests(restJson, 1, size.poolEvents);
  const connect = (headers = {}) => jsonClient(mesh.url, '/api/v1/events', CONNECTIONS, headers);
  const client = connect();
  let sent = 0;
  const load = async ({ send }: BenchClient, seconds: number) => {
    const done = await closedLoop(CONNECTIONS, seconds, () => send(requests.next()));
    sent += done.requests;
    return done;
  };
  return {
    async warmUp(seconds) {
      using traced = connect(TRACED);
      await load(traced, seconds);
      await load(client, seconds);
    },
    async measure(sum) {
      const { load: done, cpu } = await measureIngest(
        mesh,
        () => load(client, size.seconds),
        () => sent,
      );
      sum.requests += done.requests;
      sum.seconds += done.seconds;
      sum.cpu += cpu.mesh;
    },
    close: () => client[Symbol.dispose](),
  };
}
