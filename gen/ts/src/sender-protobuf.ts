import { create } from '@bufbuild/protobuf';
import { type CallOptions, type Client, Code, ConnectError, createClient, type Transport } from '@connectrpc/connect';
import { codeToString } from '@connectrpc/connect/protocol-connect';
import {
  AdjustmentSchema,
  ClickSchema,
  ConversionSchema,
  type Event,
  EventSchema,
  VerdictSchema,
} from '../clickmesh/v1/event_pb.js';
import {
  IngestService,
  type IngestStreamRequest,
  IngestStreamRequestSchema,
  type Rejection as RejectionMessage,
  RejectReason,
} from '../clickmesh/v1/ingest_service_pb.js';
import { AttemptFailed, type Rejection } from './errors.ts';
import { MAX_CALL_EVENTS } from './event-rules.ts';
import type { Prepared } from './prepare.ts';
import { askedMs, type ErrorDetail } from './retry-after.ts';
import { type Answer, MAX_BATCH_BYTES, MAX_UNDER_WAY, type Sender, type StreamAnswer } from './sender.ts';

/** A way to the gateway. */
export interface Connection {
  transport: Transport;
  /** The next call is not sent over a connection that is open now. */
  reset(): void;
  close(): void;
}

const SCHEMAS = {
  click: ClickSchema,
  conversion: ConversionSchema,
  adjustment: AdjustmentSchema,
  verdict: VerdictSchema,
};

/** Sends events as Protobuf. */
export class ProtobufSender implements Sender {
  readonly maxBatchBytes = MAX_BATCH_BYTES;
  readonly maxUnderWay = MAX_UNDER_WAY;
  readonly #connection: Connection;
  readonly #ingest: Client<typeof IngestService>;

  constructor(connection: Connection) {
    this.#connection = connection;
    this.#ingest = createClient(IngestService, connection.transport);
  }

  async sendBatch(events: readonly Prepared[], timeoutMs: number, signal: AbortSignal): Promise<Answer[]> {
    const request = { events: events.map(messageOf) };
    const { results } = await attempt(this.#connection, { timeoutMs, signal }, (call) =>
      this.#ingest.ingestBatch(request, call),
    );
    if (results.length === events.length) return results.map(({ result }) => answerOf(result));
    throw new AttemptFailed('the answer is none of a gateway', 'unknown', false);
  }

  async sendStream(events: readonly Prepared[], timeoutMs: number, signal: AbortSignal): Promise<StreamAnswer> {
    const requests = [...requestsOf(events)];
    const { accepted, rejected, rejections } = await attempt(this.#connection, { timeoutMs, signal }, (call) =>
      this.#ingest.ingestStream(each(requests), call),
    );
    return {
      accepted: Number(accepted),
      rejected: Number(rejected),
      rejections: rejections.map(({ index, rejection }) => ({
        index: Number(index),
        rejection: rejectionOf(rejection!),
      })),
    };
  }

  close(): void {
    this.#connection.close();
  }
}

/** Makes one attempt at a call. Fails with AttemptFailed. */
export async function attempt<T>(
  connection: Connection,
  options: CallOptions,
  call: (options: CallOptions) => Promise<T>,
): Promise<T> {
  try {
    return await call(options);
  } catch (thrown) {
    const error = ConnectError.from(thrown);
    // The connection may be one that nobody answers on any more.
    if (error.code === Code.DeadlineExceeded) connection.reset();
    const retryAfterMs = askedMs(error.metadata.get('retry-after'), error.details as readonly ErrorDetail[]);
    throw new AttemptFailed(
      error.rawMessage,
      codeToString(error.code),
      isTransient(error, retryAfterMs),
      retryAfterMs,
      thrown,
    );
  }
}

/** What Connect says of HTTP statuses and broken connections that have no code of their own. */
const BROKEN =
  /^HTTP (?:408|425)$|http\/2 stream closed|missing (?:status|trailer|end)|premature|incomplete|unexpected end/i;

function isTransient({ code, rawMessage, cause }: ConnectError, retryAfterMs: number): boolean {
  switch (code) {
    case Code.Unavailable:
    case Code.DeadlineExceeded:
    case Code.Aborted:
    // A connection that broke, as Node tells it: what the caller ends is not asked about.
    case Code.Canceled:
      return true;
    case Code.ResourceExhausted:
      // Without it the request is too large, and always will be.
      return retryAfterMs > 0;
    default:
      // Broken connections of Node and of fetch come with their cause; the gateway's errors have none.
      return cause instanceof Error || BROKEN.test(rawMessage);
  }
}

function messageOf({ event }: Prepared): Event {
  // What was checked has the types of its message, whichever it is; names that the message has not are passed over.
  const init: Record<string, unknown> = { ...event, timestamp: BigInt(event.timestamp) };
  if (init.valueMicros !== undefined) init.valueMicros = BigInt(init.valueMicros as string);
  const value = create(SCHEMAS[event.event] as typeof ClickSchema, init);
  return create(EventSchema, { event: { case: event.event as 'click', value } });
}

function* requestsOf(events: readonly Prepared[]): Generator<IngestStreamRequest> {
  let chunk: Event[] = [];
  let bytes = 0;
  for (const prepared of events) {
    if (chunk.length === MAX_CALL_EVENTS || (chunk.length > 0 && bytes + prepared.bytes > MAX_BATCH_BYTES)) {
      yield create(IngestStreamRequestSchema, { events: chunk });
      chunk = [];
      bytes = 0;
    }
    chunk.push(messageOf(prepared));
    bytes += prepared.bytes;
  }
  yield create(IngestStreamRequestSchema, { events: chunk });
}

async function* each(requests: readonly IngestStreamRequest[]): AsyncGenerator<IngestStreamRequest> {
  yield* requests;
}

function answerOf(result: { case: string | undefined; value?: unknown }): Answer {
  if (result.case !== 'accepted') return { rejected: rejectionOf(result.value as RejectionMessage) };
  const { eventId, partition, offset, ignored } = result.value as {
    eventId: string;
    partition: number;
    offset: bigint;
    ignored: string[];
  };
  return { accepted: { storedId: eventId, partition, offset: Number(offset), ignored } };
}

function rejectionOf({ field, reason, limit, message, received }: RejectionMessage): Rejection {
  return { field, reason: RejectReason[reason] as Rejection['reason'], limit, message, received };
}
