import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import {
  type IngestStreamRequest,
  IngestStreamRequestSchema,
  type IngestStreamResponse,
  IngestStreamResponseSchema,
  StreamRejectionSchema,
} from '../../../gen/ts/clickmesh/v1/ingest_service_pb.js';
import type { EventLog } from '../../log/event-log.ts';
import { withSpan } from '../../telemetry/tracing.ts';
import { type Appended, appendAccepted } from '../append-events.ts';
import type { GatewayDeps } from '../deps.ts';
import { accept, type Outcome } from '../event/accept.ts';
import { acceptBytes } from '../event/accept-bytes.ts';
import { assertBatchSize } from './ingest-batch.ts';

/** Most messages of one stream on their way to the log: enough to fill a group commit, at most 8 MiB. */
const MAX_PENDING = 8;
/** Most rejected events that an answer lists. */
const MAX_REJECTIONS = 1000;

/** Takes messages until the client closes its side; fails with the first message that could not be stored. */
export async function ingestStream(
  requests: AsyncIterable<IngestStreamRequest>,
  { log, now }: GatewayDeps,
): Promise<IngestStreamResponse> {
  return appendAll(requests, (request) => acceptMessage(request, now()), log);
}

/** As `ingestStream`, from serialized messages. */
export async function ingestByteStream(
  requests: AsyncIterable<Uint8Array>,
  { log, now }: GatewayDeps,
): Promise<Uint8Array> {
  const judge = ({ buffer, byteOffset, length }: Uint8Array) => {
    const request = Buffer.from(buffer, byteOffset, length);
    const time = now();
    return acceptBytes(request, time) ?? acceptMessage(parse(request), time);
  };
  return toBinary(IngestStreamResponseSchema, await appendAll(requests, judge, log));
}

/** Decodes a message; one that can't be decoded fails in connect's words. */
function parse(message: Buffer): IngestStreamRequest {
  try {
    return fromBinary(IngestStreamRequestSchema, message);
  } catch (error) {
    throw new ConnectError(`parse binary: ${(error as Error).message}`, Code.Internal);
  }
}

function acceptMessage({ events }: IngestStreamRequest, now: number): Outcome[] {
  assertBatchSize(events.length);
  return events.map((event) => accept(event, now));
}

/** Appends the events of each message by itself, in their order, while the next messages are judged. */
async function appendAll<T>(
  messages: AsyncIterable<T>,
  judge: (message: T) => Outcome[],
  log: EventLog,
): Promise<IngestStreamResponse> {
  const total = create(IngestStreamResponseSchema);
  const pending: Promise<Appended>[] = [];
  for await (const message of messages) {
    const outcomes = withSpan('accept', () => judge(message));
    const appended = appendAccepted(outcomes, log);
    // It is awaited below, but may fail before that.
    appended.catch(() => {});
    pending.push(appended);
    if (pending.length >= MAX_PENDING) add(total, await pending.shift()!);
  }
  for (const appended of pending) add(total, await appended);
  return total;
}

function add(total: IngestStreamResponse, { outcomes, positions }: Appended): void {
  const firstIndex = total.accepted + total.rejected;
  total.accepted += BigInt(positions.length);
  total.rejected += BigInt(outcomes.length - positions.length);
  if (positions.length === outcomes.length) return;
  for (const [i, outcome] of outcomes.entries()) {
    if (outcome.kind === 'accepted' || total.rejections.length >= MAX_REJECTIONS) continue;
    const { rejection } = outcome;
    total.rejections.push(create(StreamRejectionSchema, { index: firstIndex + BigInt(i), rejection }));
  }
}
