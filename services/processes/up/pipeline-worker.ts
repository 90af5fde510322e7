import { setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { attributionConfig } from '../../attribution/decision/config.ts';
import { run } from '../../attribution/node/node.ts';
import { watchNode } from '../../attribution/node/node-metrics.ts';
import { rocksdbStateStores } from '../../attribution/store/rocksdb-state-store.ts';
import { clickhouseClient } from '../../clickhouse/client.ts';
import { startSink } from '../../clickhouse/sink.ts';
import { attachEmbeddedLog } from '../../log/embedded/log.ts';
import { type Answerer, portRequests } from '../../system/port-requests.ts';
import { newLogger } from '../../telemetry/logger.ts';
import { collectMetrics, stopTelemetry } from '../../telemetry/start.ts';
import type { PipelineAnswers, PipelineData, PipelineSignal, PipelineStatus } from './pipeline-messages.ts';

/** Attribution and the ClickHouse sink in a thread of their own, so that neither delays a gateway's answer. */
const { share, attribution, stateDir, clickhouseUrl, logLevel } = workerData as PipelineData;
const port = parentPort!;
const logger = await newLogger(logLevel, 'pipeline');

setPriority(5);
const log = await attachEmbeddedLog(share);
const client = clickhouseClient(clickhouseUrl);
const sink = startSink({ log, client, logger });
const node = await run(attributionConfig(attribution), {
  log,
  logger,
  stores: rocksdbStateStores(stateDir),
});
watchNode(node, log);
Promise.race([node.failed, sink.failed]).catch(async (error) => {
  // A thread that ends while its stores are open may take the process with it.
  await Promise.allSettled([node.close(), log.close()]);
  // The error reaches the main thread as the worker's, which starts the thread again from what is stored.
  setImmediate(() => {
    throw error;
  });
});

async function status(): Promise<PipelineStatus> {
  return {
    attribution: node.partitions().map(({ partition, nextOffset = 0 }) => ({ partition, nextOffset })),
    inserted: sink.positions(),
  };
}

async function metrics(): Promise<PipelineAnswers['metrics']> {
  return (await collectMetrics())?.scopeMetrics;
}

async function stop() {
  await node.close();
  await sink.close();
  await client.close();
  await log.close();
  await stopTelemetry();
  port.close();
}

portRequests(port, { status, metrics } satisfies Answerer<PipelineAnswers>);
port.on('message', (message: PipelineSignal) => {
  if (message === 'stop') void stop();
});
port.postMessage('started' satisfies PipelineSignal);
