import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { metrics } from '@opentelemetry/api';
import { detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources';
import {
  AggregationTemporality,
  InstrumentType,
  MeterProvider,
  MetricReader,
  PeriodicExportingMetricReader,
  type ResourceMetrics,
} from '@opentelemetry/sdk-metrics';
import packageJson from '../../package.json' with { type: 'json' };
import { sampleRequests } from './tracing.ts';

const SAMPLER = 'parentbased_traceidratio';
/** Part of requests without a sampled parent that are traced. */
const SAMPLED_PART = '0.01';

const OTLP_ENDPOINTS = [
  'OTEL_EXPORTER_OTLP_ENDPOINT',
  'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT',
  'OTEL_EXPORTER_OTLP_METRICS_ENDPOINT',
];

/** A reader that exports nothing by itself: /metrics asks it. */
class Collector extends MetricReader {
  protected override async onForceFlush() {}
  protected override async onShutdown() {}
}

let telemetry: { reader: MetricReader; shutdown(): Promise<void> } | undefined;

/**
 * Starts OpenTelemetry in this thread; before the modules that measure are loaded, since they ask for their instruments
 * then. Metrics are always counted. Where a variable of OpenTelemetry names an OTLP endpoint they are also sent there,
 * over gRPC or HTTP, and requests are traced: those whose caller traces them, and 1 % of the others unless
 * OTEL_TRACES_SAMPLER says otherwise.
 *
 * @param service is service.name, unless OTEL_SERVICE_NAME is set
 * @param worker tells apart processes that share an environment, and with it a service.instance.id that it may name
 */
export async function startTelemetry(service: string, worker?: string): Promise<void> {
  const { env } = process;
  const fromEnv = detectResources({ detectors: [envDetector] });
  const instance = fromEnv.attributes['service.instance.id'];
  const own = instance !== undefined && worker !== undefined && { 'service.instance.id': `${instance}-${worker}` };
  const resource = resourceFromAttributes({
    'service.name': service,
    'service.version': packageJson.version,
    'service.instance.id': randomUUID(),
    'host.name': hostname(),
    'process.pid': process.pid,
  })
    .merge(fromEnv)
    .merge(resourceFromAttributes(own || {}));
  if (env.OTEL_SDK_DISABLED === 'true' || !OTLP_ENDPOINTS.some((name) => env[name])) {
    const reader = new Collector();
    const provider = new MeterProvider({ resource, readers: [reader] });
    metrics.setGlobalMeterProvider(provider);
    telemetry = { reader, shutdown: () => provider.shutdown() };
    return;
  }
  env.OTEL_TRACES_SAMPLER ??= SAMPLER;
  env.OTEL_TRACES_SAMPLER_ARG ??= SAMPLED_PART;
  // Logs go to standard error.
  env.OTEL_LOGS_EXPORTER ??= 'none';
  // Loading it takes a quarter of a second and 15 MB: only where something is exported.
  const { NodeSDK, tracing } = await import('@opentelemetry/sdk-node');
  const otlp = env.OTEL_METRICS_EXPORTER === 'none' ? undefined : await otlpReader(env);
  // Each reader has everything counted for itself, which costs a request as much as tracing does.
  const reader = otlp !== undefined && isCumulative(otlp) ? otlp : new Collector();
  const metricReaders = otlp === undefined ? [reader] : [...new Set([reader, otlp])];
  const part = Number(env.OTEL_TRACES_SAMPLER_ARG || Number.NaN);
  const sampledHere = env.OTEL_TRACES_SAMPLER === SAMPLER && part >= 0 && part <= 1;
  if (sampledHere) sampleRequests(part);
  // Any other sampler is the SDK's, which also warns of a part that is none.
  const sampler = sampledHere ? new tracing.ParentBasedSampler({ root: new tracing.AlwaysOnSampler() }) : undefined;
  const sdk = new NodeSDK({ resource, autoDetectResources: false, metricReaders, sampler });
  sdk.start();
  telemetry = { reader, shutdown: () => sdk.shutdown() };
}

/** Sends what was not sent yet, and stops. Waits for a collector no longer than its timeout. */
export async function stopTelemetry(): Promise<void> {
  const running = telemetry;
  telemetry = undefined;
  // Nothing is owed to a collector that is away.
  await running?.shutdown().catch(() => {});
}

/** All instruments of this thread as they stand now; undefined where telemetry was not started. */
export async function collectMetrics(): Promise<ResourceMetrics | undefined> {
  return (await telemetry?.reader.collect())?.resourceMetrics;
}

/** Whether the reader reports totals, as /metrics does, and not only the changes since its last report. */
function isCumulative(reader: MetricReader): boolean {
  return reader.selectAggregationTemporality(InstrumentType.COUNTER) === AggregationTemporality.CUMULATIVE;
}

async function otlpReader(env: NodeJS.ProcessEnv): Promise<MetricReader> {
  const protocol = env.OTEL_EXPORTER_OTLP_METRICS_PROTOCOL ?? env.OTEL_EXPORTER_OTLP_PROTOCOL;
  const { OTLPMetricExporter } =
    protocol === 'grpc'
      ? await import('@opentelemetry/exporter-metrics-otlp-grpc')
      : await import('@opentelemetry/exporter-metrics-otlp-proto');
  const exportIntervalMillis = Number(env.OTEL_METRIC_EXPORT_INTERVAL ?? 60_000);
  const exportTimeoutMillis = Math.min(exportIntervalMillis, Number(env.OTEL_METRIC_EXPORT_TIMEOUT ?? 30_000));
  return new PeriodicExportingMetricReader({
    exporter: new OTLPMetricExporter(),
    exportIntervalMillis,
    exportTimeoutMillis,
  });
}
