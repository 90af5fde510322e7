import { Readable } from 'node:stream';
import { Code, ConnectError, type ConnectRouter, createConnectRouter, createContextValues } from '@connectrpc/connect';
import type { UniversalServerResponse } from '@connectrpc/connect/protocol';
import {
  compressionBrotli,
  compressionGzip,
  universalRequestFromNodeRequest,
  universalResponseToNodeResponse,
} from '@connectrpc/connect-node';
import type { Logger } from 'pino';
import { EXCHANGE, errorInterceptor } from '../exchange/errors.ts';
import type { Exchange } from '../exchange/exchange.ts';
import { refuse } from '../exchange/refuse.ts';
import { fastStream } from '../fast/fast-stream.ts';
import { fastUnary } from '../fast/fast-unary.ts';
import { type ShortMethods, watchRouter } from '../fast/short-methods.ts';

/** Longest deadline that a call may ask for, in ms. */
const MAX_TIMEOUT_MS = 3_600_000;

type Rpc = ReturnType<typeof createConnectRouter>['handlers'][number];

/** Paths of the registered services' methods, and what answers Connect, gRPC and gRPC-Web calls to them. */
export function rpcHandler(services: (router: ConnectRouter) => void, maxRequestBytes: number, logger: Logger) {
  const router = createConnectRouter({
    acceptCompression: [compressionGzip, compressionBrotli],
    interceptors: [errorInterceptor(logger)],
    maxTimeoutMs: MAX_TIMEOUT_MS,
    readMaxBytes: maxRequestBytes,
  });
  const limits = { maxBytes: maxRequestBytes, maxTimeoutMs: MAX_TIMEOUT_MS };
  const methods: ShortMethods = { unary: new Map(), streams: new Map() };
  services(watchRouter(router, methods));
  const unary = fastUnary(methods.unary, limits, logger, (exchange, body) => full(exchange, [body]));
  const stream = fastStream(methods.streams, limits, logger);
  const byPath = new Map(router.handlers.map((rpc) => [rpc.requestPath, rpc]));

  function full(exchange: Exchange, body?: Iterable<Uint8Array>): void {
    const rpc = byPath.get(exchange.path)!;
    answer(rpc, exchange, body).catch((err) => {
      logger.debug({ err, rpc: rpc.requestPath }, 'the client left before its answer');
      exchange.body.destroy();
    });
  }
  const handle = (exchange: Exchange) => {
    if (!unary(exchange) && !stream(exchange)) full(exchange);
  };
  return { paths: [...byPath.keys()], handle };
}

/** Has connect-node answer. `read` is the request's body where it was read already. */
async function answer(rpc: Rpc, exchange: Exchange, read?: Iterable<Uint8Array>): Promise<void> {
  const { req, res } = exchange.nodeObjects();
  let request: ReturnType<typeof universalRequestFromNodeRequest>;
  try {
    request = universalRequestFromNodeRequest(req, res, undefined, undefined);
  } catch {
    return refuse(exchange, new ConnectError('the Host header is missing or no host', Code.InvalidArgument));
  }
  // An iterator that is left early must not destroy the request: its answer goes over the same connection.
  const body = read === undefined ? req.iterator({ destroyOnReturn: false }) : Readable.from(read);
  const contextValues = createContextValues().set(EXCHANGE, exchange);
  const response = await rpc({ ...request, body, contextValues });
  await universalResponseToNodeResponse(response.trailer ? readableByAll(response, response.trailer) : response, res);
}

/** Encodes gRPC's message as errorTrailers does; trailers are complete once the body is. */
function readableByAll(response: UniversalServerResponse, trailer: Headers): UniversalServerResponse {
  async function* body() {
    yield* response.body ?? [];
    const message = trailer.get('grpc-message');
    if (message !== null) trailer.set('grpc-message', encodeURI(decodeURIComponent(message)));
  }
  return { ...response, body: body() };
}
