import { type Client, Code, createClient, createRouterTransport } from '@connectrpc/connect';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { AuditCheck } from '../../gen/ts/clickmesh/v1/reports_pb.js';
import { StatsService } from '../../gen/ts/clickmesh/v1/stats_service_pb.js';
import { type AuditedMesh, startAuditedMesh } from '../../test/fixtures/audited-mesh.ts';
import { CHECKS } from '../audit/checks.ts';
import { statsRoutes } from './routes.ts';

let mesh: AuditedMesh;
let stats: Client<typeof StatsService>;

beforeAll(async () => {
  mesh = await startAuditedMesh();
  const deps = { client: mesh.client, models: ['last_click'], rollups: [] };
  const status = async () => (await fetch(mesh.url)).json() as Promise<object>;
  stats = createClient(
    StatsService,
    createRouterTransport((router) => statsRoutes(router, { ...deps, status })),
  );
});
afterAll(() => mesh?.close());
beforeEach(() => mesh.reset());

async function checks(): Promise<AuditCheck[]> {
  const all: AuditCheck[] = [];
  let done = false;
  for await (const answer of stats.runAudit({})) {
    all.push(...answer.checks);
    done = answer.done;
  }
  expect(done).toBe(true);
  return all;
}

test('each check is told, and which does not hold', async () => {
  expect((await checks()).map(({ name, outcome }) => `${name} ${outcome}`)).toEqual(
    CHECKS.map(({ name }) => `${name} ok`),
  );
  await mesh.client.command({ query: 'TRUNCATE TABLE conversion_decisions' });
  const differing = (await checks()).filter(({ outcome }) => outcome === 'differs');
  expect(differing.map(({ name }) => name)).toContain('every conversion has its decision');
  expect(differing.every((each) => each.differing > 0n && / differ/.test(each.text))).toBe(true);
});

test('one at a time', async () => {
  const first = stats.runAudit({})[Symbol.asyncIterator]();
  await first.next();
  await expect(checks()).rejects.toMatchObject({ code: Code.ResourceExhausted });
  while (!(await first.next()).done);
  await checks();
});

test('unavailable while events arrive', async () => {
  mesh.status.inserted = 9;
  const message = /^ClickHouse is at 9 of 10 in partition 1 of raw-events|not caught up/;
  await expect(checks()).rejects.toMatchObject({ code: Code.Unavailable, rawMessage: expect.stringMatching(message) });
}, 30_000);
