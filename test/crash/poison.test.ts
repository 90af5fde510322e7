import { describe, expect, onTestFinished, test } from 'vitest';
import { clickmesh, isRunning, type MeshProcess, startMeshProcess, temporaryFolder } from '../fixtures/mesh-process.ts';
import { KAFKA } from '../needs.ts';

/** The program with a fault: its fold fails at events of users with certain ids. */
const POISONED = { NODE_OPTIONS: `--import ${new URL('../fixtures/poison-child.ts', import.meta.url).href}` };
const MINUTE = { timeout: 60_000, interval: 100 };
const JSON_TYPE = { 'content-type': 'application/json' };

let sent = 0;

function click(userId: string): object {
  const event_id = `00000000-0000-4000-8000-${String(sent++).padStart(12, '0')}`;
  const timestamp = Date.UTC(2026, 0, 5);
  return { event_type: 'click', event_id, user_id: userId, ad_id: 'ad', campaign_id: 'camp', source: 'src', timestamp };
}

function refund(userId: string): object {
  const { event_id, timestamp } = click(userId) as { event_id: string; timestamp: number };
  const of = { event_id, user_id: userId, conversion_id: 'order', timestamp };
  return { event_type: 'adjustment', ...of, kind: 'refund', value: 1 };
}

/** Sends clicks of 100 users, and another event in their midst; resolves with the answer. */
async function send({ url }: MeshProcess, poison?: object): Promise<Response> {
  const clicks = Array.from({ length: 100 }, (_, i) => click(`user ${i}`));
  if (poison !== undefined) clicks.splice(50, 0, poison);
  const answer = await fetch(`${url}/api/v1/events`, {
    method: 'POST',
    headers: JSON_TYPE,
    body: JSON.stringify(clicks),
  });
  expect(answer.status).toBe(202);
  return answer;
}

async function counted({ url }: MeshProcess): Promise<number> {
  const answer = await fetch(`${url}/api/v1/stats?start_date=2026-01-01&end_date=2026-01-31`);
  const { data } = (await answer.json()) as { data: { clicks: number }[] };
  return data.reduce((sum, row) => sum + row.clicks, 0);
}

interface Status {
  topics: { topic: string; partitions: { end: number }[] }[];
  stalls: { offset: number; reason: string }[];
}

async function status({ url }: MeshProcess): Promise<Status> {
  return (await (await fetch(`${url}/status`)).json()) as Status;
}

async function letters(mesh: MeshProcess): Promise<number> {
  const { topics } = await status(mesh);
  const { partitions } = topics.find(({ topic }) => topic === 'raw-events.DLT')!;
  return partitions.reduce((sum, { end }) => sum + end, 0);
}

async function start(dir: string, env: Record<string, string> = POISONED): Promise<MeshProcess> {
  const mesh = await startMeshProcess(dir, env);
  onTestFinished(() => mesh.kill());
  return mesh;
}

function folder(): string {
  const made = temporaryFolder();
  onTestFinished(() => made[Symbol.dispose]());
  return made.path;
}

interface Said {
  readiness: string;
  stalls: string;
  notice: string;
}

const NOTHING: Said = { readiness: '', stalls: '', notice: '' };

/** What the mesh says while it does not go on: by readiness, by its status and to those that send. */
async function said(mesh: MeshProcess): Promise<Said> {
  const readyz = await fetch(`${mesh.url}/readyz`);
  const { checks } = (await readyz.json()) as { checks: { attribution: { reason?: string } } };
  const { stalls } = await status(mesh);
  const answer = await fetch(`${mesh.url}/api/v1/events`, { method: 'POST', headers: JSON_TYPE, body: '[]' });
  return {
    readiness: checks.attribution.reason ?? '',
    stalls: stalls.map(({ reason }) => reason).join(),
    notice: answer.headers.get('clickmesh-notice') ?? '',
  };
}

const REASON = /its thread ended and starts again|records \d+ to \d+ can't be folded/;

const RECORDS: readonly { name: string; poison: object; flags?: string; tags?: string[] }[] = [
  { name: 'throws in the fold', poison: click('poison throw') },
  { name: 'throws in the fold, an adjustment,', poison: refund('poison throw'), tags: ['long'] },
  { name: 'ends the pipeline thread', poison: click('poison exit') },
  {
    ...{ name: 'takes all memory of the pipeline thread', poison: click('poison memory') },
    ...{ flags: '--max-old-space-size=200', tags: ['long'] },
  },
];

for (const { name, poison, flags = '', tags = [] } of RECORDS) {
  const options = { tags, timeout: 180_000 };
  test(`a record that ${name} is set aside within a minute, and everybody else is counted`, options, async () => {
    const dir = folder();
    const env = { NODE_OPTIONS: `${POISONED.NODE_OPTIONS} ${flags}` };
    const first = await start(dir, env);
    await send(first, poison);
    const heard = new Set<string>();
    await expect
      .poll(async () => {
        for (const [by, text] of Object.entries(await said(first))) if (REASON.test(text)) heard.add(by);
        return await counted(first);
      }, MINUTE)
      .toBe(100);
    // A throw is over before anybody asks.
    if (!name.startsWith('throws')) expect([...heard].sort()).toEqual(Object.keys(NOTHING).sort());
    await send(first);
    await expect.poll(() => counted(first), MINUTE).toBe(200);
    expect(await letters(first)).toBe(1);
    await expect.poll(() => said(first), MINUTE).toEqual(NOTHING);
    await first.stop();

    const second = await start(dir, env);
    await send(second);
    await expect.poll(() => counted(second), MINUTE).toBe(300);
    expect(await letters(second)).toBe(1);
  });
}

test('a record that kills the whole mesh is set aside after some starts; sent to a mended one it counts', {
  tags: ['long'],
  timeout: 300_000,
}, async () => {
  const dir = folder();
  const poison = click('poison kill');
  const first = await start(dir);
  // The mesh may die before its answer, but not before the events are durable.
  await send(first, poison).catch(() => {});
  await expect.poll(() => isRunning(first.pid), MINUTE).toBe(false);
  let mesh: MeshProcess | undefined;
  for (let starts = 1; mesh === undefined; starts++) {
    expect(starts).toBeLessThan(8);
    const next = await startMeshProcess(dir, POISONED).catch(() => undefined);
    if (next === undefined) continue;
    onTestFinished(() => next.kill());
    const isOver = async () => !isRunning(next.pid) || (await counted(next).catch(() => 0)) === 100;
    await expect.poll(isOver, MINUTE).toBe(true);
    if (isRunning(next.pid)) mesh = next;
  }
  expect(await letters(mesh)).toBe(1);
  await mesh.stop();

  const mended = await start(dir, {});
  expect((await clickmesh(['audit', '--url', mended.url])).code).toBe(1);
  await send(mended, poison);
  await expect.poll(() => counted(mended), MINUTE).toBe(201);
  expect(await clickmesh(['audit', '--url', mended.url])).toMatchObject({ code: 0 });
});

describe('a cluster', { tags: KAFKA }, () => {
  test('a record that ends attribution nodes is set aside within a minute', async () => {
    const mesh = await startMeshProcess(folder(), { ...POISONED, PARTITIONS: '2', ATTRIBUTION_NODES: '2' }, 'cluster');
    onTestFinished(() => mesh.kill());
    await send(mesh, click('poison exit'));
    await expect.poll(() => counted(mesh), MINUTE).toBe(100);
    expect(await letters(mesh)).toBe(1);
    await send(mesh);
    await expect.poll(() => counted(mesh), MINUTE).toBe(200);
    expect(await mesh.stop()).toBe(0);
  }, 300_000);
});
