import type { MeshProcess } from '../fixtures/mesh-process.ts';
import { openGrpcStream } from './clients.ts';
import { cpuFigures, measureIngest } from './measure-ingest.ts';
import { batchProto, prepareRequests, type Requests } from './requests.ts';
import type { Figure, Scenario } from './scenario.ts';

const STREAMS = 4;
const PER_MESSAGE = 100;
const FULL = { seconds: 20, poolEvents: 100_000 };
const QUICK: typeof FULL = { seconds: 0.2, poolEvents: 2000 };

export const stream: Scenario = {
  name: 'stream',
  method:
    `${STREAMS} calls of IngestStream by gRPC, messages of ${PER_MESSAGE} events as fast as they are taken for ` +
    `${FULL.seconds} s. Sustained is all events by the time until attribution and ClickHouse have caught up.`,
  run: (mesh, quick) => runStream(mesh, quick ? QUICK : FULL),
};

async function runStream(mesh: MeshProcess, size: typeof FULL): Promise<Figure[]> {
  const requests = prepareRequests(batchProto, PER_MESSAGE, size.poolEvents);
  const ingest = await measureIngest(
    mesh,
    () => Promise.all(Array.from({ length: STREAMS }, () => sendStream(mesh.url, requests, size.seconds))),
    (messages) => messages.reduce((sum, count) => sum + count, 0) * PER_MESSAGE,
  );
  const { events, seconds, catchUpSeconds } = ingest;
  return [
    { name: 'sustained', value: events / seconds, unit: 'events/s' },
    { name: 'acknowledged', value: events / (seconds - catchUpSeconds), unit: 'events/s' },
    { name: 'catching up', value: catchUpSeconds, unit: 's' },
    ...cpuFigures(ingest),
  ];
}

/** Returns the number of messages that were acknowledged. */
async function sendStream(url: string, requests: Requests, seconds: number): Promise<number> {
  const call = openGrpcStream(url, '/clickmesh.v1.IngestService/IngestStream');
  const end = performance.now() + seconds * 1000;
  let messages = 0;
  for (; performance.now() < end; messages++) await call.write(requests.next());
  await call.finish();
  return messages;
}
