import { once } from 'node:events';
import { watchProcess } from '../../telemetry/metrics.ts';
import { stopTelemetry } from '../../telemetry/start.ts';

/** One process of a distributed mesh, as it runs. */
export interface Running {
  /** The URL it answers at. */
  urls: string[];
  /** Rejects with the reason when the process can't go on. Absent where that can't happen. */
  failed?: Promise<unknown>;
}

/** Starts a process, and puts into the stack what its end has to close. */
type Start = (running: AsyncDisposableStack) => Promise<Running>;

/** The message that a process sends to the one that started it, if there is a channel. */
export interface ReadyMessage {
  ready: { urls: string[] };
}

/** Longest drain, in ms: shorter than the 30 s that Kubernetes and Docker users usually give. */
const DRAIN_TIMEOUT_MS = 25_000;

/**
 * Runs a process until SIGINT or SIGTERM, then drains it. Rejects if it can't start or can't go on. If another process
 * started it with a channel between them, it never outlives that one.
 */
export function runProcess(start: Start): Promise<void> {
  watchProcess();
  return runUntilStopped(start);
}

/** As runProcess, for a process whose children do its work, and which has no metrics. */
export async function runUntilStopped(start: Start): Promise<void> {
  // A terminal's Ctrl-C goes to the whole tree; the process at its root decides in which order they end.
  const isRoot = process.send === undefined;
  const stopped = Promise.race([
    once(process, 'SIGTERM'),
    new Promise((resolve) => process.on('SIGINT', () => isRoot && resolve(0))),
  ]);
  process.once('disconnect', () => process.exit(1));
  const running = new AsyncDisposableStack();
  const { urls, failed } = await start(running).catch(async (error) => {
    // Its channel would keep it from ending.
    process.channel?.unref();
    await running.disposeAsync();
    throw error;
  });
  process.send?.({ ready: { urls } } satisfies ReadyMessage);
  if (isRoot) process.stdout.write(`listening on ${urls.join(' and ')}\n`);
  try {
    await Promise.race([stopped, failed ?? stopped]);
  } finally {
    // A process that hangs must not keep partitions from others; nothing acknowledged is lost by its end.
    setTimeout(() => {
      process.stderr.write(`clickmesh: not drained after ${DRAIN_TIMEOUT_MS / 1000} s, ending anyway\n`);
      process.exit(1);
    }, DRAIN_TIMEOUT_MS).unref();
    await running.disposeAsync();
    await stopTelemetry();
    // The Kafka client leaves timers of requests that it gave up; the caller may still log what went wrong.
    setImmediate(() => process.exit());
  }
}
