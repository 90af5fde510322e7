import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { type MeshProcess, startMeshProcess, temporaryFolder } from '../fixtures/mesh-process.ts';

type Json = { [key: string]: unknown };
interface Operation {
  requestBody?: { content: Json };
  responses: Record<string, { content: Json }>;
}
interface OpenApi {
  openapi: string;
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Json> };
}

const folder = temporaryFolder();
let mesh: MeshProcess;
let document: OpenApi;

beforeAll(async () => {
  mesh = await startMeshProcess(join(folder.path, 'data'));
  document = (await (await fetch(`${mesh.url}/openapi.json`)).json()) as OpenApi;
  await fetch(`${mesh.url}/click`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(click()),
  });
  const statsText = async () => (await fetch(`${mesh.url}/api/v1/stats?${new URLSearchParams(stats)}`)).text();
  await vi.waitUntil(async () => (await statsText()).includes('camp'), { timeout: 20_000, interval: 100 });
});
afterAll(async () => {
  await mesh.kill();
  folder[Symbol.dispose]();
});

const fields = { user_id: 'user', source: 'web', timestamp: Date.UTC(2026, 0, 5) };
const click = () => ({ event_id: randomUUID(), ...fields, ad_id: 'ad', campaign_id: 'camp' });
const conversion = () => ({ event_id: randomUUID(), ...fields, type: 'purchase', value: 19.99 });
const adjustment = () => ({
  event_id: randomUUID(),
  user_id: 'user',
  conversion_id: 'order-1001',
  timestamp: fields.timestamp,
});
const refund = () => ({ ...adjustment(), kind: 'refund', value: 5 });
const verdict = () => ({
  event_id: randomUUID(),
  user_id: 'user',
  click_id: randomUUID(),
  timestamp: fields.timestamp,
});
const stats = { start_date: '2026-01-01', end_date: '2026-01-31' };

/** Refuses every field that the document does not name. */
function validator(schema: Json): z.ZodType {
  const strict = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(strict);
    if (typeof value !== 'object' || value === null) return value;
    const entries = Object.entries(value).map(([key, inner]) => [
      key,
      key === '$ref' ? `${inner}`.replace('#/components/schemas/', '#/$defs/') : strict(inner),
    ]);
    const isObject = 'type' in value && value.type === 'object' && 'properties' in value;
    return { ...Object.fromEntries(entries), ...(isObject ? { additionalProperties: false } : {}) };
  };
  const $defs = strict(document.components.schemas);
  return z.fromJSONSchema({ ...(strict(schema) as Json), $defs } as Parameters<typeof z.fromJSONSchema>[0]);
}

function schemaOf(content: Json): Json {
  return (content['application/json'] as { schema: Json }).schema;
}

test.each<[method: string, path: string, body: object | undefined, status: number, isAllowed?: boolean]>([
  ['post', '/api/v1/events', { event_type: 'click', ...click() }, 202],
  ['post', '/api/v1/events', [{ event_type: 'conversion', ...conversion() }], 202],
  ['post', '/api/v1/events', { event_type: 'click', ...click(), user_id: 'x'.repeat(129) }, 400, false],
  ['post', '/click', click(), 202],
  ['post', '/click', [{ event_type: 'click', ...click() }], 202],
  ['post', '/conversion', conversion(), 202],
  ['post', '/conversion', { ...conversion(), value: -1 }, 400, false],
  ['post', '/adjustment', [refund(), { ...adjustment(), kind: 'retract' }], 202],
  ['post', '/adjustment', { ...refund(), kind: 'Refund' }, 400, false],
  ['post', '/verdict', { ...verdict(), valid: false }, 202],
  ['post', '/verdict', verdict(), 400, false],
  [
    'post',
    '/api/v1/events',
    [
      { event_type: 'adjustment', ...refund() },
      { event_type: 'verdict', ...verdict(), valid: true },
    ],
    202,
  ],
  ['get', `/api/v1/stats?${new URLSearchParams(stats)}`, undefined, 200],
  ['get', '/api/v1/stats?interval=yearly', undefined, 400],
  ['post', '/clickmesh.v1.IngestService/Ingest', { event: { click: camel(click()) } }, 200],
  ['post', '/clickmesh.v1.IngestService/IngestBatch', { events: [{ conversion: camel(conversion()) }, {}] }, 200],
  [
    'post',
    '/clickmesh.v1.IngestService/IngestBatch',
    { events: [{ adjustment: camel(refund()) }, { verdict: camel(verdict()) }] },
    200,
  ],
  ['post', '/clickmesh.v1.IngestService/Ingest', { event: {} }, 400],
  ['post', '/clickmesh.v1.StatsService/GetStats', camel(stats), 200],
  ['post', '/clickmesh.v1.StatsService/ExplainConversion', { conversionId: randomUUID() }, 404],
])('%#: %s %s is answered as the document says', async (method, path, body, status, isAllowed = true) => {
  const operation = document.paths[path.split('?')[0]!]![method]!;
  if (body !== undefined) {
    expect(validator(schemaOf(operation.requestBody!.content)).safeParse(body).success).toBe(isAllowed);
  }
  const response = await fetch(mesh.url + path, {
    method: method.toUpperCase(),
    headers: { 'content-type': 'application/json' },
    body: body && JSON.stringify(body),
  });
  expect(response.status).toBe(status);
  const { content } = operation.responses[status] ?? operation.responses.default!;
  validator(schemaOf(content)).parse(await response.json());
});

test('every schema that the document names is in it', () => {
  expect(document.openapi).toBe('3.1.0');
  const names = JSON.stringify(document).matchAll(/#\/components\/schemas\/(\w+)/g);
  expect([...names].map(([, name]) => name!).filter((name) => !(name in document.components.schemas))).toEqual([]);
});

/** The fields as Connect names them. */
function camel(snake: Json): Json {
  const name = (key: string) => key.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
  return Object.fromEntries(Object.entries(snake).map(([key, value]) => [name(key), value]));
}
