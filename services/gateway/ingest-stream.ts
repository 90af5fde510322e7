import { create } from '@bufbuild/protobuf';
import { SpanKind } from '@opentelemetry/api';
import {
  type IngestBatchResponse,
  type IngestStreamRequest,
  type IngestStreamResponse,
  IngestStreamResponseSchema,
  StreamRejectionSchema,
} from '../../gen/ts/clickmesh/v1/ingest_service_pb.js';
import { MAX_STREAM_REJECTIONS } from '../shared/limits.ts';
import { withSpan } from '../shared/telemetry/tracing.ts';
import { accept } from './accept.ts';
import { assertBatchSize } from './ingest-batch.ts';
import type { GatewayDeps } from './routes.ts';
import { settle } from './store.ts';

/** Messages of one stream on their way to the log; enough to fill a group commit, at most 8 MiB. */
const MAX_PENDING = 8;

/** Takes messages until the client closes its side; fails with the first message that could not be stored. */
export async function ingestStream(
  requests: AsyncIterable<IngestStreamRequest>,
  { log, now }: GatewayDeps,
): Promise<IngestStreamResponse> {
  const total = create(IngestStreamResponseSchema);
  const pending: Promise<IngestBatchResponse>[] = [];
  for await (const { events } of requests) {
    assertBatchSize(events.length);
    const time = now();
    const outcomes = withSpan('accept', SpanKind.INTERNAL, () => events.map((event) => accept(event, time)));
    const settled = settle(outcomes, log);
    // It is awaited below, but may fail before that.
    settled.catch(() => {});
    pending.push(settled);
    if (pending.length >= MAX_PENDING) add(total, await pending.shift()!);
  }
  for (const settled of pending) add(total, await settled);
  return total;
}

function add(total: IngestStreamResponse, { results, accepted, rejected }: IngestBatchResponse): void {
  const first = total.accepted + total.rejected;
  for (const [i, { result }] of results.entries()) {
    if (result.case !== 'rejected' || total.rejections.length >= MAX_STREAM_REJECTIONS) continue;
    const rejection = create(StreamRejectionSchema, { index: first + BigInt(i), rejection: result.value });
    total.rejections.push(rejection);
  }
  total.accepted += BigInt(accepted);
  total.rejected += BigInt(rejected);
}
