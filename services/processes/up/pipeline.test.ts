import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { expect, onTestFinished, test } from 'vitest';
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
