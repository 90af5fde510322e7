import { attributionConfig } from '../../attribution/decision/config.ts';
import { type Attribution, run } from '../../attribution/node/node.ts';
import { watchNode } from '../../attribution/node/node-metrics.ts';
import { checkpointStore } from '../../attribution/recovery/recovery-config.ts';
import { rocksdbStateStores } from '../../attribution/store/rocksdb-state-store.ts';
import { json } from '../../http/exchange/http-message.ts';
import type { HttpRoute } from '../../http/routes/http-routes.ts';
import type { Check } from '../../http/standard/health.ts';
import type { EventLog } from '../../log/event-log.ts';
import { openKafkaLog } from '../../log/kafka/log.ts';
import { newLogger } from '../../telemetry/logger.ts';
import { type Running, runProcess } from '../run/process.ts';
import { answersWithin } from '../run/readiness.ts';
import { serveProcess } from '../run/serve-process.ts';
import { writableFolder } from '../run/writable-folder.ts';
import { type AttributionNodeConfig, parseAttributionNodeConfig } from '../settings/config.ts';

/** `clickmesh attribution`: folds the partitions that its group assigns to it. */
export function runAttribution(env: NodeJS.ProcessEnv): Promise<void> {
  return runProcess((running) => startAttribution(env, running));
}

async function startAttribution(env: NodeJS.ProcessEnv, running: AsyncDisposableStack): Promise<Running> {
  const config = parseAttributionNodeConfig(env);
  const logger = await newLogger(config.LOG_LEVEL, 'attribution');
  const log = await openKafkaLog({
    bootstrap: config.KAFKA_BROKERS,
    clientId: 'clickmesh-attribution',
    groupInstanceId: config.NODE_ID,
  });
  running.defer(() => log.close());
  const checkpoints = checkpointStore(config);
  const node = await run(attributionConfig(config.attribution), {
    log,
    logger,
    stores: rocksdbStateStores(writableFolder(config.STATE_DIR)),
    checkpoints: checkpoints && { store: checkpoints, intervalMs: config.CHECKPOINT_INTERVAL_S * 1000 },
    standbys: config.STANDBYS,
  });
  running.defer(() => node.close());
  watchNode(node, log);

  const server = await serveProcess({
    host: config.HOST,
    port: config.PORT,
    logger,
    ready: async () => ({
      log: await answersWithin('Kafka', () => log.offsets('raw-events')),
      lag: await caughtUp(node, log, config).catch((): Check => ({ ok: false, reason: 'the lag is not known' })),
    }),
    services: () => {},
    routes: [partitionsRoute(node)],
  });
  running.defer(() => server.close());
  return { urls: [server.url], failed: node.failed };
}

/** Whether the node has caught up. One without partitions, where there are more nodes than partitions, has. */
async function caughtUp(node: Attribution, log: EventLog, { READY_MAX_LAG }: AttributionNodeConfig): Promise<Check> {
  const offsets = await log.offsets('raw-events');
  for (const { partition, role, nextOffset = 0, trouble } of node.partitions()) {
    const { start, end } = offsets[partition]!;
    const lag = end - Math.max(start, nextOffset);
    if (trouble !== undefined) return { ok: false, reason: `partition ${partition}: ${trouble}` };
    if (role === 'active' && lag > READY_MAX_LAG) {
      return { ok: false, reason: `partition ${partition} is ${lag} records behind` };
    }
  }
  return { ok: true };
}

/** `GET /partitions`: how each partition came here and where it stands. */
function partitionsRoute(node: Attribution): HttpRoute {
  return {
    method: 'GET',
    path: '/partitions',
    summary: 'How each partition came here and where it stands.',
    safe: true,
    async handle() {
      return json(
        node
          .partitions()
          .map(({ partition, role, restoring, nextOffset, trouble, progress, recovery, checkpoint }) => ({
            partition,
            role,
            restoring,
            next_offset: nextOffset ?? null,
            trouble: trouble ?? null,
            watermark: new Date(Number(progress.watermark)).toISOString(),
            recovery: recovery ?? null,
            checkpoint: checkpoint ?? null,
          })),
      );
    },
  };
}
