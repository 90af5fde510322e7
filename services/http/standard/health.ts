import { setTimeout as sleep } from 'node:timers/promises';
import { Code, ConnectError, type ConnectRouter } from '@connectrpc/connect';
import { Health, HealthCheckResponse_ServingStatus as Status } from '../../../gen/ts/grpc/health/v1/health_pb.js';
import { type HttpResponse, json } from '../exchange/http-message.ts';
import type { HttpRoute } from '../routes/http-routes.ts';

/** State of one thing that the process depends on: ready, or why not. */
export type Check = { ok: true } | { ok: false; reason: string };

/** Everything that serving depends on, by name. */
export type Checks = Readonly<Record<string, Check>>;

/** Looks at everything, and never throws. The process is ready if all of it is ok. */
export type Readiness = () => Promise<Checks>;

/** How often Watch looks whether the status changed, in ms. */
const WATCH_PERIOD_MS = 1000;

/** grpc.health.v1: the services of this router share one status, as they share the log and the process. */
export function healthRoutes(router: ConnectRouter, readiness: Readiness, shutdown: AbortSignal): void {
  const served = () => new Set(['', ...router.handlers.map((handler) => handler.service.typeName)]);
  const status = async () => {
    if (shutdown.aborted) return Status.NOT_SERVING;
    return isReady(await readiness()) ? Status.SERVING : Status.NOT_SERVING;
  };

  router.service(Health, {
    async check({ service }) {
      if (!served().has(service)) throw new ConnectError(`${service} is not served here`, Code.NotFound);
      return { status: await status() };
    },
    async list() {
      const now = { status: await status() };
      return { statuses: Object.fromEntries(Array.from(served(), (name) => [name, now])) };
    },
    async *watch({ service }, { signal }) {
      const ended = AbortSignal.any([signal, shutdown]);
      let last: Status | undefined;
      for (;;) {
        const now = served().has(service) ? await status() : Status.SERVICE_UNKNOWN;
        if (now !== last) yield { status: now };
        if (ended.aborted) return;
        last = now;
        await sleep(WATCH_PERIOD_MS, undefined, { signal: ended }).catch(() => {});
      }
    },
  });
}

const OK: HttpResponse = { status: 200, headers: { 'content-type': 'text/plain' }, body: 'ok\n' };

/** `GET /healthz`: 200 while the process is alive. `GET /readyz`: 200 or 503, with every check. */
export function healthHttp(readiness: Readiness): HttpRoute[] {
  return [
    { method: 'GET', path: '/healthz', summary: 'Whether the process is alive.', safe: true, handle: async () => OK },
    {
      method: 'GET',
      path: '/readyz',
      summary: 'Whether everything that serving depends on is ready, with every check.',
      safe: true,
      async handle() {
        const checks = await readiness();
        const ready = isReady(checks);
        return json({ ready, checks }, ready ? 200 : 503);
      },
    },
  ];
}

function isReady(checks: Checks): boolean {
  return Object.values(checks).every((check) => check.ok);
}
