import { gatewayHttp, gatewayRoutes } from '../gateway/routes.ts';
import { openKafkaLog } from '../shared/log/kafka-log.ts';
import { healthHttp, healthRoutes } from '../shared/rpc/health.ts';
import { openapiRoute } from '../shared/rpc/openapi.ts';
import { reflectionRoutes } from '../shared/rpc/reflection.ts';
import { type ServeOptions, serve } from '../shared/rpc/server.ts';
import { newLogger } from '../shared/telemetry/logger.ts';
import { metricsRoute } from '../shared/telemetry/prometheus.ts';
import { statsHttp, statsRoutes } from '../stats/routes.ts';
import { clickhouseOf, clusterView } from './cluster-view.ts';
import { parseGatewayConfig } from './config.ts';
import { type Running, runProcess } from './process.ts';
import { answersWithin } from './readiness.ts';
import { statusRoute } from './status.ts';
import { watchClickHouse } from './watch-clickhouse.ts';

/** `clickmesh gateway`: ingest into Kafka; with CLICKHOUSE_URL it answers stats and status, too. */
export function runGateway(env: NodeJS.ProcessEnv): Promise<void> {
  return runProcess(() => startGateway(env));
}

async function startGateway(env: NodeJS.ProcessEnv): Promise<Running> {
  const config = parseGatewayConfig(env);
  const logger = await newLogger(config.LOG_LEVEL, 'gateway');
  await using starting = new AsyncDisposableStack();
  const log = await openKafkaLog({ bootstrap: config.KAFKA_BROKERS, clientId: 'clickmesh-gateway' });
  starting.defer(() => log.close());
  const clickhouse = clickhouseOf(env);
  if (clickhouse !== undefined) starting.defer(() => clickhouse.close());
  const view = clickhouse && clusterView({ env, log, clickhouse });
  if (view !== undefined) {
    const watching = new AbortController();
    starting.defer(() => watching.abort());
    watchClickHouse(view, logger, watching.signal);
  }

  const ready = async () => ({
    log: await answersWithin('Kafka', () => log.offsets('raw-events')),
    ...(clickhouse !== undefined && { clickhouse: await answersWithin('ClickHouse', () => clickhouse.ping()) }),
  });
  const gateway = { log, logger, now: Date.now };
  const options: Omit<ServeOptions, 'port'> = {
    host: config.HOST,
    logger,
    services(router, shutdown) {
      gatewayRoutes(router, gateway);
      if (clickhouse !== undefined) statsRoutes(router, { client: clickhouse.client, shutdown });
      healthRoutes(router, ready, shutdown);
      reflectionRoutes(router);
    },
    routes: [
      ...gatewayHttp(gateway),
      ...(clickhouse === undefined ? [] : statsHttp(clickhouse)),
      ...(view === undefined ? [] : [statusRoute(view)]),
      ...healthHttp(ready),
      openapiRoute,
      metricsRoute(),
    ],
  };
  const own = await serve({ ...options, port: config.PORT });
  starting.defer(() => own.close());
  const urls = [own.url];
  if (config.SHARED_PORT !== undefined) {
    const shared = await serve({ ...options, port: config.SHARED_PORT, shared: true });
    starting.defer(() => shared.close());
    urls.push(shared.url);
  }
  const running = starting.move();
  return { urls, close: () => running.disposeAsync() };
}
