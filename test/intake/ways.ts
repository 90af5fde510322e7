import { randomUUID } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type DescMethod, isMessage, type Message } from '@bufbuild/protobuf';
import { ConnectError } from '@connectrpc/connect';
import {
  IngestBatchResponseSchema,
  IngestService,
  IngestStreamResponseSchema,
} from '../../gen/ts/clickmesh/v1/ingest_service_pb.js';
import { replay } from '../../services/cli/replay/replay.ts';
import type { FindUsers } from '../../services/gateway/users/find-users.ts';
import { startGateway, type TestGateway } from '../fixtures/gateway.ts';
import { type Call, type Calls, type Codec, callsTo } from './calls.ts';
import { type Case, type Member, membersOf, objectOf, type Verdict } from './table.ts';
import { eventMessage, typedEvent } from './typed-event.ts';
import {
  type Answer,
  COMPANION,
  ofError,
  ofRestResult,
  ofResults,
  ofStream,
  type RestResult,
  verdictOf,
} from './verdicts.ts';

/** What a way needs to know of a case. */
export type Sent = Pick<Case, 'form' | 'members' | 'text'>;

/** Returns the call that sends an event by one way; undefined if the way can't have it. */
type Way = (event: Sent) => (() => Promise<Answer>) | undefined;

/** Sends an event by every way that can have it, one after the other, and returns what became of it by each. */
export async function verdictsOf(event: Sent, ways: Ways, gateway: TestGateway): Promise<Record<string, Verdict>> {
  const verdicts: Record<string, Verdict> = {};
  for (const [name, way] of Object.entries(ways)) {
    const send = way(event);
    if (send !== undefined) verdicts[name] = await verdictOf(gateway, send);
  }
  return verdicts;
}

export type Ways = Readonly<Record<string, Way>>;

/** A gateway, and all ways to send it an event. */
export interface OpenWays {
  gateway: TestGateway;
  ways: Ways;
  close(): Promise<void>;
}

/** Starts a gateway for all ways. @param folder where replay reads files and writes rejects */
export async function openWays(folder: string, findUsers?: FindUsers): Promise<OpenWays> {
  const gateway = await startGateway({}, findUsers);
  const calls = callsTo(gateway.url);
  return {
    gateway,
    ways: { ...jsonWays(gateway.url, calls, folder), ...protobufWays(calls) },
    async close() {
      calls.close();
      await gateway.close();
    },
  };
}

/** Every way in that takes JSON, but for stdin. */
function jsonWays(url: string, calls: Calls, folder: string): Ways {
  return {
    'REST object': (event) => {
      // An array is a body of several events.
      if (!isForRest(event) || isLine(event) || event.text.startsWith('[')) return undefined;
      return () => post(url, '/api/v1/events', 'application/json', event.text);
    },
    'REST array': (event) => {
      if (!isForRest(event) || isLine(event)) return undefined;
      return () => post(url, '/api/v1/events', 'application/json', `[${[companion(), event.text, companion()]}]`);
    },
    'REST path': ({ form, members }) => {
      if (form !== 'event') return undefined;
      const body = [companion('click'), objectOf(members.filter(isField)), companion('click')];
      // A companion of another type than the path would be a contradiction.
      const type = typeOf(members);
      return () => post(url, `/${type}`, 'application/json', type === 'click' ? `[${body}]` : body[1]!);
    },
    'REST NDJSON': (event) => {
      if (!isForRest(event)) return undefined;
      return () => post(url, '/api/v1/events', 'application/x-ndjson', linesOf(event));
    },
    'replay of a file': (event) => (isForReplay(event) ? () => replayed(url, folder, linesOf(event)) : undefined),
    ...rpcWays(calls, 'json', (event) => {
      if (event.form === 'connect' || event.form === 'item') return Buffer.from(event.text, 'latin1');
      return event.form === 'event' ? Buffer.from(rpcJson(event.members), 'latin1') : undefined;
    }),
  };
}

/** Every way in that takes Protobuf, but for the SDKs. */
function protobufWays(calls: Calls): Ways {
  return { ...rpcWays(calls, 'proto', typedEvent), '@grpc/grpc-js': grpcJsWay(calls) };
}

/** By a client that shares no code with the server, whose text of an error is as it came. */
function grpcJsWay({ grpcJs }: Calls): Way {
  return (event) => {
    const message = eventMessage(event);
    return message && (async () => answerOf(await grpcJs(message)));
  };
}

function rpcWays(calls: Calls, codec: Codec, encode: (event: Sent) => Buffer | undefined): Ways {
  const { ingest, ingestBatch, ingestStream } = IngestService.method;
  const before = encode(companionEvent())!;
  const one =
    (call: Call): Way =>
    (event) => {
      const encoded = event.form === 'item' ? undefined : encode(event);
      return encoded && (() => called(call, ingest, codec, [requestOf(codec, 'event', [encoded])]));
    };
  const batch =
    (call: Call): Way =>
    (event) => {
      const encoded = encode(event);
      return (
        encoded && (() => called(call, ingestBatch, codec, [requestOf(codec, 'events', [before, encoded, before])]))
      );
    };
  const stream =
    (call: Call): Way =>
    (event) => {
      const encoded = encode(event);
      const messages = () => [before, encoded!, before].map((each) => requestOf(codec, 'events', [each]));
      return encoded && (() => called(call, ingestStream, codec, messages()));
    };
  return {
    [`Connect ${codec} Ingest`]: one(calls.connect),
    [`Connect ${codec} IngestBatch`]: batch(calls.connect),
    [`Connect ${codec} IngestStream`]: stream(calls.connectStream),
    [`gRPC ${codec} Ingest`]: one(calls.grpc),
    [`gRPC ${codec} IngestBatch`]: batch(calls.grpc),
    [`gRPC ${codec} IngestStream`]: stream(calls.grpc),
    [`gRPC-Web ${codec} Ingest`]: one(calls.grpcWeb),
    [`gRPC-Web ${codec} IngestBatch`]: batch(calls.grpcWeb),
  };
}

/** A request with the events in its only field, which has number 1. */
function requestOf(codec: Codec, field: 'event' | 'events', events: readonly Buffer[]): Buffer {
  if (codec === 'proto') return Buffer.concat(events.map(lengthDelimited));
  const texts = events.map((event) => event.toString('latin1')).join(',');
  return Buffer.from(field === 'event' ? `{"event":${texts}}` : `{"events":[${texts}]}`, 'latin1');
}

function lengthDelimited(bytes: Buffer): Buffer {
  const head = [(1 << 3) | 2];
  let length = bytes.length;
  for (; length > 0x7f; length >>>= 7) head.push((length & 0x7f) | 0x80);
  return Buffer.concat([Buffer.of(...head, length), bytes]);
}

async function called(call: Call, method: DescMethod, codec: Codec, messages: readonly Buffer[]): Promise<Answer> {
  return answerOf(await call(method, codec, messages));
}

function answerOf(answer: Message | ConnectError): Answer {
  if (answer instanceof ConnectError) return ofError(answer);
  if (isMessage(answer, IngestBatchResponseSchema)) return ofResults(answer.results);
  if (isMessage(answer, IngestStreamResponseSchema)) return ofStream(answer);
  const { acceptance } = answer as Message & { acceptance: { eventId: string; ignored: string[] } };
  return { eventId: acceptance.eventId, ignored: acceptance.ignored, companions: 0 };
}

/** An array or lines have companions, an object has none. */
async function post(url: string, path: string, type: string, body: string): Promise<Answer> {
  const headers = { 'content-type': type };
  const response = await fetch(`${url}${path}`, { method: 'POST', headers, body: Buffer.from(body, 'latin1') });
  const text = await response.text();
  const { results } = JSON.parse(text) as { results?: RestResult[] };
  if (results === undefined) return { failed: `${response.status} ${text}`, companions: 0 };
  if (results.length === 1) return ofRestResult(results[0]!, 0);
  const companions = [results[0], results[2]].filter((result) => result?.status === 'accepted').length;
  return ofRestResult(results[1]!, companions);
}

/** What replay says of the line between two companions. */
async function replayed(url: string, folder: string, lines: string): Promise<Answer> {
  const file = join(folder, randomUUID());
  writeFileSync(file, lines, 'latin1');
  const options = { url, batch: 1000, timeout: 10 };
  const { accepted, stopped, rejects, ignored } = await replay(file, options, new AbortController().signal);
  if (stopped !== undefined) return { failed: `stopped by ${stopped}`, companions: accepted };
  const rejected = rejects === undefined ? undefined : readReasons(rejects).get(2);
  if (rejected !== undefined) return { ...rejected, companions: accepted };
  return { ignored: [...ignored.keys()], companions: accepted - 1 };
}

/** Why lines were rejected, by their numbers, as replay has written it beside a file of rejects. */
export function readReasons(rejects: string): Map<number, Pick<Verdict, 'rejectedId' | 'rejected' | 'message'>> {
  const lines = readFileSync(`${rejects}.reasons`, 'utf8').trim().split('\n');
  return new Map(
    lines.map((json) => {
      const { input_line: line, event_id: rejectedId, field, reason, message, received } = JSON.parse(json);
      return [line, { rejectedId, rejected: `${field} ${reason} ${received}`.trim(), message }];
    }),
  );
}

function isForRest({ form }: Sent): boolean {
  return form !== 'connect' && form !== 'typed';
}

/** To replay an array is several events, as it is as a body. */
export function isForReplay(event: Sent): boolean {
  return isForRest(event) && event.form !== 'ndjson' && !event.text.startsWith('[');
}

function isLine({ form }: Sent): boolean {
  return form === 'line' || form === 'ndjson';
}

function linesOf({ text }: Sent): string {
  return `${companion()}\n${text}\n${companion()}`;
}

function companion(type = 'conversion'): string {
  return objectOf(companionEvent(type).members);
}

function companionEvent(type = 'conversion'): Sent & { form: 'event' } {
  const own = type === 'click' ? '"ad_id":"ad","campaign_id":"camp"' : '"type":"purchase"';
  const text = `{"event_type":"${type}","event_id":"${randomUUID()}","user_id":"${COMPANION}","source":"web",${own},"timestamp":1678886400000}`;
  return { form: 'event', members: membersOf(text), text };
}

/** The event as the JSON of a message Event, whose case is a name and no value. */
function rpcJson(members: readonly Member[]): string {
  return `{"${typeOf(members)}":${objectOf(members.filter(isField))}}`;
}

function typeOf(members: readonly Member[]): string {
  return members.find((member) => !isField(member))!.value.slice(1, -1);
}

function isField({ name }: Member): boolean {
  return name !== 'event_type';
}
