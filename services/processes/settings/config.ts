import cluster from 'node:cluster';
import { availableParallelism } from 'node:os';
import { z } from 'zod';
import { attributionConfig, parseAttributionEnvironment } from '../../attribution/decision/config.ts';
import { RECOVERY } from '../../attribution/recovery/recovery-config.ts';
import { HOUR_MS } from '../../contract/limits.ts';
import { GIVEN_NUMBER } from '../../system/given-number.ts';
import {
  CLICKHOUSE,
  INTAKE,
  invalidSettings,
  KAFKA,
  LINKS,
  LISTEN,
  LOGGING,
  parseAll,
  parseSettings,
  RETENTION,
  settings,
} from './settings.ts';

const DATA = {
  /** The folder of everything durable. */
  DATA_DIR: z.string().min(1).default('./data'),
};
/** Partitions of every topic; fixed when the log is created. */
const PARTITIONS = z.coerce.number().int().min(1).max(1024);

/** Default of USER_CACHE_MB where gateway, log, attribution and sink are one process, to stay under 1.5 GB in all. */
const MESH_USER_CACHE_MB = '192';

/** Reads the settings of `clickmesh up`. Throws one Error that names every wrong setting, as all readers here do. */
export function parseMeshConfig(env: NodeJS.ProcessEnv) {
  return withLog(
    { USER_CACHE_MB: MESH_USER_CACHE_MB, ...env },
    {
      ...LISTEN,
      ...INTAKE,
      ...LINKS,
      ...DATA,
      ...LOGGING,
      PARTITIONS: PARTITIONS.default(8),
      /** A ClickHouse server to use; the embedded one when empty. */
      CLICKHOUSE_URL: z.string().default(''),
    },
  );
}
export type MeshConfig = ReturnType<typeof parseMeshConfig>;

export function parseClusterConfig(env: NodeJS.ProcessEnv) {
  return withLog(env, {
    ...LISTEN,
    ...INTAKE,
    ...DATA,
    ...LOGGING,
    PARTITIONS: PARTITIONS.default(16),
    BROKERS: z.coerce
      .number()
      .pipe(z.union([z.literal(1), z.literal(3)], { error: 'must be 1 or 3' }))
      .default(1),
    GATEWAYS: z.coerce.number().int().min(1).max(64).default(2),
    ATTRIBUTION_NODES: z.coerce.number().int().min(1).max(64).default(2),
  });
}
export type ClusterConfig = ReturnType<typeof parseClusterConfig>;

/** Most workers a gateway can have. */
const MAX_WORKERS = 64;

export function parseGatewayConfig(env: NodeJS.ProcessEnv) {
  return parseSettings(env, {
    ...LISTEN,
    ...INTAKE,
    ...LOGGING,
    ...KAFKA,
    /** A port that all gateways of one machine share, besides their own. */
    SHARED_PORT: LISTEN.PORT.unwrap().optional(),
    /** Processes that the gateway is made of. */
    GATEWAY_WORKERS: z.coerce
      .number()
      .int()
      .min(1)
      .max(MAX_WORKERS)
      .default(() => Math.min(availableParallelism(), MAX_WORKERS)),
    /** Longest time a record waits to be sent to Kafka together with others, in ms. */
    LINGER_MS: GIVEN_NUMBER.pipe(z.coerce.number<string>().int().min(0).max(1000)).default(0),
    /** The number of this worker; set by its parent. */
    GATEWAY_WORKER_NUMBER: z.coerce.number().int().min(1).optional(),
  });
}
export type GatewayConfig = ReturnType<typeof parseGatewayConfig>;

/** A gateway that shares its port already, as a worker or in `clickmesh cluster`, is one process. */
export function gatewayWorkers(env: NodeJS.ProcessEnv): number {
  const { GATEWAY_WORKERS } = parseGatewayConfig(env);
  return cluster.isPrimary ? GATEWAY_WORKERS : 1;
}

export function parseStatsConfig(env: NodeJS.ProcessEnv) {
  return withAttribution(env, { ...LISTEN, ...INTAKE, ...LOGGING, ...CLICKHOUSE });
}

export function parseAttributionNodeConfig(env: NodeJS.ProcessEnv) {
  return withAttribution(env, {
    ...LISTEN,
    ...LOGGING,
    ...KAFKA,
    ...RECOVERY,
    /** The states of this node's partitions, a folder each. */
    STATE_DIR: z.string().min(1).default('./state'),
    /** Name of this node in its group: restarted under its name it gets its partitions back, without a rebalance. */
    NODE_ID: z.string().min(1).max(200).optional(),
    /** Most records that a partition may be behind while its node is ready. */
    READY_MAX_LAG: GIVEN_NUMBER.pipe(z.coerce.number<string>().int().min(0)).default(100_000),
  });
}
export type AttributionNodeConfig = ReturnType<typeof parseAttributionNodeConfig>;

export function parseMigrateConfig(env: NodeJS.ProcessEnv) {
  return parseSettings(env, {
    ...LOGGING,
    ...KAFKA,
    ...CLICKHOUSE,
    /** The cluster in the servers' remote_servers that CLICKHOUSE_URL lists; none for a single server. */
    CLICKHOUSE_CLUSTER: z.string().min(1).optional(),
    /** Makes tables replicated: the servers need Keeper and the macros {shard} and {replica}. */
    CLICKHOUSE_REPLICATED: z.stringbool().default(false),
  });
}

export function parseTopicsConfig(env: NodeJS.ProcessEnv) {
  return withLog(env, {
    ...KAFKA,
    PARTITIONS: PARTITIONS.default(16),
    REPLICATION_FACTOR: z.coerce.number().int().min(1).max(7).default(3),
  });
}

/** Reads the settings of attribution besides those of the shape. */
function withAttribution<S extends z.ZodRawShape>(env: NodeJS.ProcessEnv, shape: S) {
  const { own, attribution } = parseAll(env, { own: settings(shape), attribution: parseAttributionEnvironment });
  return { ...own, attribution };
}

/** Hours that the log keeps records unless clicks can be credited for longer. */
const LOG_RETENTION_HOURS = 7 * 24;

/**
 * Reads the settings of the log and of attribution besides those of the shape. The log must reach as far back as a
 * click can be credited, and does so by default: a lost state is folded again from it.
 */
function withLog<S extends z.ZodRawShape>(env: NodeJS.ProcessEnv, shape: S) {
  const parsers = { own: settings(shape), log: settings(RETENTION), attribution: parseAttributionEnvironment };
  const { own, log, attribution } = parseAll(env, parsers);
  const needed = attributionConfig(attribution).retentionMs.touch / HOUR_MS;
  const hours = log.LOG_RETENTION_HOURS ?? Math.max(LOG_RETENTION_HOURS, needed);
  if (hours < needed) {
    const least = `must be at least the longest lookback and the allowed lateness, ${needed}`;
    throw invalidSettings([`LOG_RETENTION_HOURS: ${least}`]);
  }
  return { ...own, ...log, LOG_RETENTION_HOURS: hours, attribution };
}
