import { migrate } from '../../clickhouse/migrate.ts';
import { openClickHouse } from '../../clickhouse/servers.ts';
import { HOUR_MS } from '../../contract/limits.ts';
import { TOPICS } from '../../contract/topics.ts';
import { createKafkaTopics } from '../../log/kafka/topics.ts';
import { parseMigrateConfig, parseTopicsConfig } from '../settings/config.ts';

/** `clickmesh topics`: creates the topics that are missing. Returns what differs on those that exist, a line each. */
export function createTopics(env: NodeJS.ProcessEnv): Promise<string[]> {
  const config = parseTopicsConfig(env);
  return createKafkaTopics(config.KAFKA_BROKERS, {
    partitions: config.PARTITIONS,
    replicationFactor: config.REPLICATION_FACTOR,
    retentionMs: config.LOG_RETENTION_HOURS * HOUR_MS,
    retentionBytes: Math.floor((config.LOG_RETENTION_GB * 2 ** 30) / (TOPICS.length * config.PARTITIONS)),
  });
}

/** `clickmesh migrate`: brings the tables of every server up to date. */
export async function migrateServers(env: NodeJS.ProcessEnv): Promise<void> {
  const config = parseMigrateConfig(env);
  const { KAFKA_BROKERS: kafkaBrokers, CLICKHOUSE_CLUSTER: cluster, CLICKHOUSE_REPLICATED: replicated } = config;
  const clickhouse = openClickHouse(config);
  try {
    for (const client of clickhouse.clients) await migrate(client, { kafkaBrokers, cluster, replicated });
  } finally {
    await clickhouse.close();
  }
}
