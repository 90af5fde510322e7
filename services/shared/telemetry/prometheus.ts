import { PrometheusSerializer } from '@opentelemetry/exporter-prometheus';
import type { MetricData, ResourceMetrics, ScopeMetrics } from '@opentelemetry/sdk-metrics';
import type { HttpRoute } from '../rpc/http-routes.ts';
import { collectMetrics } from './start.ts';

/** How Prometheus spells units, at the end of a name. */
const UNITS = new Map([
  ['s', '_seconds'],
  ['By', '_bytes'],
  ['{record}', '_records'],
]);

const serializer = new PrometheusSerializer(undefined, false, undefined, false, true);

/**
 * `GET /metrics`: all instruments as text for Prometheus.
 *
 * @param fromThreads gives what other threads of this process have counted
 */
export function metricsRoute(
  fromThreads: () => Promise<readonly ScopeMetrics[] | undefined> = async () => [],
): HttpRoute {
  return {
    method: 'GET',
    path: '/metrics',
    async handle() {
      const [own, others] = await Promise.all([collectMetrics(), fromThreads()]);
      const body = own === undefined ? '' : serializer.serialize(merged(own, others ?? []));
      return { status: 200, headers: { 'content-type': 'text/plain; version=0.0.4' }, body };
    },
  };
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
