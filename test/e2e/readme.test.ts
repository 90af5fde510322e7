import { execFile, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { GRPCURL, installGoTool } from '../fixtures/go-tool.ts';
import { type MeshProcess, startMeshProcess, temporaryFolder } from '../fixtures/mesh-process.ts';

/** Every command of README.md is run as it stands there; only the address and the place of files are others'. */
const blocks = [...readFileSync('README.md', 'utf8').matchAll(/```(sh|js|json|csv)\n(.*?)```/gs)].map(
  ([, language, text]) => ({ language: language!, text: text! }),
);

const WAIT = { timeout: 10_000 };

let mesh: MeshProcess;
let path = process.env.PATH!;
const folder = temporaryFolder();

beforeAll(async () => {
  mesh = await startMeshProcess(join(folder.path, 'data'));
});
afterAll(async () => {
  await mesh.kill();
  folder[Symbol.dispose]();
});

function run(block: string): Promise<{ code: number; stdout: string; stderr: string }> {
  const script = block
    .replaceAll('127.0.0.1:8080', new URL(mesh.url).host)
    .replaceAll('journeys.ndjson', join(folder.path, 'journeys.ndjson'))
    .replaceAll('ads.csv', join(folder.path, 'ads.csv'));
  const env = { ...process.env, CLICKMESH_URL: mesh.url, PATH: path };
  return new Promise((resolve) => {
    execFile('bash', ['-euo', 'pipefail', '-c', script], { env }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}

function blockWith(text: string): string {
  const found = blocks.filter((block) => block.language === 'sh' && block.text.includes(text));
  expect(found, `one example with ${text}`).toHaveLength(1);
  return found[0]!.text;
}

/** The stats are in the end what README shows: the nth block of JSON. */
async function expectAnswer(command: string, nth: number): Promise<void> {
  const answer = blocks.filter((block) => block.language === 'json')[nth]!;
  const stats = async () => JSON.parse((await run(blockWith(command))).stdout);
  await expect.poll(stats, WAIT).toEqual(JSON.parse(answer.text));
}

test('a first event in and a first number out, by curl', { tags: 'curl' }, async () => {
  const sent = await run(blockWith('"event_type": "click"'));
  expect(sent).toMatchObject({ code: 0 });
  expect(sent.stdout.match(/"status":"accepted"/g)).toHaveLength(2);
  await expectAnswer('interval=daily', 0);
});

describe('by grpcurl', { tags: 'go' }, () => {
  beforeAll(() => {
    path = `${installGoTool(GRPCURL)}:${path}`;
  }, 300_000);

  test('the same, and why a conversion was attributed as it was', async () => {
    const [ingestAndStats, explain] = [blockWith('"source": "google"'), blockWith('ExplainConversion')];
    expect(await run(ingestAndStats)).toMatchObject({ code: 0 });
    await expect.poll(async () => (await run(ingestAndStats)).stdout, WAIT).toContain('"google"');
    const explained = await run(explain);
    expect(explained).toMatchObject({ code: 0 });
    expect(explained.stdout).toContain('"CANDIDATE_REASON_CREDITED"');
  });
});

describe('what turns out otherwise', () => {
  test('a refund, by curl', { tags: 'curl' }, async () => {
    const sent = await run(blockWith('"event_type": "adjustment"'));
    expect(sent.stdout).toContain('"status":"accepted"');
  });

  test('another refund and an invalid click, by grpcurl, and what holds then', { tags: ['curl', 'go'] }, async () => {
    expect((await run(blockWith('"verdict"'))).stdout).toContain('"accepted": 2');
    await expectAnswer('gross=true', 1);
    const [table] = blocks.filter(({ language }) => language === 'csv');
    expect((await run(blockWith('format=csv'))).stdout).toBe(table!.text.replaceAll('\n', '\r\n'));
    const google = `${mesh.url}/api/v1/stats?start_date=2026-01-01&end_date=2026-01-31&source=google`;
    await expect.poll(async () => (await fetch(google)).json(), WAIT).toMatchObject({ data: [] });
    expect((await run(blockWith('ExplainConversion'))).stdout).toContain('"CORRECTION_EFFECT_APPLIED"');
  });
});

test('the command line', async () => {
  const { code, stdout, stderr } = await run(blockWith('npx clickmesh generate'));
  expect({ code, stderr }).toMatchObject({ code: 0 });
  expect(stdout).toContain('camp-1');
  expect(stdout).not.toContain('FAILED');
  const told = await run(blockWith('npx clickmesh conversions'));
  expect(told).toMatchObject({ code: 0 });
  const [conversions, paths, explained] = told.stdout.split(/^(?=conversions {2}share|credited to)/m);
  expect(conversions!.trimEnd().split('\n')).toHaveLength(6);
  expect(paths).toMatch(/^221 conversions with [\d.]+ took \d+ paths; the first 10 are shown$/m);
  expect(explained).toMatch(/^credited to campaign camp-789: .*\npurchase of [\d.]+ of 19.99 by user-123 at /);
  const ads = readFileSync(join(folder.path, 'ads.csv'), 'utf8').split('\r\n');
  expect(ads[0]).toMatch(/^date,ad_id,clicks,invalid_clicks,last_click\.conversions,.*linear\.conversions,/);
  expect(ads.length).toBeGreaterThan(1000);
}, 120_000);

test('a live table', async () => {
  const env = { ...process.env, CLICKMESH_URL: mesh.url };
  const child = spawn('bash', ['-c', blockWith('npx clickmesh watch')], { env, detached: true });
  let told = '';
  for await (const chunk of child.stdout) {
    told += chunk;
    if (told.includes('  unattributed  ')) break;
  }
  process.kill(-child.pid!, 'SIGINT');
  expect(told).toMatch(/^[^ ]+Z {2}total {2}clicks \d+ {2}conversions \d+ {2}revenue \d+$/m);
}, 60_000);

test('a page without the SDK', async () => {
  const [page] = blocks.filter(({ language }) => language === 'js');
  const script = page!.text.replaceAll('127.0.0.1:8080', new URL(mesh.url).host);
  const sent: Promise<Response>[] = [];
  // A text has the same content-type from fetch as from a beacon, which has no answer to look at.
  const navigator = { sendBeacon: (url: string, body: string) => sent.push(fetch(url, { method: 'POST', body })) };
  new Function('navigator', script)(navigator);
  const [answer] = await Promise.all(sent);
  expect(await answer!.json()).toMatchObject({ accepted: 1, results: [{ status: 'accepted' }] });
});

test('no example is left out', () => {
  // The last is run by services-alone.test.ts.
  const run = [
    '"event_type": "click"',
    'interval=daily',
    'gross=true',
    'format=csv',
    '"event_type": "adjustment"',
    '"source": "google"',
    '"verdict"',
    'ExplainConversion',
    'npx clickmesh generate',
    'npx clickmesh conversions',
    'npx clickmesh watch',
    'npx clickmesh gateway',
  ];
  const examples = blocks.filter((block) => block.language === 'sh').map((block) => block.text);
  expect(examples.filter((text) => !run.some((part) => text.includes(part)))).toEqual([]);
  expect(blocks.filter(({ language }) => language === 'js')).toHaveLength(1);
});
