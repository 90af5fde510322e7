import { Code, ConnectError, type ConnectRouter, createConnectRouter, createContextValues } from '@connectrpc/connect';
import type { UniversalServerResponse } from '@connectrpc/connect/protocol';
import {
  compressionBrotli,
  compressionGzip,
  universalRequestFromNodeRequest,
  universalResponseToNodeResponse,
} from '@connectrpc/connect-node';
import type { Logger } from 'pino';
import { EXCHANGE, errorInterceptor, HttpError, wrongMethod, wrongType } from '../exchange/errors.ts';
import type { Exchange } from '../exchange/exchange.ts';
import { typesOf } from '../exchange/protocol.ts';
import type { BodyLimits } from '../exchange/read-body.ts';
import { refuse } from '../exchange/refuse.ts';
import { answerBytesCall } from '../fast/bytes-calls.ts';
import { type BytesMethod, watchRouter } from '../fast/bytes-methods.ts';
import { faultInUrl, readableBody } from './readable-body.ts';

/** Longest deadline that a call may ask for, in ms. */
const MAX_TIMEOUT_MS = 3_600_000;

type Rpc = ReturnType<typeof createConnectRouter>['handlers'][number];

/** What answers Connect, gRPC and gRPC-Web calls to one path. */
export interface RpcEndpoint {
  path: string;
  /** Whether the method takes bytes: it takes something in, and tells nothing. */
  takesBytes: boolean;
  handle(exchange: Exchange): void;
}

export function rpcEndpoints(
  services: (router: ConnectRouter) => void,
  bodies: BodyLimits,
  logger: Logger,
): RpcEndpoint[] {
  const router = createConnectRouter({
    acceptCompression: [compressionGzip, compressionBrotli],
    interceptors: [errorInterceptor(logger)],
    maxTimeoutMs: MAX_TIMEOUT_MS,
    readMaxBytes: bodies.maxBytes,
  });
  const bytesMethods = new Map<string, BytesMethod>();
  services(watchRouter(router, bytesMethods));
  const limits = { ...bodies, maxTimeoutMs: MAX_TIMEOUT_MS };
  return router.handlers.map((rpc) => {
    const path = rpc.requestPath;
    const bytes = bytesMethods.get(path);
    if (bytes === undefined) return { path, takesBytes: false, handle: connectNodeHandle(rpc, bodies, logger) };
    const handle = (exchange: Exchange) => answerBytesCall(exchange, bytes, limits, logger);
    return { path, takesBytes: true, handle };
  });
}

/** The way of all other methods. */
function connectNodeHandle(rpc: Rpc, bodies: BodyLimits, logger: Logger): RpcEndpoint['handle'] {
  return (exchange) => {
    answer(rpc, exchange, bodies).catch((err) => {
      logger.debug({ err, rpc: rpc.requestPath }, 'the client left before its answer');
      exchange.body.destroy();
    });
  };
}

async function answer(rpc: Rpc, exchange: Exchange, bodies: BodyLimits): Promise<void> {
  const { req, res } = exchange.nodeObjects();
  let request: ReturnType<typeof universalRequestFromNodeRequest>;
  try {
    request = universalRequestFromNodeRequest(req, res, undefined, undefined);
  } catch {
    return refuse(exchange, new ConnectError('the Host header is missing or no host', Code.InvalidArgument));
  }
  const fault = faultInUrl(exchange, rpc.method.input);
  if (fault !== undefined) return refuse(exchange, fault);
  // What a stream holds of its messages is not known here: services that take one limit the size of these.
  const isOne = rpc.method.methodKind === 'unary' || rpc.method.methodKind === 'server_streaming';
  const body = isOne ? readableBody(exchange, req, rpc.method.input, bodies) : req.iterator({ destroyOnReturn: false });
  const contextValues = createContextValues().set(EXCHANGE, exchange);
  const response = await rpc({ ...request, body, contextValues });
  if (response.body === undefined) return refuse(exchange, bodiless(rpc, exchange, response.status));
  await universalResponseToNodeResponse(response.trailer ? readableByAll(response, response.trailer) : response, res);
}

/** What connect tells by its status only, in words. */
function bodiless(rpc: Rpc, { headers }: Exchange, status: number): ConnectError {
  if (status === 405) return wrongMethod(rpc.allowedMethods.join(', '), Code.Unknown);
  if (status === 415) {
    const ofConnect = rpc.method.methodKind === 'unary' ? 'connect' : 'connect-stream';
    return wrongType(headers['content-type'], typesOf(ofConnect, 'grpc', 'grpc-web'), Code.Unknown);
  }
  return new HttpError(status, Code.Unimplemented, 'streams in both directions need HTTP/2', { connection: 'close' });
}

/** Encodes gRPC's message as callError does; trailers are complete once the body is. */
function readableByAll(response: UniversalServerResponse, trailer: Headers): UniversalServerResponse {
  async function* body() {
    yield* response.body ?? [];
    const message = trailer.get('grpc-message');
    if (message !== null) trailer.set('grpc-message', encodeURI(decodeURIComponent(message)));
  }
  return { ...response, body: body() };
}
