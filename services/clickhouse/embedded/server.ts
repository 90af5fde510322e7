import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { libchdbPath } from 'chdb/libchdb';
import type { Logger } from 'pino';
import { freePort } from '../../system/free-port.ts';
import { RESTARTS, restarting } from '../../system/restarting.ts';

export interface EmbeddedClickHouseOptions {
  /** Folder of its data, which one server at a time can use. */
  dir: string;
  logger: Logger;
  /** If it is one of several: the configuration that names all of them, and its port of 127.0.0.1 in there. */
  cluster?: { configFile: string; tcpPort: number };
}

export interface EmbeddedClickHouse {
  /** Address, which stays the same when the server is restarted. */
  url: string;
  /** ClickHouse's version, such as "ClickHouse 26.7.2.1". */
  version: string;
  /** True if it answered its last health check, which was at most some seconds ago. */
  healthy(): boolean;
  /** Process id of the server that runs now, or ran last. */
  pid(): number;
  /** Ends it at once: what it answered is on disk, so there is nothing to wait for. */
  close(): Promise<void>;
}

const CHILD = fileURLToPath(new URL('./server-child.ts', import.meta.url));
/** Configuration of a server that is alone. */
export const EMBEDDED_CONFIG = fileURLToPath(new URL('./server.xml', import.meta.url));
/** clickhouse-local ends with its query, so the query never ends; 3 s is the longest sleep allowed. */
const SLEEP = 'SELECT sleepEachRow(3) FROM system.numbers FORMAT Null SETTINGS max_block_size = 1, max_threads = 1';

/** Settings of every query. Given as arguments they also hold for the Kafka engine's inserts. */
const SETTINGS = [
  '--distributed_foreground_insert=1',
  '--max_partitions_per_insert_block=0',
  // By default a query gets a thread for each free GiB: only one, of the memory that this server may use.
  '--max_threads_min_free_memory_per_thread=0',
];

/** Lines of a stack trace, which follow an error in the server's output. */
const STACK_TRACE = /^(\d+\. .*| \(version .*)?$/;
/** An error without a time before it ends the server. Left alone it takes seconds to crash in its own clean-up. */
const LAST_WORDS = /^Code: \d+\. DB::Exception/;
const LOCKED = /Another server instance/;
/** Tries to start while another server has the data: one whose parent was just killed takes a moment to die, too. */
const LOCK_TRIES = 5;
const LOCK_RETRY_MS = 300;

const START_POLL_MS = 50;
const HEALTH_POLL_MS = 2000;
const PING_TIMEOUT_MS = 5000;
/** A server that leaves so many health checks in a row unanswered hangs, and is killed. */
const MAX_FAILED_PINGS = 6;

/**
 * Runs ClickHouse in a child process on a free port of 127.0.0.1 and resolves when it answers. It is started again,
 * with growing pauses, whenever it dies, and dies with this process, however that ends. Rejects with one line where it
 * can't start: no library for this platform, or another server has its data.
 */
export async function startEmbeddedClickHouse(options: EmbeddedClickHouseOptions): Promise<EmbeddedClickHouse> {
  const { dir, logger, cluster } = options;
  const library = locateLibrary();
  mkdirSync(dir, { recursive: true });
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const log = logger.child({ component: 'clickhouse' });
  const args = serverArguments(port, cluster);
  const start = () => spawnServer(dir, [library, ...args], log);

  let child = start();
  let healthy = await answering(child, url);
  for (let tries = 1; !healthy && tries < LOCK_TRIES && LOCKED.test(child.lastWords()); tries++) {
    await sleep(LOCK_RETRY_MS);
    child = start();
    healthy = await answering(child, url);
  }
  if (!healthy) throw new Error(`ClickHouse did not start on ${dir}: ${child.lastWords()}`);
  const query = `SELECT value FROM system.build_options WHERE name = 'VERSION_FULL'`;
  const version = (await (await fetch(url, { method: 'POST', body: query })).text()).trim();
  log.info({ url, version, pid: child.process.pid }, 'ClickHouse is up');

  const closing = new AbortController();
  /** Starts a server, unless there is the one that answers already, and waits for its end. */
  async function run(steady: () => void): Promise<void> {
    if (!healthy) {
      child = start();
      healthy = await answering(child, url);
      if (healthy) log.info({ pid: child.process.pid }, 'ClickHouse is up again');
    }
    if (healthy) steady();
    await watch(child, url, (answers) => {
      healthy = answers;
    });
  }
  const supervised = restarting(run, RESTARTS, closing.signal, (_, pauseMs) => {
    log.error({ pauseMs, lastWords: child.lastWords() }, 'ClickHouse died; starting it again');
  });

  return {
    url,
    version,
    healthy: () => healthy,
    pid: () => child.process.pid!,
    async close() {
      closing.abort();
      child.process.kill('SIGKILL');
      await supervised;
      await child.exited;
      healthy = false;
    },
  };
}

function serverArguments(httpPort: number, cluster: EmbeddedClickHouseOptions['cluster']): string[] {
  const listen = [`--config-file=${cluster?.configFile ?? EMBEDDED_CONFIG}`, `--http_port=${httpPort}`];
  if (cluster !== undefined) listen.push(`--tcp_port=${cluster.tcpPort}`);
  const interfaces = cluster === undefined ? ['HTTP'] : ['HTTP', 'TCP'];
  const queries = [...interfaces.map((name) => `SYSTEM START LISTEN ${name}`), SLEEP];
  return [...listen, '--listen_host=127.0.0.1', '--path=.', ...SETTINGS, `--query=${queries.join(';')}`];
}

interface Server {
  process: ChildProcess;
  exited: Promise<void>;
  /** The last line that it wrote to standard error. */
  lastWords(): string;
}

function spawnServer(dir: string, args: string[], logger: Logger): Server {
  // The server keeps format schemas in this folder. A kill can leave one half-written, and it would go on using that.
  rmSync(join(dir, '__cache__'), { recursive: true, force: true });
  // In a process group of its own, out of reach of a terminal's Ctrl-C; what ends it is the end of its standard input.
  const child = spawn(process.execPath, [CHILD, ...args], {
    stdio: ['pipe', 'ignore', 'pipe'],
    detached: true,
    cwd: dir,
  });
  let last = '';
  createInterface(child.stderr).on('line', (line) => {
    if (STACK_TRACE.test(line) || LAST_WORDS.test(last)) return;
    last = line;
    logger.warn({ pid: child.pid }, line);
    if (LAST_WORDS.test(line)) child.kill('SIGKILL');
  });
  // 'close' comes after the end of its output.
  const exited = once(child, 'close').then(() => {});
  return { process: child, exited, lastWords: () => last };
}

/** Waits for the server's first answer; false if it exits before. */
async function answering(server: Server, url: string): Promise<boolean> {
  let exited = false;
  server.exited.then(() => {
    exited = true;
  });
  while (!exited) {
    if (await ping(url)) return true;
    await sleep(START_POLL_MS);
  }
  return false;
}

/** Reports the server's health until it exits; kills it when it hangs. */
async function watch(server: Server, url: string, report: (answers: boolean) => void): Promise<void> {
  let failed = 0;
  const timer = setInterval(async () => {
    const answers = await ping(url);
    if (server.process.exitCode !== null || server.process.signalCode !== null) return;
    report(answers);
    failed = answers ? 0 : failed + 1;
    if (failed >= MAX_FAILED_PINGS) server.process.kill('SIGKILL');
  }, HEALTH_POLL_MS);
  await server.exited;
  clearInterval(timer);
  report(false);
}

async function ping(url: string): Promise<boolean> {
  try {
    const response = await fetch(`${url}/ping`, { signal: AbortSignal.timeout(PING_TIMEOUT_MS) });
    return (await response.text()) === 'Ok.\n';
  } catch {
    return false;
  }
}

function locateLibrary(): string {
  try {
    return libchdbPath();
  } catch (cause) {
    const platform = `${process.platform}-${process.arch}`;
    throw new Error(`there is no embedded ClickHouse for ${platform}: set CLICKHOUSE_URL to a server`, { cause });
  }
}
