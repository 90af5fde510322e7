import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { type Client, ConnectError, createClient, type Transport } from '@connectrpc/connect';
import { createTransport } from '#transport';
import type { Event } from '../clickmesh/v1/event_pb.js';
import {
  type Acceptance,
  IngestService,
  type IngestStreamRequest,
  IngestStreamRequestSchema,
  type IngestStreamResponse,
  type Rejection,
  RejectionSchema,
} from '../clickmesh/v1/ingest_service_pb.js';
import { type GetStatsRequestSchema, StatsService, type StatsRow } from '../clickmesh/v1/stats_service_pb.js';
import { chunks, complete, MAX_BATCH_EVENTS } from './events.ts';
import { batchQueue } from './queue.ts';
import { type Deadlines, retry } from './retry.ts';

export { RejectReason } from '../clickmesh/v1/ingest_service_pb.js';
export { Interval } from '../clickmesh/v1/stats_service_pb.js';
export { adjustment, click, conversion, verdict } from './events.ts';
export { QueueFull } from './queue.ts';

/** What may be set, with its default. */
export interface ClickmeshOptions {
  /** Longest time of a call with all its attempts, in ms. 30,000. */
  timeoutMs?: number;
  /** Longest time of one attempt, in ms. 10,000. */
  attemptTimeoutMs?: number;
  /** Tracked events go out when this many wait, at most 1,000. 500. */
  batchSize?: number;
  /** Tracked events go out when the first has waited this long, in ms. 50. */
  batchDelayMs?: number;
  /** track() refuses while this many events have no answer. 10,000. */
  maxPending?: number;
  /** How requests are sent. Connect: over HTTP/2 in Node, over fetch in browsers. */
  transport?: Transport;
}

/** The event breaks a rule of the contract: sending it again unchanged can't help. */
export class Rejected extends Error {
  override name = 'Rejected';
  readonly rejection: Rejection;

  constructor(rejection: Rejection) {
    super(rejection.message);
    this.rejection = rejection;
  }
}

/**
 * Sends events and reads statistics.
 *
 * Every call is repeated under the same event_id while the gateway is away, so nothing is lost and nothing counts
 * twice. After `timeoutMs` it rejects with the last ConnectError. Events without an id or time are given them.
 */
export interface Clickmesh extends AsyncDisposable {
  /** Stores one event; resolves once it is durable. Rejects with Rejected if it breaks a rule of the contract. */
  send(event: Event): Promise<Acceptance>;
  /**
   * Stores any number of events, in calls as large as the gateway takes. One result per event, in order. If it rejects,
   * sending all again is safe.
   */
  sendBatch(events: Iterable<Event>): Promise<(Acceptance | Rejected)[]>;
  /**
   * Stores any number of events over one stream, answered when all are durable. A stream that breaks is sent again from
   * its start, so they are kept in memory until then. Browsers can't.
   */
  sendStream(events: Iterable<Event>): Promise<IngestStreamResponse>;
  /**
   * Queues one event, to be sent with others. Resolves once it is durable; rejects with Rejected, QueueFull or a
   * ConnectError. The promise may be left alone: its rejection is never an unhandled one.
   */
  track(event: Event): Promise<Acceptance>;
  /** Sends what is queued; resolves when everything tracked before has been answered. */
  flush(): Promise<void>;
  /** Takes no more tracked events and flushes. */
  close(): Promise<void>;
  /** Clicks, conversions, revenue and conversion rate by period, campaign and source. */
  stats(query: MessageInitShape<typeof GetStatsRequestSchema>): Promise<StatsRow[]>;
  /** The generated clients, for every other call. */
  readonly ingestService: Client<typeof IngestService>;
  readonly statsService: Client<typeof StatsService>;
}

/** A client of the gateway at `url`, such as "http://127.0.0.1:8080". It connects with the first call. */
export function connectClickmesh(url: string, options: ClickmeshOptions = {}): Clickmesh {
  const { batchSize = 500, batchDelayMs = 50, maxPending = 10_000 } = options;
  const { timeoutMs = 30_000, attemptTimeoutMs = 10_000, transport = createTransport(url) } = options;
  const deadlines = { timeoutMs, attemptTimeoutMs };
  const ingestService = createClient(IngestService, transport);
  const statsService = createClient(StatsService, transport);
  const sendBatch = (events: Iterable<Event>) => sendInBatches(ingestService, deadlines, events);
  const queueOptions = { batchSize: Math.min(batchSize, MAX_BATCH_EVENTS), batchDelayMs, maxPending };
  const queue = batchQueue(sendBatch, queueOptions);
  let closed = false;

  async function close(): Promise<void> {
    closed = true;
    globalThis.removeEventListener?.('pagehide', queue.flush);
    await queue.flush();
  }

  globalThis.addEventListener?.('pagehide', queue.flush);
  return {
    ingestService,
    statsService,
    send: (event) => sendOne(ingestService, deadlines, event),
    sendBatch,
    sendStream: (events) => sendAsStream(ingestService, deadlines, events),
    track(event) {
      const answer = closed ? Promise.reject(new Error('the client is closed')) : queue.put(complete(event));
      answer.catch(() => {});
      return answer;
    },
    flush: queue.flush,
    close,
    [Symbol.asyncDispose]: close,
    stats: async (query) => (await retry(deadlines, (call) => statsService.getStats(query, call))).data,
  };
}

type Ingest = Client<typeof IngestService>;

async function sendOne(ingest: Ingest, deadlines: Deadlines, event: Event): Promise<Acceptance> {
  complete(event);
  try {
    const { acceptance } = await retry(deadlines, (call) => ingest.ingest({ event }, call));
    return acceptance!;
  } catch (error) {
    const [rejection] = ConnectError.from(error).findDetails(RejectionSchema);
    throw rejection === undefined ? error : new Rejected(rejection);
  }
}

async function sendInBatches(
  ingest: Ingest,
  deadlines: Deadlines,
  events: Iterable<Event>,
): Promise<(Acceptance | Rejected)[]> {
  const all: (Acceptance | Rejected)[] = [];
  for (const chunk of chunks(Array.from(events, complete))) {
    const { results } = await retry(deadlines, (call) => ingest.ingestBatch({ events: chunk }, call));
    for (const { result } of results) {
      all.push(result.case === 'accepted' ? result.value : new Rejected(result.value!));
    }
  }
  return all;
}

function sendAsStream(ingest: Ingest, deadlines: Deadlines, events: Iterable<Event>): Promise<IngestStreamResponse> {
  const requests = Array.from(chunks(Array.from(events, complete)), (chunk) =>
    create(IngestStreamRequestSchema, { events: chunk }),
  );
  return retry(deadlines, (call) => ingest.ingestStream(each(requests), call));
}

async function* each(requests: IngestStreamRequest[]): AsyncGenerator<IngestStreamRequest> {
  yield* requests;
}
