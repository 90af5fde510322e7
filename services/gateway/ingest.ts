import { create } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import { SpanKind } from '@opentelemetry/api';
import { EventSchema } from '../../gen/ts/clickmesh/v1/event_pb.js';
import {
  type IngestRequest,
  type IngestResponse,
  IngestResponseSchema,
  type Rejection,
  RejectionSchema,
} from '../../gen/ts/clickmesh/v1/ingest_service_pb.js';
import { withSpan } from '../shared/telemetry/tracing.ts';
import { accept } from './accept.ts';
import type { GatewayDeps } from './routes.ts';
import { countRejected, store } from './store.ts';

/** Takes one event; a rejected one throws INVALID_ARGUMENT with the Rejection as detail. */
export async function ingest({ event }: IngestRequest, { log, now }: GatewayDeps): Promise<IngestResponse> {
  const outcome = withSpan('accept', SpanKind.INTERNAL, () => accept(event ?? create(EventSchema), now()));
  if (outcome.kind === 'rejected') {
    countRejected(outcome.rejection);
    throw invalidEvent(outcome.rejection);
  }
  const [acceptance] = await store([outcome.event], log);
  return create(IngestResponseSchema, { acceptance });
}

function invalidEvent(rejection: Rejection): ConnectError {
  const detail = { desc: RejectionSchema, value: rejection };
  return new ConnectError(rejection.message, Code.InvalidArgument, undefined, [detail]);
}
