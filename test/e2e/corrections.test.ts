import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type MeshProcess, startMeshProcess, temporaryFolder } from '../fixtures/mesh-process.ts';

const folder = temporaryFolder();
let mesh: MeshProcess;

beforeAll(async () => {
  mesh = await startMeshProcess(join(folder.path, 'data'));
});
afterAll(async () => {
  await mesh.stop();
  folder[Symbol.dispose]();
});

interface Result {
  status: string;
  reason?: string;
}

async function post(path: string, event: object): Promise<Result> {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(mesh.url + path, { method: 'POST', headers, body: JSON.stringify(event) });
  return ((await response.json()) as { results: [Result] }).results[0];
}

test('what corrects an event may be sent without its user once that event is in the stats', async () => {
  const timestamp = Date.UTC(2026, 0, 5);
  const ids = { user_id: 'ann', source: 'web' };
  const click = { event_id: 'gclid-1', ...ids, ad_id: 'ad', campaign_id: 'camp', timestamp };
  const purchase = { event_id: 'order-1001', ...ids, type: 'purchase', value: 20, timestamp };
  const refund = { event_id: randomUUID(), conversion_id: 'order-1001', kind: 'refund', value: 5, timestamp };
  const verdict = { event_id: randomUUID(), click_id: 'gclid-1', valid: false, timestamp };
  expect(await post('/adjustment', refund)).toMatchObject({ status: 'rejected', reason: 'unknown_target' });
  await post('/click', click);
  await post('/conversion', purchase);
  await expect.poll(() => post('/adjustment', refund), { timeout: 20_000 }).toMatchObject({ status: 'accepted' });
  await expect.poll(() => post('/verdict', verdict), { timeout: 20_000 }).toMatchObject({ status: 'accepted' });
}, 60_000);
