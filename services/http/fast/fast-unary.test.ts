import http from 'node:http';
import http2 from 'node:http2';
import { gzipSync } from 'node:zlib';
import { create, toBinary, toJsonString } from '@bufbuild/protobuf';
import { Code, ConnectError, type ConnectRouter } from '@connectrpc/connect';
import pino from 'pino';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type IngestRequest,
  IngestRequestSchema,
  IngestResponseSchema,
  IngestService,
  RejectionSchema,
} from '../../../gen/ts/clickmesh/v1/ingest_service_pb.js';
import { LogFull } from '../../log/event-log.ts';
import { type RunningServer, serve } from '../server/server.ts';

/** Two servers with the same service, whose methods ask for a context or not. */
let plain: RunningServer;
let withContext: RunningServer;

/** Means nothing to a unary call, but is unusual enough to keep it from the short way. */
const UNUSUAL = { 'connect-content-encoding': 'identity' };

async function ingest({ event }: IngestRequest) {
  if (event?.event.case === undefined) {
    const detail = { desc: RejectionSchema, value: { field: 'event', message: 'event is required' } };
    throw new ConnectError('event is required', Code.InvalidArgument, { 'x-reason': 'required' }, [detail]);
  }
  if (event.event.value.userId === 'full') throw new LogFull('full');
  if (event.event.value.userId === 'bug') throw new Error('a secret');
  return create(IngestResponseSchema, { acceptance: { eventId: event.event.value.eventId, partition: 3, offset: 7n } });
}

const start = (services: (router: ConnectRouter) => void) =>
  serve({ host: '127.0.0.1', port: 0, services, routes: [], logger: pino({ level: 'silent' }) });

beforeAll(async () => {
  plain = await start((router) => void router.service(IngestService, { ingest }));
  withContext = await start((router) => {
    router.service(IngestService, {
      ingest(request, { requestHeader, responseHeader, responseTrailer, timeoutMs }) {
        responseHeader.set('x-header', requestHeader.get('content-type')!);
        responseTrailer.set('x-deadline', timeoutMs() === undefined ? 'none' : 'some');
        return ingest(request);
      },
    });
  });
});
afterAll(() => Promise.all([plain.close(), withContext.close()]));

const PATH = '/clickmesh.v1.IngestService/Ingest';
const clickOf = (userId: string) =>
  create(IngestRequestSchema, { event: { event: { case: 'click', value: { eventId: 'e', userId } } } });
const proto = (request: IngestRequest) => Buffer.from(toBinary(IngestRequestSchema, request));
const json = (request: IngestRequest) => Buffer.from(toJsonString(IngestRequestSchema, request));
const envelope = (message: Buffer, flags = 0) => {
  const head = Buffer.alloc(5, flags);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
};
const tooLarge = proto(clickOf('x'.repeat((1 << 20) + 10)));

const CASES: [name: string, headers: Record<string, string>, body: Buffer, h2Only?: boolean][] = [
  ['JSON', { 'content-type': 'application/json' }, json(clickOf('u'))],
  ['JSON with an unknown field', { 'content-type': 'application/json' }, Buffer.from('{"event":{"click":{}},"x":1}')],
  ['JSON of another type of text', { 'content-type': 'application/json; charset=utf-8' }, json(clickOf('u'))],
  ['JSON that is none', { 'content-type': 'application/json' }, Buffer.from('{"event":')],
  ['JSON that is rejected', { 'content-type': 'application/json' }, Buffer.from('{}')],
  ['no body', { 'content-type': 'application/json' }, Buffer.alloc(0)],
  ['Protobuf', { 'content-type': 'application/proto' }, proto(clickOf('u'))],
  ['Protobuf that is none', { 'content-type': 'application/proto' }, Buffer.from([0xff, 1])],
  ['Protobuf that is too large', { 'content-type': 'application/proto' }, tooLarge],
  ['a full log', { 'content-type': 'application/proto' }, proto(clickOf('full'))],
  ['a bug', { 'content-type': 'application/json' }, json(clickOf('bug'))],
  ['gzip', { 'content-type': 'application/json', 'content-encoding': 'gzip' }, gzipSync(json(clickOf('u')))],
  ['a deadline', { 'content-type': 'application/proto', 'connect-timeout-ms': '5000' }, proto(clickOf('u'))],
  ['a wrong deadline', { 'content-type': 'application/proto', 'connect-timeout-ms': 'soon' }, proto(clickOf('u'))],
  ['gRPC', { 'content-type': 'application/grpc' }, envelope(proto(clickOf('u'))), true],
  ['gRPC that names its codec', { 'content-type': 'application/grpc+proto' }, envelope(proto(clickOf('u'))), true],
  ['gRPC that is rejected', { 'content-type': 'application/grpc' }, envelope(Buffer.alloc(0)), true],
  ['gRPC of a full log', { 'content-type': 'application/grpc' }, envelope(proto(clickOf('full'))), true],
  ['gRPC without a message', { 'content-type': 'application/grpc' }, Buffer.alloc(0), true],
  [
    'gRPC of two messages',
    { 'content-type': 'application/grpc' },
    Buffer.concat([envelope(proto(clickOf('u'))), envelope(proto(clickOf('u')))]),
    true,
  ],
  ['gRPC cut short', { 'content-type': 'application/grpc' }, envelope(proto(clickOf('u'))).subarray(0, 9), true],
  ['gRPC said to be compressed', { 'content-type': 'application/grpc' }, envelope(proto(clickOf('u')), 1), true],
  ['gRPC that is too large', { 'content-type': 'application/grpc' }, envelope(tooLarge), true],
  [
    'gRPC with a deadline',
    { 'content-type': 'application/grpc', 'grpc-timeout': '5S' },
    envelope(proto(clickOf('u'))),
    true,
  ],
];

interface Answer {
  status: number;
  /** Headers and trailers together, without what only says how the answer travels. */
  metadata: Record<string, unknown>;
  body: string;
}

describe('answers as the full implementation does', () => {
  test.each(CASES)('%s over HTTP/2', async (_, headers, body) => {
    for (const server of [plain, withContext]) {
      expect(await overHttp2(server, headers, body)).toEqual(await overHttp2(server, { ...headers, ...UNUSUAL }, body));
    }
  });

  test.each(CASES.filter(([, , , h2Only]) => !h2Only))('%s over HTTP/1.1', async (_, headers, body) => {
    for (const server of [plain, withContext]) {
      expect(await overHttp1(server, headers, body)).toEqual(await overHttp1(server, { ...headers, ...UNUSUAL }, body));
    }
  });
});

test('a plain call does get an answer, with its message and its status', async () => {
  const { status, metadata, body } = await overHttp2(
    plain,
    { 'content-type': 'application/grpc' },
    envelope(proto(clickOf('u'))),
  );
  expect({ status, metadata }).toMatchObject({ status: 200, metadata: { 'grpc-status': '0' } });
  expect(body).toContain('e');
});

const TRAVEL =
  /^(date|connection|keep-alive|content-length|transfer-encoding|accept-encoding|grpc-accept-encoding|:status)$/;

function metadataOf(...parts: object[]): Record<string, unknown> {
  const all = parts.flatMap((part) => Object.entries(part));
  return Object.fromEntries(all.filter(([name]) => !TRAVEL.test(name)));
}

function overHttp2({ url }: RunningServer, headers: Record<string, string>, body: Buffer): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const session = http2.connect(url);
    const stream = session.request({ ':method': 'POST', ':path': PATH, ...headers });
    const chunks: Buffer[] = [];
    let head: http2.IncomingHttpHeaders = {};
    let trailers = {};
    stream.on('response', (received) => {
      head = received;
    });
    stream.on('trailers', (received) => {
      trailers = received;
    });
    stream.on('data', (chunk) => chunks.push(chunk));
    stream.on('error', reject);
    stream.on('close', () => {
      session.close();
      const metadata = metadataOf(head, trailers);
      resolve({ status: Number(head[':status' as never]), metadata, body: Buffer.concat(chunks).toString('latin1') });
    });
    stream.end(body);
  });
}

function overHttp1({ url }: RunningServer, headers: Record<string, string>, body: Buffer): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = http.request(url + PATH, { method: 'POST', headers }, async (response) => {
      const chunks = await response.toArray();
      const metadata = metadataOf(response.headers);
      resolve({ status: response.statusCode!, metadata, body: Buffer.concat(chunks).toString('latin1') });
    });
    request.on('error', reject);
    request.end(body);
  });
}
