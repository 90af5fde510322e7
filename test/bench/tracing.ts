import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type MeshProcess, startMeshProcess } from '../fixtures/mesh-process.ts';
import { jsonClient } from './clients.ts';
import { closedLoop, openLoop } from './load.ts';
import { measureIngest } from './measure-ingest.ts';
import { prepareRequests, restJson } from './requests.ts';
import type { Figure, Scenario, Subject } from './scenario.ts';

const CONNECTIONS = 64;
/** Two processes that do the same differ by up to a tenth, for as long as they run: so there are several of each. */
const FULL = { pairs: 4, warmUp: 12_000, rounds: 6, seconds: 2, poolEvents: 50_000 };
const QUICK: typeof FULL = { pairs: 1, warmUp: 200, rounds: 1, seconds: 0.2, poolEvents: 500 };
/** As many for both: what they store makes them slower. */
const WARM_UP_PER_SECOND = 2000;
/**
 * One request of the warm-up in so many is traced: until its code is compiled, a trace costs several times as much.
 * Were they all, thousands of spans would be left on the heap and slow each collection in what is measured.
 */
const WARM_UP_TRACES = 10;
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
    `${FULL.rounds} times ${FULL.seconds} s each, every other time the second one first; after ${FULL.warmUp} requests of ` +
    `which one in ${WARM_UP_TRACES} is traced. Ratios are of the sums over ${FULL.pairs} such pairs of meshes, one after ` +
    'the other.',
  start: async (path) => ({ path, stop: async () => {} }),
  run: ({ path }, quick) => compare(path, quick ? QUICK : FULL),
};

async function compare(dataDir: string, size: typeof FULL): Promise<Figure[]> {
  let exported = 0;
  await using receiver = createServer(async (request, response) => {
    for await (const chunk of request) exported += chunk.length;
    response.end();
  }).listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  const endpoint = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`;
  const sums: [Sum, Sum] = [newSum(), newSum()];
  for (let pair = 0; pair < size.pairs; pair++) {
    const [plain, traced] = await Promise.all([
      startMeshProcess(join(dataDir, `${pair}-plain`)),
      startMeshProcess(join(dataDir, `${pair}-traced`), { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint }),
    ]);
    try {
      await measurePair([newSide(plain, size), newSide(traced, size)], { sums, rounds: size.rounds, first: pair % 2 });
    } finally {
      await Promise.all([plain.stop(), traced.stop()]);
    }
  }
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

async function measurePair(
  sides: [Side, Side],
  { sums, rounds, first }: { sums: [Sum, Sum]; rounds: number; first: number },
): Promise<void> {
  const turns = (first: number) => (first % 2 === 0 ? ([0, 1] as const) : ([1, 0] as const));
  for (const i of turns(first)) await sides[i].warmUp();
  for (let round = 0; round < rounds; round++) {
    for (const i of turns(first + round)) await sides[i].measure(sums[i]);
  }
  for (const { close } of sides) close();
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

interface Side {
  warmUp(): Promise<void>;
  /** One round, until ClickHouse has it all. */
  measure(sum: Sum): Promise<void>;
  close(): void;
}

function newSide(mesh: MeshProcess, size: typeof FULL): Side {
  const requests = prepareRequests(restJson, 1, size.poolEvents);
  const connect = (headers = {}) => jsonClient(mesh.url, '/api/v1/events', CONNECTIONS, headers);
  const client = connect();
  let sent = 0;
  return {
    async warmUp() {
      using traced = connect(TRACED);
      let n = 0;
      const send = () => (n++ % WARM_UP_TRACES === 0 ? traced : client).send(requests.next());
      sent += (await openLoop(WARM_UP_PER_SECOND, size.warmUp / WARM_UP_PER_SECOND, send)).requests;
    },
    async measure(sum) {
      const { load: done, cpu } = await measureIngest(
        mesh,
        () => closedLoop(CONNECTIONS, size.seconds, () => client.send(requests.next())),
        ({ requests }) => (sent += requests),
      );
      sum.requests += done.requests;
      sum.seconds += done.seconds;
      sum.cpu += cpu.mesh;
    },
    close: () => client[Symbol.dispose](),
  };
}
