import { Worker } from 'node:worker_threads';
import type { ScopeMetrics } from '@opentelemetry/sdk-metrics';
import type { Logger } from 'pino';
import type { EmbeddedLog } from '../../log/embedded/log.ts';
import { type Ask, portRequests } from '../../system/port-requests.ts';
import { RESTARTS, restarting } from '../../system/restarting.ts';
import type { PipelineAnswers, PipelineData, PipelineSignal, PipelineStatus } from './pipeline-messages.ts';

export interface Pipeline {
  /** Settles when attribution and the sink run for the first time. */
  started: Promise<void>;
  /** Undefined while the thread is not up. */
  status(): Promise<PipelineStatus | undefined>;
  /** The metrics of the thread; undefined while it is not up. */
  metrics(): Promise<ScopeMetrics[] | undefined>;
  /** Lets attribution and the sink finish what they have begun. */
  close(): Promise<void>;
}

/** Runs pipeline-worker.ts in a thread and starts it again, with growing pauses, whenever it dies. */
export function startPipeline(log: EmbeddedLog, data: Omit<PipelineData, 'share'>, logger: Logger): Pipeline {
  const closing = new AbortController();
  const up = Promise.withResolvers<void>();
  /** Asks the thread that is up, if one is. */
  let ask: Ask<PipelineAnswers> = async () => undefined;

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
    worker.on('error', (err) => logger.error({ err }, 'the pipeline thread failed'));
    // Not events.once: it would reject with the error that comes before the exit.
    await new Promise((resolve) => worker.once('exit', resolve));
    closing.signal.removeEventListener('abort', stop);
  }

  const done = restarting(run, RESTARTS, closing.signal, (_, pauseMs) => {
    logger.warn({ pauseMs }, 'starting the pipeline thread again');
  });
  return {
    started: up.promise,
    status: () => ask('status'),
    metrics: () => ask('metrics'),
    async close() {
      closing.abort();
      await done;
    },
  };
}
