import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pino from 'pino';
import { expect, onTestFinished, test } from 'vitest';
import { startClickHouseShards } from '../../services/clickhouse/embedded/shards.ts';
import { startKafka } from '../../services/processes/cluster/kafka-server.ts';
import { freePort } from '../../services/system/free-port.ts';
import { temporaryFolder } from '../fixtures/mesh-process.ts';
import { KAFKA } from '../needs.ts';

const logger = pino({ level: 'silent' });
const CLICK = {
  event_type: 'click',
  event_id: '3f0c1b2e-9d6a-4c57-8a3b-5e1f7d2c4b6a',
  user_id: 'user-123',
  ad_id: 'ad-456',
  campaign_id: 'camp-789',
  source: 'facebook',
  timestamp: Date.UTC(2026, 0, 15),
};

test("README's commands for a cluster, as they stand there", { tags: KAFKA, timeout: 180_000 }, async () => {
  const folder = temporaryFolder();
  onTestFinished(() => folder[Symbol.dispose]());
  const kafka = await startKafka({ dir: join(folder.path, 'kafka'), logger });
  onTestFinished(() => kafka.close());
  const shards = await startClickHouseShards({ dir: join(folder.path, 'clickhouse'), shards: 2, logger });
  onTestFinished(() => shards.close());
  const gateway = `http://127.0.0.1:${await freePort()}`;

  const [, example] = /```sh\n(export KAFKA_BROKERS.*?)```/s.exec(readFileSync('README.md', 'utf8'))!;
  const script = example!
    .replace('127.0.0.1:9092', kafka.bootstrap)
    .replace('http://127.0.0.1:8123,http://127.0.0.1:8124', shards.urls.join(','))
    .replace('--port 8081', '--port 0')
    .replace('8082', new URL(gateway).port)
    .replace('./state', join(folder.path, 'state'));
  const commands = spawn('bash', ['-euo', 'pipefail', '-c', script], { stdio: 'ignore', detached: true });
  onTestFinished(async () => {
    // All that the script has started; the servers they write to end after them.
    process.kill(-commands.pid!, 'SIGTERM');
    while (commands.exitCode === null && commands.signalCode === null) await sleep(50);
  });

  const ready = async () => (await fetch(`${gateway}/readyz`).catch(() => undefined))?.status;
  await expect.poll(ready, { timeout: 60_000 }).toBe(200);
  const body = JSON.stringify(CLICK);
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(`${gateway}/api/v1/events`, { method: 'POST', headers, body });
  expect(answer.status).toBe(202);
  const clicks = async () => {
    const report = await fetch(`${gateway}/api/v1/stats?start_date=2026-01-15&end_date=2026-01-15`);
    return ((await report.json()) as { data: { clicks: number }[] }).data.map((row) => row.clicks);
  };
  await expect.poll(clicks, { timeout: 60_000 }).toEqual([1]);
});
