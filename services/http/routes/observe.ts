import { Code } from '@connectrpc/connect';
import { codeToString } from '@connectrpc/connect/protocol-connect';
import type { Attributes } from '@opentelemetry/api';
import { httpDuration, rpcDuration } from '../../telemetry/metrics.ts';
import { withServerSpan } from '../../telemetry/tracing.ts';
import type { Exchange } from '../exchange/exchange.ts';

/** A path that is served, and how its requests are told in metrics and spans. */
interface Endpoint {
  path: string;
  spanName(exchange: Exchange): string;
  /** Known before the answer. */
  attributes(exchange: Exchange): Attributes;
  record(seconds: number, attributes: Attributes, exchange: Exchange): Attributes;
}

/** What stands for a status where the client left before its answer, as nginx writes it. */
const CLIENT_LEFT = 499;

export function httpEndpoint(path: string): Endpoint {
  return {
    path,
    spanName: ({ method }) => `${method} ${path}`,
    attributes: ({ method }) => ({ 'http.request.method': method, 'http.route': path }),
    record(seconds, before, { status = CLIENT_LEFT }) {
      const attributes = { ...before, 'http.response.status_code': status };
      httpDuration.record(seconds, attributes);
      return attributes;
    },
  };
}

export function rpcEndpoint(path: string): Endpoint {
  const method = path.slice(1);
  return {
    path,
    spanName: () => method,
    attributes: ({ headers }) => ({
      'rpc.system.name': headers['content-type']?.startsWith('application/grpc') ? 'grpc' : 'connectrpc',
      'rpc.method': method,
    }),
    record(seconds, before, exchange) {
      const attributes = { ...before, 'rpc.response.status_code': outcomeOf(exchange) };
      rpcDuration.record(seconds, attributes);
      return attributes;
    },
  };
}

/** Measures, and traces, the requests to the endpoints; others are only handled. */
export function observed(
  endpoints: readonly Endpoint[],
  handle: (exchange: Exchange) => void,
): (exchange: Exchange) => void {
  const byPath = new Map(endpoints.map((endpoint) => [endpoint.path, endpoint]));
  return (exchange) => {
    const endpoint = byPath.get(exchange.path);
    if (endpoint === undefined) return handle(exchange);
    const began = performance.now();
    const known = endpoint.attributes(exchange);
    withServerSpan(endpoint.spanName(exchange), exchange.headers, known, (span) => {
      exchange.onClose(() => {
        const attributes = endpoint.record((performance.now() - began) / 1000, known, exchange);
        span?.setAttributes(attributes).end();
      });
      handle(exchange);
    });
  };
}

/** How a call ended, as Connect spells codes; "ok" if well. */
function outcomeOf({ failure, grpcStatus, status = CLIENT_LEFT }: Exchange): string {
  if (failure !== undefined) return codeToString(failure);
  if (grpcStatus !== undefined && grpcStatus !== '0') return codeToString(Number(grpcStatus));
  return status < 400 ? 'ok' : codeToString(CODES.get(status) ?? Code.Unknown);
}

/** Connect's statuses the other way round; of those that several codes have, the code in use here. */
const CODES = new Map([
  [400, Code.InvalidArgument],
  [401, Code.Unauthenticated],
  [403, Code.PermissionDenied],
  [404, Code.NotFound],
  [405, Code.Unimplemented],
  [409, Code.AlreadyExists],
  [413, Code.ResourceExhausted],
  [415, Code.Unimplemented],
  [429, Code.ResourceExhausted],
  [CLIENT_LEFT, Code.Canceled],
  [500, Code.Internal],
  [501, Code.Unimplemented],
  [503, Code.Unavailable],
  [504, Code.DeadlineExceeded],
]);
