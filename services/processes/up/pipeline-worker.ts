import { setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { attributionConfig } from '../../attribution/decision/config.ts';
import { run } from '../../attribution/node/node.ts';
import { watchNode } from '../../attribution/node/node-metrics.ts';
import { rocksdbStateStores } from '../../attribution/store/rocksdb-state-store.ts';
import { clickhouseClient } from '../../clickhouse/client.ts';
import { startSink } from '../../clickhouse/sink.ts';
import { attachEmbeddedLog } from '../../log/embedded/log.ts';
import { newLogger } from '../../telemetry/logger.ts';
import { collectMetrics, stopTelemetry } from '../../telemetry/start.ts';
import type { PipelineAnswers, PipelineData, PipelineMessage, PipelineStatus } from './pipeline-messages.ts';

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

function status(): PipelineStatus {
  return {
    attribution: node.partitions().map(({ partition, nextOffset = 0 }) => ({ partition, nextOffset })),
    inserted: sink.positions(),
  };
}

async function answer(kind: keyof PipelineAnswers) {
  return kind === 'status' ? status() : (await collectMetrics())?.scopeMetrics;
}

async function stop() {
  await node.close();
  await sink.close();
  await client.close();
  await log.close();
  await stopTelemetry();
  port.close();
}

port.on('message', (message: PipelineMessage) => {
  if (message.kind === 'stop') void stop();
  else void answer(message.kind).then((answered) => port.postMessage({ id: message.id, answer: answered }));
});
port.postMessage('started');
