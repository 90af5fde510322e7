import { once } from 'node:events';
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { EMBEDDED_CLUSTER, startClickHouseShards } from '../../clickhouse/embedded/shards.ts';
import { newLogger } from '../../telemetry/logger.ts';
import { createTopics, migrateServers } from '../roles/setup-processes.ts';
import { banner } from '../run/banner.ts';
import { forkWorker } from '../run/fork.ts';
import { parentIsGone } from '../run/parent.ts';
import type { ReadyMessage } from '../run/process.ts';
import { type Supervised, supervise } from '../run/supervise.ts';
import { writableFolder } from '../run/writable-folder.ts';
import { type ClusterConfig, parseClusterConfig } from '../settings/config.ts';
import { startKafka } from './kafka-server.ts';

const SHARDS = 2;
/** Interval at which the list of processes is checked for changes, in ms. */
const LIST_PERIOD_MS = 500;
const READY_POLL_MS = 200;

/** A process of the cluster, as /status lists it. */
export interface ClusterProcess {
  role: 'kafka' | 'clickhouse' | 'attribution' | 'gateway';
  name: string;
  pid: number;
  urls: string[];
}

interface Member extends Supervised {
  role: ClusterProcess['role'];
  name: string;
  /** Empty while it starts. */
  urls(): string[];
}

/**
 * Runs a distributed mesh on this machine, each part in a process of its own: Kafka, two ClickHouse shards, attribution
 * nodes, and gateways that share one port. Whatever dies is started again; SIGINT or SIGTERM drains it all.
 * Throws an Error with one clear line if it can't start.
 */
export async function runCluster(env: NodeJS.ProcessEnv): Promise<void> {
  const config = parseClusterConfig(env);
  const logger = await newLogger(config.LOG_LEVEL, 'cluster');
  const stopped = Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM'), parentIsGone(env)]);
  await using running = new AsyncDisposableStack();
  const url = await startCluster(config, env, logger, running);
  process.stdout.write(banner(url, config));
  await stopped;
  process.stdout.write('draining\n');
}

/** Starts all in the order in which an event passes them, so that they end in reverse; resolves with the mesh's URL. */
async function startCluster(
  config: ClusterConfig,
  env: NodeJS.ProcessEnv,
  logger: Logger,
  running: AsyncDisposableStack,
): Promise<string> {
  const dataDir = writableFolder(config.DATA_DIR);
  const members: Member[] = [];
  const kafka = await startKafka({ dir: join(dataDir, 'kafka'), logger, brokers: config.BROKERS });
  running.defer(() => kafka.close());
  const shards = await startClickHouseShards({ dir: join(dataDir, 'clickhouse'), shards: SHARDS, logger });
  running.defer(() => shards.close());

  const common = {
    ...env,
    HOST: config.HOST,
    PORT: '0',
    LOG_LEVEL: config.LOG_LEVEL,
    PARTITIONS: String(config.PARTITIONS),
    REPLICATION_FACTOR: String(config.BROKERS),
    KAFKA_BROKERS: kafka.bootstrap,
    CLICKHOUSE_URL: shards.urls.join(','),
    CLICKHOUSE_CLUSTER: EMBEDDED_CLUSTER,
    PROCESSES_FILE: join(dataDir, 'processes.json'),
  };
  for (const difference of await createTopics(common)) logger.warn(difference);
  await migrateServers(common);
  const brokers = kafka.bootstrap.split(',').map((address) => `kafka://${address}`);
  const list = keepListOf(common.PROCESSES_FILE, () => [
    ...numbered('kafka', kafka.pids(), brokers),
    ...numbered('clickhouse', shards.pids(), shards.urls),
    ...members.map(({ role, name, pid, urls }) => ({ role, name, pid: pid(), urls: urls() })),
  ]);
  running.defer(list);

  for (let i = 1; i <= config.ATTRIBUTION_NODES; i++) {
    const name = `attribution-${i}`;
    const own = { NODE_ID: name, STATE_DIR: join(dataDir, 'state', name) };
    members.push(startMember('attribution', name, { ...common, ...own }, logger));
  }
  for (let i = 1; i <= config.GATEWAYS; i++) {
    members.push(startMember('gateway', `gateway-${i}`, { ...common, SHARED_PORT: String(config.PORT) }, logger));
  }
  for (const member of members) running.defer(() => member.close());
  return ready(members);
}

/** A process of our own program; it ends when this one does, however that is. */
function startMember(role: 'attribution' | 'gateway', name: string, env: NodeJS.ProcessEnv, logger: Logger): Member {
  let urls: string[] = [];
  const spawn = () => {
    urls = [];
    const worker = forkWorker(role, env);
    worker.on('message', (message: ReadyMessage) => {
      urls = message.ready.urls;
    });
    return worker.process;
  };
  return { ...supervise(name, spawn, logger), role, name, urls: () => urls };
}

/** Lists the processes of a role, each with one URL. Their numbers begin with 1. */
function numbered(role: ClusterProcess['role'], pids: number[], urls: string[]): ClusterProcess[] {
  return pids.map((pid, i) => ({ role, name: `${role}-${i + 1}`, pid, urls: [urls[i]!] }));
}

/** Waits until every process serves; the last URL of a gateway is the one they share. */
async function ready(members: readonly Member[]): Promise<string> {
  while (members.some((member) => member.urls().length === 0)) await sleep(READY_POLL_MS);
  const url = members.at(-1)!.urls().at(-1)!;
  while (!(await fetch(`${url}/readyz`).catch(() => undefined))?.ok) await sleep(READY_POLL_MS);
  return url;
}

/** Writes the list to a file whenever it changes. Returns a function that stops it. */
function keepListOf(file: string, list: () => ClusterProcess[]): () => Promise<void> {
  let written = '';
  let writing = Promise.resolve();
  async function write() {
    const text = JSON.stringify(list());
    if (text === written) return;
    await writeFile(`${file}.new`, text);
    await rename(`${file}.new`, file);
    written = text;
  }
  const timer = setInterval(() => {
    writing = writing.then(write);
  }, LIST_PERIOD_MS);
  return async () => {
    clearInterval(timer);
    await writing;
  };
}
