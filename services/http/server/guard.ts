import type { ConnectError } from '@connectrpc/connect';
import type { Logger } from 'pino';
import { Health } from '../../../gen/ts/grpc/health/v1/health_pb.js';
import { errorOf } from '../exchange/errors.ts';
import type { Exchange } from '../exchange/exchange.ts';
import { refuse } from '../exchange/refuse.ts';

type Verdict = ConnectError | undefined;

/**
 * Decides about a request before anything of its body is read: undefined lets it pass, an error is its answer, in the
 * protocol that the request speaks. A guard that throws refuses, too.
 */
export type Guard = (request: Pick<Exchange, 'method' | 'path' | 'headers' | 'peer'>) => Verdict | Promise<Verdict>;

/** Paths that no guard stands before: probes and scrapers have no credentials. */
export const OPEN_PATHS: ReadonlySet<string> = new Set([
  '/healthz',
  '/readyz',
  '/metrics',
  ...Health.methods.map(({ name }) => `/${Health.typeName}/${name}`),
]);

/** Gives the request to `handle` if the guard lets it pass, at once if the guard decides at once. */
export function passGuard(
  guard: Guard,
  exchange: Exchange,
  handle: (exchange: Exchange) => void,
  logger: Logger,
): void {
  const failed = (thrown: unknown) => errorOf(thrown, `guard of ${exchange.path}`, logger);
  let verdict: ReturnType<Guard>;
  try {
    verdict = guard(exchange);
  } catch (thrown) {
    verdict = failed(thrown);
  }
  if (verdict === undefined) handle(exchange);
  else if (!(verdict instanceof Promise)) refuse(exchange, verdict);
  else {
    verdict.catch(failed).then((decided) => {
      if (exchange.body.destroyed || exchange.body.closed) return;
      if (decided === undefined) handle(exchange);
      else refuse(exchange, decided);
    });
  }
}
