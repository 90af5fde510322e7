import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import type { ScopeMetrics } from '@opentelemetry/sdk-metrics';
import type { Logger } from 'pino';
import type { EmbeddedLog } from '../../log/embedded/log.ts';
import type { PipelineAnswers, PipelineData, PipelineMessage, PipelineStatus } from './pipeline-messages.ts';

export interface Pipeline {
  /** Settles when attribution and the sink run for the first time. */
  started: Promise<void>;
  /** Undefined while the thread is not up. */
  status(): Promise<PipelineStatus | undefined>;
  /** What the thread has measured; undefined while it is not up. */
  metrics(): Promise<ScopeMetrics[] | undefined>;
  /** Lets attribution and the sink finish what they have begun. */
  close(): Promise<void>;
}

const FIRST_RESTART_MS = 200;
const LONGEST_RESTART_MS = 10_000;

/** Runs pipeline-worker.ts in a thread and starts it again, with growing pauses, whenever it dies. */
export function startPipeline(log: EmbeddedLog, data: Omit<PipelineData, 'share'>, logger: Logger): Pipeline {
  let worker: Worker | undefined;
  let stopping = false;
  const up = Promise.withResolvers<void>();
  const waiting = new Map<number, (answer: unknown) => void>();
  let lastId = 0;

  async function runOnce(): Promise<void> {
    const share = log.share();
    const started = new Worker(new URL('./pipeline-thread.ts', import.meta.url), {
      workerData: { ...data, share } satisfies PipelineData,
      transferList: [share.port],
    });
    started.on('message', (message: 'started' | { id: number; answer: unknown }) => {
      if (message !== 'started') return answered(message.id, message.answer);
      worker = started;
      up.resolve();
      if (stopping) started.postMessage({ kind: 'stop' } satisfies PipelineMessage);
    });
    started.on('error', (err) => logger.error({ err }, 'the pipeline thread failed'));
    // Not events.once: it would reject with the error that comes before the exit.
    await new Promise((resolve) => started.once('exit', resolve));
    worker = undefined;
    for (const id of waiting.keys()) answered(id, undefined);
  }

  function ask<K extends keyof PipelineAnswers>(kind: K): Promise<PipelineAnswers[K] | undefined> {
    if (worker === undefined) return Promise.resolve(undefined);
    const id = ++lastId;
    worker.postMessage({ kind, id } satisfies PipelineMessage);
    return new Promise((resolve) => waiting.set(id, resolve as (answer: unknown) => void));
  }

  function answered(id: number, answer: unknown) {
    waiting.get(id)?.(answer);
    waiting.delete(id);
  }

  async function supervise(): Promise<void> {
    let pause = FIRST_RESTART_MS;
    while (!stopping) {
      const startedAt = performance.now();
      await runOnce();
      if (stopping) return;
      if (performance.now() - startedAt > LONGEST_RESTART_MS) pause = FIRST_RESTART_MS;
      logger.warn({ pauseMs: pause }, 'starting the pipeline thread again');
      await sleep(pause);
      pause = Math.min(2 * pause, LONGEST_RESTART_MS);
    }
  }

  const done = supervise();
  return {
    started: up.promise,
    status: () => ask('status'),
    metrics: () => ask('metrics'),
    async close() {
      stopping = true;
      worker?.postMessage({ kind: 'stop' } satisfies PipelineMessage);
      await done;
    },
  };
}
