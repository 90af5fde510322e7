import { openClickHouse } from '../../clickhouse/servers.ts';
import { serve } from '../../http/server/server.ts';
import { healthHttp, healthRoutes } from '../../http/standard/health.ts';
import { metricsRoute } from '../../http/standard/metrics-route.ts';
import { reflectionRoutes } from '../../http/standard/reflection.ts';
import { statsHttp, statsRoutes } from '../../stats/routes.ts';
import { newLogger } from '../../telemetry/logger.ts';
import { type Running, runProcess } from '../run/process.ts';
import { answersWithin } from '../run/readiness.ts';
import { parseStatsConfig } from '../settings/config.ts';

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
