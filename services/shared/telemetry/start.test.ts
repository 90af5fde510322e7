import { afterEach, expect, test } from 'vitest';
import { collectMetrics, startTelemetry, stopTelemetry } from './start.ts';

afterEach(async () => {
  delete process.env.OTEL_RESOURCE_ATTRIBUTES;
  await stopTelemetry();
});

async function instanceId(worker?: string): Promise<unknown> {
  await startTelemetry('test', worker);
  const id = (await collectMetrics())!.resource.attributes['service.instance.id'];
  await stopTelemetry();
  return id;
}

test('processes are instances of their own', async () => {
  expect(await instanceId()).not.toBe(await instanceId());
});

test('workers are instances of their own, even of one that the environment names', async () => {
  process.env.OTEL_RESOURCE_ATTRIBUTES = 'service.instance.id=gateway-7';
  expect(await instanceId()).toBe('gateway-7');
  expect(await instanceId('1')).toBe('gateway-7-1');
  expect(await instanceId('2')).toBe('gateway-7-2');
});
