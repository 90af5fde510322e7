import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openEmbeddedLog } from '../../services/log/embedded/log.ts';
import { eventLogContract } from './event-log.ts';

eventLogContract('the embedded log', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'clickmesh-log-'));
  const openHere = () => openEmbeddedLog({ dir, partitions: 4, retentionMs: Infinity, retentionBytes: Infinity });
  let log = await openHere();
  return {
    log,
    async reopen() {
      await log.close();
      log = await openHere();
      return log;
    },
    async destroy() {
      await log.close();
      await rm(dir, { recursive: true });
    },
  };
});
