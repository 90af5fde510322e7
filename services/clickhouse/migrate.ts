import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import type { ClickHouseClient } from '@clickhouse/client';
import { schemaText } from './schema-text.ts';
import { STREAMS, streamOf } from './streams.ts';

export interface MigrateOptions {
  /** `host:port` of Kafka brokers, comma-separated, that ClickHouse reads by itself; without, the embedded sink feeds it. */
  kafkaBrokers?: string;
  /** The cluster in the server's configuration whose shards hold the rows; without, this server holds all of them. */
  cluster?: string;
  /** Each shard has replicas, which find each other by the macros `shard` and `replica` and by ClickHouse Keeper. */
  replicated?: boolean;
  /** Where the numbered .sql files are; the product's own by default. */
  dir?: URL;
}

const SQL_DIR = new URL('../../sql/', import.meta.url);

/**
 * Applies every migration that was not applied yet, in the order of their numbers. Each server of a cluster is migrated
 * on its own. Statements are written so that a migration that was interrupted can be applied again. Throws if a file
 * changed after it was applied, or if Kafka is to feed a server or database that is not set up for it.
 */
export async function migrate(client: ClickHouseClient, options: MigrateOptions): Promise<void> {
  const { dir = SQL_DIR } = options;
  if (options.kafkaBrokers !== undefined) await checkSettings(client);
  const applied = await appliedMigrations(client);
  for (const name of readdirSync(dir).sort()) {
    const text = readFileSync(new URL(name, dir), 'utf8');
    const checksum = createHash('sha256').update(text).digest('hex');
    const before = applied.get(name);
    if (before === checksum) continue;
    if (before !== undefined)
      throw new Error(`migration ${name} was changed after it was applied: add a new one instead`);
    for (const statement of statements(text)) await client.command({ query: fillIn(statement, options) });
    await client.insert({ table: 'schema_migrations', values: [{ name, checksum }], format: 'JSONEachRow' });
  }
  if (options.kafkaBrokers !== undefined) {
    await moveQueues(client, options.kafkaBrokers);
    await checkThreads(client);
  }
}

/**
 * What the Kafka engine inserts with comes from the server's default profile, nowhere else. Rows must be on their shards
 * before the offsets are committed, and a backfill brings more days at once than an insert may hold by default.
 */
const KAFKA_ENGINE_SETTINGS: Readonly<Record<string, string>> = {
  distributed_foreground_insert: '1',
  max_partitions_per_insert_block: '0',
};

async function checkSettings(client: ClickHouseClient): Promise<void> {
  for (const { name, value } of await valuesOf(client, 'settings', Object.keys(KAFKA_ENGINE_SETTINGS))) {
    const wanted = KAFKA_ENGINE_SETTINGS[name];
    if (value !== wanted) throw new Error(`ClickHouse needs ${name} = ${wanted} in its default profile, not ${value}`);
  }
}

/** A queue that always finds records keeps its thread for a minute: as long, one without a thread would wait. */
const QUEUE_THREADS = 'background_message_broker_schedule_pool_size';

/** Only when there are queues: a server has no such threads before, and says 0. */
async function checkThreads(client: ClickHouseClient): Promise<void> {
  for (const { name, value } of await valuesOf(client, 'server_settings', [QUEUE_THREADS])) {
    if (Number(value) >= STREAMS.length) continue;
    throw new Error(`ClickHouse needs ${name} of at least ${STREAMS.length} in its configuration, not ${value}`);
  }
}

/** Those of the names that the server knows. */
async function valuesOf(client: ClickHouseClient, table: 'settings' | 'server_settings', names: readonly string[]) {
  const result = await client.query({
    query: `SELECT name, value FROM system.${table} WHERE name IN {names:Array(String)}`,
    query_params: { names },
    format: 'JSONEachRow',
  });
  return result.json<{ name: string; value: string }>();
}

/** Queues of other brokers are made again. They go on where they were: how far they have come is known to Kafka. */
async function moveQueues(client: ClickHouseClient, brokers: string): Promise<void> {
  const result = await client.query({
    query: `SELECT create_table_query FROM system.tables WHERE database = currentDatabase() AND engine = 'Kafka'`,
    format: 'JSONEachRow',
  });
  const queues = await result.json<{ create_table_query: string }>();
  if (queues.length === 0) throw new Error('this database is fed by the embedded sink and can not change to Kafka');
  for (const { create_table_query: before } of queues) {
    const after = before.replace(/(?<=kafka_broker_list = )'[^']*'/, () => quoted(brokers));
    if (after !== before) await client.command({ query: after.replace('CREATE TABLE', 'CREATE OR REPLACE TABLE') });
  }
}

async function appliedMigrations(client: ClickHouseClient): Promise<Map<string, string>> {
  await client.command({
    query: `CREATE TABLE IF NOT EXISTS schema_migrations
      (name String, checksum String, applied_at DateTime('UTC') DEFAULT now())
      ENGINE = MergeTree ORDER BY name`,
  });
  const result = await client.query({ query: 'SELECT name, checksum FROM schema_migrations', format: 'JSONEachRow' });
  const rows = await result.json<{ name: string; checksum: string }>();
  return new Map(rows.map(({ name, checksum }) => [name, checksum]));
}

/** Statements end with a semicolon at the end of a line; the first line that is no comment starts one. */
function statements(text: string): string[] {
  const parts = text.replaceAll(/^--.*\n/gm, '').split(/;\n/);
  return parts.map((part) => part.trim()).filter((part) => part !== '');
}

/** What the Kafka engine knows of a record besides its value; the embedded sink sends it as fields of the message. */
const VIRTUAL_COLUMNS = `_partition UInt64,
    _offset UInt64,
    _timestamp_ms Nullable(DateTime64(3, 'UTC')),
    _error String,
    _raw_message String,`;

/** Puts the engines of this server's kind into a statement. */
export function fillIn(statement: string, { kafkaBrokers, cluster, replicated }: MigrateOptions): string {
  const filled = statement
    .replaceAll('{{virtual-columns}}', kafkaBrokers === undefined ? VIRTUAL_COLUMNS : '')
    .replaceAll(/\{\{source (\S+)\}\}/g, (_, topic: string) =>
      kafkaBrokers === undefined ? 'Null' : kafkaEngine(topic, kafkaBrokers),
    )
    .replaceAll(/\{\{distributed (\S+) by (.+)\}\}/g, (_, table: string, key: string) =>
      cluster === undefined
        ? `ENGINE = Alias(${table})`
        : `AS ${table} ENGINE = Distributed(${quoted(cluster)}, currentDatabase(), ${table}, ${key})`,
    );
  return replicated ? filled.replaceAll(/ENGINE = (ReplacingMergeTree)(?:\((.+)\))?/g, replicatedEngine) : filled;
}

function replicatedEngine(_: string, engine: string, parameters: string | undefined): string {
  const replica = `'/clickhouse/tables/{shard}/{database}/{table}', '{replica}'`;
  return `ENGINE = Replicated${engine}(${parameters === undefined ? replica : `${replica}, ${parameters}`})`;
}

/** One group a topic, so that one topic's rebalances do not hold up the others. */
export function clickhouseGroup(topic: string): string {
  return `clickmesh-clickhouse-${topic}`;
}

/**
 * How often the Kafka engine inserts what came by a topic, in ms. Each insert syncs files and makes a part to be merged:
 * the fewer there are of the others, the sooner GetStats has new counts.
 */
const FLUSH_MS = { dailyStats: 250, others: 1000 };

function kafkaEngine(topic: string, brokers: string): string {
  const { message } = streamOf(topic);
  // The message's name must be unqualified; "stream" turns what can't be parsed into a row with _error.
  return `Kafka SETTINGS
    kafka_broker_list = ${quoted(brokers)},
    kafka_topic_list = ${quoted(topic)},
    kafka_group_name = ${quoted(clickhouseGroup(topic))},
    kafka_format = 'ProtobufSingle',
    kafka_handle_error_mode = 'stream',
    kafka_num_consumers = 1,
    kafka_thread_per_consumer = 1,
    kafka_flush_interval_ms = ${topic === 'daily-stats' ? FLUSH_MS.dailyStats : FLUSH_MS.others},
    format_schema_source = 'string',
    format_schema = ${quoted(schemaText(message))},
    format_schema_message_name = ${quoted(message.name)}`;
}

function quoted(text: string): string {
  return `'${text.replaceAll(/['\\]/g, '\\$&')}'`;
}
