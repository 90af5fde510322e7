import { memoryLog } from '../fixtures/memory-log.ts';
import { eventLogContract } from './event-log.ts';

eventLogContract('the log in memory', async () => {
  const log = memoryLog(4);
  // What it keeps is gone when the process ends: to open it again is to go on.
  return { log, reopen: async () => log, destroy: () => log.close() };
});
