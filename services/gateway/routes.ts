import type { ConnectRouter } from '@connectrpc/connect';
import { IngestService } from '../../gen/ts/clickmesh/v1/ingest_service_pb.js';
import { EVENT_TYPES } from '../contract/event-rules.ts';
import { byteStreamMethod, bytesMethod } from '../http/fast/bytes-methods.ts';
import type { HttpRoute } from '../http/routes/http-routes.ts';
import type { GatewayDeps } from './deps.ts';
import { ingest } from './ways-in/ingest.ts';
import { ingestBatch } from './ways-in/ingest-batch.ts';
import { ingestStream } from './ways-in/ingest-stream.ts';
import { postEvents } from './ways-in/rest.ts';
import { eventRoutes } from './ways-in/rest-api.ts';

export function gatewayRoutes(router: ConnectRouter, deps: GatewayDeps): void {
  const { method } = IngestService;
  router.service(IngestService, {
    ingest: bytesMethod(method.ingest, (request, format) => ingest(request, format, deps)),
    ingestBatch: bytesMethod(method.ingestBatch, (request, format, headers) =>
      ingestBatch(request, format, headers, deps),
    ),
    ingestStream: byteStreamMethod(method.ingestStream, (requests, format) => ingestStream(requests, format, deps)),
  });
}

/** The routes that take events as JSON. */
export function gatewayHttp(deps: GatewayDeps): HttpRoute[] {
  return eventRoutes(EVENT_TYPES).map((route) => ({
    ...route,
    handle: (request) => postEvents(request, deps, route.impliedType),
  }));
}
