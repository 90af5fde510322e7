import { rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { statusCaughtUp } from '../../services/cli/ask-mesh.ts';
import type { ClusterProcess } from '../../services/processes/cluster/cluster.ts';
import { type ClusterUnderTest, startCluster } from '../fixtures/cluster-process.ts';
import { KAFKA } from '../needs.ts';
import { grpcClient } from './clients.ts';
import { closedLoop } from './load.ts';
import { measureIngest } from './measure-ingest.ts';
import { batchProto, prepareRequests } from './requests.ts';
import type { Figure, Scenario } from './scenario.ts';
import { processCpuSeconds } from './usage.ts';

const PARTITIONS = 16;
const PER_REQUEST = 100;
const IN_FLIGHT = 16;
const FULL = { seconds: 20, warmUpSeconds: 10, poolEvents: 200_000, lostEvents: 400_000 };
const QUICK: typeof FULL = { seconds: 0.2, warmUpSeconds: 0.1, poolEvents: 2000, lostEvents: 2000 };
const CATCH_UP_TIMEOUT_MS = 300_000;

/** The same load on more and more processes: on a machine with few cores what must stay flat is their CPU per event. */
const scale: Scenario<ClusterUnderTest>[] = [1, 2, 4].map((nodes) => ({
  name: `cluster-${nodes}`,
  method:
    `clickmesh cluster with ${nodes} gateways and ${nodes} attribution nodes, ${PARTITIONS} partitions, one broker, two ` +
    `ClickHouse shards. IngestBatch of ${PER_REQUEST} events by gRPC, ${IN_FLIGHT} in flight for each gateway: ` +
    `${FULL.warmUpSeconds} s a gateway for every process to compile its code; then, measured, ${FULL.seconds} s and until ` +
    'attribution and ClickHouse have caught up.',
  needs: KAFKA,
  start: (dataDir) => startCluster(dataDir, clusterOf(nodes)),
  run: (mesh, quick) => runScale(mesh, nodes, quick ? QUICK : FULL),
}));

const recovery: Scenario<ClusterUnderTest>[] = (['replay', 'checkpoint'] as const).map((source) => ({
  name: `recovery-${source}`,
  method:
    `One attribution node with ${FULL.lostEvents.toLocaleString('en-US')} events in ${PARTITIONS} partitions is killed ` +
    `and its RocksDB deleted; it recovers by ${source}. All partitions recover side by side in one thread.`,
  needs: KAFKA,
  start: (dataDir) =>
    startCluster(dataDir, {
      ...clusterOf(1),
      ...(source === 'checkpoint' && {
        CHECKPOINT_URL: pathToFileURL(`${dataDir}-checkpoints`).href,
        CHECKPOINT_INTERVAL_S: '2',
      }),
    }),
  run: (mesh, quick) => runRecovery(mesh, source, quick ? QUICK : FULL),
}));

const failover: Scenario<ClusterUnderTest>[] = [0, 1].map((standbys) => ({
  name: `failover-${standbys}`,
  method:
    `One of two attribution nodes is killed with kill -9, ${standbys} standbys; from then until events that were ` +
    'acknowledged after it are attributed in every partition. The process that died is started again meanwhile.',
  needs: KAFKA,
  start: (dataDir) => startCluster(dataDir, { ...clusterOf(2), STANDBYS: String(standbys) }),
  run: (mesh, quick) => runFailover(mesh, quick ? QUICK : FULL),
}));

export const cluster: Scenario<ClusterUnderTest>[] = [...scale, ...recovery, ...failover];

function clusterOf(nodes: number): Record<string, string> {
  return { PARTITIONS: String(PARTITIONS), GATEWAYS: String(nodes), ATTRIBUTION_NODES: String(nodes) };
}

async function runScale(mesh: ClusterUnderTest, nodes: number, size: typeof FULL): Promise<Figure[]> {
  const requests = prepareRequests(batchProto, PER_REQUEST, size.poolEvents);
  using client = grpcClient(mesh.url, '/clickmesh.v1.IngestService/IngestBatch', 2 * nodes);
  let acknowledged = 0;
  const load = async (loadSeconds: number) => {
    const { requests: count } = await closedLoop(IN_FLIGHT * nodes, loadSeconds, () => client.send(requests.next()));
    acknowledged += count * PER_REQUEST;
  };
  await load(size.warmUpSeconds * nodes);
  await statusCaughtUp(mesh.url, CATCH_UP_TIMEOUT_MS);
  const warmUpEvents = acknowledged;
  const before = cpuByRole(mesh);
  const { seconds, catchUpSeconds } = await measureIngest(
    mesh,
    () => load(size.seconds),
    () => acknowledged,
  );
  const after = cpuByRole(mesh);
  const events = acknowledged - warmUpEvents;
  const owned = (await status(mesh)).owners.map(({ partitions }) => partitions.length);
  return [
    { name: 'sustained', value: events / seconds, unit: 'events/s' },
    { name: 'catching up', value: catchUpSeconds, unit: 's' },
    { name: 'fewest partitions of a node', value: Math.min(...owned), unit: '' },
    { name: 'most partitions of a node', value: Math.max(...owned), unit: '' },
    ...ROLES.map((role) => ({
      name: `CPU: ${role}`,
      value: ((after[role] - before[role]) / events) * 1e6,
      unit: 'CPU-s per million events',
    })),
  ];
}

const ROLES = ['gateway', 'kafka', 'attribution', 'clickhouse'] as const satisfies ClusterProcess['role'][];

function cpuByRole(mesh: ClusterUnderTest): Record<ClusterProcess['role'], number> {
  const seconds = { gateway: 0, kafka: 0, attribution: 0, clickhouse: 0 };
  for (const { role, pid } of mesh.processes()) seconds[role] += processCpuSeconds(pid).own;
  return seconds;
}

interface Partition {
  restoring: boolean;
  next_offset: number | null;
  checkpoint: { offset: number } | null;
  recovery: {
    source: string;
    loadMs: number;
    loadedBytes: number;
    replayedRecords: number;
    replayMs: number;
  };
}

async function runRecovery(mesh: ClusterUnderTest, source: string, size: typeof FULL): Promise<Figure[]> {
  await send(mesh, size.lostEvents);
  await statusCaughtUp(mesh.url, CATCH_UP_TIMEOUT_MS);
  if (source === 'checkpoint') {
    await until(mesh, (partitions) => partitions.every((each) => each.checkpoint?.offset === each.next_offset));
  }
  const restarted = mesh.signal('attribution-1', 'SIGKILL');
  rmSync(`${mesh.dataDir}/state/attribution-1`, { recursive: true });
  await restarted;
  const done = await until(
    mesh,
    (partitions) => partitions.length === PARTITIONS && partitions.every((p) => !p.restoring),
  );
  const recoveries = done.map((partition) => partition.recovery);
  const other = recoveries.find((each) => each.source !== source);
  if (other !== undefined) throw new Error(`recovered by ${other.source}, not by ${source}`);
  const sum = (of: (each: Partition['recovery']) => number) => recoveries.reduce((total, each) => total + of(each), 0);
  const longest = (of: (each: Partition['recovery']) => number) => Math.max(...recoveries.map(of));
  return [
    { name: 'loading a state', value: longest((each) => each.loadMs), unit: 'ms' },
    { name: 'loaded', value: sum((each) => each.loadedBytes) / 2 ** 20, unit: 'MiB' },
    { name: 'replayed', value: sum((each) => each.replayedRecords), unit: 'records' },
    {
      name: 'replay',
      value:
        (1000 * sum((each) => each.replayedRecords)) /
        Math.max(
          1,
          longest((each) => each.replayMs),
        ),
      unit: 'records/s',
    },
  ];
}

async function runFailover(mesh: ClusterUnderTest, size: typeof FULL): Promise<Figure[]> {
  await send(mesh, size.poolEvents);
  await statusCaughtUp(mesh.url, CATCH_UP_TIMEOUT_MS);
  const killedAt = performance.now();
  const restarted = mesh.signal('attribution-1', 'SIGKILL');
  await send(mesh, 2000);
  for (;;) {
    const { attribution, topics } = await status(mesh);
    const ends = topics.find(({ topic }) => topic === 'raw-events')!.partitions;
    const folded = new Map(attribution.map(({ partition, next_offset }) => [partition, next_offset]));
    if (ends.every(({ partition, end }) => (folded.get(partition) ?? 0) >= end)) break;
    await sleep(50);
  }
  const seconds = (performance.now() - killedAt) / 1000;
  await restarted;
  return [{ name: 'from the kill to attributed again', value: seconds, unit: 's' }];
}

async function send(mesh: ClusterUnderTest, events: number): Promise<void> {
  const requests = prepareRequests(batchProto, PER_REQUEST, events);
  using client = grpcClient(mesh.url, '/clickmesh.v1.IngestService/IngestBatch', 2);
  let left = events / PER_REQUEST;
  const sender = async () => {
    while (left-- > 0) await client.send(requests.next());
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, sender));
}

/** The partitions of the only node, once they are as they should be. */
async function until(mesh: ClusterUnderTest, are: (partitions: Partition[]) => boolean): Promise<Partition[]> {
  for (;;) {
    const node = mesh.processes().find(({ role }) => role === 'attribution')!;
    const answer = await fetch(`${node.urls[0]}/partitions`).catch(() => undefined);
    const partitions = ((await answer?.json()) ?? []) as Partition[];
    if (are(partitions)) return partitions;
    await sleep(100);
  }
}

interface Status {
  owners: { name: string; partitions: number[] }[];
  attribution: { partition: number; next_offset: number }[];
  topics: { topic: string; partitions: { partition: number; end: number }[] }[];
}

async function status(mesh: ClusterUnderTest): Promise<Status> {
  return (await (await fetch(`${mesh.url}/status`)).json()) as Status;
}
