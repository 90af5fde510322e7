import { setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import pino from 'pino';
import { attributionConfig } from '../attribution/config.ts';
import { run } from '../attribution/main.ts';
import { rocksdbStateStores } from '../attribution/rocksdb-state-store.ts';
import { clickhouseClient } from '../shared/clickhouse/client.ts';
import { attachEmbeddedLog } from '../shared/log/embedded-log.ts';
import type { PipelineData, PipelineMessage, PipelineStatus } from './pipeline.ts';
import { startSink } from './sink.ts';

/** Attribution and the ClickHouse sink in a thread of their own, so that neither delays a gateway's answer. */
const { share, attribution, stateDir, clickhouseUrl, logLevel } = workerData as PipelineData;
const port = parentPort!;
const logger = pino({ level: logLevel, base: { component: 'pipeline' } }, pino.destination({ dest: 2, sync: true }));

setPriority(5);
const log = await attachEmbeddedLog(share);
const client = clickhouseClient(clickhouseUrl);
const sink = startSink({ log, client, logger });
const node = await run(attributionConfig(attribution), {
  log,
  logger,
  stores: rocksdbStateStores(stateDir),
});
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

async function stop() {
  await node.close();
  await sink.close();
  await client.close();
  await log.close();
  port.close();
}

port.on('message', (message: PipelineMessage) => {
  if (message.kind === 'status') port.postMessage({ id: message.id, status: status() });
  else void stop();
});
port.postMessage('started');
