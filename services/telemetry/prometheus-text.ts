import type { Attributes } from '@opentelemetry/api';
import { PrometheusSerializer } from '@opentelemetry/exporter-prometheus';
import { resourceFromAttributes } from '@opentelemetry/resources';
import type { MetricData, ResourceMetrics, ScopeMetrics } from '@opentelemetry/sdk-metrics';

/** How Prometheus spells units, at the end of a name. */
const UNITS = new Map([
  ['s', '_seconds'],
  ['By', '_bytes'],
  ['{record}', '_records'],
]);

const serializer = new PrometheusSerializer(undefined, false, undefined, false, true);

/**
 * All instruments as text for Prometheus.
 *
 * @param labels of what this thread has counted, to tell it from the others'
 */
export function prometheusText(own: ResourceMetrics, labels: Attributes, others: readonly ScopeMetrics[]): string {
  return serializer.serialize(merged(labelled(own, labels), others));
}

/** Adds labels to everything that was counted. What names the process is left out: any of them may answer a scrape. */
export function labelled({ resource, scopeMetrics }: ResourceMetrics, labels: Attributes): ResourceMetrics {
  if (Object.keys(labels).length === 0) return { resource, scopeMetrics };
  const { 'service.instance.id': _id, 'process.pid': _pid, ...shared } = resource.attributes;
  const scopes = scopeMetrics.map(({ scope, metrics }) => ({
    scope,
    metrics: metrics.map((metric) => {
      const dataPoints = metric.dataPoints.map((point) => ({
        ...point,
        attributes: { ...point.attributes, ...labels },
      }));
      return { ...metric, dataPoints } as MetricData;
    }),
  }));
  return { resource: resourceFromAttributes(shared), scopeMetrics: scopes };
}

/** Instruments that several threads have become one. */
function merged({ resource, scopeMetrics }: ResourceMetrics, others: readonly ScopeMetrics[]): ResourceMetrics {
  const scopes = [...scopeMetrics, ...others];
  const byName = new Map<string, MetricData>();
  for (const metric of scopes.flatMap(({ metrics }) => metrics)) {
    const name = metric.descriptor.name + (UNITS.get(metric.descriptor.unit) ?? '');
    const before = byName.get(name)?.dataPoints ?? [];
    const dataPoints = [...before, ...metric.dataPoints];
    byName.set(name, { ...metric, descriptor: { ...metric.descriptor, name }, dataPoints } as MetricData);
  }
  return { resource, scopeMetrics: [{ scope: scopes[0]!.scope, metrics: [...byName.values()] }] };
}
