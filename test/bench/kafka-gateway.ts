import type { EventLog } from '../../services/log/event-log.ts';
import { startService } from '../fixtures/service-process.ts';
import { KAFKA } from '../needs.ts';
import { type BenchKafka, startBenchKafka } from './bench-kafka.ts';
import { grpcBody, h2load, type Tool, type ToolLoad, wrk } from './load-tools.ts';
import { PEERS_LINGER_MS } from './peers.ts';
import { batchProto, ingestProto, prepareRequests } from './requests.ts';
import type { Figure, Scenario } from './scenario.ts';
import { peakResidentBytes, processTree, treeCpuSeconds } from './usage.ts';

const PER_BATCH = 100;
const BATCHES_PER_STREAM = 50;
/** To warm up the broker, too. */
const FULL = { warmUpSeconds: 30, seconds: 20 };
const QUICK: typeof FULL = { warmUpSeconds: 1, seconds: 3 };

interface Way {
  name: string;
  what: string;
  tool: Tool;
  connections: number;
  eventsPerRequest: number;
  lingerMs: number;
  send(url: string, dir: string, seconds: number): Promise<ToolLoad>;
}

const WAYS: Way[] = [
  {
    ...{
      name: 'kafka-rest',
      what: 'POST /api/v1/events',
      tool: 'wrk',
      connections: 64,
      eventsPerRequest: 1,
      lingerMs: 0,
    },
    send: (url, _dir, seconds) => wrk(url, 64, seconds),
  },
  grpcWay(
    { name: 'kafka-grpc', method: 'Ingest', connections: 64, eventsPerRequest: 1, lingerMs: PEERS_LINGER_MS },
    () => [prepareRequests(ingestProto, 1, 100).next()],
  ),
  grpcWay(
    { name: 'kafka-batch', method: 'IngestBatch', connections: 16, eventsPerRequest: PER_BATCH, lingerMs: 0 },
    () => [prepareRequests(batchProto, PER_BATCH, PER_BATCH).next()],
  ),
  grpcWay(
    {
      ...{ name: 'kafka-stream', method: 'IngestStream', connections: 4 },
      eventsPerRequest: PER_BATCH * BATCHES_PER_STREAM,
      lingerMs: 0,
    },
    () => {
      const messages = prepareRequests(batchProto, PER_BATCH, PER_BATCH * BATCHES_PER_STREAM);
      return Array.from({ length: BATCHES_PER_STREAM }, () => messages.next());
    },
  ),
];

function grpcWay(way: Omit<Way, 'what' | 'tool' | 'send'> & { method: string }, messages: () => Buffer[]): Way {
  const { method, connections } = way;
  return {
    ...way,
    what: `gRPC ${method}`,
    tool: 'h2load',
    send: (url, dir, seconds) =>
      h2load(`${url}/clickmesh.v1.IngestService/${method}`, { body: grpcBody(messages()), dir, connections, seconds }),
  };
}

/** The gateway alone in front of Kafka, under the load tools and the loads that the Java peers' gateway gets. */
export const kafkaGateway: Scenario<BenchKafka>[] = WAYS.map((way) => ({
  name: way.name,
  method:
    `\`clickmesh gateway\` in front of one Kafka broker (acks=all, 4 partitions), nobody reads what it writes: ${way.what}, ` +
    `events a request: ${way.eventsPerRequest.toLocaleString('en-US')}, by ${way.tool} over ${way.connections} connections with one request under way on each. ` +
    `${way.lingerMs} ms of linger; ${FULL.warmUpSeconds} s to warm up, then ${FULL.seconds} s. The gateway has a worker a core; CPU and memory are those of all its processes.`,
  needs: [...KAFKA, way.tool],
  start: startBenchKafka,
  run: (kafka, quick) => runWay(kafka, way, quick ? QUICK : FULL),
}));

async function runWay(kafka: BenchKafka, way: Way, { warmUpSeconds, seconds }: typeof FULL): Promise<Figure[]> {
  const gateway = await startService('gateway', {
    KAFKA_BROKERS: kafka.bootstrap,
    LINGER_MS: String(way.lingerMs),
  });
  try {
    await way.send(gateway.url, kafka.dir, warmUpSeconds);
    const before = { cpu: treeCpuSeconds(gateway.pid), records: await recordsIn(kafka.log) };
    const load = await way.send(gateway.url, kafka.dir, seconds);
    const cpu = treeCpuSeconds(gateway.pid) - before.cpu;
    const events = load.requests * way.eventsPerRequest;
    const records = (await recordsIn(kafka.log)) - before.records;
    if (records < events) throw new Error(`${events} events were acknowledged and ${records} are in Kafka`);
    const peak = processTree(gateway.pid).reduce((sum, pid) => sum + peakResidentBytes(pid), 0);
    return [
      { name: 'requests', value: load.requests / load.seconds, unit: 'requests/s' },
      { name: 'events', value: events / load.seconds, unit: 'events/s' },
      { name: 'p50', value: load.p50, unit: 'ms' },
      { name: 'p99', value: load.p99, unit: 'ms' },
      { name: 'CPU', value: (cpu / load.requests) * 10_000, unit: 'CPU-s per 10k requests' },
      { name: 'peak memory', value: peak / 2 ** 20, unit: 'MiB' },
    ];
  } finally {
    await gateway.stop();
  }
}

async function recordsIn(log: EventLog): Promise<number> {
  return (await log.offsets('raw-events')).reduce((sum, { end }) => sum + end, 0);
}
