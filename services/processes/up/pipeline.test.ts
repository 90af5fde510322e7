import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { expect, onTestFinished, test, vi } from 'vitest';
import { parseAttributionEnvironment } from '../../attribution/decision/config.ts';
import { openEmbeddedLog } from '../../log/embedded/log.ts';
import { startPipeline } from './pipeline.ts';

test('the thread is started again until it runs', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'clickmesh-pipeline-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true, maxRetries: 5 }));
  const log = await openEmbeddedLog({ dir: join(dir, 'log'), partitions: 2, retentionMs: 1e9, retentionBytes: 1e9 });
  const stateDir = join(dir, 'state');
  writeFileSync(stateDir, 'a file where the folder should be');
  let failures = 0;
  const logger = pino({ level: 'error' }, { write: () => failures++ });
  const data = {
    attribution: parseAttributionEnvironment({}),
    stateDir,
    // Nobody listens there: the sink waits, attribution goes on.
    clickhouseUrl: 'http://127.0.0.1:1',
    logLevel: 'silent',
  };
  const pipeline = startPipeline(log, data, logger);
  await expect.poll(() => failures, { timeout: 10_000 }).toBeGreaterThanOrEqual(2);
  expect(await pipeline.status()).toBeUndefined();

  rmSync(stateDir);
  await pipeline.started;
  await log.append([{ topic: 'raw-events', key: 'k', value: Buffer.from('no event'), partition: 1 }]);
  const positions = async () => (await pipeline.status())?.attribution.map(({ nextOffset }) => nextOffset);
  await expect.poll(positions, { timeout: 10_000 }).toEqual([0, 1]);
  await pipeline.close();
  await log.close();
});

test('a close does not wait for the end of a pause', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'clickmesh-pipeline-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true, maxRetries: 5 }));
  const log = await openEmbeddedLog({ dir: join(dir, 'log'), partitions: 1, retentionMs: 1e9, retentionBytes: 1e9 });
  const stateDir = join(dir, 'state');
  writeFileSync(stateDir, 'a file where the folder should be');
  // Of this thread alone: a pause never ends by itself.
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
  const paused = Promise.withResolvers<void>();
  const logger = pino({ level: 'warn' }, { write: (line: string) => line.includes('pauseMs') && paused.resolve() });
  const pipeline = startPipeline(
    log,
    { attribution: parseAttributionEnvironment({}), stateDir, clickhouseUrl: 'http://127.0.0.1:1', logLevel: 'silent' },
    logger,
  );
  await paused.promise;
  await pipeline.close();
  await log.close();
});
