import { expect, test } from 'vitest';
import { memoryLog } from '../../../test/fixtures/memory-log.ts';
import { MAX_IN_FLIGHT_BYTES } from '../../contract/limits.ts';
import type { NewRecord } from '../../log/event-log.ts';
import { publish } from './publish.ts';

test('more than the log takes at once goes in parts, in order', async () => {
  const log = memoryLog(1);
  const appends: number[] = [];
  log.beforeAppend = (records) => {
    appends.push(records.reduce((sum, { value }) => sum + value.length, 0));
  };
  const outputs = Array.from({ length: 150 }, (_, i): NewRecord => {
    const value = Buffer.alloc(i % 3 === 0 ? 1 << 20 : 100);
    value.writeUInt32BE(i);
    return { topic: 'conversion-decisions', partition: 0, key: 'ann', value };
  });
  await publish(log, outputs);
  expect(log.records('conversion-decisions').map(({ value }) => Buffer.from(value).readUInt32BE())).toEqual(
    outputs.map((_, i) => i),
  );
  expect(Math.max(...appends)).toBeLessThan(MAX_IN_FLIGHT_BYTES / 16);
});
