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
import { appendEvents, countIgnored, countRejected } from '../append-events.ts';
import { type GatewayDeps, termsOf } from '../deps.ts';
import { accept, type Outcome } from '../event/accept.ts';
import { acceptBytes } from '../event/accept-bytes.ts';
import { encodeResponse } from '../response.ts';

/** Takes one event; a rejected one throws INVALID_ARGUMENT with the Rejection as detail. */
export async function ingest({ event }: IngestRequest, deps: GatewayDeps): Promise<IngestResponse> {
  const outcome = withSpan('accept', () => accept(event ?? create(EventSchema), termsOf(deps)));
  return fromBinary(IngestResponseSchema, await appendOne(outcome, deps.log));
}

/** As `ingest`, from a serialized request. */
export async function ingestBytes(request: Buffer, deps: GatewayDeps): Promise<Uint8Array> {
  const outcomes = withSpan('accept', () => acceptBytes(request, termsOf(deps)));
  if (outcomes.length > 1) {
    throw new ConnectError(`${outcomes.length} events are for IngestBatch: Ingest takes one`, Code.InvalidArgument);
  }
  return appendOne(outcomes[0] ?? accept(create(EventSchema), termsOf(deps)), deps.log);
}

async function appendOne(outcome: Outcome, log: GatewayDeps['log']): Promise<Uint8Array> {
  if (outcome.kind === 'accepted') {
    const [position] = await appendEvents([outcome.event], log);
    countIgnored(outcome);
    return encodeResponse(outcome, position!);
  }
  const { rejection } = outcome;
  countRejected(rejection);
  const detail = { desc: RejectionSchema, value: rejection };
  throw new ConnectError(rejection.message, Code.InvalidArgument, undefined, [detail]);
}
