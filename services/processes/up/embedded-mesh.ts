import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ClickHouseClient } from '@clickhouse/client';
import type { Logger } from 'pino';
import { refuseOtherTimeZone } from '../../attribution/recovery/fixed-days.ts';
import { clickhouseClient } from '../../clickhouse/client.ts';
import { startEmbeddedClickHouse } from '../../clickhouse/embedded/server.ts';
import { migrate } from '../../clickhouse/migrate.ts';
import { STREAMS } from '../../clickhouse/streams.ts';
import { HOUR_MS } from '../../contract/limits.ts';
import { TOPICS } from '../../contract/topics.ts';
import { dashboardHttp } from '../../dashboard/routes.ts';
import { gatewayHttp, gatewayRoutes } from '../../gateway/routes.ts';
import { usersInClickHouse } from '../../gateway/users/clickhouse-users.ts';
import type { Check, Readiness } from '../../http/standard/health.ts';
import { metricsRoute } from '../../http/standard/metrics-route.ts';
import { openapiRoute } from '../../http/standard/openapi.ts';
import { openEmbeddedLog } from '../../log/embedded/log.ts';
import type { EventLog } from '../../log/event-log.ts';
import { statsHttp, statsRoutes } from '../../stats/routes.ts';
import { newLogger } from '../../telemetry/logger.ts';
import { watchProcess } from '../../telemetry/metrics.ts';
import { stopTelemetry } from '../../telemetry/start.ts';
import { banner } from '../run/banner.ts';
import { parentIsGone } from '../run/parent.ts';
import { serveProcess } from '../run/serve-process.ts';
import { writableFolder } from '../run/writable-folder.ts';
import { type MeshConfig, parseMeshConfig } from '../settings/config.ts';
import { Coverage, toldBy } from '../status/coverage.ts';
import { type Position, type Reading, type Stalls, watchStalls } from '../status/stalls.ts';
import { type StatusSource, statusOf, statusRoute } from '../status/status.ts';
import { watchClickHouse } from '../status/watch-clickhouse.ts';
import { type Pipeline, startPipeline } from './pipeline.ts';
import type { PipelineAnswers } from './pipeline-worker.ts';

/** Pause between two looks whether attribution and the sink go on, in ms. */
const LOOK_MS = 1000;
/** Pause between two looks whether a ClickHouse server is up, in ms. */
const CLICKHOUSE_RETRY_MS = 1000;

/**
 * Runs the whole mesh in this process until SIGINT or SIGTERM, then drains it.
 * Throws an Error with one clear line if it can't start.
 */
export async function runMesh(env: NodeJS.ProcessEnv): Promise<void> {
  const config = parseMeshConfig(env);
  watchProcess();
  await using running = new AsyncDisposableStack();
  running.defer(stopTelemetry);
  const url = await startMesh(config, await newLogger(config.LOG_LEVEL, 'mesh'), running);
  process.stdout.write(banner(url, config));
  await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM'), parentIsGone(env)]);
  process.stdout.write('draining\n');
}

/** Starts all in the order in which an event passes them, so that they end in reverse; resolves with the mesh's URL. */
async function startMesh(config: MeshConfig, logger: Logger, running: AsyncDisposableStack): Promise<string> {
  const dataDir = writableFolder(config.DATA_DIR);
  const log = await openEmbeddedLog({
    dir: join(dataDir, 'log'),
    partitions: config.PARTITIONS,
    retentionMs: config.LOG_RETENTION_HOURS * HOUR_MS,
    retentionBytes: (config.LOG_RETENTION_GB * 2 ** 30) / (TOPICS.length * config.PARTITIONS),
  });
  running.defer(() => log.close());
  await refuseOtherTimeZone(log, config.attribution.REPORT_TIME_ZONE);
  const clickhouseUrl = config.CLICKHOUSE_URL || (await embeddedClickHouse(dataDir, logger, running));
  const client = clickhouseClient(clickhouseUrl);
  running.defer(() => client.close());

  const { attribution, LOG_LEVEL: logLevel } = config;
  const pipelineData = { attribution, stateDir: join(dataDir, 'state'), clickhouseUrl, logLevel };
  const pipeline = startPipeline(log, pipelineData, logger, migrateWhenUp(client, logger));
  running.defer(() => pipeline.close());

  const watching = new AbortController();
  const server = await serveAll(config, { log, client, logger, pipeline, clickhouseUrl }, watching.signal);
  running.defer(() => watching.abort());
  running.defer(() => server.close());
  await pipeline.started;
  return server.url;
}

interface Parts {
  log: EventLog;
  client: ClickHouseClient;
  logger: Logger;
  pipeline: Pipeline;
  clickhouseUrl: string;
}

function serveAll(config: MeshConfig, parts: Parts, closing: AbortSignal) {
  const { log, client, logger, pipeline } = parts;
  const say = (line: string) => process.stdout.write(`${line}\n`);
  const source = { log, readings: () => readingsOf(pipeline), failure: pipeline.failure };
  const stalls = watchStalls(source, { everyMs: LOOK_MS, say, logger }, closing);
  const ready = readiness(client, pipeline, stalls);
  const gateway = { log, findUsers: usersInClickHouse(client), now: Date.now, currency: config.CURRENCY };
  const view = pipelineView(config, parts, stalls);
  const { MODELS: models, ROLLUPS: rollups, REPORT_TIME_ZONE: timeZone } = config.attribution;
  const told = toldBy(config.attribution, config.CURRENCY);
  const stats = { client, log, models, rollups, timeZone, told, freshness: new Coverage(view), status: statusOf(view) };
  watchClickHouse(view, logger, closing);
  return serveProcess({
    host: config.HOST,
    port: config.PORT,
    logger,
    notice: () => stalls.notice(),
    ready,
    metrics: metricsRoute(pipeline.metrics),
    services(router, shutdown) {
      gatewayRoutes(router, gateway);
      statsRoutes(router, { ...stats, shutdown });
    },
    routes: [...gatewayHttp(gateway), ...statsHttp(stats), openapiRoute, statusRoute(stats.status), ...dashboardHttp()],
  });
}

/** How far attribution is, by partition; nothing while the pipeline is not up. */
async function positionsOf(pipeline: Pipeline): Promise<(Position & { stateBytes: number })[]> {
  return attributionOf(await pipeline.status());
}

function attributionOf(status: PipelineAnswers['status'] | undefined): (Position & { stateBytes: number })[] {
  const positions: (Position & { stateBytes: number })[] = [];
  for (const { partition, ...position } of status?.attribution ?? []) positions[partition] = position;
  return positions;
}

/** How far attribution and the sink are; nothing of the latter while the pipeline is not up. */
async function readingsOf(pipeline: Pipeline): Promise<Reading[]> {
  const status = await pipeline.status();
  const attribution: Reading = { reader: 'attribution', topic: 'raw-events', positions: attributionOf(status) };
  if (status === undefined) return [attribution];
  const { inserted, troubles } = status;
  const sink = STREAMS.map(({ topic }): Reading => {
    const ofTopic = inserted[topic].map((nextOffset) => ({ nextOffset, lastError: troubles[topic] }));
    return { reader: 'ClickHouse', topic, positions: ofTopic };
  });
  return [attribution, ...sink];
}

function pipelineView({ attribution, TRACES_URL: tracesUrl }: MeshConfig, parts: Parts, stalls: Stalls): StatusSource {
  const { log, pipeline, clickhouseUrl } = parts;
  return {
    stalls,
    tracesUrl,
    attribution,
    clickhouseUrl,
    log,
    folded: async () => (await positionsOf(pipeline)).map(({ nextOffset }) => nextOffset),
    stateBytes: async () => (await positionsOf(pipeline)).map(({ stateBytes }) => stateBytes),
    inserted: async (topic) => (await pipeline.status())?.inserted[topic] ?? [],
  };
}

function readiness(client: ClickHouseClient, pipeline: Pipeline, stalls: Stalls): Readiness {
  return async () => ({
    clickhouse: check((await client.ping()).success ? stalls.notice('ClickHouse') : 'ClickHouse does not answer'),
    pipeline: check(
      (await pipeline.status()) === undefined
        ? (pipeline.failure()?.reason ?? 'attribution is not running yet')
        : undefined,
    ),
    attribution: check(stalls.notice('attribution')),
  });
}

/** Ingest does not wait for ClickHouse: events are kept in the log until it is there. */
async function migrateWhenUp(client: ClickHouseClient, logger: Logger): Promise<void> {
  while (!(await client.ping()).success) {
    logger.warn('waiting for ClickHouse');
    await sleep(CLICKHOUSE_RETRY_MS);
  }
  await migrate(client, {});
}

function check(fault: string | undefined): Check {
  return fault === undefined ? { ok: true } : { ok: false, reason: fault };
}

async function embeddedClickHouse(dataDir: string, logger: Logger, running: AsyncDisposableStack): Promise<string> {
  const server = await startEmbeddedClickHouse({ dir: join(dataDir, 'clickhouse'), logger });
  running.defer(() => server.close());
  return server.url;
}
