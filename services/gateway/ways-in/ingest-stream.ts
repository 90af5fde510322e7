import { create, toBinary } from '@bufbuild/protobuf';
import {
  IgnoredNameSchema,
  type IngestStreamRequest,
  type IngestStreamResponse,
  IngestStreamResponseSchema,
  StreamRejectionSchema,
} from '../../../gen/ts/clickmesh/v1/ingest_service_pb.js';
import type { EventLog } from '../../log/event-log.ts';
import { withSpan } from '../../telemetry/tracing.ts';
import { type Appended, appendAccepted } from '../append-events.ts';
import { type GatewayDeps, termsOf } from '../deps.ts';
import { accept, type Outcome, type Terms } from '../event/accept.ts';
import { acceptBytes } from '../event/accept-bytes.ts';
import { assertBatchSize } from './ingest-batch.ts';

/** Most messages of one stream on their way to the log: enough to fill a group commit, at most 8 MiB. */
const MAX_PENDING = 8;
/** Most rejected events that an answer lists. */
const MAX_REJECTIONS = 1000;
/** Most ignored names that an answer lists. */
const MAX_IGNORED_NAMES = 100;

/** Takes messages until the client closes its side; fails with the first message that could not be stored. */
export async function ingestStream(
  requests: AsyncIterable<IngestStreamRequest>,
  deps: GatewayDeps,
): Promise<IngestStreamResponse> {
  return appendAll(requests, (request) => acceptMessage(request, termsOf(deps)), deps.log);
}

/** As `ingestStream`, from serialized messages. */
export async function ingestByteStream(requests: AsyncIterable<Uint8Array>, deps: GatewayDeps): Promise<Uint8Array> {
  const judge = ({ buffer, byteOffset, length }: Uint8Array) => {
    const outcomes = acceptBytes(Buffer.from(buffer, byteOffset, length), termsOf(deps));
    assertBatchSize(outcomes.length);
    return outcomes;
  };
  return toBinary(IngestStreamResponseSchema, await appendAll(requests, judge, deps.log));
}

function acceptMessage({ events }: IngestStreamRequest, terms: Terms): Outcome[] {
  assertBatchSize(events.length);
  return events.map((event) => accept(event, terms));
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
  let index = firstIndex;
  for (const outcome of outcomes) {
    if (outcome.kind === 'accepted') addIgnored(total, outcome.ignored);
    else if (total.rejections.length < MAX_REJECTIONS) {
      total.rejections.push(create(StreamRejectionSchema, { index, rejection: outcome.rejection }));
    }
    index++;
  }
}

function addIgnored({ ignored }: IngestStreamResponse, names: readonly string[]): void {
  for (const name of names) {
    const known = ignored.find((each) => each.name === name);
    if (known !== undefined) known.events++;
    else if (ignored.length < MAX_IGNORED_NAMES) ignored.push(create(IgnoredNameSchema, { name, events: 1n }));
  }
}
