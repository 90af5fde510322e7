import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ClusterUnderTest, startCluster } from '../fixtures/cluster-process.ts';
import { clickmesh, isRunning } from '../fixtures/mesh-process.ts';
import { KAFKA } from '../needs.ts';

const CLICK = {
  event_type: 'click',
  event_id: '3f0c1b2e-9d6a-4c57-8a3b-5e1f7d2c4b6a',
  user_id: 'user-123',
  ad_id: 'ad-456',
  campaign_id: 'camp-789',
  source: 'facebook',
  timestamp: Date.UTC(2026, 0, 15),
};
const CONVERSION = {
  event_type: 'conversion',
  event_id: '9a1b2c3d-4e5f-4a6b-8c7d-0e1f2a3b4c5d',
  user_id: 'user-123',
  type: 'purchase',
  source: 'shop',
  value: 19.99,
  timestamp: Date.UTC(2026, 0, 15, 1),
};
const REPORT = '/api/v1/stats?start_date=2026-01-15&end_date=2026-01-15';

/** Of the two events. */
async function askEveryReport(url: string): Promise<void> {
  const days = 'start_date=2026-01-15&end_date=2026-01-15';
  const ask = async (path: string) => {
    const response = await fetch(`${url}/api/v1/${path}`);
    const text = await response.text();
    expect(response.status, `${path}: ${text}`).toBe(200);
    return JSON.parse(text);
  };
  const totals = { clicks: 1, conversions: 1, revenue: 19.99 };
  const stamp = { complete_through: expect.any(Number) };
  // Of a rollup, of the events of all shards, and of their metadata.
  for (const query of ['group_by=campaign_id', 'time_zone=Asia/Kolkata', 'group_by=metadata.geo', 'time_basis=click']) {
    expect(await ask(`report?${days}&${query}`)).toMatchObject({ totals, stamp });
  }
  const conversion = { conversion_id: CONVERSION.event_id, click_id: CLICK.event_id };
  for (const query of ['campaign_id=camp-789', 'metadata.geo!=DE']) {
    expect(await ask(`conversions?${days}&${query}`)).toMatchObject({ conversions: [conversion], total: 1 });
    expect(await ask(`paths?${days}&${query}`)).toMatchObject({ paths: [{ steps: ['camp-789'], conversions: 1 }] });
    expect(await ask(`time-lag?${days}&${query}`)).toMatchObject({ buckets: [{ conversions: 1 }] });
    expect(await ask(`path-length?${days}&${query}`)).toMatchObject({ buckets: [{ touches: 1, conversions: 1 }] });
  }
  expect(await ask('clicks?user_id=user-123')).toMatchObject({ total: 1 });
  expect(await ask(`explain?conversion_id=${CONVERSION.event_id}`)).toMatchObject({ attributed: true });
  for (const path of ['dead-letters', 'conflicts']) expect(await ask(path)).toMatchObject({ total: 0 });
  const watched = await fetch(`${url}/api/v1/report/watch?${days}`);
  const { value } = await watched.body!.getReader().read();
  expect(Buffer.from(value!).toString()).toContain('"clicks":1');
  expect((await fetch(url)).headers.get('content-type')).toContain('text/html');
}

describe('a cluster', { tags: KAFKA }, () => {
  const dir = mkdtempSync(join(tmpdir(), 'clickmesh-cluster-'));
  let mesh: ClusterUnderTest;

  const start = () => startCluster(join(dir, 'data'), { PARTITIONS: '4', GATEWAYS: '2', ATTRIBUTION_NODES: '2' });
  const report = async () => (await (await fetch(mesh.url + REPORT)).json()) as { data: unknown[] };
  const counted = [
    {
      date: '2026-01-15',
      campaign_id: 'camp-789',
      source: 'facebook',
      clicks: 1,
      conversions: 1,
      revenue: 19.99,
      cvr: 1,
    },
  ];

  beforeAll(async () => {
    mesh = await start();
  }, 120_000);

  afterAll(async () => {
    await mesh?.kill();
    rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
  });

  test('counts through Kafka, both gateways and ClickHouse', async () => {
    const answers = await Promise.all(
      [CONVERSION, CLICK].map((event) =>
        fetch(`${mesh.url}/api/v1/events`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(event),
        }),
      ),
    );
    expect(answers.map(({ status }) => status)).toEqual([202, 202]);
    await expect.poll(async () => (await report()).data, { timeout: 30_000 }).toEqual(counted);
    const audit = await clickmesh(['audit', '--url', mesh.url]);
    expect(audit, audit.stdout + audit.stderr).toMatchObject({ code: 0 });
  }, 60_000);

  test('every report is answered from the shards, and says how far it goes', () => askEveryReport(mesh.url), 60_000);

  test('status lists every process, each of which answers for itself', async () => {
    const { stdout } = await clickmesh(['status', '--url', mesh.url, '--json']);
    const { processes } = JSON.parse(stdout) as { processes: ReturnType<ClusterUnderTest['processes']> };
    const roles = processes.map(({ role }) => role).sort();
    const expected = ['attribution', 'attribution', 'clickhouse', 'clickhouse', 'gateway', 'gateway', 'kafka'];
    expect(roles).toEqual(expected);
    for (const { role, pid, urls } of processes) {
      expect(isRunning(pid)).toBe(true);
      if (role !== 'attribution' && role !== 'gateway') continue;
      expect((await fetch(`${urls[0]}/healthz`)).status, role).toBe(200);
      expect((await fetch(`${urls[0]}/readyz`)).status, role).toBe(200);
    }
    const table = await clickmesh(['status', '--url', mesh.url]);
    expect(table.stdout).toMatch(/^gateway-2 +\d+ /m);
    expect(table.stdout).toMatch(/ attribution-[12] /);
  }, 60_000);

  test('Ctrl-C drains and ends every process with exit code 0, and a second start continues', async () => {
    const processes = mesh.processes();
    expect(await mesh.stop()).toBe(0);
    expect(processes.filter(({ pid }) => isRunning(pid))).toEqual([]);
    mesh = await start();
    expect((await report()).data).toEqual(counted);
  }, 120_000);

  test('kill -9 of the process that was started leaves no orphan', async () => {
    const processes = mesh.processes();
    await mesh.kill();
    await expect.poll(() => processes.filter(({ pid }) => isRunning(pid)), { timeout: 10_000 }).toEqual([]);
  }, 30_000);
});

describe('a service alone', () => {
  test.each([
    [['gateway'], /^clickmesh: invalid settings: KAFKA_BROKERS: is required/],
    [['gateway', '--workers', '65'], /KAFKA_BROKERS: is required.*; GATEWAY_WORKERS: /],
    [['gateway', '--kafka-brokers', 'kafka'], /KAFKA_BROKERS: must be host:port/],
    [['attribution', '--port', '-1'], /PORT: .*; KAFKA_BROKERS: is required/],
    [['stats-service'], /CLICKHOUSE_URL: is required/],
    [['migrate'], /KAFKA_BROKERS: is required.*; CLICKHOUSE_URL: is required/],
    [['topics', '--partitions', '0', '--kafka-brokers', 'a:1'], /PARTITIONS/],
  ])('%j names every setting that is wrong in one line', async (args, message) => {
    const { code, stderr } = await clickmesh(args);
    expect(code).toBe(1);
    expect(stderr).toMatch(message);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  });

  test('a secret may stand in a file', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'clickmesh-secret-'));
    const file = join(dir, 'password');
    writeFileSync(file, 'secret\n');
    const { parseStatsConfig } = await import('../../services/processes/settings/config.ts');
    const env = { CLICKHOUSE_URL: 'http://127.0.0.1:1', CLICKHOUSE_PASSWORD_FILE: file };
    expect(parseStatsConfig(env)).toMatchObject({ CLICKHOUSE_PASSWORD: 'secret' });
    expect(() => parseStatsConfig({ ...env, CLICKHOUSE_PASSWORD: 'x' })).toThrow(/CLICKHOUSE_PASSWORD: is set twice/);
    rmSync(dir, { recursive: true });
    expect(() => parseStatsConfig(env)).toThrow(/CLICKHOUSE_PASSWORD_FILE: ENOENT/);
  });
});
