import { gzipSync } from 'node:zlib';
import { create, fromBinary, fromJsonString, type MessageInitShape, toBinary, toJsonString } from '@bufbuild/protobuf';
import { Code, ConnectError, type ConnectRouter } from '@connectrpc/connect';
import pino from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  type IngestRequest,
  IngestRequestSchema,
  type IngestResponse,
  IngestResponseSchema,
  IngestService,
  type IngestStreamRequest,
  IngestStreamResponseSchema,
  RejectionSchema,
} from '../../../gen/ts/clickmesh/v1/ingest_service_pb.js';
import { type RawAnswer, type RawClient, rawClient } from '../../../test/fixtures/raw-request.ts';
import { callBy, envelope, rpcOutcome, rpcRequest, STREAM_WAYS, UNARY_WAYS } from '../../../test/fixtures/rpc-ways.ts';
import { LogFull } from '../../log/event-log.ts';
import { type RunningServer, serve } from '../server/server.ts';
import { byteStreamMethod, bytesMethod } from './bytes-methods.ts';

const INGEST = '/clickmesh.v1.IngestService/Ingest';
const STREAM = '/clickmesh.v1.IngestService/IngestStream';

/** Servers with the same service: of methods that take bytes, and of methods that connect-node decodes for. */
let ours: RunningServer;
let connects: RunningServer;
let clients: [ours: RawClient, connects: RawClient];
/** What the methods of bytes were given. */
let received: string[];

async function ingest({ event }: IngestRequest): Promise<IngestResponse> {
  const userId = event?.event.value?.userId;
  if (userId === undefined) {
    const detail = { desc: RejectionSchema, value: { field: 'event', message: 'event is required' } };
    throw new ConnectError('event, in [1, 2]: is required', Code.InvalidArgument, { 'x-reason': 'required' }, [detail]);
  }
  if (userId === 'full') throw new LogFull('full');
  if (userId === 'bug') throw new Error('a secret');
  return create(IngestResponseSchema, { acceptance: { eventId: userId, partition: 3, offset: 7n } });
}

async function ingestStream(requests: AsyncIterable<IngestStreamRequest>) {
  let accepted = 0n;
  for await (const { events } of requests) accepted += BigInt(events.length);
  return create(IngestStreamResponseSchema, { accepted });
}

const { method } = IngestService;
const bytesService = {
  ingest: bytesMethod(method.ingest, async (request, format) => {
    received.push(`${format} ${request.toString('latin1')}`);
    const message =
      format === 'json'
        ? fromJsonString(IngestRequestSchema, request.toString())
        : fromBinary(IngestRequestSchema, request);
    return toBinary(IngestResponseSchema, await ingest(message));
  }),
  ingestStream: byteStreamMethod(method.ingestStream, async (requests, format) => {
    let accepted = 0n;
    for await (const request of requests) {
      received.push(`${format} ${request.toString('latin1')}`);
      accepted += 1n;
    }
    return toBinary(IngestStreamResponseSchema, create(IngestStreamResponseSchema, { accepted }));
  }),
};

const start = (services: (router: ConnectRouter) => void) =>
  serve({ host: '127.0.0.1', port: 0, services, routes: [], logger: pino({ level: 'silent' }) });

beforeAll(async () => {
  ours = await start((router) => void router.service(IngestService, bytesService));
  connects = await start((router) => void router.service(IngestService, { ingest, ingestStream }));
});
afterAll(() => Promise.all([ours.close(), connects.close()]));
beforeEach(() => {
  clients = [rawClient(ours.url), rawClient(connects.url)];
  received = [];
});
afterEach(() => {
  for (const client of clients) client.close();
});

type Init = MessageInitShape<typeof IngestRequestSchema>;
const clickOf = (userId: string): Init => ({ event: { event: { case: 'click', value: { eventId: 'e', userId } } } });
function messageOf(format: 'proto' | 'json', init: Init): Buffer {
  const message = create(IngestRequestSchema, init);
  return Buffer.from(
    format === 'json' ? toJsonString(IngestRequestSchema, message) : toBinary(IngestRequestSchema, message),
  );
}

describe('a unary call', () => {
  test.each(UNARY_WAYS)('reaches the method as it was before it was sent: $name', async (way) => {
    const message = messageOf(way.format, clickOf('u'));
    const { code, answer } = await callBy(clients[0], way, INGEST, [message]);
    expect(received).toEqual([`${way.format} ${message.toString('latin1')}`]);
    expect(code).toBe('ok');
    const { acceptance } =
      way.format === 'json'
        ? fromJsonString(IngestResponseSchema, String(answer))
        : fromBinary(IngestResponseSchema, answer!);
    expect(acceptance).toMatchObject({ eventId: 'u', partition: 3, offset: 7n });
  });

  const plain = UNARY_WAYS.filter(({ coding }) => coding === undefined);
  const inits: [name: string, init: Init][] = [
    ['that succeeds', clickOf('u')],
    ['with a rejected event', {}],
    ['of a full log', clickOf('full')],
    ['that finds a bug', clickOf('bug')],
  ];
  const headers: [name: string, headers: Record<string, string>][] = [
    ['without more headers', {}],
    ['with a deadline', { 'connect-timeout-ms': '5000', 'grpc-timeout': '5S' }],
    ['with a deadline that is none', { 'connect-timeout-ms': 'soon', 'grpc-timeout': 'soon' }],
    ['with a deadline too far away', { 'connect-timeout-ms': '3600001', 'grpc-timeout': '2H' }],
    ['with another spelling of its type', { 'content-type': 'Application/JSON; charset=UTF-8' }],
  ];

  test.each(plain)('is answered as connect-node does: $name', async (way) => {
    for (const [callName, init] of inits) {
      for (const [headerName, more] of headers) {
        const request = rpcRequest(way, INGEST, [messageOf(way.format, init)]);
        if (more['content-type'] !== undefined && (way.protocol !== 'connect' || way.format !== 'json')) continue;
        const sent = { ...request, headers: { ...request.headers, ...more } };
        const answers = await Promise.all(clients.map((client) => client[way.by](sent)));
        const [ours, theirs] = answers.map(told);
        expect(ours, `${callName} ${headerName}`).toEqual(theirs);
      }
    }
  });

  test.each(plain)('that can not be read is the fault of its client: $name', async (way) => {
    const huge = messageOf(way.format, clickOf('x'.repeat(1 << 20)));
    const bomb = Buffer.alloc(8 << 20, ' ');
    for (const [coding, message] of [
      [undefined, huge],
      ['gzip', bomb],
      ['BR', bomb],
      ['zstd', bomb],
      ['deflate', bomb],
    ] as const) {
      if (coding !== undefined && way.by === 'chunked') continue;
      const outcome = await callBy(clients[0], { ...way, coding: coding === 'BR' ? 'Br' : coding }, INGEST, [message]);
      const says = 'more than 1048576 bytes came: send fewer events at once';
      expect(outcome, coding).toEqual({ code: 'invalid_argument', message: says });
    }
    const broken = rpcRequest({ ...way, coding: 'identity' }, INGEST, [Buffer.from('no gzip at all')]);
    const said = Object.fromEntries(Object.entries(broken.headers).map(([k, v]) => [k, v.replace('identity', 'gzip')]));
    const answer = await clients[0][way.by]({ ...broken, headers: said });
    expect([200, 400]).toContain(answer.status);
    expect(received).toEqual([]);
  });

  test.each([
    ['cut short', (one: Buffer) => one.subarray(0, 9), 'invalid_argument'],
    ['without a head', (one: Buffer) => one.subarray(0, 3), 'invalid_argument'],
    ['without a message', () => Buffer.alloc(0), 'unimplemented'],
    ['of two messages', (one: Buffer) => Buffer.concat([one, one]), 'unimplemented'],
    ['said to be compressed by nothing', (one: Buffer) => envelope(one.subarray(5), 1), 'invalid_argument'],
  ])('of envelopes %s', async (_, change, code) => {
    for (const way of plain.filter(({ protocol }) => protocol !== 'connect')) {
      const request = rpcRequest(way, INGEST, [messageOf(way.format, clickOf('u'))]);
      const answer = await clients[0][way.by]({ ...request, body: change(request.body) });
      expect(rpcOutcome(way, answer).code, way.name).toBe(code);
    }
  });
});

describe('a stream', () => {
  test.each(STREAM_WAYS)('reaches the method message by message: $name', async (way) => {
    const messages = [Buffer.from('one'), Buffer.alloc(0), Buffer.alloc(100_000, 'two')];
    const { code, answer } = await callBy(clients[0], way, STREAM, messages);
    expect(received).toEqual(messages.map((message) => `${way.format} ${message}`));
    expect(code).toBe('ok');
    const { accepted } =
      way.format === 'json'
        ? fromJsonString(IngestStreamResponseSchema, String(answer))
        : fromBinary(IngestStreamResponseSchema, answer!);
    expect(accepted).toBe(3n);
  });

  test.each([
    ['with half a head', Buffer.concat([envelope(Buffer.from('{}')), Buffer.alloc(3)])],
    ['with half a message', envelope(Buffer.from('{}')).subarray(0, 6)],
    ['with a message too large', Buffer.concat([envelope(Buffer.from('{}')), envelope(Buffer.alloc((1 << 20) + 1))])],
    ['said to be compressed by nothing', envelope(gzipSync('{}'), 1)],
  ])('%s is the fault of its client', async (_, body) => {
    for (const way of STREAM_WAYS.filter(({ coding }) => coding === undefined)) {
      const answer = await clients[0][way.by]({ ...rpcRequest(way, STREAM, []), body });
      expect(rpcOutcome(way, answer).code, way.name).toBe('invalid_argument');
    }
  });
});

describe('what is no call', () => {
  test.each([
    [INGEST, 'GET', {}, 405, 'use POST'],
    [INGEST, 'POST', {}, 415, /^the content-type header is missing: send application\/json, application\/proto, /],
    [INGEST, 'POST', { 'content-type': 'text/csv' }, 415, /^content-type "text\/csv" is not taken here: send app/],
    [INGEST, 'POST', { 'content-type': 'application/grpc-web-text' }, 415, /^content-type "application\/grpc-web-te/],
    [STREAM, 'POST', { 'content-type': 'application/json' }, 415, /send application\/connect\+json, application\/co/],
    [INGEST, 'POST', { 'content-type': 'application/json', 'content-encoding': 'rot13' }, 501, /^unknown compression/],
  ])('%s %s %j is told why', async (path, method, headers, status, message) => {
    for (const by of ['chunked', 'http2'] as const) {
      const body = Buffer.from(method === 'GET' ? '' : '{}');
      const answer = await clients[0][by]({ method, path, headers: headers as Record<string, string>, body });
      expect(answer.status).toBe(status);
      expect(JSON.parse(answer.body.toString()).message).toMatch(message);
    }
  });
});

/**
 * The answer as it is compared. Connect-node also tells of the compression of answers, of which there is none here, and
 * encodes more of gRPC-Web's message than is needed.
 */
function told({ status, headers, body }: RawAnswer): object {
  const travel = /^((grpc-)?accept-encoding|grpc-encoding|trailer)$/;
  const kept = Object.entries(headers).filter(([name]) => !travel.test(name));
  const text = body[0] === 0x80 ? decodeURIComponent(body.toString('latin1', 5)) : body.toString('latin1');
  return { status, headers: Object.fromEntries(kept), text };
}
