import { Admin, ConfigResourceTypes, IncrementalAlterConfigOperationTypes } from '@platformatic/kafka';
import { expect, onTestFinished, test, vi } from 'vitest';
import type { LogRecord } from '../../services/log/event-log.ts';
import { openKafkaLog } from '../../services/log/kafka/log.ts';
import { startTestKafka } from '../fixtures/kafka.ts';
import { KAFKA } from '../needs.ts';

/** The broker looks for something to compact every 15 s. */
const COMPACTED_WITHIN = { timeout: 90_000, interval: 500 };

test('reads a compacted topic to its end from every offset, whatever was taken out', {
  tags: KAFKA,
  timeout: 180_000,
}, async () => {
  const kafka = await startTestKafka();
  onTestFinished(() => kafka.close());
  await compactSoon(kafka.bootstrap);
  const log = await openKafkaLog({ bootstrap: kafka.bootstrap, clientId: 'test' });
  onTestFinished(() => log.close());
  const append = (key: string, value: string) =>
    log.append([{ topic: 'daily-stats', key, value: Buffer.from(value), partition: 0 }]);
  /** Whole batches go, and records from the middle and the end of batches. */
  for (let i = 0; i < 50; i++) {
    await Promise.all(['often', i % 10 === 0 ? `rare ${i}` : 'often', 'often'].map((key) => append(key, `${i}`)));
  }
  const read = async (from: number) => {
    const records: LogRecord[] = [];
    for (let offset = from; ; offset = records.at(-1)!.offset + 1) {
      const more = await log.read('daily-stats', { partition: 0, offset }, { maxBytes: 10, waitMs: 0 });
      if (more.length === 0) return records;
      records.push(...more);
    }
  };
  let roll = 0;
  const kept = await vi.waitFor(async () => {
    // Only what is not in the newest segment is compacted, and a segment ends with a record that comes later.
    await append('roll', `${roll++}`);
    const records = await read(0);
    expect(records.filter(({ key }) => key === 'often')).toHaveLength(1);
    return records;
  }, COMPACTED_WITHIN);
  const end = (await log.offsets('daily-stats'))[0]!.end;
  expect(kept.length).toBeLessThan(end / 2);
  for (let from = 0; from <= end; from++) {
    const offsets = (await read(from)).map(({ offset }) => offset);
    expect(offsets.filter((offset) => offset < 150)).toEqual(
      kept.map(({ offset }) => offset).filter((offset) => offset >= from && offset < 150),
    );
  }
});

async function compactSoon(bootstrap: string): Promise<void> {
  const admin = new Admin({ clientId: 'test', bootstrapBrokers: [bootstrap] });
  const settings = { 'segment.ms': '100', 'min.cleanable.dirty.ratio': '0.01' };
  const configs = Object.entries(settings).map(([name, value]) => ({
    name,
    value,
    configOperation: IncrementalAlterConfigOperationTypes.SET,
  }));
  await admin.incrementalAlterConfigs({
    resources: [{ resourceType: ConfigResourceTypes.TOPIC, resourceName: 'daily-stats', configs }],
  });
  await admin.close();
}
