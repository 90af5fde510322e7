import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Admin } from '@platformatic/kafka';
import type { Logger } from 'pino';
import { freePort } from '../../system/free-port.ts';
import { supervise } from '../run/supervise.ts';
import { kafkaJars } from './kafka-jars.ts';

export interface KafkaServerOptions {
  /** Folder of its data; one cluster at a time can use it. */
  dir: string;
  logger: Logger;
  /** Number of brokers, each a controller, too. 1 by default; fixed once the folder is used. */
  brokers?: number;
}

export interface KafkaServer {
  /** Addresses of all brokers, as clients want them. */
  bootstrap: string;
  /** Process ids of the brokers that run, or ran last, in the order of their numbers. */
  pids(): number[];
  /** Stops the brokers in order, or kills them if they take longer than some seconds. */
  close(): Promise<void>;
}

interface Broker {
  id: number;
  port: number;
  controllerPort: number;
  dir: string;
}

const DEPLOY = new URL('../../../deploy/kafka/', import.meta.url);
const LOG4J = fileURLToPath(new URL('log4j2.xml', DEPLOY));
const JVM_OPTIONS = ['-Xms128m', '-Xmx512m', `-Dlog4j2.configurationFile=${LOG4J}`];
/** exec keeps the process id, so that it is java's; the end of standard input is the death of this process. */
const DIE_WITH_PARENT = 'exec 3<&0; (cat <&3; kill -9 $$) >/dev/null 2>&1 & exec java "$@" 3<&- </dev/null';

const START_TIMEOUT_MS = 60_000;
const START_POLL_MS = 200;

/**
 * Runs Apache Kafka on free ports of 127.0.0.1 and resolves when it serves. A broker that dies is started again, with
 * growing pauses; all die with this process, however that ends. Rejects with one line where Kafka can't start.
 */
export async function startKafka({ dir, logger, brokers: count = 1 }: KafkaServerOptions): Promise<KafkaServer> {
  const jars = await kafkaJars();
  const { clusterId, ports } = await remembered(dir, count);
  const brokers = ports.map((own, i): Broker => ({ id: i + 1, ...own, dir: join(dir, `broker-${i + 1}`) }));
  await Promise.all(brokers.map((broker) => prepare(broker, brokers, jars, clusterId)));

  const bootstrap = brokers.map(addressOf).join(',');
  const supervised = brokers.map((broker) => {
    const log = logger.child({ component: 'kafka', broker: broker.id });
    return supervise(`Kafka broker ${broker.id}`, () => spawnBroker(broker, jars, log), log);
  });
  const close = async () => {
    await Promise.all(supervised.map((each) => each.close()));
  };
  try {
    await serving(bootstrap, count);
  } catch (cause) {
    await close();
    throw new Error(`Kafka did not start on ${dir} within ${START_TIMEOUT_MS / 1000} s`, { cause });
  }
  logger.info({ bootstrap, pids: supervised.map(({ pid }) => pid()) }, 'Kafka is up');
  return { bootstrap, pids: () => supervised.map(({ pid }) => pid()), close };
}

/** Writes a broker's configuration, and its folder's format if it has none. */
async function prepare(broker: Broker, all: readonly Broker[], jars: string, clusterId: string): Promise<void> {
  const replicas = Math.min(all.length, 3);
  const inSync = replicas >= 3 ? 2 : 1;
  const own = {
    'node.id': broker.id,
    'log.dirs': join(broker.dir, 'log'),
    listeners: `PLAINTEXT://${addressOf(broker)},CONTROLLER://127.0.0.1:${broker.controllerPort}`,
    'advertised.listeners': `PLAINTEXT://${addressOf(broker)}`,
    'controller.quorum.voters': all.map(({ id, controllerPort }) => `${id}@127.0.0.1:${controllerPort}`).join(','),
    'offsets.topic.replication.factor': replicas,
    'transaction.state.log.replication.factor': replicas,
    'transaction.state.log.min.isr': inSync,
    'share.coordinator.state.topic.replication.factor': replicas,
    'share.coordinator.state.topic.min.isr': inSync,
  };
  const lines = Object.entries(own).map(([name, value]) => `${name}=${value}\n`);
  const shared = await readFile(new URL('server.properties', DEPLOY), 'utf8');
  await mkdir(broker.dir, { recursive: true });
  await writeFile(propertiesOf(broker), `${shared}\n${lines.join('')}`);
  if (existsSync(join(broker.dir, 'log', 'meta.properties'))) return;
  const format = ['kafka.tools.StorageTool', 'format', `--cluster-id=${clusterId}`, '-c', propertiesOf(broker)];
  await promisify(execFile)('java', [...javaOptions(jars), ...format]);
}

function spawnBroker(broker: Broker, jars: string, logger: Logger): ChildProcess {
  const command = [DIE_WITH_PARENT, 'java', ...javaOptions(jars), 'kafka.Kafka', propertiesOf(broker)];
  // In a process group of its own: a terminal's Ctrl-C must not stop it before the processes that still write to it.
  const child = spawn('sh', ['-c', ...command], { stdio: ['pipe', 'pipe', 'pipe'], detached: true });
  for (const output of [child.stdout, child.stderr]) {
    createInterface(output).on('line', (line) => logger.debug({ pid: child.pid }, line));
  }
  child.once('exit', () => child.stdin.end());
  return child;
}

/** Waits until every broker has joined the cluster. */
async function serving(bootstrap: string, count: number): Promise<void> {
  const retries = START_TIMEOUT_MS / START_POLL_MS;
  const clients = { bootstrapBrokers: bootstrap.split(','), retries, retryDelay: START_POLL_MS };
  const admin = new Admin({ clientId: 'clickmesh-start', ...clients });
  const deadline = performance.now() + START_TIMEOUT_MS;
  try {
    for (;;) {
      const { brokers } = await admin.metadata({ topics: [], forceUpdate: true });
      if (brokers.size === count) return;
      if (performance.now() > deadline) throw new Error(`${brokers.size} of ${count} brokers are there`);
      await sleep(START_POLL_MS);
    }
  } finally {
    await admin.close();
  }
}

interface Identity {
  clusterId: string;
  ports: { port: number; controllerPort: number }[];
}

/** Ports and cluster id, kept in the folder: clients such as ClickHouse remember the brokers' addresses. */
async function remembered(dir: string, count: number): Promise<Identity> {
  const file = join(dir, 'cluster.json');
  await mkdir(dir, { recursive: true });
  if (!existsSync(file)) {
    const clusterId = Buffer.from(randomUUID().replaceAll('-', ''), 'hex').toString('base64url');
    const identity: Identity = { clusterId, ports: [] };
    for (let i = 0; i < count; i++) {
      identity.ports.push({ port: await freePort(), controllerPort: await freePort() });
    }
    await writeFile(file, JSON.stringify(identity));
  }
  const identity = JSON.parse(await readFile(file, 'utf8')) as Identity;
  if (identity.ports.length === count) return identity;
  throw new Error(`Kafka in ${dir} has ${identity.ports.length} brokers and can't be started with ${count}`);
}

function javaOptions(jars: string): string[] {
  return [...JVM_OPTIONS, '-cp', join(jars, '*')];
}

function addressOf({ port }: Broker): string {
  return `127.0.0.1:${port}`;
}

function propertiesOf({ dir }: Broker): string {
  return join(dir, 'server.properties');
}
