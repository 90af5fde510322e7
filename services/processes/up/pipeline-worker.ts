import { setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import type { ScopeMetrics } from '@opentelemetry/sdk-metrics';
import { type AttributionEnvironment, attributionConfig } from '../../attribution/decision/config.ts';
import { run } from '../../attribution/node/node.ts';
import { watchNode } from '../../attribution/node/node-metrics.ts';
import { rocksdbStateStores } from '../../attribution/store/rocksdb-state-store.ts';
import { sinkClient, startSink } from '../../clickhouse/sink.ts';
import type { Topic } from '../../contract/topics.ts';
import { attachEmbeddedLog, type EmbeddedLogShare } from '../../log/embedded/log.ts';
import { type Answerer, portRequests } from '../../system/port-requests.ts';
import { newLogger } from '../../telemetry/logger.ts';
import { collectMetrics, stopTelemetry } from '../../telemetry/start.ts';

/** The workerData of the pipeline's thread. */
export interface PipelineData {
  share: EmbeddedLogShare;
  attribution: AttributionEnvironment;
  stateDir: string;
  clickhouseUrl: string;
  logLevel: string;
}

/** Questions to the thread, with the types of their answers. */
export interface PipelineAnswers {
  status: {
    attribution: { partition: number; nextOffset: number; trouble: string | undefined; stateBytes: number }[];
    /** Next offset to insert, per partition. */
    inserted: Record<Topic, number[]>;
    /** Why the last insert of a topic failed, where it is tried again. */
    troubles: Partial<Record<Topic, string>>;
  };
  metrics: ScopeMetrics[] | undefined;
}

/** Messages besides questions and answers: `started` from the thread, once it runs, and `stop` to it. */
export type PipelineSignal = 'started' | 'stop';

/** Attribution and the ClickHouse sink in a thread of their own, so that neither delays a gateway's answer. */
const { share, attribution, stateDir, clickhouseUrl, logLevel } = workerData as PipelineData;
const port = parentPort!;
const logger = await newLogger(logLevel, 'pipeline');

setPriority(5);
const log = await attachEmbeddedLog(share);
const client = sinkClient(clickhouseUrl);
const sink = startSink(log, client, logger);
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

async function stop() {
  await node.close();
  await sink.close();
  await client.close();
  await log.close();
  await stopTelemetry();
  port.close();
}

portRequests(port, {
  status: async () => ({
    attribution: node
      .partitions()
      .map(({ partition, nextOffset = 0, trouble, stateBytes }) => ({ partition, nextOffset, trouble, stateBytes })),
    inserted: sink.positions(),
    troubles: sink.troubles(),
  }),
  metrics: async () => (await collectMetrics())?.scopeMetrics,
} satisfies Answerer<PipelineAnswers>);
port.on('message', (message: PipelineSignal) => {
  if (message === 'stop') void stop();
});
port.postMessage('started' satisfies PipelineSignal);
