import { dashboardHttp } from '../../dashboard/routes.ts';
import { gatewayHttp, gatewayRoutes } from '../../gateway/routes.ts';
import { usersInClickHouse } from '../../gateway/users/clickhouse-users.ts';
import type { Readiness } from '../../http/standard/health.ts';
import { metricsRoute } from '../../http/standard/metrics-route.ts';
import { openapiRoute } from '../../http/standard/openapi.ts';
import { openKafkaLog } from '../../log/kafka/log.ts';
import { statsHttp, statsRoutes } from '../../stats/routes.ts';
import { newLogger } from '../../telemetry/logger.ts';
import { labelled } from '../../telemetry/prometheus-text.ts';
import { collectMetrics } from '../../telemetry/start.ts';
import { type Running, runProcess } from '../run/process.ts';
import { answersWithin, checksOfAll } from '../run/readiness.ts';
import { type ProcessServer, serveProcess } from '../run/serve-process.ts';
import { type GatewayConfig, parseGatewayConfig } from '../settings/config.ts';
import { clickhouseOf, clusterStalls, clusterView } from '../status/cluster-view.ts';
import { Coverage, toldBy } from '../status/coverage.ts';
import { watchStalls } from '../status/stalls.ts';
import { statusOf, statusRoute } from '../status/status.ts';
import { watchClickHouse } from '../status/watch-clickhouse.ts';
import { questionsToOthers } from './worker-questions.ts';

/** Pause between two looks whether attribution and ClickHouse go on, in ms. */
const LOOK_MS = 10_000;

/** `clickmesh gateway`, or a worker of it: ingest into Kafka; with CLICKHOUSE_URL it serves stats and status, too. */
export function runGateway(env: NodeJS.ProcessEnv): Promise<void> {
  return runProcess((running) => startGateway(env, running));
}

async function startGateway(env: NodeJS.ProcessEnv, running: AsyncDisposableStack): Promise<Running> {
  const config = parseGatewayConfig(env);
  const logger = await newLogger(config.LOG_LEVEL, 'gateway');
  const { KAFKA_BROKERS: bootstrap, LINGER_MS: lingerMs } = config;
  const log = await openKafkaLog({ bootstrap, lingerMs, clientId: 'clickmesh-gateway' });
  running.defer(() => log.close());
  const clickhouse = clickhouseOf(env);
  if (clickhouse !== undefined) running.defer(() => clickhouse.close());
  const watching = new AbortController();
  running.defer(() => watching.abort());
  // What is the same for all workers is measured, and said, by one.
  const isFirst = (config.GATEWAY_WORKER_NUMBER ?? 1) === 1;
  const say = (line: string) => isFirst && logger.error(line);
  const stalls = watchStalls(
    clusterStalls(log, clickhouse !== undefined),
    { everyMs: LOOK_MS, say, logger },
    watching.signal,
  );
  const view = clickhouse && clusterView({ env, log, clickhouse, stalls });
  const stats = view && {
    client: clickhouse.client,
    log,
    models: view.attribution.MODELS,
    rollups: view.attribution.ROLLUPS,
    timeZone: view.attribution.REPORT_TIME_ZONE,
    told: toldBy(view.attribution, config.CURRENCY),
    freshness: new Coverage(view),
    status: statusOf(view),
  };
  if (view !== undefined && isFirst) watchClickHouse(view, logger, watching.signal);

  const own = async () => ({
    log: await answersWithin('Kafka', () => log.offsets('raw-events')),
    ...(clickhouse !== undefined && { clickhouse: await answersWithin('ClickHouse', () => clickhouse.ping()) }),
  });
  const findUsers = clickhouse && usersInClickHouse(clickhouse.client);
  const gateway = { log, findUsers, now: Date.now, currency: config.CURRENCY };
  const options: Omit<ProcessServer, 'port'> = {
    host: config.HOST,
    logger,
    notice: () => stalls.notice(),
    ...withOthers(config, own),
    services(router, shutdown) {
      gatewayRoutes(router, gateway);
      if (stats !== undefined) statsRoutes(router, { ...stats, shutdown });
    },
    routes: [
      ...gatewayHttp(gateway),
      ...(stats === undefined ? [] : statsHttp(stats)),
      ...(stats === undefined ? [] : [statusRoute(stats.status)]),
      openapiRoute,
      // It shows what stats answer.
      ...(stats === undefined ? [] : dashboardHttp()),
    ],
  };
  const urls: string[] = [];
  for (const place of portsOf(config)) {
    const server = await serveProcess({ ...options, ...place });
    running.defer(() => server.close());
    urls.push(server.url);
  }
  return { urls };
}

/** Workers have only the port they share. */
function portsOf({ PORT, SHARED_PORT, GATEWAY_WORKER_NUMBER }: GatewayConfig) {
  if (GATEWAY_WORKER_NUMBER !== undefined) return [{ port: PORT, shared: true }];
  return [{ port: PORT }, ...(SHARED_PORT === undefined ? [] : [{ port: SHARED_PORT, shared: true }])];
}

/** The readiness of the port: that of all workers behind it. */
function withOthers({ GATEWAY_WORKER_NUMBER: worker }: GatewayConfig, own: Readiness) {
  if (worker === undefined) return { ready: own, metrics: metricsRoute() };
  const labels = { worker: String(worker) };
  const ask = questionsToOthers({
    readiness: own,
    async metrics() {
      const collected = await collectMetrics();
      return collected === undefined ? [] : labelled(collected, labels).scopeMetrics;
    },
  });
  return {
    ready: async () => {
      const [answer, others] = await Promise.all([own(), ask('readiness')]);
      return checksOfAll([{ worker, answer }, ...others]);
    },
    metrics: metricsRoute(async () => (await ask('metrics')).flatMap(({ answer }) => answer ?? []), labels),
  };
}
