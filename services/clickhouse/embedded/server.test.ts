import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, truncateSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { create, toBinary } from '@bufbuild/protobuf';
import type { ClickHouseClient } from '@clickhouse/client';
import pino from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { DailyStatsSchema } from '../../../gen/ts/clickmesh/v1/attribution_pb.js';
import { logRecord } from '../../../test/fixtures/log-record.ts';
import { clickhouseClient } from '../client.ts';
import { insertRecords } from '../insert-records.ts';
import { migrate } from '../migrate.ts';
import { STREAMS } from '../streams.ts';
import { type EmbeddedClickHouse, startEmbeddedClickHouse } from './server.ts';

const logger = pino({ level: 'silent' });

let dir: string;
let server: EmbeddedClickHouse;
let client: ClickHouseClient;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'clickhouse-'));
  server = await startEmbeddedClickHouse({ dir: join(dir, 'data'), logger });
  client = clickhouseClient(server.url);
  await migrate(client, {});
});

afterAll(async () => {
  await client.close();
  await server.close();
  rmSync(dir, { recursive: true });
});

async function count(table: string): Promise<number> {
  const result = await client.query({ query: `SELECT toUInt32(count()) AS n FROM ${table}`, format: 'JSONEachRow' });
  const [row] = await result.json<{ n: number }>();
  return row!.n;
}

async function insertDailyStats(offset: number): Promise<void> {
  const stream = STREAMS.find(({ topic }) => topic === 'daily-stats')!;
  const value = toBinary(DailyStatsSchema, create(DailyStatsSchema, { day: 20_000 + offset, clicks: 1n }));
  await insertRecords(client, stream, [logRecord({ offset, key: 'key', value })]);
}

/** Kills it, does something, and waits for its successor. */
async function kill(meanwhile: () => void = () => {}): Promise<void> {
  const pid = server.pid();
  process.kill(pid, 'SIGKILL');
  meanwhile();
  while (server.pid() === pid || !server.healthy()) await sleep(20);
}

test('says which ClickHouse it is', () => {
  expect(server.version).toMatch(/^ClickHouse \d+\.\d+/);
});

test('after kill -9 it serves the same data at the same address', async () => {
  await insertDailyStats(1);
  await kill();
  expect(await count('daily_stats')).toBe(1);
});

test('a format schema that a kill left half-written does not stop inserts', async () => {
  await insertDailyStats(2);
  const schemas = join(dir, 'data', '__cache__');
  const names = await readdir(schemas);
  expect(names).not.toEqual([]);
  await kill(() => {
    for (const name of names) truncateSync(join(schemas, name), 100);
  });
  await insertDailyStats(3);
  expect(await count('daily_stats')).toBe(3);
});

test('a second server on the same data does not start', async () => {
  const second = startEmbeddedClickHouse({ dir: join(dir, 'data'), logger });
  await expect(second).rejects.toThrow(/^ClickHouse did not start on .*Another server instance/);
});

test('kill -9 of the parent leaves no child', async () => {
  const script = `
    import { startEmbeddedClickHouse } from ${JSON.stringify(new URL('./server.ts', import.meta.url).href)};
    const logger = { child: () => ({ info() {}, warn() {}, error() {} }) };
    const server = await startEmbeddedClickHouse({ dir: ${JSON.stringify(join(dir, 'orphan'))}, logger });
    process.stdout.write(String(server.pid()));`;
  const parent = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [pid] = await once(parent.stdout, 'data');
  expect(alive(Number(pid))).toBe(true);
  parent.kill('SIGKILL');
  while (alive(Number(pid))) await sleep(20);
});

/** A process that ended counts as dead even if nobody has asked for its exit code yet. */
function alive(pid: number): boolean {
  if (existsSync(`/proc/${pid}/stat`)) return !/^\d+ \(.*\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
