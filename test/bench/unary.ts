import type { MeshProcess } from '../fixtures/mesh-process.ts';
import { type BenchClient, grpcClient, jsonClient } from './clients.ts';
import { closedLoop, openLoop, percentile } from './load.ts';
import { cpuFigures, measureIngest } from './measure-ingest.ts';
import { ingestJson, ingestProto, prepareRequests, restJson } from './requests.ts';
import type { Figure, Scenario } from './scenario.ts';

const CONNECTIONS = 64;
const RATE = 1000;
const FULL = { warmUpSeconds: 5, openSeconds: 20, closedSeconds: 10, poolEvents: 50_000 };
const QUICK: typeof FULL = { warmUpSeconds: 0.1, openSeconds: 0.2, closedSeconds: 0.2, poolEvents: 500 };

const PROTOCOLS = {
  REST: { encode: restJson, connect: (url: string) => jsonClient(url, '/api/v1/events', CONNECTIONS) },
  Connect: {
    encode: ingestJson,
    connect: (url: string) => jsonClient(url, '/clickmesh.v1.IngestService/Ingest', CONNECTIONS),
  },
  gRPC: {
    encode: ingestProto,
    connect: (url: string) => grpcClient(url, '/clickmesh.v1.IngestService/Ingest', CONNECTIONS),
  },
};
type Protocol = keyof typeof PROTOCOLS;

export const unary: Scenario[] = (Object.keys(PROTOCOLS) as Protocol[]).map((protocol) => ({
  name: `unary-${protocol.toLowerCase()}`,
  method:
    `One event a request by ${protocol === 'gRPC' ? protocol : `${protocol} JSON`} over ${CONNECTIONS} connections. ` +
    `After ${FULL.warmUpSeconds} s to warm up, ${RATE} requests a second for ${FULL.openSeconds} s, latency from the time a ` +
    `request was due; then as many as ${CONNECTIONS} in flight give for ${FULL.closedSeconds} s. CPU is that of all three ` +
    'until ClickHouse had everything.',
  run: (mesh, quick) => runUnary(mesh, protocol, quick ? QUICK : FULL),
}));

async function runUnary(mesh: MeshProcess, protocol: Protocol, size: typeof FULL): Promise<Figure[]> {
  const { encode, connect } = PROTOCOLS[protocol];
  const requests = prepareRequests(encode, 1, size.poolEvents);
  using client: BenchClient = connect(mesh.url);
  const send = () => client.send(requests.next());
  const ingest = await measureIngest(
    mesh,
    async () => ({
      warmUp: await openLoop(RATE, size.warmUpSeconds, send),
      atRate: await openLoop(RATE, size.openSeconds, send),
      atMost: await closedLoop(CONNECTIONS, size.closedSeconds, send),
    }),
    ({ warmUp, atRate, atMost }) => warmUp.requests + atRate.requests + atMost.requests,
  );
  const { atRate, atMost } = ingest.load;
  return [
    { name: `p50 at ${RATE}/s`, value: percentile(atRate.latencies, 0.5), unit: 'ms' },
    { name: `p99 at ${RATE}/s`, value: percentile(atRate.latencies, 0.99), unit: 'ms', floor: { atMost: 50 } },
    { name: `${CONNECTIONS} in flight`, value: atMost.requests / atMost.seconds, unit: 'requests/s' },
    { name: `p99 with ${CONNECTIONS} in flight`, value: percentile(atMost.latencies, 0.99), unit: 'ms' },
    ...cpuFigures(ingest),
  ];
}
