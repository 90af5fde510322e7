import { once } from 'node:events';
import { watchProcess } from '../../telemetry/metrics.ts';
import { stopTelemetry } from '../../telemetry/start.ts';

/** One process of a distributed mesh, as it runs. */
export interface Running {
  /** Where it answers. */
  urls: string[];
  /** Settles when it can't go on: rejects with why. Absent where nothing of the kind can happen. */
  failed?: Promise<unknown>;
  close(): Promise<void>;
}

/** What a process tells the one that started it, if that listens. */
export interface ReadyMessage {
  ready: { urls: string[] };
}

/** Longest drain, in ms: shorter than the 30 s that Kubernetes and Docker users usually give. */
const DRAIN_TIMEOUT_MS = 25_000;

/**
 * Runs a process until SIGINT or SIGTERM, then drains it. Rejects if it can't start or can't go on. If another process
 * started it with a channel between them, it never outlives that one.
 */
export function runProcess(start: () => Promise<Running>): Promise<void> {
  watchProcess();
  return runUntilStopped(start);
}

/** runProcess for a process that others do the work of, and that has no metrics. */
export async function runUntilStopped(start: () => Promise<Running>): Promise<void> {
  // A terminal's Ctrl-C goes to the whole tree, where the process at its root says who ends when.
  const isRoot = process.send === undefined;
  const stopped = Promise.race([
    once(process, 'SIGTERM'),
    new Promise((resolve) => process.on('SIGINT', () => isRoot && resolve(0))),
  ]);
  process.once('disconnect', () => process.exit(1));
  const running = await start().catch((error) => {
    // Its channel would keep it from ending.
    process.channel?.unref();
    throw error;
  });
  process.send?.({ ready: { urls: running.urls } } satisfies ReadyMessage);
  if (isRoot) process.stdout.write(`listening on ${running.urls.join(' and ')}\n`);
  try {
    await Promise.race([stopped, running.failed ?? stopped]);
  } finally {
    // What hangs must not keep partitions from others; nothing acknowledged is lost by it.
    setTimeout(() => {
      process.stderr.write(`clickmesh: not drained after ${DRAIN_TIMEOUT_MS / 1000} s, ending anyway\n`);
      process.exit(1);
    }, DRAIN_TIMEOUT_MS).unref();
    await running.close();
    await stopTelemetry();
    // The Kafka client leaves timers of requests that were given up. Whoever called may still say what went wrong.
    setImmediate(() => process.exit());
  }
}
