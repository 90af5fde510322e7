import { Code } from '@connectrpc/connect';
import { codeToString } from '@connectrpc/connect/protocol-connect';
import type { Attributes, Histogram } from '@opentelemetry/api';
import { httpDuration, rpcDuration } from '../../telemetry/metrics.ts';
import { withServerSpan } from '../../telemetry/tracing.ts';
import type { Exchange } from '../exchange/exchange.ts';

/** A path or pattern that is served, and how its requests appear in metrics and spans. */
export interface Endpoint {
  handle(exchange: Exchange): void;
  /** Whether pages of other origins may send their credentials. */
  credentials: boolean;
  spanName(exchange: Exchange): string;
  /** Attributes known before the answer. */
  attributes(exchange: Exchange): Attributes;
  /** Name and value of the attribute that is known with the answer. */
  outcomeName: string;
  outcome(exchange: Exchange): string | number;
  /** In seconds. */
  duration: Histogram;
}

/** Status that stands for none where the client left before its answer, as nginx writes it. */
const CLIENT_LEFT = 499;

/** Methods that are labels of metrics. Over HTTP/2 a client may send any word for a method. */
const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE']);

/** `path` is the route's pattern: a label that has one value, however many paths match. */
export function httpEndpoint(path: string, handle: Endpoint['handle'], credentials: boolean): Endpoint {
  return {
    handle,
    credentials,
    spanName: ({ method }) => `${METHODS.has(method) ? method : 'HTTP'} ${path}`,
    attributes: ({ method }) => ({
      'http.request.method': METHODS.has(method) ? method : '_OTHER',
      'http.route': path,
    }),
    outcomeName: 'http.response.status_code',
    outcome: ({ status = CLIENT_LEFT }) => status,
    duration: httpDuration,
  };
}

export function rpcEndpoint(path: string, handle: Endpoint['handle'], credentials: boolean): Endpoint {
  const method = path.slice(1);
  return {
    handle,
    credentials,
    spanName: () => method,
    attributes: ({ headers }) => ({
      'rpc.system.name': headers['content-type']?.startsWith('application/grpc') ? 'grpc' : 'connectrpc',
      'rpc.method': method,
    }),
    outcomeName: 'rpc.response.status_code',
    outcome: codeNameOf,
    duration: rpcDuration,
  };
}

/** Measures and traces the request while `admit` answers it, which may refuse it or give it to the endpoint. */
export function observed(
  exchange: Exchange,
  endpoint: Endpoint,
  admit: (exchange: Exchange, handle: Endpoint['handle']) => void,
): void {
  const began = performance.now();
  const known = endpoint.attributes(exchange);
  withServerSpan(endpoint.spanName(exchange), exchange.headers, known, (span) => {
    exchange.onClose(() => {
      const attributes = { ...known, [endpoint.outcomeName]: endpoint.outcome(exchange) };
      endpoint.duration.record((performance.now() - began) / 1000, attributes);
      span?.setAttributes(attributes).end();
    });
    admit(exchange, endpoint.handle);
  });
}

/** Code that a call ended with, as Connect spells it; "ok" if it succeeded. */
function codeNameOf({ failure, grpcStatus, status = CLIENT_LEFT }: Exchange): string {
  if (failure !== undefined) return codeToString(failure);
  if (grpcStatus !== undefined && grpcStatus !== '0') return codeToString(Number(grpcStatus));
  return status < 400 ? 'ok' : codeToString(CODES.get(status) ?? Code.Unknown);
}

/** Codes by Connect's HTTP statuses; where several codes share one, the code that is in use here. */
const CODES = new Map([
  [400, Code.InvalidArgument],
  [401, Code.Unauthenticated],
  [403, Code.PermissionDenied],
  [404, Code.NotFound],
  [405, Code.Unimplemented],
  [408, Code.DeadlineExceeded],
  [409, Code.AlreadyExists],
  [413, Code.InvalidArgument],
  [415, Code.InvalidArgument],
  [429, Code.ResourceExhausted],
  [CLIENT_LEFT, Code.Canceled],
  [500, Code.Internal],
  [501, Code.Unimplemented],
  [503, Code.Unavailable],
  [504, Code.DeadlineExceeded],
]);
