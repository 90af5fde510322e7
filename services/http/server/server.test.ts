import { once } from 'node:events';
import http from 'node:http';
import http2 from 'node:http2';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { createClient } from '@connectrpc/connect';
import { createConnectTransport, createGrpcTransport } from '@connectrpc/connect-node';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { IngestService } from '../../../gen/ts/clickmesh/v1/ingest_service_pb.js';
import { Health, HealthCheckResponse_ServingStatus as Status } from '../../../gen/ts/grpc/health/v1/health_pb.js';
import { startGateway, type TestGateway } from '../../../test/fixtures/gateway.ts';
import { serve } from './server.ts';

const INGEST = '/clickmesh.v1.IngestService/Ingest';
const CHECK = '/grpc.health.v1.Health/Check';
const TOO_MUCH = (1 << 20) + 1;
const JSON_TYPE = { 'content-type': 'application/json' };
const CLICK = {
  event_type: 'click',
  event_id: '6f1b0e0a-1f7e-4a0e-9d0a-0a4c5cbb8a01',
  user_id: 'u',
  ad_id: 'a',
  campaign_id: 'c',
  source: 's',
  timestamp: 1678886400000,
};

let gateway: TestGateway;

beforeEach(async () => {
  // A close that waits for what it should not wait for outlasts the test.
  gateway = await startGateway({ drainMs: 600_000 });
});
afterEach(() => gateway.close());

async function fetched(path: string, init?: RequestInit) {
  const response = await fetch(`${gateway.url}${path}`, init);
  return { status: response.status, headers: response.headers, body: await response.text() };
}

const post = (path: string, body: BodyInit, headers: HeadersInit = JSON_TYPE) =>
  fetched(path, { method: 'POST', body, headers });

/** A body of unknown length. */
const chunked = (bytes: number) =>
  new ReadableStream({
    start(controller) {
      for (let sent = 0; sent < bytes; sent += 65_536) controller.enqueue(new Uint8Array(65_536).fill(0x20));
      controller.close();
    },
  });

describe('plain HTTP', () => {
  it.each([
    ['GET', '/healthz', 200],
    ['HEAD', '/healthz', 200],
    ['GET', '/healthz?verbose', 200],
    ['GET', '/readyz', 200],
    ['POST', '/healthz', 405],
    ['GET', '/api/v1/events', 405],
    ['GET', '/', 404],
    ['GET', '/clickmesh.v1.IngestService/Nope', 404],
    ['GET', INGEST, 405],
  ])('%s %s: %d', async (method, path, status) => {
    expect((await fetched(path, { method })).status).toBe(status);
  });

  it('says what is not ready', async () => {
    gateway.ready = false;
    const { status, body } = await fetched('/readyz');
    expect(status).toBe(503);
    expect(JSON.parse(body)).toEqual({ ready: false, checks: { log: { ok: false, reason: 'told so by a test' } } });
    expect((await fetched('/healthz')).status).toBe(200);
  });

  it('hides what went wrong inside', async () => {
    gateway.log.beforeAppend = () => {
      throw new TypeError('secret');
    };
    const { status, body } = await post('/api/v1/events', JSON.stringify(CLICK));
    expect(status).toBe(500);
    expect(JSON.parse(body)).toEqual({ error: { code: 'internal', message: 'internal error' } });
  });
});

describe('pages of other origins', () => {
  it('may ask first', async () => {
    const { status, headers } = await fetched(INGEST, { method: 'OPTIONS', headers: { origin: 'http://shop' } });
    expect(status).toBe(204);
    const allowed = headers.get('access-control-allow-headers')!.split(', ');
    const some = ['Content-Type', 'Connect-Protocol-Version', 'Authorization', 'traceparent', 'tracestate', 'baggage'];
    expect(allowed).toEqual(expect.arrayContaining(some));
  });

  it('may send any header that they ask for', async () => {
    const asked = 'content-type,sentry-trace,x-b3-traceid';
    const ask = { origin: 'http://shop', 'access-control-request-headers': asked };
    const { headers } = await fetched('/api/v1/events', { method: 'OPTIONS', headers: ask });
    expect(headers.get('access-control-allow-headers')).toBe(asked);
  });

  it.each([
    ['/api/v1/events', 'http://shop', 'true'],
    ['/click', 'null', 'true'],
    [INGEST, 'http://shop', 'true'],
    ['/clickmesh.v1.IngestService/IngestStream', 'http://shop', 'true'],
    [CHECK, '*', null],
    ['/healthz', '*', null],
    ['/nope', '*', null],
  ])('may read the answer of %s, with credentials where events are taken', async (path, allowed, credentials) => {
    const origin = allowed === '*' ? 'http://shop' : allowed;
    for (const method of ['OPTIONS', 'POST']) {
      const body = method === 'POST' ? '{}' : undefined;
      const { headers } = await fetched(path, { method, body, headers: { ...JSON_TYPE, origin } });
      expect(headers.get('access-control-allow-origin')).toBe(allowed);
      expect(headers.get('access-control-allow-credentials')).toBe(credentials);
      expect(headers.get('access-control-expose-headers')).toContain('Grpc-Status');
      if (credentials) expect(headers.get('vary')).toContain('origin');
    }
  });

  it('may send a beacon', async () => {
    const beacon = { origin: 'http://shop', cookie: 'a=b', 'content-type': 'text/plain;charset=UTF-8' };
    const { status, headers } = await post('/api/v1/events', JSON.stringify(CLICK), beacon);
    expect([status, headers.get('access-control-allow-origin')]).toEqual([202, 'http://shop']);
  });
});

describe('hostile requests', () => {
  afterEach(async () => {
    expect((await fetched('/healthz')).status).toBe(200);
  });

  it.each([
    ['/api/v1/events', 413],
    [INGEST, 413],
  ])('a body too large for %s', async (path, status) => {
    expect((await post(path, ' '.repeat(TOO_MUCH))).status).toBe(status);
    const streamed = { method: 'POST', body: chunked(2 * TOO_MUCH), headers: JSON_TYPE, duplex: 'half' as const };
    expect((await fetched(path, streamed)).status).toBe(status);
  });

  it('a body of exactly the limit is no such thing', async () => {
    const body = JSON.stringify(CLICK);
    expect((await post('/api/v1/events', body + ' '.repeat(TOO_MUCH - 1 - body.length))).status).toBe(202);
  });

  it('a gzip bomb', async () => {
    const bomb = gzipSync(Buffer.alloc(64 << 20));
    for (const path of [INGEST, '/api/v1/events']) {
      const { status, body } = await post(path, bomb, { ...JSON_TYPE, 'content-encoding': 'gzip' });
      expect(status).toBe(413);
      expect(body).toContain('more than 1048576 bytes came: send fewer events at once');
    }
    const envelope = Buffer.alloc(5);
    envelope[0] = 1;
    envelope.writeUInt32BE(bomb.length, 1);
    const grpcWeb = { 'content-type': 'application/grpc-web+proto', 'grpc-encoding': 'gzip' };
    expect((await post(INGEST, Buffer.concat([envelope, bomb]), grpcWeb)).body).toContain('grpc-status: 3');
  });

  it.each([
    ['invalid JSON', '{', JSON_TYPE, 400],
    ['JSON of another shape', '{"event":7}', JSON_TYPE, 400],
    ['an unknown content type', 'x', { 'content-type': 'text/plain' }, 415],
    ['an unknown compression', 'x', { ...JSON_TYPE, 'content-encoding': 'rot13' }, 501],
    ['a broken gzip', 'no gzip at all', { ...JSON_TYPE, 'content-encoding': 'gzip' }, 400],
    ['a deadline too far away', '{}', { ...JSON_TYPE, 'connect-timeout-ms': '3600001' }, 400],
    ['invalid protobuf', '\x0a\xff', { 'content-type': 'application/proto' }, 400],
  ])('%s', async (_, body, headers, status) => {
    expect((await post(INGEST, body, headers)).status).toBe(status);
  });

  it('a client that leaves before it says anything', async () => {
    const socket = connect(gateway.port, '127.0.0.1');
    await once(socket, 'connect');
    socket.resetAndDestroy();
    await once(socket, 'close');
  });

  it('more streams than one connection may have', async () => {
    const session = http2.connect(gateway.url);
    await once(session, 'remoteSettings');
    expect(session.remoteSettings.maxConcurrentStreams).toBe(256);
    session.destroy();
  });
});

describe('close', () => {
  /** Holds every append until released; resolves `reached` when `count` of them wait. */
  function holdAppends(count: number) {
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    const { promise: reached, resolve: reach } = Promise.withResolvers<void>();
    let waiting = 0;
    gateway.log.beforeAppend = () => {
      if (++waiting === count) reach();
      return released;
    };
    return { reached, release };
  }

  const event = {
    event: {
      case: 'click' as const,
      value: {
        eventId: CLICK.event_id,
        userId: 'u',
        adId: 'a',
        campaignId: 'c',
        source: 's',
        timestamp: BigInt(CLICK.timestamp),
      },
    },
  };

  it('lets requests in flight succeed, whatever they came by', async () => {
    const { reached, release } = holdAppends(12);
    const transports = [
      createGrpcTransport({ baseUrl: gateway.url }),
      createConnectTransport({ baseUrl: gateway.url, httpVersion: '2' }),
      createConnectTransport({ baseUrl: gateway.url, httpVersion: '1.1' }),
    ];
    const clients = transports.map((transport) => createClient(IngestService, transport));
    const calls = [...clients, ...clients, ...clients].map((client) => client.ingest({ event }));
    const posts = [1, 2, 3].map(() => post('/api/v1/events', JSON.stringify(CLICK)));
    await reached;
    const closed = gateway.close();
    release();
    for (const answer of await Promise.all(calls)) expect(answer.acceptance?.eventId).toBe(CLICK.event_id);
    for (const answer of await Promise.all(posts)) expect(answer.status).toBe(202);
    await closed;
    await expect(fetched('/healthz')).rejects.toThrow();
  });

  it('tells the senders of requests in flight to go elsewhere', async () => {
    const { reached, release } = holdAppends(2);
    const click = JSON.stringify(CLICK);
    const inPieces = { method: 'POST', body: new Blob([click]).stream(), headers: JSON_TYPE, duplex: 'half' as const };
    const posts = [post('/api/v1/events', click), fetched('/api/v1/events', inPieces)];
    await reached;
    const closed = gateway.close();
    release();
    for (const { status, headers } of await Promise.all(posts)) {
      expect([status, headers.get('connection')]).toEqual([202, 'close']);
    }
    await closed;
  });

  it('tells who watches, and does not wait for them', async () => {
    const watching = createClient(Health, createGrpcTransport({ baseUrl: gateway.url }))
      .watch({})
      [Symbol.asyncIterator]();
    expect((await watching.next()).value).toMatchObject({ status: Status.SERVING });
    const closed = gateway.close();
    expect((await watching.next()).value).toMatchObject({ status: Status.NOT_SERVING });
    expect((await watching.next()).done).toBe(true);
    await closed;
  });

  it('cuts what outlasts the limit', async () => {
    await gateway.close();
    gateway = await startGateway({ drainMs: 50 });
    const { reached } = holdAppends(1);
    const call = post('/api/v1/events', JSON.stringify(CLICK));
    call.catch(() => {});
    await reached;
    await gateway.close();
    await expect(call).rejects.toThrow();
  });
});

describe('close, of connections that idle', () => {
  beforeEach(async () => {
    await gateway.close();
    gateway = await startGateway({ drainMs: 600_000, lastRequestMs: 500 });
  });

  it('does not wait for connections that idle', async () => {
    const agent = new http.Agent({ keepAlive: true });
    const request = http.get(`${gateway.url}/healthz`, { agent });
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    await text(response);
    const session = http2.connect(gateway.url);
    await once(session, 'remoteSettings');
    await gateway.close();
    agent.destroy();
  });

  it('does not wait for a stream whose client has left', async () => {
    const session = http2.connect(gateway.url);
    const path = '/clickmesh.v1.IngestService/IngestStream';
    const stream = session.request({ ':method': 'POST', ':path': path, 'content-type': 'application/grpc' });
    stream.write(Buffer.alloc(1));
    await text(session.request({ ':path': '/healthz' }));
    session.destroy();
    await gateway.close();
  });

  it('does not wait for a connection that never said anything', async () => {
    const socket: Socket = connect(gateway.port, '127.0.0.1');
    await once(socket, 'connect');
    await Promise.all([gateway.close(), once(socket, 'close')]);
  });

  it('answers requests that were on their way, and tells their senders to go elsewhere', async () => {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    const get = async (): Promise<http.IncomingMessage> => {
      const [response] = await once(http.get(`${gateway.url}/healthz`, { agent }), 'response');
      await text(response);
      return response;
    };
    await get();
    const silent = connect(gateway.port, '127.0.0.1');
    await once(silent, 'connect');
    const closed = gateway.close();
    const idle = await get();
    expect([idle.statusCode, idle.headers.connection]).toEqual([200, 'close']);
    silent.write('GET /healthz HTTP/1.1\r\nHost: mesh\r\n\r\n');
    expect(await text(silent)).toMatch(/^HTTP\/1.1 200 OK/);
    await closed;
    agent.destroy();
  });

  it.each([
    ['GET /healthz', /^HTTP\/1.1 200 OK/],
    ['POST /api/v1/events', /^HTTP\/1.1 400 Bad Request/],
  ])('answers what waits to be read when their time is over: %s', async (start, answer) => {
    const head = `${start} HTTP/1.1\r\nHost: mesh\r\nContent-Length: 0\r\n\r\n`;
    const socket = connect(gateway.port, '127.0.0.1').setEncoding('latin1');
    socket.write(head);
    await once(socket, 'data');
    const closed = gateway.close();
    await new Promise(setImmediate);
    // The server's timers are due before it reads this.
    socket.write(head);
    const due = performance.now() + 600;
    while (performance.now() < due);
    expect(await once(socket, 'data')).toEqual([expect.stringMatching(answer)]);
    await closed;
  });
});

describe('serve', () => {
  it('says in one line that the port is in use', async () => {
    const options = { host: '127.0.0.1', port: gateway.port, services: () => {}, routes: [], logger: pino() };
    await expect(serve(options)).rejects.toThrow(`can't listen on 127.0.0.1:${gateway.port}: the port is in use`);
  });
});
