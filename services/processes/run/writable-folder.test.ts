import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { expect, onTestFinished, test } from 'vitest';
import { temporaryFolder } from '../../../test/fixtures/mesh-process.ts';

const MODULE = new URL('./writable-folder.ts', import.meta.url).href;

function folder(): string {
  const made = temporaryFolder();
  onTestFinished(() => made[Symbol.dispose]());
  return made.path;
}

/** Asks for a folder in a process of its own, which can be ended; returns what is thrown. */
function tried(dir: string, cwd?: string): string {
  const program = `import { writableFolder } from ${JSON.stringify(MODULE)};
    try { writableFolder(${JSON.stringify(dir)}); } catch (error) { process.stdout.write(error.message); }`;
  const args = ['--input-type=module', '-e', program];
  const { stdout, signal } = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 20_000, cwd });
  return signal === null ? stdout : `ended by ${signal}`;
}

test('a folder is made with those above it, and may be there', () => {
  const [dir, cwd] = [join(folder(), 'a', 'b', 'c'), folder()];
  expect([tried(dir), tried(dir), existsSync(dir)]).toEqual(['', '', true]);
  expect([tried('./x/y', cwd), tried('z', cwd)]).toEqual(['', '']);
  expect(existsSync(join(cwd, 'x', 'y')) && existsSync(join(cwd, 'z'))).toBe(true);
});

test.each(['/proc/x', '/proc/x/y', '/proc/self/x', '/dev/null', '/dev/null/x'])('%s is refused', (dir) => {
  expect(tried(dir)).toMatch(new RegExp(`^can't write to the data folder ${dir}: E(NOENT|EXIST|NOTDIR|ACCES|PERM)`));
});

test('a file is no folder', () => {
  const file = join(folder(), 'file');
  writeFileSync(file, '');
  expect(tried(file)).toContain('EEXIST');
  expect(tried(join(file, 'x'))).toMatch(/EEXIST|ENOTDIR/);
});

test('processes that start together may make the same folders', async () => {
  const dir = folder();
  const program = `import { parentPort } from 'node:worker_threads';
    import { writableFolder } from ${JSON.stringify(MODULE)};
    parentPort.once('message', () => {
      for (let i = 0; i < 500; i++) writableFolder(${JSON.stringify(dir)} + '/' + i + '/a/b');
      parentPort.close();
    });
    parentPort.postMessage('ready');`;
  const url = new URL(`data:text/javascript,${encodeURIComponent(program)}`);
  const workers = Array.from({ length: 4 }, () => new Worker(url));
  await Promise.all(workers.map((worker) => once(worker, 'message')));
  const ends = workers.map((worker) => once(worker, 'exit'));
  for (const worker of workers) worker.postMessage('go');
  await Promise.all(ends);
  expect(existsSync(join(dir, '499', 'a', 'b'))).toBe(true);
});
