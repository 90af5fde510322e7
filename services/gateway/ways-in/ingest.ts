import { create } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import { SpanKind } from '@opentelemetry/api';
import { EventSchema } from '../../../gen/ts/clickmesh/v1/event_pb.js';
import {
  type IngestRequest,
  type IngestResponse,
  IngestResponseSchema,
  type Rejection,
  RejectionSchema,
} from '../../../gen/ts/clickmesh/v1/ingest_service_pb.js';
import type { Accepted } from '../../contract/event-rules.ts';
import { withSpan } from '../../telemetry/tracing.ts';
import { appendEvents, countRejected } from '../append-events.ts';
import type { GatewayDeps } from '../deps.ts';
import { accept, type Outcome } from '../event/accept.ts';
import { acceptBytes } from '../event/accept-bytes.ts';
import { acceptance, encodeResponse } from '../response.ts';

/** Takes one event; a rejected one throws INVALID_ARGUMENT with the Rejection as detail. */
export async function ingest({ event }: IngestRequest, { log, now }: GatewayDeps): Promise<IngestResponse> {
  const outcome = withSpan('accept', SpanKind.INTERNAL, () => accept(event ?? create(EventSchema), now()));
  const accepted = acceptedOf(outcome);
  const [position] = await appendEvents([accepted], log);
  return create(IngestResponseSchema, { acceptance: acceptance(accepted.eventId, position!) });
}

/** Takes one event from a serialized request; undefined for an unusual one, which is for `ingest`. */
export function ingestBytes(request: Buffer, { log, now }: GatewayDeps): Promise<Buffer> | undefined {
  const outcomes = withSpan('accept', SpanKind.INTERNAL, () => acceptBytes(request, now()));
  return outcomes?.length === 1 ? appendOne(outcomes[0]!, log) : undefined;
}

async function appendOne(outcome: Outcome, log: GatewayDeps['log']): Promise<Buffer> {
  const accepted = acceptedOf(outcome);
  const [position] = await appendEvents([accepted], log);
  return encodeResponse(accepted.eventId, position!);
}

function acceptedOf(outcome: Outcome): Accepted {
  if (outcome.kind === 'accepted') return outcome.event;
  countRejected(outcome.rejection);
  throw invalidEvent(outcome.rejection);
}

function invalidEvent(rejection: Rejection): ConnectError {
  const detail = { desc: RejectionSchema, value: rejection };
  return new ConnectError(rejection.message, Code.InvalidArgument, undefined, [detail]);
}
