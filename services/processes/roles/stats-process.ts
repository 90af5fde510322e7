import { openClickHouse } from '../../clickhouse/servers.ts';
import { statsHttp, statsRoutes } from '../../stats/routes.ts';
import { newLogger } from '../../telemetry/logger.ts';
import { type Running, runProcess } from '../run/process.ts';
import { answersWithin } from '../run/readiness.ts';
import { serveProcess } from '../run/serve-process.ts';
import { parseStatsConfig } from '../settings/config.ts';
import { toldBy } from '../status/coverage.ts';

/** `clickmesh stats-service`: StatsService alone. */
export function runStats(env: NodeJS.ProcessEnv): Promise<void> {
  return runProcess((running) => startStats(env, running));
}

async function startStats(env: NodeJS.ProcessEnv, running: AsyncDisposableStack): Promise<Running> {
  const config = parseStatsConfig(env);
  const clickhouse = openClickHouse(config);
  running.defer(() => clickhouse.close());
  const { MODELS: models, ROLLUPS: rollups, REPORT_TIME_ZONE: timeZone } = config.attribution;
  const told = toldBy(config.attribution, config.CURRENCY);
  const stats = { client: clickhouse.client, models, rollups, timeZone, told };
  const server = await serveProcess({
    host: config.HOST,
    port: config.PORT,
    logger: await newLogger(config.LOG_LEVEL, 'stats'),
    ready: async () => ({ clickhouse: await answersWithin('ClickHouse', () => clickhouse.ping()) }),
    services: (router, shutdown) => statsRoutes(router, { ...stats, shutdown }),
    routes: statsHttp(stats),
  });
  running.defer(() => server.close());
  return { urls: [server.url] };
}
