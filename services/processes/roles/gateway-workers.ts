import type { Worker } from 'node:cluster';
import type { Ask } from '../../system/port-requests.ts';
import { newLogger } from '../../telemetry/logger.ts';
import { forkWorker } from '../run/fork.ts';
import { type ReadyMessage, type Running, runUntilStopped } from '../run/process.ts';
import { type Supervised, supervise } from '../run/supervise.ts';
import { parseGatewayConfig } from '../settings/config.ts';
import { type Answers, passQuestions } from './worker-questions.ts';

/**
 * `clickmesh gateway` on several cores: this process accepts connections and hands them to workers in turn, each a
 * whole gateway with an event loop, a heap and a Kafka producer of its own. It has no part in their requests.
 */
export function runGatewayWorkers(env: NodeJS.ProcessEnv, count: number): Promise<void> {
  return runUntilStopped((running) => startWorkers(env, count, running));
}

async function startWorkers(env: NodeJS.ProcessEnv, count: number, running: AsyncDisposableStack): Promise<Running> {
  const logger = await newLogger(parseGatewayConfig(env).LOG_LEVEL, 'gateway');
  /** The workers that serve, by their numbers less 1. */
  const workers = new Array<Ask<Answers> | undefined>(count).fill(undefined);
  const supervised: Supervised[] = [];

  function fork(i: number): Worker {
    const worker = forkWorker('gateway', { ...env, GATEWAY_WORKER_NUMBER: String(i + 1) });
    const ask = passQuestions(worker, workers);
    workers[i] = undefined;
    worker.on('message', (message) => {
      if (isReady(message)) workers[i] = ask;
    });
    return worker;
  }
  async function start(i: number): Promise<string[]> {
    const first = fork(i);
    const urls = await serving(first);
    supervised[i] = supervise(`worker ${i + 1}`, () => fork(i).process, logger, first.process);
    return urls;
  }

  // A fault that keeps one worker from starting keeps all: one reports it.
  const urls = await start(0);
  await Promise.all(Array.from({ length: count - 1 }, (_, i) => start(i + 1)));
  running.defer(async () => void (await Promise.all(supervised.map((worker) => worker.close()))));
  return { urls };
}

/** Resolves with a worker's URL once it serves. If it can't start it has reported why, and all end. */
function serving(worker: Worker): Promise<string[]> {
  const ended = () => process.exit(1);
  worker.once('exit', ended);
  return new Promise((resolve) => {
    worker.on('message', (message) => {
      if (!isReady(message)) return;
      worker.off('exit', ended);
      resolve(message.ready.urls);
    });
  });
}

function isReady(message: object): message is ReadyMessage {
  return 'ready' in message;
}
