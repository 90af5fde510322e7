import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { metrics } from '@opentelemetry/api';
import { afterEach, expect, test } from 'vitest';
import { collectMetrics, startTelemetry, stopTelemetry } from './start.ts';

const env = { ...process.env };

afterEach(async () => {
  process.env = { ...env };
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

test.each(['cumulative', 'delta'])(
  'all that was counted is told every time, whatever is exported: %s',
  async (sums) => {
    const receiver = createServer((_, response) => response.end()).listen(0, '127.0.0.1');
    await once(receiver, 'listening');
    process.env.OTEL_EXPORTER_OTLP_ENDPOINT = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`;
    process.env.OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE = sums;
    metrics.disable();
    await startTelemetry('test');
    const counter = metrics.getMeter('test').createCounter('things');
    const counted: unknown[] = [];
    for (let i = 0; i < 2; i++) {
      counter.add(1);
      const found = (await collectMetrics())!.scopeMetrics.flatMap((scope) => scope.metrics);
      counted.push(found.find(({ descriptor }) => descriptor.name === 'things')!.dataPoints[0]!.value);
    }
    expect(counted).toEqual([1, 2]);
    await stopTelemetry();
    receiver.close();
  },
);
