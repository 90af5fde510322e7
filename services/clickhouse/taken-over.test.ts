import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type ClickHouseClient, ClickHouseLogLevel, createClient } from '@clickhouse/client';
import pino from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { clickhouseClient } from './client.ts';
import { type ClickHouseShards, EMBEDDED_CLUSTER, startClickHouseShards } from './embedded/shards.ts';
import { type MigrateOptions, migrate } from './migrate.ts';

const SQL = new URL('../../sql/', import.meta.url);

let folder: string;
let server: ClickHouseShards;
/** Of a database that is made for each test. */
let client: ClickHouseClient;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'taken-over-'));
  server = await startClickHouseShards({ dir: join(folder, 'data'), shards: 1, logger: pino({ level: 'silent' }) });
});

afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

beforeEach(async () => {
  await command('CREATE DATABASE taken_over');
  client = createClient({ url: server.urls[0]!, database: 'taken_over', log: { level: ClickHouseLogLevel.OFF } });
});

afterEach(async () => {
  await client.close();
  await command('DROP DATABASE taken_over');
});

async function command(query: string): Promise<void> {
  await using other = clickhouseClient(server.urls[0]!);
  await other.command({ query });
}

/** A folder of the migrations whose names come before a text. */
function migrationsBefore(text: string): URL {
  const before = mkdtempSync(join(folder, 'before-'));
  for (const name of readdirSync(SQL).filter((each) => each < text)) cpSync(new URL(name, SQL), join(before, name));
  return pathToFileURL(`${before}/`);
}

async function select(query: string): Promise<unknown[]> {
  return (await client.query({ query, format: 'JSONEachRow' })).json();
}

test('events that are there are kept, and found by their ids', async () => {
  await migrate(client, { dir: migrationsBefore('080') });
  const event_id = '0b0b0b0b-0000-4000-8000-0000000000ff';
  const values = [{ event_type: 'click', event_id, user_id: 'ann', ad_id: 'ad' }];
  await client.insert({ table: 'events_distributed', values, format: 'JSONEachRow' });
  await migrate(client, {});
  await client.command({
    query: 'ALTER TABLE events_local MATERIALIZE INDEX event_id_index SETTINGS mutations_sync = 1',
  });
  const query = `SELECT user_id, ad_id, kind FROM events_distributed WHERE event_id IN ['${event_id}']`;
  expect(await select(query)).toEqual([{ user_id: 'ann', ad_id: 'ad', kind: '' }]);
});

test('decisions move to their months, once, also if that is interrupted', async () => {
  const dir = migrationsBefore('160');
  await migrate(client, { dir });
  const insert = (table: string, ...values: object[]) => client.insert({ table, values, format: 'JSONEachRow' });
  const of = (id: number, month: string, version: number) => ({
    ...{ conversion_id: `00000000-0000-4000-8000-00000000000${id}`, user_id: `user-${id}`, version },
    ...{ conversion_time: `${month}-03 04:05:06.789`, models: ['linear'], cause_type: version > 1 ? 'click' : '' },
  });
  await insert('conversion_decisions', of(1, '2025-11', 1), of(2, '2026-02', 1));
  await insert('conversion_decisions', of(1, '2025-11', 2));
  const file = '160_decisions_by_month.sql';
  const [move] = readFileSync(new URL(file, SQL), 'utf8').split('CREATE MATERIALIZED');
  writeFileSync(new URL(file, dir), `${move}SELECT interrupted;\n`);
  await expect(migrate(client, { dir })).rejects.toThrow('interrupted');
  await expect(insert('conversion_decisions_local', of(3, '2026-02', 1))).rejects.toThrow('moved');
  await migrate(client, {});
  const query = `SELECT conversion_id, user_id, version, conversion_time, models, cause_type
    FROM conversion_decisions FINAL ORDER BY user_id SETTINGS do_not_merge_across_partitions_select_final = 1`;
  expect(await select(query)).toEqual([of(1, '2025-11', 2), of(2, '2026-02', 1)]);
  const tables = await select(
    `SELECT name FROM system.tables WHERE database = 'taken_over' AND name LIKE '%decisions_local'`,
  );
  expect(tables).toEqual([{ name: 'decisions_local' }]);
});

test('what daily_stats has from a build before stays, and what comes then has more', async () => {
  await migrate(client, { dir: migrationsBefore('100') });
  const key = { day: 19_000, campaign_id: 'c', source: 's', conversion_type: 't', model: 'linear' };
  const stored = {
    ...key,
    partition: 0,
    clicks: 1,
    conversions_micros: 2,
    revenue_micros: '9223372036854775807',
    version: 3,
  };
  await client.insert({ table: 'daily_stats_queue', values: [stored], format: 'JSONEachRow' });
  await migrate(client, {});
  const next = { ...stored, partition: 1, revenue_high: 10, revenue_micros: 7, refunds_high: -1, invalid_clicks: 4 };
  await client.insert({ table: 'daily_stats_queue', values: [next], format: 'JSONEachRow' });
  const sums = 'sum(s.revenue_micros)::String AS revenue, sum(refunds_micros)::String AS refunds';
  const query = `SELECT sum(clicks) AS clicks, ${sums}, sum(invalid_clicks) AS invalid FROM daily_stats AS s FINAL`;
  expect(await select(query)).toEqual([
    { clicks: 2, revenue: '19223372036854775814', refunds: '-1000000000000000000', invalid: 4 },
  ]);
  // A record of all models takes the place of those that each had.
  const { conversions_micros: _, model: __, clicks: ___, ...wide } = { ...stored, revenue_micros: 0, version: 4 };
  const models = [
    { model: 'last_click', conversions_micros: 3, revenue_micros: -1, revenue_high: 20, adjusted_high: 1 },
    { model: 'linear', conversions_micros: 0, retracted_micros: 4, refunds_micros: 6 },
  ];
  await client.insert({ table: 'daily_stats_queue', values: [{ ...wide, models }], format: 'JSONEachRow' });
  const values = 'conversions_micros, revenue_micros, retracted_micros, adjusted_micros, refunds_micros, version';
  const wider = `SELECT toString((model, ${values})) AS row FROM daily_stats FINAL WHERE partition = 0 ORDER BY model`;
  expect(await select(wider)).toEqual([
    { row: "('last_click',3,19999999999999999999,0,1000000000000000000,0,4)" },
    { row: "('linear',0,0,4,0,6,4)" },
  ]);
});

test.each<MigrateOptions>([{}, { cluster: EMBEDDED_CLUSTER }])(
  'rows of 0.1.0 stay, and say that nothing corrected them: %j',
  async (options) => {
    await migrate(client, { ...options, dir: migrationsBefore('080') });
    const [conversion_id, click_id] = ['1', '2'].map((n) => `00000000-0000-4000-8000-00000000000${n}`);
    const of = { conversion_id, user_id: 'ann', version: 7 };
    const click = { click_id, ad_id: 'ad', campaign_id: 'camp', source: 'web', click_time: 1 };
    const candidates = [{ ...click, model: 'last_click', credit_micros: 1_000_000, reason: 'credited' }];
    const written = {
      conversion_decisions: { ...of, value_micros: 5, attributed: 1, candidates },
      attributed_events: { ...of, click_id, model: 'last_click', credit_micros: 1_000_000, value_micros: 5 },
      attribution_progress: { partition: 3, records: 2, clicks: 1, attributed: 1, version: 7 },
    };
    for (const [table, row] of Object.entries(written)) {
      await client.insert({ table, values: [row], format: 'JSONEachRow' });
    }
    await migrate(client, options);
    const unset = {
      conversion_decisions: { models: [], considered: [], adjusted_micros: 0, retracted: 0, corrections: [] },
      attributed_events: { adjusted_micros: 0, refunds_micros: 0, conversion_retracted: 0, cause_type: '' },
      attribution_progress: { adjustments: 0, verdicts: 0, too_late: 0, invalid_clicks: 0 },
    };
    for (const [table, row] of Object.entries(written)) {
      expect(await select(`SELECT * FROM ${table} FINAL`)).toMatchObject([
        { ...row, ...unset[table as keyof typeof unset] },
      ]);
    }
  },
);
