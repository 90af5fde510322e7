import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type ClickHouseClient, ClickHouseLogLevel, createClient } from '@clickhouse/client';
import pino from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type EmbeddedClickHouse, startEmbeddedClickHouse } from './embedded-server.ts';
import { migrate } from './migrate.ts';

let folder: string;
let server: EmbeddedClickHouse;
let client: ClickHouseClient;
let dir: URL;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'migrate-'));
  server = await startEmbeddedClickHouse({ dir: join(folder, 'data'), logger: pino({ level: 'silent' }) });
  client = createClient({ url: server.url, log: { level: ClickHouseLogLevel.OFF } });
  cpSync(new URL('../../../sql', import.meta.url), join(folder, 'sql'), { recursive: true });
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

test('applying them again does nothing', async () => {
  const before = await names('SELECT concat(name, toString(applied_at)) AS name FROM schema_migrations');
  await client.command({ query: 'DROP TABLE sink_offsets' });
  await migrate(client, { dir });
  expect(await names('SELECT concat(name, toString(applied_at)) AS name FROM schema_migrations')).toEqual(before);
  expect(await names(`SELECT name FROM system.tables WHERE name = 'sink_offsets'`)).toEqual([]);
});

test('a new file is applied', async () => {
  writeFileSync(new URL('900_new.sql', dir), '-- New.\nCREATE TABLE new (a UInt8) ENGINE = Null;\n');
  await migrate(client, { dir });
  expect(await names(`SELECT name FROM system.tables WHERE name = 'new'`)).toEqual(['new']);
});

test('a file that changed after it was applied is an error that names it', async () => {
  writeFileSync(new URL('010_events.sql', dir), 'SELECT 1;\n');
  await expect(migrate(client, { dir })).rejects.toThrow('migration 010_events.sql was changed after it was applied');
});

test('with a broker the queues are Kafka engine tables that carry their message definition', async () => {
  const database = 'with_broker';
  await client.command({ query: `CREATE DATABASE ${database}` });
  const other = createClient({ url: server.url, database, log: { level: ClickHouseLogLevel.OFF } });
  // No broker is there: the tables are made all the same and would read as soon as one is.
  await migrate(other, { kafkaBrokers: '127.0.0.1:1' });
  await other.close();
  const queues = `SELECT name FROM system.tables WHERE database = '${database}' AND engine = 'Kafka'`;
  expect(await names(`${queues} AND create_table_query LIKE '%message %'`)).toEqual([
    'attributed_events_queue',
    'attribution_progress_queue',
    'conversion_decisions_queue',
    'daily_stats_queue',
    'raw_events_queue',
  ]);
  await client.command({ query: `DROP DATABASE ${database}` });
});
