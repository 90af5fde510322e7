/**
 * Appends to the log in the folder given until it is killed; says each position on stdout once it is acknowledged.
 * A record's value is its position, so that a reader knows what belongs there.
 */
import { openEmbeddedLog } from '../../services/log/embedded/log.ts';
import type { NewRecord } from '../../services/log/event-log.ts';

const [dir] = process.argv.slice(2);
const PARTITIONS = 3;
const log = await openEmbeddedLog({
  dir: dir!,
  partitions: PARTITIONS,
  retentionMs: Infinity,
  retentionBytes: Infinity,
});

async function appendForever(partition: number): Promise<void> {
  for (let offset = 0; ; ) {
    const records = Array.from({ length: 1 + (offset % 7) }, (_, i): NewRecord => {
      const value = Buffer.from(`${partition}/${offset + i}`.padEnd(50 + ((offset * 37) % 400)));
      return { topic: 'raw-events', key: 'k', value, partition };
    });
    const positions = await log.append(records);
    process.stdout.write(positions.map((position) => `${position.partition} ${position.offset}\n`).join(''));
    offset += positions.length;
  }
}

await Promise.all(Array.from({ length: PARTITIONS }, (_, partition) => appendForever(partition)));
