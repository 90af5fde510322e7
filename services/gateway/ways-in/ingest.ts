import { create, fromBinary } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import { EventSchema } from '../../../gen/ts/clickmesh/v1/event_pb.js';
import {
  type IngestRequest,
  type IngestResponse,
  IngestResponseSchema,
  RejectionSchema,
} from '../../../gen/ts/clickmesh/v1/ingest_service_pb.js';
import { withSpan } from '../../telemetry/tracing.ts';
import { appendEvents, countRejected } from '../append-events.ts';
import type { GatewayDeps } from '../deps.ts';
import { accept, type Outcome } from '../event/accept.ts';
import { acceptBytes } from '../event/accept-bytes.ts';
import { encodeResponse } from '../response.ts';

/** Takes one event; a rejected one throws INVALID_ARGUMENT with the Rejection as detail. */
export async function ingest({ event }: IngestRequest, { log, now }: GatewayDeps): Promise<IngestResponse> {
  const outcome = withSpan('accept', () => accept(event ?? create(EventSchema), now()));
  return fromBinary(IngestResponseSchema, await appendOne(outcome, log));
}

/** Takes one event from a serialized request; undefined for an unusual one, which is for `ingest`. */
export function ingestBytes(request: Buffer, { log, now }: GatewayDeps): Promise<Buffer> | undefined {
  const outcomes = withSpan('accept', () => acceptBytes(request, now()));
  return outcomes?.length === 1 ? appendOne(outcomes[0]!, log) : undefined;
}

async function appendOne(outcome: Outcome, log: GatewayDeps['log']): Promise<Buffer> {
  if (outcome.kind === 'accepted') {
    const [position] = await appendEvents([outcome.event], log);
    return encodeResponse(outcome.event.eventId, position!);
  }
  const { rejection } = outcome;
  countRejected(rejection);
  const detail = { desc: RejectionSchema, value: rejection };
  throw new ConnectError(rejection.message, Code.InvalidArgument, undefined, [detail]);
}
