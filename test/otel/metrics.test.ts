import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildGoProgram } from '../fixtures/go-tool.ts';
import { type MeshProcess, startMeshProcess, temporaryFolder } from '../fixtures/mesh-process.ts';

/** Without what finds machines to scrape in many clouds, which is half of what would be compiled. */
const PROMTOOL = ['-tags', 'remove_all_sd', 'github.com/prometheus/prometheus/cmd/promtool'];
const DASHBOARD = 'deploy/grafana/clickmesh.json';
const RULES = 'deploy/prometheus/alerts.yml';

/** There only once something has happened that this test does not wait for, or has no place for here. */
const ELSEWHERE = [
  'clickmesh_attribution_checkpoint_age_seconds',
  'clickmesh_attribution_checkpoint_bytes',
  'clickmesh_attribution_dead_letters_total',
  'clickmesh_freshness_seconds',
];

const folder = temporaryFolder();
let mesh: MeshProcess;

beforeAll(async () => {
  mesh = await startMeshProcess(folder.path);
}, 60_000);

afterAll(async () => {
  await mesh.stop();
  folder[Symbol.dispose]();
}, 60_000);

test('what happens is counted', async () => {
  const user = { user_id: 'user-1', source: 'test' };
  const click = {
    event_type: 'click',
    event_id: randomUUID(),
    ...user,
    ad_id: 'ad',
    campaign_id: 'c',
    timestamp: 1e12,
  };
  const conversion = {
    event_type: 'conversion',
    event_id: randomUUID(),
    ...user,
    type: 'install',
    timestamp: 1e12 + 1,
  };
  const refunds = [conversion.event_id, randomUUID()].map((conversion_id) => {
    const of = { event_id: randomUUID(), user_id: user.user_id, conversion_id, timestamp: 1e12 + 2 };
    return { event_type: 'adjustment', ...of, kind: 'refund', value: 5 };
  });
  await post(mesh.url, [click, click, conversion, { ...click, event_id: 'null' }, ...refunds]);
  const bad = JSON.stringify({ event: { click: {} } });
  const headers = { 'content-type': 'application/json' };
  const ingest = '/clickmesh.v1.IngestService/Ingest';
  expect((await fetch(mesh.url + ingest, { method: 'POST', headers, body: bad })).status).toBe(400);

  const counts = () => counted(mesh.url);
  await expect.poll(counts, { timeout: 20_000 }).toMatchObject({
    'clickmesh_events_accepted_total{event_type="click"}': 2,
    'clickmesh_events_accepted_total{event_type="conversion"}': 1,
    'clickmesh_events_rejected_total{reason="placeholder"}': 1,
    'clickmesh_events_rejected_total{reason="required"}': 1,
    clickmesh_append_size_count: 1,
    'http_server_request_duration_seconds_count{http_request_method="POST",http_route="/api/v1/events",http_response_status_code="202"}': 1,
    'rpc_server_call_duration_seconds_count{rpc_system_name="connectrpc",rpc_method="clickmesh.v1.IngestService/Ingest",rpc_response_status_code="invalid_argument"}': 1,
    'clickmesh_attribution_events_total{event_type="click"}': 2,
    'clickmesh_attribution_duplicates_total{event_type="click"}': 1,
    'clickmesh_attribution_events_total{event_type="adjustment"}': 2,
    'clickmesh_attribution_decisions_total{model="last_click",outcome="attributed"}': 1,
    clickmesh_attribution_corrections_too_late_total: 0,
    'clickmesh_clickhouse_lag_records{topic="raw-events"}': 0,
  });
  // One refund is of a conversion without a value, the other of one that is not there.
  for (const name of ['refunds_exceeded', 'corrections_waiting']) {
    const ofAllPartitions = async () => {
      const samples = Object.entries(await counts());
      const own = samples.filter(([key]) => key.startsWith(`clickmesh_attribution_${name}{`));
      return own.reduce((sum, [, value]) => sum + value, 0);
    };
    await expect.poll(ofAllPartitions, { timeout: 20_000 }).toBe(1);
  }
}, 30_000);

test('the dashboard and the alerts name metrics that are there', async () => {
  const today = '2026-01-01';
  await fetch(`${mesh.url}/api/v1/stats?start_date=${today}&end_date=${today}`);
  const asked = (readFileSync(DASHBOARD, 'utf8') + readFileSync(RULES, 'utf8')).matchAll(
    /\b(?:clickmesh|rpc_server|http_server|db_client|nodejs|process)_[a-z0-9_]+/g,
  );
  const names = new Set([...asked].map(([name]) => name.replace(/_(bucket|count)$/, '')));
  expect(names.size).toBeGreaterThan(20);
  const unknown = async () => {
    const text = await (await fetch(`${mesh.url}/metrics`)).text();
    const there = new Set([...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name));
    return [...names].filter((name) => !there.has(name) && !ELSEWHERE.includes(name) && !isLabel(name));
  };
  // Some are there only once they were measured, which may be after the answer.
  await expect.poll(unknown, { timeout: 20_000 }).toEqual([]);
});

test('promtool finds the alerts right', { tags: ['go', 'long'], timeout: 900_000 }, () => {
  const promtool = buildGoProgram(resolve('test/otel/promtool'), 'promtool', ...PROMTOOL);
  execFileSync(promtool, ['check', 'rules', RULES]);
  execFileSync(promtool, ['test', 'rules', 'deploy/prometheus/alerts.test.yml']);
});

/** Labels begin like the metrics that have them. */
function isLabel(name: string): boolean {
  return ['http_route', 'rpc_method'].includes(name);
}

async function post(url: string, events: readonly object[]): Promise<void> {
  const headers = { 'content-type': 'application/json' };
  const body = JSON.stringify(events);
  expect((await fetch(`${url}/api/v1/events`, { method: 'POST', headers, body })).status).toBe(202);
}

/** Samples by their names and labels. */
async function counted(url: string): Promise<Record<string, number>> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return Object.fromEntries(
    lines.map((line) => {
      const space = line.lastIndexOf(' ');
      return [line.slice(0, space), Number(line.slice(space + 1))];
    }),
  );
}
