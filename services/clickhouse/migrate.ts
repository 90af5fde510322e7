import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import type { ClickHouseClient, ClickHouseSettings } from '@clickhouse/client';
import { schemaText } from './schema-text.ts';
import { fillInTemplates } from './sql-template.ts';
import { STREAMS, streamOf } from './streams.ts';

export interface MigrateOptions {
  /** `host:port` of the Kafka brokers that ClickHouse reads, comma-separated; undefined if the sink feeds it. */
  kafkaBrokers?: string;
  /** The cluster in the server's configuration whose shards hold the rows; undefined if this server holds them all. */
  cluster?: string;
  /** True if shards have replicas, which find each other by the macros `shard` and `replica` and ClickHouse Keeper. */
  replicated?: boolean;
  /** Folder of the numbered .sql files; the product's own if undefined. */
  dir?: URL;
}

const SQL_DIR = new URL('../../sql/', import.meta.url);

/**
 * Applies every migration that was not applied yet, in the order of their numbers. Each server of a cluster is migrated
 * on its own. Statements are written so that a migration that was interrupted can be applied again. Throws if a
 * migration changed after it was applied, or if Kafka is to feed a server or database that is not set up for it.
 *
 * A checksum is over a migration's statements, with limits and other templates filled in but for those that depend on
 * the server. So comments may be corrected, and a statement be written by a template instead; but a limit that changes
 * changes the migrations that name it, and old installations refuse to start. Over the file it would not, and their
 * tables would silently keep the old limit beside gateways and attribution with the new one. To change a limit: write
 * its old value as digits in the migrations that name it, and make the queue again, by its name, in a new one.
 */
export async function migrate(client: ClickHouseClient, options: MigrateOptions): Promise<void> {
  const { dir = SQL_DIR } = options;
  if (options.kafkaBrokers !== undefined) await checkSettings(client);
  const applied = await appliedMigrations(client);
  for (const name of readdirSync(dir).sort()) {
    const sql = statements(fillInTemplates(name, readFileSync(new URL(name, dir), 'utf8')));
    const checksum = createHash('sha256').update(sql.join(';\n')).digest('hex');
    const before = applied.get(name);
    if (before === checksum || (before !== undefined && before === EARLIER[name])) continue;
    if (before !== undefined)
      throw new Error(`migration ${name} was changed after it was applied: add a new one instead`);
    for (const statement of sql) {
      await client.command({ query: fillIn(statement, options), clickhouse_settings: TELL_PROGRESS });
    }
    await client.insert({ table: 'schema_migrations', values: [{ name, checksum }], format: 'JSONEachRow' });
  }
  if (options.kafkaBrokers !== undefined) {
    await moveQueues(client, options.kafkaBrokers);
    await checkThreads(client);
  }
}

/**
 * A statement that moves the rows of a table takes longer than the client waits for the next byte. These come in
 * headers, of which Node takes 16 KiB: enough for 20 minutes.
 */
const TELL_PROGRESS: ClickHouseSettings = {
  send_progress_in_http_headers: 1,
  http_headers_progress_interval_ms: '20000',
};

/**
 * Settings that the Kafka engine's inserts need; it takes them from the server's default profile only. Rows must be on
 * their shards before the offsets are committed, and a backfill brings more days at once than an insert may by default.
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

/** A queue that always finds records keeps its thread for a minute; a queue without a thread would wait as long. */
const QUEUE_THREADS = 'background_message_broker_schedule_pool_size';

/** Throws if queues must share threads. To be called when there are queues: before, a server reports 0 threads. */
async function checkThreads(client: ClickHouseClient): Promise<void> {
  for (const { name, value } of await valuesOf(client, 'server_settings', [QUEUE_THREADS])) {
    if (Number(value) >= STREAMS.length) continue;
    throw new Error(`ClickHouse needs ${name} of at least ${STREAMS.length} in its configuration, not ${value}`);
  }
}

/** Reads settings by name, leaving out those that the server does not know. */
async function valuesOf(client: ClickHouseClient, table: 'settings' | 'server_settings', names: readonly string[]) {
  const result = await client.query({
    query: `SELECT name, value FROM system.${table} WHERE name IN {names:Array(String)}`,
    query_params: { names },
    format: 'JSONEachRow',
  });
  return result.json<{ name: string; value: string }>();
}

/** Makes queues of other brokers again. They go on where they were, as Kafka keeps their offsets. */
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

/**
 * Checksums of migrations before they changed; an installation that has applied one goes on with what it made. Of 020:
 * partitions of attributed events by day, which answer the same, but take a backfill of years slowly. Of the others:
 * the same, in another order. A queue is polled from its first view on, and what is polled before the view of events is
 * there is lost to it; so that comes first.
 */
const EARLIER: Readonly<Record<string, string>> = {
  '010_events.sql': '68b987c5a707d97f80fadc209df65d2af7fadaa7ea9f81d98c34b76293ce3472',
  '020_attributed_events.sql': '0904222a985c63c519d940e1addc0120501630fbc5d23f617c5f0c658c79db3b',
  '070_conversion_metadata.sql': '70c48ca011d453fff1b43fe04f33efda573147ed96ec1281e91521d84edda3c1',
  '081_corrections.sql': 'abcdfcb122c129c5b8cf07c52645b07877fe8e07e9c93aad9a027b613a8df542',
};

/** Lines that are comments are left out; a statement ends with a semicolon at the end of a line. */
function statements(text: string): string[] {
  const parts = text.replaceAll(/^ *--.*\n/gm, '').split(/;\n/);
  return parts.map((part) => part.trim()).filter((part) => part !== '');
}

/** Columns of a queue that the Kafka engine has by itself; the embedded sink sends them as fields of the message. */
const VIRTUAL_COLUMNS = `_partition UInt64,
    _offset UInt64,
    _timestamp_ms Nullable(DateTime64(3, 'UTC')),
    _error String,
    _raw_message String,`;

/** Fills in the templates that depend on the server: a queue's columns and engine, and how a table is distributed. */
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

/** The consumer group by which ClickHouse reads a topic: one each, so that no rebalance holds up another topic. */
export function clickhouseGroup(topic: string): string {
  return `clickmesh-clickhouse-${topic}`;
}

/**
 * Pause between two inserts of a topic by the Kafka engine, in ms. Each insert syncs files and makes a part to be
 * merged: the fewer there are of the other topics, the sooner GetStats has new counts.
 */
const FLUSH_MS = { dailyStats: 250, others: 1000 };

function kafkaEngine(topic: string, brokers: string): string {
  const { message } = streamOf(topic);
  // The message's name must be unqualified; "stream" makes a row with _error of a record that can't be parsed.
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
