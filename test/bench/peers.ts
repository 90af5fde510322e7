import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Figure, Scenario, Subject } from './scenario.ts';

const run = promisify(execFile);
const EVENTS = 6_000_000;
const QUICK_EVENTS = 20_000;
/** How long the peers' gateway lets a record wait for others, in ms. Theirs by REST is no faster without. */
export const PEERS_LINGER_MS = 2;
const SECONDS = 20;

/**
 * Scenarios of programs that do the same job, from a folder with a Maven project and a script for each; it is copied
 * into `into` and built there. Each starts a broker of its own and checks its own results.
 */
export function buildPeers(source: string, into: string): Scenario<Subject>[] {
  const dir = join(into, 'peers');
  mkdirSync(dir);
  execFileSync('cp', ['-r', `${source}/.`, dir]);
  execFileSync('chmod', ['-R', 'u+w', dir]);
  const mvn = (cwd: string, ...args: string[]) =>
    execFileSync('mvn', ['-q', '-B', ...args], { cwd, stdio: ['ignore', 2, 2] });
  const libraries = ['-DincludeScope=runtime', '-DoutputDirectory=libs'];
  mvn(join(dir, 'kafka'), 'dependency:copy-dependencies', ...libraries);
  mvn(dir, 'package', '-DskipTests');
  return [
    // Next to what it is compared with: after our gateways come the peers, and after these the next run's drains.
    gatewayPeer(dir),
    drainPeer(dir, 'kstreams', 'at_least_once', 'Kafka Streams'),
    drainPeer(dir, 'kstreams', 'exactly_once_v2', 'Kafka Streams, exactly-once'),
    drainPeer(dir, 'flink', 'at_least_once', 'Flink'),
  ];
}

interface DrainResult {
  correct: boolean;
  events_per_s_committed: number;
  warm_events_per_s: number;
  cpu_s_per_million: number;
  kafka_cpu_s_per_million: number;
  peak_rss_mb: number;
}

function drainPeer(dir: string, program: string, guarantee: string, title: string): Scenario<Subject> {
  return {
    name: `peer-${program}${guarantee.startsWith('exactly') ? '-exactly-once' : ''}`,
    method:
      `${title} (2 threads, RocksDB state) on the load of drain, without counters and decisions, which it does not ` +
      'have. From the first record that it saw until all is committed; warm is the last three quarters.',
    start: async () => NOTHING,
    async run(_nothing, quick) {
      const args = [String(quick ? QUICK_EVENTS : EVENTS), guarantee];
      const result = await lastLine<DrainResult>(dir, `run-${program}.sh`, args);
      if (!result.correct) throw new Error(`${title} attributed wrongly: ${JSON.stringify(result)}`);
      return [
        { name: 'committed', value: result.events_per_s_committed, unit: 'events/s' },
        { name: 'warm', value: result.warm_events_per_s, unit: 'events/s' },
        { name: 'CPU', value: result.cpu_s_per_million, unit: 'CPU-s per million events' },
        { name: 'CPU of Kafka', value: result.kafka_cpu_s_per_million, unit: 'CPU-s per million events' },
        { name: 'peak memory', value: result.peak_rss_mb, unit: 'MiB' },
      ];
    },
  };
}

interface Phase {
  rps: number;
  events_per_s?: number;
  p50_ms: number;
  p99_ms: number;
  server_cpu_s_per_10k: number;
}
type GatewayResult = Record<'http' | 'grpc_unary' | 'grpc_batch100', Phase> & { server_peak_rss_mb: number };

function gatewayPeer(dir: string): Scenario<Subject> {
  return {
    name: 'peer-webflux',
    method:
      `Spring WebFlux and grpc-java in front of Kafka (acks=all, linger ${PEERS_LINGER_MS} ms), under the loads of ` +
      'kafka-rest, kafka-grpc and kafka-batch by the same tools, after 60 s to warm up.',
    start: async () => NOTHING,
    async run(_nothing, quick) {
      const env = { LINGER: String(PEERS_LINGER_MS), ...(quick && { WARMUP: '4' }) };
      const result = await lastLine<GatewayResult>(dir, 'run-webflux.sh', [String(quick ? 2 : SECONDS)], env);
      return [
        ...phase('REST', result.http),
        ...phase('gRPC', result.grpc_unary),
        ...phase('batch', result.grpc_batch100),
        { name: 'batch: events', value: result.grpc_batch100.events_per_s!, unit: 'events/s' },
        { name: 'peak memory', value: result.server_peak_rss_mb, unit: 'MiB' },
      ];
    },
  };
}

function phase(name: string, { rps, p50_ms, p99_ms, server_cpu_s_per_10k }: Phase): Figure[] {
  return [
    { name: `${name}: requests`, value: rps, unit: 'requests/s' },
    { name: `${name}: p50`, value: p50_ms, unit: 'ms' },
    { name: `${name}: p99`, value: p99_ms, unit: 'ms' },
    { name: `${name}: CPU`, value: server_cpu_s_per_10k, unit: 'CPU-s per 10k requests' },
  ];
}

/** The scripts start all they need, and end it. */
const NOTHING: Subject = { stop: async () => {} };

async function lastLine<Result>(
  dir: string,
  script: string,
  args: string[],
  env: Record<string, string> = {},
): Promise<Result> {
  const { stdout } = await run(join(dir, script), args, { env: { ...process.env, ...env }, maxBuffer: 1 << 26 });
  return JSON.parse(stdout.trim().split('\n').at(-1)!);
}
