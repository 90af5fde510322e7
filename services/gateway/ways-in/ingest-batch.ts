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
import type { GatewayDeps } from '../deps.ts';
import { accept } from '../event/accept.ts';
import { acceptBytes } from '../event/accept-bytes.ts';
import { encodeBatchResponse } from '../response.ts';

/** Takes 1 to 1,000 events, each accepted or rejected by itself. */
export async function ingestBatch(request: IngestBatchRequest, deps: GatewayDeps): Promise<IngestBatchResponse> {
  const { events } = request;
  if (events.length === 0) throw new ConnectError('events is empty', Code.InvalidArgument);
  assertBatchSize(events.length);
  const now = deps.now();
  const outcomes = withSpan('accept', () => events.map((event) => accept(event, now)));
  return fromBinary(IngestBatchResponseSchema, encodeBatchResponse(await appendAccepted(outcomes, deps.log)));
}

/** Takes events from a serialized request; undefined for an unusual one, which is for `ingestBatch`. */
export function ingestBatchBytes(request: Buffer, { log, now }: GatewayDeps): Promise<Buffer> | undefined {
  const outcomes = withSpan('accept', () => acceptBytes(request, now()));
  if (outcomes === undefined || outcomes.length === 0) return undefined;
  return appendAccepted(outcomes, log).then(encodeBatchResponse);
}

/** Throws INVALID_ARGUMENT past the limit of events in one message. */
export function assertBatchSize(items: number): void {
  if (items <= MAX_BATCH_ITEMS) return;
  throw new ConnectError(`${items} events are more than ${MAX_BATCH_ITEMS}`, Code.InvalidArgument);
}
