import { Worker } from 'node:worker_threads';
import type { Logger } from 'pino';
import type { EmbeddedLog } from '../../log/embedded/log.ts';
import { type Ask, portRequests } from '../../system/port-requests.ts';
import { RESTARTS, restarting } from '../../system/restarting.ts';
import type { Failure } from '../status/stalls.ts';
import type { PipelineAnswers, PipelineData, PipelineSignal } from './pipeline-worker.ts';

/** Longest wait for the thread to say where it is, in ms: it may be about to run out of memory. */
const STATUS_TIMEOUT_MS = 2000;

export interface Pipeline {
  /** Resolves when attribution and the sink run for the first time; rejects with the error of `ready`. */
  started: Promise<void>;
  /** Undefined while the thread is not up, or too busy to answer. */
  status(): Promise<PipelineAnswers['status'] | undefined>;
  /** The thread's latest end that was not asked for; undefined if there was none. */
  failure(): Failure | undefined;
  /** The metrics of the thread; undefined while it is not up. */
  metrics(): Promise<PipelineAnswers['metrics']>;
  /** Lets attribution and the sink finish what they have begun. */
  close(): Promise<void>;
}

/**
 * Runs pipeline-worker.ts in a thread and starts it again, with growing pauses, whenever it dies.
 *
 * @param ready is awaited before the first start
 */
export function startPipeline(
  log: EmbeddedLog,
  data: Omit<PipelineData, 'share'>,
  logger: Logger,
  ready = Promise.resolve(),
): Pipeline {
  const closing = new AbortController();
  const up = Promise.withResolvers<void>();
  /** Asks the thread that is up, if one is. */
  let ask: Ask<PipelineAnswers> = async () => undefined;
  let failure: Failure | undefined;

  async function run(): Promise<void> {
    const share = log.share();
    const worker = new Worker(new URL('./pipeline-thread.ts', import.meta.url), {
      workerData: { ...data, share } satisfies PipelineData,
      transferList: [share.port],
    });
    const askWorker = portRequests<PipelineAnswers>(worker);
    const stop = () => worker.postMessage('stop' satisfies PipelineSignal);
    worker.on('message', (message: PipelineSignal) => {
      if (message !== 'started') return;
      ask = askWorker;
      up.resolve();
      if (closing.signal.aborted) stop();
      else closing.signal.addEventListener('abort', stop);
    });
    let reason: string | undefined;
    worker.on('error', (err) => {
      reason = err.message;
      logger.error({ err }, 'the pipeline thread failed');
    });
    // Not events.once: it would reject with the error that comes before the exit.
    const code = await new Promise((resolve) => worker.once('exit', resolve));
    failure = { reason: `its thread ended and starts again: ${reason ?? `exit code ${code}`}`, at: Date.now() };
    closing.signal.removeEventListener('abort', stop);
  }

  const report = (_: unknown, pauseMs: number) => logger.warn({ pauseMs }, 'starting the pipeline thread again');
  const done = ready.then(() => restarting(run, RESTARTS, closing.signal, report)).catch(up.reject);
  // It may reject before anything awaits it.
  up.promise.catch(() => {});
  return {
    started: up.promise,
    status: () => ask('status', STATUS_TIMEOUT_MS),
    failure: () => failure,
    metrics: () => ask('metrics'),
    async close() {
      closing.abort();
      await done;
    },
  };
}
