import { healthHttp, healthRoutes } from '../shared/rpc/health.ts';
import { reflectionRoutes } from '../shared/rpc/reflection.ts';
import { serve } from '../shared/rpc/server.ts';
import { newLogger } from '../shared/telemetry/logger.ts';
import { metricsRoute } from '../shared/telemetry/prometheus.ts';
import { statsHttp, statsRoutes } from '../stats/routes.ts';
import { openClickHouse } from './cluster-view.ts';
import { parseStatsConfig } from './config.ts';
import { type Running, runProcess } from './process.ts';
import { answersWithin } from './readiness.ts';

/** `clickmesh stats-service`: StatsService alone. */
export function runStats(env: NodeJS.ProcessEnv): Promise<void> {
  return runProcess(() => startStats(env));
}

async function startStats(env: NodeJS.ProcessEnv): Promise<Running> {
  const config = parseStatsConfig(env);
  const clickhouse = openClickHouse(config);
  const ready = async () => ({ clickhouse: await answersWithin('ClickHouse', () => clickhouse.ping()) });
  const server = await serve({
    host: config.HOST,
    port: config.PORT,
    logger: await newLogger(config.LOG_LEVEL, 'stats'),
    services(router, shutdown) {
      statsRoutes(router, { client: clickhouse.client, shutdown });
      healthRoutes(router, ready, shutdown);
      reflectionRoutes(router);
    },
    routes: [...statsHttp(clickhouse), ...healthHttp(ready), metricsRoute()],
  });
  return {
    urls: [server.url],
    async close() {
      await server.close();
      await clickhouse.close();
    },
  };
}
