import type { ChildProcess } from 'node:child_process';
import type { Logger } from 'pino';
import { RESTARTS, restarting } from '../../system/restarting.ts';

export interface Supervised {
  /** The id of the process that runs, or ran last. */
  pid(): number;
  /** Ends the process by SIGTERM, or by SIGKILL if it takes too long. */
  close(): Promise<void>;
}

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
  let next: ChildProcess | undefined = first;
  async function run(steady: () => void): Promise<End> {
    child = next ?? spawn();
    next = undefined;
    const end = await endOf(child);
    // A process that ends with 0 was stopped from outside: it is steady.
    if (end.code === 0) steady();
    return end;
  }
  const running = restarting(run, RESTARTS, closing.signal, (end, pauseMs) => {
    logger.error({ ...end, pauseMs }, `${name} ended; starting it again`);
  });

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
