import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openEmbeddedLog } from '../../services/log/embedded/log.ts';
import { type EventLog, LogUnavailable, type RecordPosition } from '../../services/log/event-log.ts';

const MIB = 1 << 20;

/** Mounts a file system of `bytes`. */
async function mountSmall(bytes: number): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'clickmesh-full-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', dir]);
  return dir;
}

function appendOne(log: EventLog, text: string): Promise<RecordPosition[]> {
  const value = Buffer.alloc(100_000, text);
  return log.append([{ topic: 'raw-events', key: 'k', value, partition: 0 }]);
}

async function appendUntilFull(log: EventLog): Promise<number> {
  for (let appended = 0; ; appended++) {
    try {
      await appendOne(log, `${appended},`);
    } catch (error) {
      expect(error).toBeInstanceOf(LogUnavailable);
      expect((error as Error).message).toContain('No space left on device');
      return appended;
    }
  }
}

async function untilAppended(log: EventLog): Promise<RecordPosition[]> {
  for (;;) {
    try {
      return await appendOne(log, 'again,');
    } catch (error) {
      expect(error).toBeInstanceOf(LogUnavailable);
    }
  }
}

test('L-4: a full disk rejects appends, moves no offset and is over once there is room', {
  tags: 'tmpfs',
}, async () => {
  const dir = await mountSmall(160 * MIB);
  try {
    const ballast = join(dir, 'ballast');
    await writeFile(ballast, Buffer.alloc(150 * MIB));
    const options = { dir: join(dir, 'log'), partitions: 1, retentionMs: Infinity, retentionBytes: Infinity };
    let log = await openEmbeddedLog(options);
    const appended = await appendUntilFull(log);
    expect(appended).toBeGreaterThan(10);
    expect(await log.offsets('raw-events')).toEqual([{ start: 0, end: appended }]);

    await unlink(ballast);
    expect(await untilAppended(log)).toEqual([{ partition: 0, offset: appended }]);
    await log.close();
    log = await openEmbeddedLog(options);
    expect(await log.offsets('raw-events')).toEqual([{ start: 0, end: appended + 1 }]);
    const [last] = await log.read('raw-events', { partition: 0, offset: appended }, { maxBytes: 1, waitMs: 0 });
    expect(Buffer.from(last!.value).toString()).toMatch(/^again,/);
    await log.close();
  } finally {
    execFileSync('umount', [dir]);
    await rm(dir, { recursive: true });
  }
});
