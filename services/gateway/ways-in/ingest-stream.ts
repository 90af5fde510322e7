import { create, toBinary } from '@bufbuild/protobuf';
import {
  IgnoredNameSchema,
  type IngestStreamResponse,
  IngestStreamResponseSchema,
  StreamRejectionSchema,
} from '../../../gen/ts/clickmesh/v1/ingest_service_pb.js';
import type { Format } from '../../http/exchange/protocol.ts';
import { type Appended, appendAccepted } from '../append-events.ts';
import type { GatewayDeps } from '../deps.ts';
import { acceptRequest } from './accept-request.ts';

/** Most messages of one stream on their way to the log: enough to fill a group commit, at most 8 MiB. */
const MAX_PENDING = 8;
/** Most rejected events that an answer lists. */
const MAX_REJECTIONS = 1000;
/** Most ignored names that an answer lists. */
const MAX_IGNORED_NAMES = 100;

/**
 * Takes messages until the client closes its side, and fails with the first message that could not be stored. Appends
 * the events of each message by itself, in their order, while the next messages are judged; one that waits for users is
 * overtaken.
 */
export async function ingestStream(
  requests: AsyncIterable<Buffer>,
  format: Format,
  deps: GatewayDeps,
): Promise<Uint8Array> {
  const total = create(IngestStreamResponseSchema);
  const pending: Promise<Appended>[] = [];
  for await (const request of requests) {
    const outcomes = acceptRequest(request, format, deps);
    const appended = appendAccepted(outcomes, deps);
    // It is awaited below, but may fail before that.
    appended.catch(() => {});
    pending.push(appended);
    if (pending.length >= MAX_PENDING) add(total, await pending.shift()!);
  }
  for (const appended of pending) add(total, await appended);
  return toBinary(IngestStreamResponseSchema, total);
}

function add(total: IngestStreamResponse, { outcomes, positions }: Appended): void {
  const firstIndex = total.accepted + total.rejected;
  total.accepted += BigInt(positions.length);
  total.rejected += BigInt(outcomes.length - positions.length);
  for (let i = 0; i < outcomes.length; i++) {
    const outcome = outcomes[i]!;
    if (outcome.kind === 'accepted') addIgnored(total, outcome.ignored);
    else if (total.rejections.length < MAX_REJECTIONS) {
      const { rejection } = outcome;
      total.rejections.push(create(StreamRejectionSchema, { index: firstIndex + BigInt(i), rejection }));
    }
  }
}

function addIgnored({ ignored }: IngestStreamResponse, names: readonly string[]): void {
  for (const name of names) {
    const known = ignored.find((each) => each.name === name);
    if (known !== undefined) known.events++;
    else if (ignored.length < MAX_IGNORED_NAMES) ignored.push(create(IgnoredNameSchema, { name, events: 1n }));
  }
}
