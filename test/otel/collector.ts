import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../services/system/free-port.ts';
import { buildGoProgram } from '../fixtures/go-tool.ts';
import { temporaryFolder } from '../fixtures/mesh-process.ts';

/** A span as the collector got it. */
export interface CollectedSpan {
  traceId: string;
  spanId: string;
  parentSpanId: string;
  name: string;
  attributes: Readonly<Record<string, string>>;
  links: readonly { traceId: string; spanId: string }[];
}

/** A real OpenTelemetry Collector. */
export interface Collector {
  grpcUrl: string;
  httpUrl: string;
  /** All spans so far. */
  traces(): Promise<CollectedSpan[]>;
  /** Of all metrics so far. */
  metricNames(): Promise<string[]>;
  close(): Promise<void>;
}

const SOURCE = resolve('test/otel/collector');
const START_MS = 30_000;

/** Builds it from its Go modules (a minute or two the first time) and starts it on free ports. */
export async function startCollector(): Promise<Collector> {
  const folder = temporaryFolder();
  const [grpc, http] = [await freePort(), await freePort()];
  const [traces, metrics] = [join(folder.path, 'traces.json'), join(folder.path, 'metrics.json')];
  const config = join(folder.path, 'config.json');
  writeFileSync(config, JSON.stringify(configOf({ grpc, http, traces, metrics })));
  const child = spawn(buildGoProgram(SOURCE, 'collector', '.'), ['--config', config], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const exited = once(child, 'exit');
  let log = '';
  child.stderr.on('data', (chunk) => {
    log = (log + chunk).slice(-4000);
  });
  const httpUrl = `http://127.0.0.1:${http}`;
  const deadline = performance.now() + START_MS;
  // It takes posts only, which any answer shows.
  while ((await fetch(`${httpUrl}/v1/traces`).catch(() => undefined)) === undefined) {
    if (child.exitCode !== null || performance.now() > deadline) throw new Error(`the collector did not start: ${log}`);
    await sleep(50);
  }
  return {
    grpcUrl: `http://127.0.0.1:${grpc}`,
    httpUrl,
    traces: async () => readLines(traces).flatMap(spansOf),
    metricNames: async () => [...new Set(readLines(metrics).flatMap(namesOf))],
    async close() {
      child.kill('SIGTERM');
      await exited;
      folder[Symbol.dispose]();
    },
  };
}

function configOf({ grpc, http, traces, metrics }: { grpc: number; http: number; traces: string; metrics: string }) {
  const file = (path: string) => ({ path, flush_interval: '100ms' });
  const protocols = { grpc: { endpoint: `127.0.0.1:${grpc}` }, http: { endpoint: `127.0.0.1:${http}` } };
  return {
    receivers: { otlp: { protocols } },
    exporters: { 'file/traces': file(traces), 'file/metrics': file(metrics) },
    service: {
      telemetry: { metrics: { level: 'none' }, logs: { level: 'warn' } },
      pipelines: {
        traces: { receivers: ['otlp'], exporters: ['file/traces'] },
        metrics: { receivers: ['otlp'], exporters: ['file/metrics'] },
      },
    },
  };
}

/** The part of OTLP's JSON in use. */
interface Batch {
  resourceSpans?: { scopeSpans: { spans: (Omit<CollectedSpan, 'attributes'> & { attributes?: Attribute[] })[] }[] }[];
  resourceMetrics?: { scopeMetrics: { metrics: { name: string }[] }[] }[];
}
interface Attribute {
  key: string;
  value: Record<string, unknown>;
}

/** Whole lines only: the last may still be written. */
function readLines(path: string): Batch[] {
  if (!existsSync(path)) return [];
  const text = readFileSync(path, 'utf8');
  const lines = text.slice(0, text.lastIndexOf('\n') + 1).split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line));
}

function spansOf({ resourceSpans = [] }: Batch): CollectedSpan[] {
  const spans = resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans));
  return spans.map(({ attributes = [], links = [], ...span }) => {
    const entries = attributes.map(({ key, value }) => [key, String(Object.values(value)[0])] as const);
    return { ...span, links, attributes: Object.fromEntries(entries) };
  });
}

function namesOf({ resourceMetrics = [] }: Batch): string[] {
  return resourceMetrics.flatMap(({ scopeMetrics }) =>
    scopeMetrics.flatMap(({ metrics }) => metrics.map((m) => m.name)),
  );
}
