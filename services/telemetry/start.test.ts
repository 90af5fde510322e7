import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { context, metrics, propagation, trace } from '@opentelemetry/api';
import { afterEach, expect, test, vi } from 'vitest';
import { collectMetrics, startTelemetry, stopTelemetry } from './start.ts';

const env = { ...process.env };

afterEach(async () => {
  process.env = { ...env };
  await stopTelemetry();
});

/** A collector that drops it all, which the environment names. */
async function receiveOtlp(): Promise<AsyncDisposable> {
  const receiver = createServer((_, response) => response.end()).listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  process.env.OTEL_EXPORTER_OTLP_ENDPOINT = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`;
  return receiver;
}

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
    await using _receiver = await receiveOtlp();
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
  },
);

const SAMPLED = { traceparent: `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01` };
const UNSAMPLED = { traceparent: `00-${'1'.repeat(32)}-${'2'.repeat(16)}-00` };
const BROKEN = { traceparent: 'nonsense' };

test.each([
  { sampler: undefined, part: '1', headers: {}, outcomes: [true] },
  { sampler: undefined, part: '1', headers: BROKEN, outcomes: [true] },
  { sampler: undefined, part: '1', headers: UNSAMPLED, outcomes: [false] },
  { sampler: undefined, part: '0', headers: {}, outcomes: [false] },
  { sampler: undefined, part: '0', headers: SAMPLED, outcomes: [true] },
  { sampler: undefined, part: '0.5', headers: {}, outcomes: [false, true] },
  { sampler: undefined, part: '0.5', headers: SAMPLED, outcomes: [true] },
  { sampler: 'parentbased_always_off', part: '1', headers: {}, outcomes: [false] },
  { sampler: 'always_on', part: '0', headers: UNSAMPLED, outcomes: [true] },
  { sampler: undefined, part: '7', headers: {}, outcomes: [true] },
  { sampler: undefined, part: '', headers: {}, outcomes: [true] },
])('$sampler, $part: requests with $headers are sampled: $outcomes', async ({ sampler, part, headers, outcomes }) => {
  await using _receiver = await receiveOtlp();
  if (sampler !== undefined) process.env.OTEL_TRACES_SAMPLER = sampler;
  process.env.OTEL_TRACES_SAMPLER_ARG = part;
  for (const api of [trace, context, propagation, metrics]) api.disable();
  // A tracer stays with the provider that it once had.
  vi.resetModules();
  const { startTelemetry, stopTelemetry } = await import('./start.ts');
  const { withServerSpan } = await import('./tracing.ts');
  await startTelemetry('test');
  const sampled = new Set<boolean>();
  for (let i = 0; i < 200; i++) {
    withServerSpan('request', headers, {}, (span) => {
      sampled.add(span !== undefined);
      span?.end();
    });
  }
  await stopTelemetry();
  expect([...sampled].sort()).toEqual(outcomes);
});
