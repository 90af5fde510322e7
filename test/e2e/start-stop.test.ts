import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { clickmesh, isRunning, startMeshProcess, temporaryFolder } from '../fixtures/mesh-process.ts';

function folder(): string {
  const made = temporaryFolder();
  onTestFinished(() => made[Symbol.dispose]());
  return made.path;
}

const click = {
  event_type: 'click',
  event_id: '3f0c1b2e-9d6a-4c57-8a3b-5e1f7d2c4b6a',
  user_id: 'user-123',
  ad_id: 'ad-456',
  campaign_id: 'camp-789',
  source: 'facebook',
  timestamp: Date.UTC(2026, 0, 5),
};

async function clicks(url: string): Promise<number> {
  const answer = await fetch(`${url}/api/v1/stats?start_date=2026-01-01&end_date=2026-01-31`);
  const { data } = (await answer.json()) as { data: { clicks: number }[] };
  return data.reduce((sum, row) => sum + row.clicks, 0);
}

test('Ctrl-C drains and exits 0, and a second start continues with all data', async () => {
  const dir = folder();
  const first = await startMeshProcess(dir);
  onTestFinished(() => first.kill());
  const children = first.childPids();
  const headers = { 'content-type': 'application/json' };
  const sent = await fetch(`${first.url}/api/v1/events`, { method: 'POST', headers, body: JSON.stringify(click) });
  expect(sent.status).toBe(202);
  expect(await first.stop()).toBe(0);
  expect(children.filter(isRunning)).toEqual([]);

  const second = await startMeshProcess(dir);
  onTestFinished(() => second.kill());
  expect((await fetch(`${second.url}/readyz`)).status).toBe(200);
  await expect.poll(() => clicks(second.url), { timeout: 10_000 }).toBe(1);
});

test('a second instance on the same data says so in one line and leaves the first alone', async () => {
  const dir = folder();
  const first = await startMeshProcess(dir);
  onTestFinished(() => first.kill());
  await expectRefusal(['--data-dir', dir, '--port', '0'], /in use by another process/);
  expect((await fetch(`${first.url}/readyz`)).status).toBe(200);
});

test('a port in use is one line', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  onTestFinished(() => void other.close());
  const { port } = other.address() as { port: number };
  await expectRefusal(['--data-dir', folder(), '--port', String(port)], /port is in use/);
});

test('a data folder that cannot be written is one line', async () => {
  const file = join(folder(), 'a-file');
  writeFileSync(file, '');
  await expectRefusal(['--data-dir', join(file, 'data'), '--port', '0'], /can't write to the data folder/);
});

test('wrong settings are one line that names them all', async () => {
  process.env.MODELS = 'best_click';
  process.env.PARTITIONS = 'many';
  onTestFinished(() => {
    delete process.env.MODELS;
    delete process.env.PARTITIONS;
  });
  await expectRefusal(['--data-dir', folder()], /PARTITIONS: .*MODELS/);
});

test('nothing of the tree outlives npm, even when npm is killed', async () => {
  const npm = spawn('npm', ['start'], {
    env: { ...process.env, PORT: '0', DATA_DIR: folder() },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  npm.stdout.on('data', (chunk) => {
    output += chunk;
  });
  await expect.poll(() => output, { timeout: 30_000 }).toContain('ready at');
  const tree = descendants(npm.pid!);
  onTestFinished(() => tree.filter(isRunning).forEach((pid) => void process.kill(pid, 'SIGKILL')));
  expect(tree.length).toBeGreaterThanOrEqual(2);
  npm.kill('SIGKILL');
  await expect.poll(() => tree.filter(isRunning), { timeout: 15_000 }).toEqual([]);
});

async function expectRefusal(args: string[], message: RegExp) {
  const { code, stderr } = await clickmesh(['up', ...args]);
  expect(code).toBe(1);
  expect(stderr).toMatch(message);
  expect(stderr.trim().split('\n'), stderr).toHaveLength(1);
}

function descendants(pid: number): number[] {
  const parents = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
        return [{ pid: Number(name), parent: Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) }];
      } catch {
        return [];
      }
    });
  const childrenOf = (of: number): number[] =>
    parents.filter(({ parent }) => parent === of).flatMap((child) => [child.pid, ...childrenOf(child.pid)]);
  return childrenOf(pid);
}
