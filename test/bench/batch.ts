import type { MeshProcess } from '../fixtures/mesh-process.ts';
import { grpcClient } from './clients.ts';
import { closedLoop, percentile } from './load.ts';
import { cpuFigures, measureIngest } from './measure-ingest.ts';
import { batchProto, prepareRequests } from './requests.ts';
import type { Figure, Scenario } from './scenario.ts';

const IN_FLIGHT = 16;
const FULL = { seconds: 20, poolEvents: 100_000 };
const QUICK: typeof FULL = { seconds: 0.2, poolEvents: 2000 };

export const batch: Scenario[] = [100, 1000].map((events) => ({
  name: `batch-${events}`,
  method:
    `IngestBatch of ${events} events by gRPC, ${IN_FLIGHT} in flight on one connection for ${FULL.seconds} s, then ` +
    'nothing until attribution and ClickHouse have caught up. Sustained is all events by the whole time.',
  run: (mesh, quick) => runBatch(mesh, events, quick ? QUICK : FULL),
}));

async function runBatch(mesh: MeshProcess, perRequest: number, size: typeof FULL): Promise<Figure[]> {
  const requests = prepareRequests(batchProto, perRequest, size.poolEvents);
  using client = grpcClient(mesh.url, '/clickmesh.v1.IngestService/IngestBatch', 1);
  const ingest = await measureIngest(
    mesh,
    () => closedLoop(IN_FLIGHT, size.seconds, () => client.send(requests.next())),
    (load) => load.requests * perRequest,
  );
  const { load, events, seconds, catchUpSeconds } = ingest;
  return [
    { name: 'sustained', value: events / seconds, unit: 'events/s', floor: { atLeast: 5000 } },
    { name: 'acknowledged', value: events / load.seconds, unit: 'events/s' },
    { name: 'catching up', value: catchUpSeconds, unit: 's' },
    { name: 'p50 of a request', value: percentile(load.latencies, 0.5), unit: 'ms' },
    { name: 'p99 of a request', value: percentile(load.latencies, 0.99), unit: 'ms' },
    ...cpuFigures(ingest),
  ];
}
