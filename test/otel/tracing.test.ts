import { randomBytes, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type MeshProcess, startMeshProcess, temporaryFolder } from '../fixtures/mesh-process.ts';
import { KAFKA } from '../needs.ts';
import { type CollectedSpan, type Collector, startCollector } from './collector.ts';

/** Users, each of whom clicks and converts: two traces. */
const USERS = 50;
/** What every event's trace has; a conversion's also tells how its outcome came into ClickHouse. */
const REQUEST = ['POST /api/v1/events', 'accept', 'append raw-events', 'attribute raw-events'];
const SINK = ['insert raw-events'];
const OUTCOME = ['insert attributed-events', 'insert conversion-decisions'];

interface MeshUnderTest {
  command: 'up' | 'cluster';
  protocol: 'http/protobuf' | 'grpc';
  /** Spans of every click. */
  click: readonly string[];
  /** What a conversion has besides. */
  conversion: readonly string[];
}

/** The Kafka engine, which brings records into ClickHouse in a cluster, knows no traces. */
const MESHES: readonly MeshUnderTest[] = [
  { command: 'up', protocol: 'http/protobuf', click: [...REQUEST, ...SINK], conversion: OUTCOME },
  { command: 'cluster', protocol: 'grpc', click: REQUEST, conversion: [] },
];

const folder = temporaryFolder();
let collector: Collector;
let mesh: MeshProcess;

async function start({ command, protocol }: MeshUnderTest): Promise<void> {
  collector = await startCollector();
  const env = {
    OTEL_EXPORTER_OTLP_ENDPOINT: protocol === 'grpc' ? collector.grpcUrl : collector.httpUrl,
    OTEL_EXPORTER_OTLP_PROTOCOL: protocol,
    OTEL_TRACES_SAMPLER: 'parentbased_always_off',
    OTEL_BSP_SCHEDULE_DELAY: '200',
    OTEL_METRIC_EXPORT_INTERVAL: '500',
  };
  mesh = await startMeshProcess(join(folder.path, command), env, command);
}

afterAll(() => folder[Symbol.dispose]());

for (const tested of MESHES) {
  const tags = ['go', 'long', ...(tested.command === 'cluster' ? KAFKA : [])];
  describe(`tracing of clickmesh ${tested.command}`, { tags }, () => {
    beforeAll(() => start(tested), 600_000);
    afterAll(async () => {
      await mesh.stop();
      await collector.close();
    }, 60_000);

    test(`the traces of ${2 * USERS} events are complete`, () => expectCompleteTraces(tested), 120_000);
    test('a request for stats is traced into ClickHouse', expectTracedQuery, 30_000);
    test('what is not sampled leaves no trace', expectNoTrace, 30_000);
    test('metrics come by OTLP, too', expectMetrics, 30_000);
  });
}

async function expectCompleteTraces({ click, conversion }: MeshUnderTest): Promise<void> {
  const expected = new Map<string, readonly string[]>();
  for (let user = 0; user < USERS; user++) {
    expected.set(await post(clickOf(user)), click);
    expected.set(await post(conversionOf(user)), [...click, ...conversion]);
  }
  const incomplete = async () => {
    const traces = Map.groupBy(await collector.traces(), ({ traceId }) => traceId);
    return [...expected].flatMap(([traceId, names]) => {
      const found = (traces.get(traceId) ?? []).map(nameOf);
      const missing = names.filter((name) => !found.includes(name));
      return missing.length === 0 ? [] : [{ traceId, missing }];
    });
  };
  await expect.poll(incomplete, { timeout: 60_000, interval: 500 }).toEqual([]);

  const spans = await collector.traces();
  const bySpanId = new Map(spans.map((span) => [span.spanId, span]));
  const parentsOf = (name: string) => {
    const parents = spans.filter((span) => nameOf(span) === name).map((span) => bySpanId.get(span.parentSpanId)!);
    return [...new Set(parents.map(nameOf))];
  };
  expect(parentsOf('append raw-events')).toEqual(['POST /api/v1/events']);
  expect(parentsOf('attribute raw-events')).toEqual(['append raw-events']);
  if (conversion.length > 0) expect(parentsOf('insert attributed-events')).toEqual(['attribute raw-events']);
  for (const { links } of spans.filter(({ name }) => name === 'attribute')) {
    expect(links.map(({ spanId }) => bySpanId.get(spanId)?.name)).toEqual(['attribute batch']);
  }
}

async function expectTracedQuery(): Promise<void> {
  const { traceId, headers } = newParent();
  const today = new Date().toISOString().slice(0, 10);
  const address = `${mesh.url}/api/v1/stats?start_date=${today}&end_date=${today}`;
  expect((await fetch(address, { headers })).status).toBe(200);
  const names = async () => (await spansOf(traceId)).map(({ name }) => name);
  const whole = expect.arrayContaining(['GET /api/v1/stats', 'clickhouse.exec']);
  await expect.poll(names, { timeout: 20_000, interval: 500 }).toEqual(whole);
}

async function expectNoTrace(): Promise<void> {
  const unsampled = newParent('00');
  await post(clickOf(USERS), unsampled);
  // Of the same user, and so behind it.
  const later = await post(clickOf(USERS));
  const attributed = async () => (await spansOf(later)).some(({ name }) => name === 'attribute');
  await expect.poll(attributed, { timeout: 20_000, interval: 500 }).toBe(true);
  expect(await spansOf(unsampled.traceId)).toEqual([]);
}

async function expectMetrics(): Promise<void> {
  const some = expect.arrayContaining(['clickmesh.events.accepted', 'clickmesh.attribution.events']);
  await expect.poll(() => collector.metricNames(), { timeout: 20_000, interval: 500 }).toEqual(some);
}

async function spansOf(traceId: string): Promise<CollectedSpan[]> {
  return (await collector.traces()).filter((span) => span.traceId === traceId);
}

/** With the topic of records, which spans of the same name tell by an attribute. */
function nameOf({ name, attributes }: CollectedSpan): string {
  const topic = attributes['messaging.destination.name'];
  return topic === undefined ? name : `${name} ${topic}`;
}

function newParent(flags = '01') {
  const traceId = randomBytes(16).toString('hex');
  return { traceId, headers: { traceparent: `00-${traceId}-${randomBytes(8).toString('hex')}-${flags}` } };
}

function clickOf(user: number): object {
  const ids = { ad_id: 'ad', campaign_id: 'camp', source: 'test' };
  return { event_type: 'click', event_id: randomUUID(), user_id: `user-${user}`, ...ids, timestamp: Date.now() - 1000 };
}

function conversionOf(user: number): object {
  const what = { type: 'install', value: 1, source: 'test' };
  return { event_type: 'conversion', event_id: randomUUID(), user_id: `user-${user}`, ...what, timestamp: Date.now() };
}

/** Sends an event in a trace, and returns that trace's id. */
async function post(event: object, { traceId, headers } = newParent()): Promise<string> {
  const response = await fetch(`${mesh.url}/api/v1/events`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(event),
  });
  expect(response.status).toBe(202);
  return traceId;
}
