import { type ConnectRouter, createConnectRouter } from '@connectrpc/connect';
import {
  compressionBrotli,
  compressionGzip,
  universalRequestFromNodeRequest,
  universalResponseToNodeResponse,
} from '@connectrpc/connect-node';
import type { Logger } from 'pino';
import { MAX_REQUEST_BYTES } from '../limits.ts';
import { errorInterceptor, errorResponse } from './errors.ts';
import { type NodeRequest, type NodeResponse, pathOf, send } from './http-routes.ts';

/** Longest deadline that a call may ask for, in ms. */
const MAX_TIMEOUT_MS = 3_600_000;

type Rpc = ReturnType<typeof createConnectRouter>['handlers'][number];

/** Answers Connect, gRPC and gRPC-Web calls of the registered services, and says whether the request was one. */
export function rpcHandler(
  services: (router: ConnectRouter) => void,
  logger: Logger,
): (req: NodeRequest, res: NodeResponse) => boolean {
  const router = createConnectRouter({
    acceptCompression: [compressionGzip, compressionBrotli],
    interceptors: [errorInterceptor(logger)],
    maxTimeoutMs: MAX_TIMEOUT_MS,
    readMaxBytes: MAX_REQUEST_BYTES,
  });
  services(router);
  const byPath = new Map(router.handlers.map((rpc) => [rpc.requestPath, rpc]));
  return (req, res) => {
    const rpc = byPath.get(pathOf(req));
    if (rpc === undefined) return false;
    answer(rpc, req, res).catch((err) => {
      logger.debug({ err, rpc: rpc.requestPath }, 'the client left before its answer');
      res.destroy();
    });
    return true;
  };
}

async function answer(rpc: Rpc, req: NodeRequest, res: NodeResponse): Promise<void> {
  let request: ReturnType<typeof universalRequestFromNodeRequest>;
  try {
    request = universalRequestFromNodeRequest(req, res, undefined, undefined);
  } catch {
    return send(res, errorResponse(400, 'invalid_argument', 'the Host header is missing or no host'));
  }
  // An iterator that is left early must not destroy the request: its answer goes over the same connection.
  const body = req.iterator({ destroyOnReturn: false });
  const response = await rpc({ ...request, body });
  await universalResponseToNodeResponse(response, res);
}
