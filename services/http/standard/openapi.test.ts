import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { ClickHouseClient } from '@clickhouse/client';
import { createConnectRouter } from '@connectrpc/connect';
import { expect, test } from 'vitest';
import { memoryLog } from '../../../test/fixtures/memory-log.ts';
import { gatewayHttp, gatewayRoutes } from '../../gateway/routes.ts';
import { statusRoute } from '../../processes/status/status.ts';
import { statsHttp, statsRoutes } from '../../stats/routes.ts';
import { parametersOf } from '../routes/path-table.ts';
import { healthHttp, healthRoutes } from './health.ts';
import { metricsRoute } from './metrics-route.ts';
import { openapiRoute } from './openapi.ts';
import { reflectionRoutes } from './reflection.ts';

/** Routes for those who run the mesh, which are no part of its API. */
const FOR_OPERATORS = ['GET /healthz', 'GET /readyz', 'GET /metrics', 'GET /status', 'GET /openapi.json'];

interface Operation {
  summary?: string;
  description?: string;
  parameters?: { name: string; in: string }[];
}
const request = { method: 'GET', parameters: {}, query: '', headers: {}, peer: undefined, body: Buffer.alloc(0) };
const answer = await openapiRoute.handle(request);
const document = JSON.parse(String(answer.body)) as { paths: Record<string, Record<string, Operation>> };
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ name: `${method.toUpperCase()} ${path}`, operation })),
);
const documented = operations.map(({ name }) => name);

const client = {} as ClickHouseClient;
const gateway = { log: memoryLog(), now: Date.now, currency: 'USD' };
const ready = async () => ({});
const routes = [
  ...[...gatewayHttp(gateway), ...statsHttp({ client, models: ['last_click'], rollups: [] }), ...healthHttp(ready)],
  ...[openapiRoute, metricsRoute(), statusRoute(async () => ({}))],
];

test('every route is in the document, or for operators', () => {
  const served = routes.map(({ method, path }) => `${method} ${path}`);
  const rest = documented.filter((name) => !/\/clickmesh\.v1\./.test(name));
  expect([...rest, ...FOR_OPERATORS].sort()).toEqual(served.sort());
});

test('every call that takes plain JSON is in the document', () => {
  const router = createConnectRouter();
  gatewayRoutes(router, gateway);
  statsRoutes(router, { client, models: ['last_click'], rollups: [] });
  healthRoutes(router, ready, AbortSignal.abort());
  reflectionRoutes(router);
  const calls = router.handlers.filter(
    ({ method, service }) => method.methodKind === 'unary' && service.typeName.startsWith('clickmesh.'),
  );
  const rpcs = documented.filter((name) => /\/clickmesh\.v1\./.test(name));
  expect(rpcs.sort()).toEqual(calls.map(({ requestPath }) => `POST ${requestPath}`).sort());
});

test('every operation says what it is for, and names the parameters of its path', () => {
  for (const { name, operation } of operations) {
    expect(operation.summary ?? operation.description, name).toBeTruthy();
    const inPath = (operation.parameters ?? []).filter((parameter) => parameter.in === 'path');
    expect(inPath.map((parameter) => parameter.name)).toEqual(parametersOf(name));
  }
  for (const { path, summary } of routes) expect(summary, path).toMatch(/^[A-Z].*\.$/);
});

test('what says how a report is written is among its parameters', () => {
  const { operation } = operations.find(({ name }) => name === 'GET /api/v1/report')!;
  const names = operation.parameters!.map(({ name }) => name);
  expect(names.slice(-3)).toEqual(['format', 'raw', 'bom']);
});

test('the generator of the document needs nothing that is generated, but what the contract said before', () => {
  const seen = new Set<string>();
  function visit(path: string): void {
    // What the contract says is there as of the last time, but for its types, which the generator is given.
    if (seen.has(path) || path === 'services/contract/event-rules.ts') return;
    seen.add(path);
    const imports = readFileSync(path, 'utf8').matchAll(/^(?:import|export)\b(?! type)[^;]*? from '(\.[^']+)'/gms);
    for (const [, to] of imports) visit(join(dirname(path), to!));
  }
  visit('test/codegen/protoc-gen-openapi.ts');
  expect(seen).toContain('services/gateway/ways-in/rest-api.ts');
  expect([...seen].filter((path) => path.startsWith('gen/'))).toEqual([]);
});
