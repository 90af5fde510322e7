import type { Attributes } from '@opentelemetry/api';
import type { ScopeMetrics } from '@opentelemetry/sdk-metrics';
import { prometheusText } from '../../telemetry/prometheus-text.ts';
import { collectMetrics } from '../../telemetry/start.ts';
import type { HttpRoute } from '../routes/http-routes.ts';

/**
 * `GET /metrics`: all instruments as text for Prometheus.
 *
 * @param fromOthers gives what other threads of this process, or others that share its port, have counted
 * @param labels tell what this thread has counted from theirs
 */
export function metricsRoute(
  fromOthers: () => Promise<readonly ScopeMetrics[] | undefined> = async () => [],
  labels: Attributes = {},
): HttpRoute {
  return {
    method: 'GET',
    path: '/metrics',
    async handle() {
      const [own, others] = await Promise.all([collectMetrics(), fromOthers()]);
      const body = own === undefined ? '' : prometheusText(own, labels, others ?? []);
      return { status: 200, headers: { 'content-type': 'text/plain; version=0.0.4' }, body };
    },
  };
}
