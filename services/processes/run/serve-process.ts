import { type RunningServer, type ServeOptions, serve } from '../../http/server/server.ts';
import { healthHttp, healthRoutes, type Readiness } from '../../http/standard/health.ts';
import { metricsRoute } from '../../http/standard/metrics-route.ts';
import { reflectionRoutes } from '../../http/standard/reflection.ts';

export interface ProcessServer
  extends Pick<ServeOptions, 'host' | 'port' | 'shared' | 'logger' | 'services' | 'routes' | 'notice'> {
  ready: Readiness;
  /** The process's own metrics by default. */
  metrics?: ReturnType<typeof metricsRoute>;
}

/**
 * Serves what a process has to serve besides what all of them do: health, metrics and reflection. Every server of the
 * mesh is started here, so a guard is to be passed to `serve` here, and stands before them all.
 */
export function serveProcess(options: ProcessServer): Promise<RunningServer> {
  const { ready, metrics = metricsRoute(), services, routes, ...rest } = options;
  return serve({
    ...rest,
    services(router, shutdown) {
      services(router, shutdown);
      healthRoutes(router, ready, shutdown);
      reflectionRoutes(router);
    },
    routes: [...routes, ...healthHttp(ready), metrics],
  });
}
