import type { ConnectRouter } from '@connectrpc/connect';
import { IngestService } from '../../gen/ts/clickmesh/v1/ingest_service_pb.js';
import { EVENT_TYPES } from '../contract/event-rules.ts';
import { withByteStreamPath, withBytesPath } from '../http/fast/short-methods.ts';
import type { HttpRoute } from '../http/routes/http-routes.ts';
import type { GatewayDeps } from './deps.ts';
import { ingest, ingestBytes } from './ways-in/ingest.ts';
import { ingestBatch, ingestBatchBytes } from './ways-in/ingest-batch.ts';
import { ingestByteStream, ingestStream } from './ways-in/ingest-stream.ts';
import { postEvents } from './ways-in/rest.ts';
import { eventRoutes } from './ways-in/rest-api.ts';

export function gatewayRoutes(router: ConnectRouter, deps: GatewayDeps): void {
  router.service(IngestService, {
    ingest: withBytesPath(
      (request) => ingest(request, deps),
      (request) => ingestBytes(request, deps),
    ),
    ingestBatch: withBytesPath(
      (request) => ingestBatch(request, deps),
      (request) => ingestBatchBytes(request, deps),
    ),
    ingestStream: withByteStreamPath(
      (requests) => ingestStream(requests, deps),
      (requests) => ingestByteStream(requests, deps),
    ),
  });
}

/** The routes that take events as JSON. */
export function gatewayHttp(deps: GatewayDeps): HttpRoute[] {
  return eventRoutes(EVENT_TYPES).map((route) => ({
    ...route,
    handle: (request) => postEvents(request, deps, route.impliedType),
  }));
}
