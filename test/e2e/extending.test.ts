/**
 * @module-tag git
 * @module-tag long
 */
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { cpSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { create, toBinary } from '@bufbuild/protobuf';
import { createClient } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { afterAll, expect, test } from 'vitest';
import { IngestService } from '../../gen/ts/clickmesh/v1/ingest_service_pb.js';
import { type MeshProcess, startMeshProcess, temporaryFolder } from '../fixtures/mesh-process.ts';

const folder = temporaryFolder();
afterAll(() => folder[Symbol.dispose]());

const COPIED = ['services', 'gen/ts', 'gen/openapi', 'proto', 'sql', 'test', 'package.json', 'tsconfig.json'];
const [, , modelSection, eventTypeSection] = readFileSync('services/EXTENDING.md', 'utf8').split(/^#+ .*$/m);
const USER = { user_id: 'user', source: 'web' };
const NOON = Date.UTC(2026, 0, 5, 12);
const DAY = '2026-01-05';
const eventId = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;

/** A copy of the repository in which what a section of services/EXTENDING.md says was done. */
function extendedCopy(name: string, section: string): string {
  const copy = join(folder.path, name);
  for (const path of [...COPIED, 'buf.yaml', 'buf.gen.yaml']) cpSync(path, join(copy, path), { recursive: true });
  symlinkSync(resolve('node_modules'), join(copy, 'node_modules'));
  for (const [, command] of section.matchAll(/`(cp [^`]+)`/g)) execFileSync('sh', ['-c', command!], { cwd: copy });
  const patch = [...section.matchAll(/```diff\n(.*?)```/gs)].map(([, diff]) => diff).join('');
  writeFileSync(join(folder.path, 'patch'), patch);
  execFileSync('git', ['apply', join(folder.path, 'patch')], { cwd: copy });
  execFileSync('buf', ['generate', '--template', 'buf.gen.yaml', '--output', '.'], { cwd: copy });
  execFileSync('tsc', { cwd: copy });
  return copy;
}

async function post(mesh: MeshProcess, path: string, body: unknown): Promise<unknown> {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(mesh.url + path, { method: 'POST', headers, body: JSON.stringify(body) });
  expect(response.ok).toBe(true);
  return response.json();
}

function click(n: number, campaign_id: string) {
  return { event_type: 'click', event_id: eventId(n), ...USER, ad_id: 'ad', campaign_id, timestamp: NOON + n };
}

test('an attribution model is added as services/EXTENDING.md shows', async () => {
  const copy = extendedCopy('model', modelSection!);
  const program = join(copy, 'services/cli/clickmesh.js');
  const env = { MODELS: 'last_click,last_half' };
  const mesh = await startMeshProcess(join(folder.path, 'model-data'), env, 'up', program);
  const creditedTo = async (model: string) => {
    const query = { startDate: DAY, endDate: DAY, model };
    const { data = [] } = (await post(mesh, '/clickmesh.v1.StatsService/GetStats', query)) as {
      data?: { campaignId: string; revenue?: number }[];
    };
    return Object.fromEntries(data.map(({ campaignId, revenue = 0 }) => [campaignId, revenue]));
  };
  try {
    const clicks = ['first', 'second', 'third'].map((campaign, i) => click(i, campaign));
    const purchase = { event_type: 'conversion', event_id: eventId(9), ...USER, type: 'purchase', value: 12 };
    await post(mesh, '/api/v1/events', [...clicks, { ...purchase, timestamp: NOON + 1000 }]);
    await expect.poll(() => creditedTo('last_half'), { timeout: 20_000 }).toEqual({ first: 3, second: 3, third: 6 });
    expect(await creditedTo('last_click')).toEqual({ first: 0, second: 0, third: 12 });
  } finally {
    await mesh.stop();
  }
}, 120_000);

test('an event type is added as services/EXTENDING.md shows, to a mesh in use, and older clients go on', async () => {
  const copy = extendedCopy('event-type', eventTypeSection!);
  const program = join(copy, 'services/cli/clickmesh.js');
  const dataDir = join(folder.path, 'event-type-data');
  const before = await startMeshProcess(dataDir);
  await post(before, '/api/v1/events', [click(1, 'before')]);
  await before.stop();

  const mesh = await startMeshProcess(dataDir, {}, 'up', program);
  try {
    const older = createClient(IngestService, createGrpcTransport({ baseUrl: mesh.url }));
    const ids = { eventId: eventId(2), userId: USER.user_id, adId: 'ad', campaignId: 'after', source: 'web' };
    const value = { ...ids, timestamp: BigInt(NOON + 2) };
    await older.ingest({ event: { event: { case: 'click', value } } });

    await post(mesh, '/api/v1/events', [{ event_type: 'install', event_id: eventId(3), ...USER, timestamp: NOON + 1 }]);
    await ingestInstall(mesh, copy);

    const installs = async () => {
      const query = `start_date=${DAY}&end_date=${DAY}&conversion_type=install`;
      const { data } = (await (await fetch(`${mesh.url}/api/v1/stats?${query}`)).json()) as {
        data: { campaign_id: string; clicks: number; conversions: number }[];
      };
      return data.map((row) => `${row.campaign_id}: ${row.clicks} clicks, ${row.conversions} installs`);
    };
    const counted = ['after: 1 clicks, 1 installs', 'before: 1 clicks, 1 installs'];
    await expect.poll(installs, { timeout: 20_000 }).toEqual(counted);
    execFileSync(process.execPath, [program, 'audit', '--url', mesh.url], { cwd: copy });
  } finally {
    await mesh.stop();
  }
}, 180_000);

/** As a client that was generated from the contracts of the copy. */
async function ingestInstall(mesh: MeshProcess, copy: string): Promise<void> {
  const contracts = pathToFileURL(join(copy, 'gen/ts/clickmesh/v1/ingest_service_pb.js')).href;
  const { IngestRequestSchema } = await import(contracts);
  const value = { eventId: randomUUID(), userId: USER.user_id, source: 'web', timestamp: BigInt(NOON + 1000) };
  const body = toBinary(
    IngestRequestSchema,
    create(IngestRequestSchema, { event: { event: { case: 'install', value } } }),
  );
  const headers = { 'content-type': 'application/proto' };
  const path = '/clickmesh.v1.IngestService/Ingest';
  const response = await fetch(mesh.url + path, { method: 'POST', headers, body: new Uint8Array(body) });
  expect(response.status).toBe(200);
}
