import type { Attributes } from '@opentelemetry/api';
import type { ScopeMetrics } from '@opentelemetry/sdk-metrics';
import { prometheusText } from '../../telemetry/prometheus-text.ts';
import { collectMetrics } from '../../telemetry/start.ts';
import type { HttpRoute } from '../routes/http-routes.ts';

/**
 * `GET /metrics`: all instruments as text for Prometheus.
 *
 * @param fromOthers reads the metrics of other threads of this process, or of other processes that share its port
 * @param labels of this thread's own metrics, to distinguish them from the others'
 */
export function metricsRoute(
  fromOthers: () => Promise<readonly ScopeMetrics[] | undefined> = async () => [],
  labels: Attributes = {},
): HttpRoute {
  return {
    method: 'GET',
    path: '/metrics',
    summary: 'All instruments, as text for Prometheus.',
    safe: true,
    async handle() {
      const [own, others] = await Promise.all([collectMetrics(), fromOthers()]);
      const body = own === undefined ? '' : prometheusText(own, labels, others ?? []);
      return { status: 200, headers: { 'content-type': 'text/plain; version=0.0.4' }, body };
    },
  };
}
