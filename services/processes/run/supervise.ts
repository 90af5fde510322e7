import type { ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';

export interface Supervised {
  /** The id of the process that runs, or ran last. */
  pid(): number;
  /** Ends the process by SIGTERM, or by SIGKILL if it takes too long. */
  close(): Promise<void>;
}

const FIRST_RESTART_MS = 200;
const LONGEST_RESTART_MS = 10_000;
/** A process that ran this long before it died, or that was told to end, is started again without growing delay. */
const STEADY_MS = 30_000;
/** Longer than a server's drain. */
const STOP_TIMEOUT_MS = 15_000;

/**
 * Starts a process now, and again, with growing pauses, whenever it dies.
 *
 * @param first a process that runs already, instead of one to start now
 */
export function supervise(name: string, spawn: () => ChildProcess, logger: Logger, first = spawn()): Supervised {
  const closing = new AbortController();
  let child = first;
  let exited = endOf(child);

  async function run(): Promise<void> {
    let pauseMs = FIRST_RESTART_MS;
    while (!closing.signal.aborted) {
      const startedAt = performance.now();
      const { code, signal, err } = await exited;
      if (closing.signal.aborted) return;
      if (code === 0 || performance.now() - startedAt > STEADY_MS) pauseMs = FIRST_RESTART_MS;
      logger.error({ code, signal, err, pauseMs }, `${name} ended; starting it again`);
      await sleep(pauseMs, undefined, { signal: closing.signal }).catch(() => {});
      if (closing.signal.aborted) return;
      pauseMs = Math.min(2 * pauseMs, LONGEST_RESTART_MS);
      child = spawn();
      exited = endOf(child);
    }
  }
  const running = run();

  return {
    pid: () => child.pid!,
    async close() {
      closing.abort();
      child.kill('SIGTERM');
      const kill = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
      await running;
      clearTimeout(kill);
    },
  };
}

interface End {
  code: number | null;
  signal: NodeJS.Signals | null;
  /** Why it could not be started at all. */
  err?: Error;
}

/** Errors of a running process, such as a message it did not get, do not end it. */
function endOf(child: ChildProcess): Promise<End> {
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
    child.on('error', (err) => child.pid === undefined && resolve({ code: null, signal: null, err }));
  });
}
