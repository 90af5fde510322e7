import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { DescMessage } from '@bufbuild/protobuf';
import { type ClickHouseClient, ClickHouseLogLevel, createClient } from '@clickhouse/client';
import pino from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Topic } from '../contract/topics.ts';
import { freePort } from '../system/free-port.ts';
import { clickhouseClient } from './client.ts';
import { EMBEDDED_CONFIG, startEmbeddedClickHouse } from './embedded/server.ts';
import { type ClickHouseShards, EMBEDDED_CLUSTER, startClickHouseShards } from './embedded/shards.ts';
import { clickhouseGroup, fillIn, type MigrateOptions, migrate } from './migrate.ts';
import { STREAMS } from './streams.ts';

let folder: string;
let server: ClickHouseShards;
let url: string;
let client: ClickHouseClient;
let dir: URL;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'migrate-'));
  server = await startClickHouseShards({ dir: join(folder, 'data'), shards: 1, logger: pino({ level: 'silent' }) });
  url = server.urls[0]!;
  client = clickhouseClient(url);
  cpSync(new URL('../../sql', import.meta.url), join(folder, 'sql'), { recursive: true });
  dir = pathToFileURL(`${join(folder, 'sql')}/`);
  await migrate(client, { dir });
});

afterAll(async () => {
  await client.close();
  await server.close();
  rmSync(folder, { recursive: true });
});

async function names(query: string): Promise<string[]> {
  const result = await client.query({ query: `SELECT name FROM (${query}) ORDER BY name`, format: 'JSONEachRow' });
  return (await result.json<{ name: string }>()).map(({ name }) => name);
}

test('every table of the product is there, and each migration is recorded once', async () => {
  const tables = await names('SELECT name FROM system.tables WHERE database = currentDatabase()');
  expect(tables).toEqual(
    expect.arrayContaining([
      'events_local',
      'events_distributed',
      'attributed_events',
      'daily_stats',
      'daily_stats_mv',
    ]),
  );
  const applied = await names('SELECT name FROM schema_migrations');
  expect(applied[1]).toBe('010_events.sql');
  expect(new Set(applied).size).toBe(applied.length);
});

/** Fields that no column holds, as ClickHouse names them, and why. */
const NOT_STORED: Partial<Record<Topic, Record<string, string>>> = {
  'raw-events': {
    conversion_value: 'the gateway stores value_micros, and leaves this 0 in the log',
    conversion_currency: 'it is that of the mesh, and left out of the log',
    adjustment_value: 'as of a conversion',
    adjustment_currency: 'as of a conversion',
  },
  'attributed-events': { value: 'attributed_events computes it from value_micros' },
  'daily-stats': { 'models.version': 'only the state of a node has it' },
  'rollup-stats': { 'models.version': 'only the state of a node has it' },
};

/** The fields of a message as ClickHouse names their columns: those of a message in it after its name. */
function columnsOf(message: DescMessage, prefix = ''): string[] {
  return message.fields.flatMap((field) => {
    if (field.message === undefined || field.fieldKind === 'map') return [prefix + field.name];
    return columnsOf(field.message, `${prefix}${field.name}${field.fieldKind === 'list' ? '.' : '_'}`);
  });
}

test.each(STREAMS)('every field of $topic is a column of $queue, or there is a reason why not', async (stream) => {
  const described = await client.query({ query: `DESCRIBE TABLE ${stream.queue}`, format: 'JSONEachRow' });
  const columns = await described.json<{ name: string; type: string; default_type: string }>();
  const stored = columns
    .filter(({ name, default_type }) => default_type !== 'ALIAS' && !name.startsWith('_'))
    .flatMap(({ name, type }) => {
      const parts = /^Array\(Tuple\((.*)\)\)$/s.exec(type)?.[1]?.matchAll(/(\w+) [^,]+/g);
      return parts === undefined ? [name] : [...parts].map(([, part]) => `${name}.${part}`);
    });
  const notStored = Object.keys(NOT_STORED[stream.topic] ?? {});
  expect([...stored, ...notStored].sort()).toEqual(columnsOf(stream.message).sort());
});

/**
 * Checksums by which an installation knows the migrations that it has applied. From the first release on none of them
 * changes: what would change one, such as another limit, gets a migration of its own (see `migrate`).
 */
const CHECKSUMS = {
  '001_ingest_errors.sql': 'f5704d39756c',
  '010_events.sql': '7e49af1ededa',
  '020_attributed_events.sql': '705bb08df06d',
  '030_daily_stats.sql': '3e2279b6a304',
  '040_conversion_decisions.sql': '7ac24283cb62',
  '050_attribution_progress.sql': 'a086a7e645d0',
  '060_sink_offsets.sql': '3754bf5435bf',
  '070_conversion_metadata.sql': '696a5f4f0a6d',
  '080_event_targets.sql': '4a89e6b1ebd0',
  '081_corrections.sql': 'eb13f9b9e4c4',
  '090_corrected_outputs.sql': '50d5fd0a5449',
  '100_corrected_stats.sql': 'b2897412b814',
  '110_rollup_stats.sql': 'b4ee666f7fc2',
  '115_attribution_settings.sql': 'a656375e0e74',
  '120_event_conflicts.sql': 'fb2713ab3d75',
  '130_event_arrivals.sql': '35636aa8f293',
  '140_credits_of_clicks.sql': 'da7c6085d3cf',
  '150_wide_daily_stats.sql': '603b95c886e3',
  '160_decisions_by_month.sql': 'a712808ab0f5',
  '161_moved_decisions.sql': '6386c4f4b968',
};

test('migrations are those that installations have applied', async () => {
  const query = 'SELECT name, left(checksum, 12) AS checksum FROM schema_migrations ORDER BY name';
  const applied = await (await client.query({ query, format: 'JSONEachRow' })).json<
    Record<'name' | 'checksum', string>
  >();
  expect(Object.fromEntries(applied.map(({ name, checksum }) => [name, checksum]))).toEqual(CHECKSUMS);
});

test('a queue, which is polled from its first view on, gets first the view that keeps its records', () => {
  for (const name of readdirSync(dir)) {
    const text = readFileSync(new URL(name, dir), 'utf8');
    const views = [...text.matchAll(/^CREATE MATERIALIZED VIEW .* (\w+)_mv TO |^\{\{errors (\S+)\}\}/gm)];
    const errors = views.flatMap(([, , topic], i) => (topic === undefined ? [] : [i]));
    expect(errors, name).toEqual(errors.map((_, i) => 2 * i + 1));
  }
});

test('applying them again does nothing', async () => {
  const before = await names('SELECT concat(name, toString(applied_at)) AS name FROM schema_migrations');
  await client.command({ query: 'DROP TABLE sink_offsets' });
  await migrate(client, { dir });
  expect(await names('SELECT concat(name, toString(applied_at)) AS name FROM schema_migrations')).toEqual(before);
  expect(await names(`SELECT name FROM system.tables WHERE name = 'sink_offsets'`)).toEqual([]);
});

test('credits, decisions and counters are kept in a partition a month, by when what they count happened', async () => {
  const months = ['2025-11', '2026-02'];
  const insert = (table: string, values: object[]) => client.insert({ table, values, format: 'JSONEachRow' });
  await insert(
    'attributed_events',
    months.map((month) => ({ conversion_time: `${month}-28 23:59:59.999`, click_time: '2025-11-01 00:00:00' })),
  );
  for (const table of ['daily_stats', 'rollup_stats']) {
    await insert(
      table,
      months.map((month) => ({ day: `${month}-28` })),
    );
  }
  await insert(
    'conversion_decisions',
    months.map((month) => ({ conversion_time: `${month}-28 23:59:59.999` })),
  );
  for (const table of ['attributed_events_local', 'decisions_local', 'daily_stats_local', 'rollup_stats_local']) {
    const parts = `SELECT DISTINCT partition AS name FROM system.parts WHERE active AND table = '${table}'`;
    expect(await names(parts), table).toEqual(['202511', '202602']);
    await client.command({ query: `TRUNCATE TABLE ${table}` });
  }
});

test('a new file is applied', async () => {
  writeFileSync(new URL('900_new.sql', dir), '-- New.\nCREATE TABLE new (a UInt8) ENGINE = Null;\n');
  await migrate(client, { dir });
  expect(await names(`SELECT name FROM system.tables WHERE name = 'new'`)).toEqual(['new']);
});

test('a database that the embedded sink feeds does not change to Kafka', async () => {
  await expect(migrate(client, { dir, kafkaBrokers: '127.0.0.1:1' })).rejects.toThrow('fed by the embedded sink');
});

test('comments may be corrected after a migration was applied', async () => {
  const file = new URL('030_daily_stats.sql', dir);
  const text = readFileSync(file, 'utf8');
  writeFileSync(file, `-- More.\n${text.replace('-- Empty on rows', '-- Left empty on rows')}`);
  expect(readFileSync(file, 'utf8')).toContain('    -- Left empty on rows');
  await migrate(client, { dir });
});

test.each([
  ['010_events.sql', '68b987c5a707d97f80fadc209df65d2af7fadaa7ea9f81d98c34b76293ce3472'],
  ['020_attributed_events.sql', '0904222a985c63c519d940e1addc0120501630fbc5d23f617c5f0c658c79db3b'],
  ['070_conversion_metadata.sql', '70c48ca011d453fff1b43fe04f33efda573147ed96ec1281e91521d84edda3c1'],
  ['081_corrections.sql', 'abcdfcb122c129c5b8cf07c52645b07877fe8e07e9c93aad9a027b613a8df542'],
])('an installation that has %s as it was before goes on with what that made', async (name, earlier) => {
  const change = `UPDATE checksum = '${earlier}' WHERE name = '${name}' SETTINGS mutations_sync = 1`;
  await client.command({ query: `ALTER TABLE schema_migrations ${change}` });
  await migrate(client, { dir });
});

test('a file that changed after it was applied is an error that names it', async () => {
  writeFileSync(new URL('050_attribution_progress.sql', dir), 'SELECT 1;\n');
  await expect(migrate(client, { dir })).rejects.toThrow(
    'migration 050_attribution_progress.sql was changed after it was applied',
  );
});

/** The tables of a database, by name: their engines as ClickHouse was told. */
async function engines(database: string): Promise<Map<string, string>> {
  const result = await client.query({
    query: 'SELECT name, engine_full FROM system.tables WHERE database = {database:String}',
    query_params: { database },
    format: 'JSONEachRow',
  });
  return new Map(
    (await result.json<{ name: string; engine_full: string }>()).map((row) => [row.name, row.engine_full]),
  );
}

async function migrateDatabase(database: string, options: MigrateOptions): Promise<Map<string, string>> {
  await client.command({ query: `CREATE DATABASE ${database}` });
  await using other = createClient({ url, database, log: { level: ClickHouseLogLevel.OFF } });
  await migrate(other, options);
  const made = await engines(database);
  await client.command({ query: `DROP DATABASE ${database}` });
  return made;
}

test('with a broker the queues are Kafka engine tables that carry their message definition', async () => {
  // No broker is there: the tables are made all the same and would read as soon as one is.
  const made = await migrateDatabase('with_broker', { kafkaBrokers: '127.0.0.1:1' });
  for (const { queue, topic, message } of STREAMS) {
    expect(made.get(queue)).toMatch(/^Kafka SETTINGS /);
    expect(made.get(queue)).toContain(`kafka_group_name = '${clickhouseGroup(topic)}'`);
    expect(made.get(queue)).toContain(`message ${message.name} {`);
  }
});

test('when the brokers change the queues follow, and their views stay', async () => {
  await client.command({ query: 'CREATE DATABASE moved' });
  await using other = createClient({ url, database: 'moved', log: { level: ClickHouseLogLevel.OFF } });
  await migrate(other, { kafkaBrokers: '127.0.0.1:1' });
  const views = await names(`SELECT name FROM system.tables WHERE database = 'moved' AND engine = 'MaterializedView'`);
  await migrate(other, { kafkaBrokers: '127.0.0.1:1,127.0.0.1:2' });
  const made = await engines('moved');
  for (const { queue } of STREAMS) expect(made.get(queue)).toContain(`kafka_broker_list = '127.0.0.1:1,127.0.0.1:2'`);
  const reading = `SELECT arrayJoin(dependencies_table) AS name FROM system.tables WHERE database = 'moved' AND engine = 'Kafka'`;
  expect(await names(reading)).toEqual(views);
  await client.command({ query: 'DROP DATABASE moved' });
});

test('on a cluster rows are written and read through Distributed tables, by a key that keeps versions together', async () => {
  const made = await migrateDatabase('on_cluster', { cluster: EMBEDDED_CLUSTER });
  const keys = Object.fromEntries(
    [...made].flatMap(([name, engine]) => {
      const [, table, key] = /^Distributed\('clickmesh', 'on_cluster', '(.+)', (.+)\)$/.exec(engine) ?? [];
      return key === undefined ? [] : [[`${name} of ${table}`, key]];
    }),
  );
  expect(keys).toEqual({
    'attributed_events of attributed_events_local': 'sipHash64(user_id)',
    'attribution_settings of attribution_settings_local': 'partition',
    'attribution_progress of attribution_progress_local': 'partition',
    'conversion_decisions of decisions_local': 'sipHash64(conversion_id)',
    'daily_stats of daily_stats_local': 'sipHash64(campaign_id)',
    'event_conflicts of event_conflicts_local': 'sipHash64(user_id)',
    'events_distributed of events_local': 'sipHash64(user_id)',
    'ingest_errors of ingest_errors_local': '_offset',
    'rollup_stats of rollup_stats_local': 'sipHash64(dimension_1)',
  });
});

test('with replicas every table that keeps rows is replicated under one path a shard', () => {
  const engine = (statement: string) => fillIn(statement, { cluster: 'clickmesh', replicated: true });
  const path = "'/clickhouse/tables/{shard}/{database}/{table}', '{replica}'";
  expect(engine('ENGINE = ReplacingMergeTree\nORDER BY a')).toBe(
    `ENGINE = ReplicatedReplacingMergeTree(${path})\nORDER BY a`,
  );
  expect(engine('ENGINE = ReplacingMergeTree(version, retracted)\nORDER BY a')).toBe(
    `ENGINE = ReplicatedReplacingMergeTree(${path}, version, retracted)\nORDER BY a`,
  );
});

test('a server whose Kafka engine would insert without waiting for the shards is refused', async () => {
  await using careless = createClient({
    url,
    clickhouse_settings: { distributed_foreground_insert: 0 },
    log: { level: ClickHouseLogLevel.OFF },
  });
  await expect(migrate(careless, { kafkaBrokers: '127.0.0.1:1' })).rejects.toThrow(
    'ClickHouse needs distributed_foreground_insert = 1 in its default profile, not 0',
  );
});

test('a server that has fewer threads than queues is refused', async () => {
  const configFile = join(folder, 'config.xml');
  const threads = /(?<=<background_message_broker_schedule_pool_size>)\d+/;
  writeFileSync(configFile, readFileSync(EMBEDDED_CONFIG, 'utf8').replace(threads, '2'));
  const cluster = { configFile, tcpPort: await freePort() };
  await using servers = new AsyncDisposableStack();
  const logger = pino({ level: 'silent' });
  const slow = await startEmbeddedClickHouse({ dir: join(folder, 'slow'), logger, cluster });
  servers.defer(() => slow.close());
  const client = clickhouseClient(slow.url);
  servers.defer(() => client.close());
  await expect(migrate(client, { kafkaBrokers: '127.0.0.1:1' })).rejects.toThrow(
    'ClickHouse needs background_message_broker_schedule_pool_size of at least 8 in its configuration, not 2',
  );
});
