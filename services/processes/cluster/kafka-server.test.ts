import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { KAFKA } from '../../../test/needs.ts';

/** Starts Kafka in a folder and prints its process ids. */
const PROGRAM = `
  import { startKafka } from '${new URL('./kafka-server.ts', import.meta.url)}';
  import pino from 'pino';
  const kafka = await startKafka({ dir: process.argv[1], logger: pino({ level: 'silent' }) });
  console.log(kafka.pids().join(','));
`;
const ARGS = ['--input-type=module', '--eval', PROGRAM];

describe('a local Kafka', { tags: KAFKA }, () => {
  let dir: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'clickmesh-kafka-'));
  });
  afterEach(() => rm(dir, { recursive: true }));

  test('dies with the process that started it, even by SIGKILL, and starts again on its folder', async () => {
    for (let start = 0; start < 2; start++) {
      const child = spawn(process.execPath, [...ARGS, dir], { stdio: ['ignore', 'pipe', 'inherit'] });
      const [line] = await once(child.stdout, 'data');
      const pid = Number(line);
      expect(existsSync(`/proc/${pid}`)).toBe(true);
      child.kill('SIGKILL');
      await vi.waitFor(() => expect(existsSync(`/proc/${pid}`)).toBe(false), { timeout: 10_000 });
    }
  });

  test('says in one line that there is no Java', async () => {
    const running = promisify(execFile)(process.execPath, [...ARGS, dir], { env: { PATH: dir } });
    const { stderr } = await running.then(() => ({ stderr: '' })).catch((error) => error);
    expect(stderr).toContain('Error: Kafka needs Java 17 or later, and there is no java on the PATH\n');
  });
});
