import { fromBinary } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import {
  type IngestBatchRequest,
  type IngestBatchResponse,
  IngestBatchResponseSchema,
} from '../../../gen/ts/clickmesh/v1/ingest_service_pb.js';
import { MAX_BATCH_ITEMS } from '../../contract/limits.ts';
import { withSpan } from '../../telemetry/tracing.ts';
import { appendAccepted } from '../append-events.ts';
import { type GatewayDeps, termsOf } from '../deps.ts';
import { accept } from '../event/accept.ts';
import { acceptBytes } from '../event/accept-bytes.ts';
import { encodeBatchResponse } from '../response.ts';

/** Takes 1 to 1,000 events, each accepted or rejected by itself. */
export async function ingestBatch(request: IngestBatchRequest, deps: GatewayDeps): Promise<IngestBatchResponse> {
  const { events } = request;
  assertSomeEvents(events.length);
  const terms = termsOf(deps);
  const outcomes = withSpan('accept', () => events.map((event) => accept(event, terms)));
  return fromBinary(IngestBatchResponseSchema, encodeBatchResponse(await appendAccepted(outcomes, deps.log)));
}

/** As `ingestBatch`, from a serialized request. */
export async function ingestBatchBytes(request: Buffer, deps: GatewayDeps): Promise<Uint8Array> {
  const outcomes = withSpan('accept', () => acceptBytes(request, termsOf(deps)));
  assertSomeEvents(outcomes.length);
  return encodeBatchResponse(await appendAccepted(outcomes, deps.log));
}

function assertSomeEvents(events: number): void {
  if (events === 0) throw new ConnectError('events is empty', Code.InvalidArgument);
  assertBatchSize(events);
}

/** Throws INVALID_ARGUMENT past the limit of events in one message. */
export function assertBatchSize(items: number): void {
  if (items <= MAX_BATCH_ITEMS) return;
  throw new ConnectError(`${items} events are more than ${MAX_BATCH_ITEMS}`, Code.InvalidArgument);
}
