import { execFileSync } from 'node:child_process';
import { cpSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { startMeshProcess, temporaryFolder } from '../fixtures/mesh-process.ts';

const folder = temporaryFolder();
afterAll(() => folder[Symbol.dispose]());

const USER = { user_id: 'user', source: 'web' };
const eventId = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;

/** The repository, changed as services/EXTENDING.md says. */
function patchedCopy(): string {
  const copy = join(folder.path, 'clickmesh');
  for (const path of ['services', 'gen/ts', 'gen/openapi', 'proto', 'sql', 'package.json']) {
    cpSync(path, join(copy, path), { recursive: true });
  }
  symlinkSync(resolve('node_modules'), join(copy, 'node_modules'));
  const [, patch] = /```diff\n(.*?)```/s.exec(readFileSync('services/EXTENDING.md', 'utf8'))!;
  writeFileSync(join(folder.path, 'patch'), patch!);
  execFileSync('git', ['apply', '--unidiff-zero', '--recount', join(folder.path, 'patch')], { cwd: copy });
  return copy;
}

test('an attribution model is added as services/EXTENDING.md shows', async () => {
  const program = join(patchedCopy(), 'services/cli/clickmesh.js');
  const mesh = await startMeshProcess(join(folder.path, 'data'), { MODELS: 'last_click,last_half' }, 'up', program);
  const post = async (path: string, body: unknown) => {
    const response = await fetch(mesh.url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    expect(response.ok).toBe(true);
    return response.json();
  };
  const creditedTo = async (model: string) => {
    const query = { startDate: '2026-01-05', endDate: '2026-01-05', model };
    const { data = [] } = (await post('/clickmesh.v1.StatsService/GetStats', query)) as {
      data?: { campaignId: string; revenue?: number }[];
    };
    return Object.fromEntries(data.map(({ campaignId, revenue = 0 }) => [campaignId, revenue]));
  };
  try {
    const noon = Date.UTC(2026, 0, 5, 12);
    const clicks = ['first', 'second', 'third'].map((campaign_id, i) => {
      return { event_type: 'click', event_id: eventId(i), ...USER, ad_id: 'ad', campaign_id, timestamp: noon + i };
    });
    const purchase = { event_type: 'conversion', event_id: eventId(9), ...USER, type: 'purchase', value: 12 };
    await post('/api/v1/events', [...clicks, { ...purchase, timestamp: noon + 1000 }]);
    await expect.poll(() => creditedTo('last_half'), { timeout: 20_000 }).toEqual({ first: 3, second: 3, third: 6 });
    expect(await creditedTo('last_click')).toEqual({ first: 0, second: 0, third: 12 });
  } finally {
    await mesh.stop();
  }
}, 120_000);
