import { once } from 'node:events';
import http from 'node:http';
import http2 from 'node:http2';
import { text } from 'node:stream/consumers';
import { setImmediate as turn } from 'node:timers/promises';
import type { DescMethod } from '@bufbuild/protobuf';
import type { ClickHouseClient } from '@clickhouse/client';
import { Code, ConnectError, type ConnectRouter } from '@connectrpc/connect';
import pino from 'pino';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { grpcJsClient } from '../../../test/fixtures/grpc-js-client.ts';
import { memoryLog } from '../../../test/fixtures/memory-log.ts';
import { type RawAnswer, type RawClient, type RawRequest, rawClient } from '../../../test/fixtures/raw-request.ts';
import { callWith, transportsTo } from '../../../test/fixtures/transports.ts';
import { gatewayHttp, gatewayRoutes } from '../../gateway/routes.ts';
import { statusRoute } from '../../processes/status/status.ts';
import { statsHttp, statsRoutes } from '../../stats/routes.ts';
import { rpcDuration } from '../../telemetry/metrics.ts';
import type { Exchange } from '../exchange/exchange.ts';
import type { HttpRoute } from '../routes/http-routes.ts';
import { tidyPath } from '../routes/path-table.ts';
import { healthHttp, healthRoutes } from '../standard/health.ts';
import { metricsRoute } from '../standard/metrics-route.ts';
import { openapiRoute } from '../standard/openapi.ts';
import { reflectionRoutes } from '../standard/reflection.ts';
import { type Guard, OPEN_PATHS } from './guard.ts';
import { type RunningServer, serve } from './server.ts';

const WHY = 'no token, or one that is unknown: send another';
const NO = () => new ConnectError(WHY, Code.Unauthenticated, { 'www-authenticate': 'Bearer' });
const refusesAtOnce: Guard = NO;
const refusesLater: Guard = async () => NO();

interface Everything extends RunningServer {
  /** As the router has them. */
  methods: readonly DescMethod[];
  routes: readonly HttpRoute[];
  stored(): number;
  /** Requests for the path with a parameter. */
  visits(): number;
}

const running: { close(): unknown }[] = [];
afterEach(() => Promise.all(running.splice(0).map((one) => one.close())));

/** Serves all that any process of the mesh serves, and a path with a parameter. Streams without an end have one. */
async function serveEverything(guard?: Guard): Promise<Everything> {
  const log = memoryLog();
  const logger = pino({ level: 'silent' });
  const [client, ended] = [{} as ClickHouseClient, AbortSignal.abort()];
  const gateway = { log, now: () => Date.UTC(2026, 0, 2), currency: 'USD' };
  const ready = async () => ({});
  let visits = 0;
  const handle = async () => {
    visits++;
    return { status: 302, headers: { location: '/' }, body: '' };
  };
  const pattern = { method: 'GET', path: '/c/{ad_id}', summary: 'A link.' };
  const routes = [
    ...[
      ...gatewayHttp(gateway),
      ...statsHttp({ client, models: ['last_click'], rollups: [] }),
      ...healthHttp(ready),
      openapiRoute,
      metricsRoute(),
    ],
    statusRoute(async () => ({})),
    { ...pattern, handle },
  ];
  const services = (router: ConnectRouter) => {
    gatewayRoutes(router, gateway);
    statsRoutes(router, { client, models: ['last_click'], rollups: [], shutdown: ended });
    healthRoutes(router, ready, ended);
    reflectionRoutes(router);
    methods = router.handlers.map(({ method }) => method);
  };
  let methods: DescMethod[] = [];
  const server = await serve({ host: '127.0.0.1', port: 0, services, routes, guard, logger, lastRequestMs: 0 });
  running.push(server);
  return { ...server, methods, routes, stored: () => log.records('raw-events').length, visits: () => visits };
}

function clientOf({ url }: RunningServer): RawClient {
  const client = rawClient(url);
  running.unshift(client);
  return client;
}

const pathOf = ({ parent, name }: DescMethod) => `/${parent.typeName}/${name}`;

/** Paths of everything registered, and others around them. */
function pathsOf({ methods, routes }: Everything): string[] {
  const served = [...methods.map(pathOf), ...routes.map(({ path }) => path.replaceAll(/\{\w+\}/g, 'ad-456'))];
  const around = served.flatMap((path) => [`${path}/`, path.slice(0, path.lastIndexOf('/') + 1)]);
  return [
    ...new Set([
      ...served,
      ...around,
      '/',
      '//',
      '//click',
      '//healthz',
      '/nope',
      '/clickmesh.v1.NopeService/Nope',
      '*',
    ]),
  ];
}

type Form = 'gRPC' | 'gRPC-Web' | 'Connect stream' | 'HTTP';

const CLICK = {
  event_type: 'click',
  event_id: '6f1b0e0a-1f7e-4a0e-9d0a-0a4c5cbb8a01',
  ...{ user_id: 'u', ad_id: 'a', campaign_id: 'c', source: 's', timestamp: 1678886400000 },
};
const EMPTY = Buffer.alloc(0);
const JSON_BODY = Buffer.from(JSON.stringify(CLICK));
const ENVELOPE = Buffer.alloc(5);
const JSON_ENVELOPE = Buffer.from('\0\0\0\0\u0002{}');

function post(form: Form, type: string, body: Buffer, headers = {}): [Form, Omit<RawRequest, 'path'>] {
  return [form, { method: 'POST', headers: { 'content-type': type, ...headers }, body }];
}
const bodiless = (method: string, headers = {}): [Form, Omit<RawRequest, 'path'>] => [
  'HTTP',
  { method, headers, body: EMPTY },
];

/** Every way to speak to a path, and the form in which it expects an error. */
const WAYS: [form: Form, request: Omit<RawRequest, 'path'>][] = [
  post('HTTP', 'application/json', JSON_BODY),
  post('HTTP', 'application/json; charset=utf-8', JSON_BODY),
  post('HTTP', 'application/json', JSON_BODY, { 'connect-protocol-version': '1', 'content-encoding': 'identity' }),
  post('HTTP', 'application/x-ndjson', JSON_BODY),
  post('HTTP', 'application/proto', EMPTY),
  post('HTTP', 'text/plain', JSON_BODY, { origin: 'http://shop' }),
  post('Connect stream', 'application/connect+json', JSON_ENVELOPE),
  post('Connect stream', 'application/connect+proto', ENVELOPE),
  post('gRPC', 'application/grpc', ENVELOPE),
  post('gRPC', 'application/grpc+proto', ENVELOPE, { te: 'trailers' }),
  post('gRPC', 'application/grpc+json', JSON_ENVELOPE, { 'grpc-encoding': 'gzip' }),
  post('gRPC-Web', 'application/grpc-web', ENVELOPE),
  post('gRPC-Web', 'application/grpc-web+proto', ENVELOPE),
  post('gRPC-Web', 'application/grpc-web+json', JSON_ENVELOPE),
  // Not served: told by the status of HTTP.
  post('HTTP', 'application/grpc-web-text', Buffer.from(ENVELOPE.toString('base64'))),
  ...['GET', 'HEAD', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'].map((method) => bodiless(method)),
];
const QUERY = '?connect=v1&encoding=json&message=%7B%7D&start_date=2026-01-01&end_date=2026-01-31';

/** Every path × way × version of HTTP. */
async function* walk(server: Everything, ...clients: RawClient[]) {
  for (const path of pathsOf(server)) {
    for (const [form, way] of WAYS) {
      const request = { ...way, path: way.method === 'POST' ? path : path + QUERY };
      const name = `${way.method} ${path} ${JSON.stringify(way.headers)}`;
      const ways = ['whole', ...(way.body.length > 0 ? ['chunked'] : []), ...(path === '*' ? [] : ['http2'])] as const;
      for (const by of ways as readonly ('whole' | 'chunked' | 'http2')[]) {
        const answers = await Promise.all(clients.map((client) => client[by](request)));
        yield { name: `${by} ${name}`, path, form, answers };
      }
    }
  }
}

/** What is refused, in which form; undefined if it is not. */
function refusal({ status, headers, body }: RawAnswer): string | undefined {
  const type = String(headers['content-type']);
  if (headers['www-authenticate'] === 'Bearer' && headers['grpc-status'] === '16')
    return status === 200 ? 'gRPC' : 'odd';
  if (status === 200 && type.startsWith('application/grpc-web') && body[0] === 0x80) {
    return /grpc-status: 16\r\n/.test(body.toString()) ? 'gRPC-Web' : undefined;
  }
  if (status === 200 && type.startsWith('application/connect+') && body[0] === 2) {
    const { error, metadata } = JSON.parse(body.toString('utf8', 5));
    return error?.code === 'unauthenticated' && metadata?.['www-authenticate'] ? 'Connect stream' : undefined;
  }
  if (status !== 401 || headers['www-authenticate'] !== 'Bearer') return undefined;
  if (body.length === 0) return 'without a body';
  const { code, error } = JSON.parse(body.toString());
  if (code === 'unauthenticated') return 'Connect';
  return error?.code === 'unauthenticated' && error.message === WHY ? 'REST' : undefined;
}

describe('a guard that refuses', () => {
  it.each([
    ['at once', refusesAtOnce],
    ['later', refusesLater],
  ])('lets nothing pass but the open paths, and answers in the protocol of the request: %s', async (_, guard) => {
    const server = await serveEverything(guard);
    const client = clientOf(server);
    const rpcs = new Set([...server.methods.map(pathOf), '/clickmesh.v1.NopeService/Nope']);
    const wrong: string[] = [];
    let seen = 0;
    for await (const { name, path, form, answers } of walk(server, client)) {
      const meant = tidyPath(path);
      const http = name.includes(' HEAD ') ? 'without a body' : rpcs.has(meant) ? 'Connect' : 'REST';
      const expected = OPEN_PATHS.has(meant) ? undefined : form === 'HTTP' ? http : form;
      const found = refusal(answers[0]!);
      if (found !== expected) wrong.push(`${name}: ${found} ${answers[0]!.status}`);
      seen++;
    }
    expect(wrong).toEqual([]);
    expect(seen).toBeGreaterThan(1000);
    expect([server.stored(), server.visits()]).toEqual([0, 0]);
    // Bodies that were not read have kept no connection from being used again.
    expect(client.connections()).toBe(2);
  });

  it('is heard by every client of every method', async () => {
    const server = await serveEverything(refusesAtOnce);
    const measured = vi.spyOn(rpcDuration, 'record');
    const heard: Record<string, unknown> = {};
    for (const [name, transport] of transportsTo(server.url)) {
      for (const method of server.methods) {
        if (name.startsWith('web') && /client|bidi/.test(method.methodKind)) continue;
        heard[`${name} ${pathOf(method)}`] = await callWith(transport, method).catch(({ rawMessage }) => rawMessage);
      }
    }
    for (const method of server.methods) heard[`grpc-js ${pathOf(method)}`] = await grpcJsCall(server, method);
    const calls = Object.keys(heard);
    const expected = calls.map((name) => [name, OPEN_PATHS.has(name.split(' ').at(-1)!) ? 'answered' : WHY]);
    expect(heard).toEqual(Object.fromEntries(expected));
    expect(server.stored()).toBe(0);
    await expect.poll(() => measured.mock.calls.length).toBe(calls.length);
    for (const [, attributes] of measured.mock.calls) {
      const outcome = OPEN_PATHS.has(`/${attributes!['rpc.method']}`) ? 'ok' : 'unauthenticated';
      expect(attributes).toMatchObject({ 'rpc.response.status_code': outcome });
    }
  });
});

describe('a refusal', () => {
  it('does not wait for the body, and what comes of it later spoils no other request', async () => {
    const server = await serveEverything(refusesAtOnce);
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    const upload = http.request(`${server.url}/api/v1/events`, { method: 'POST', agent });
    upload.write('{');
    const [refused] = (await once(upload, 'response')) as [http.IncomingMessage];
    expect(refused.statusCode).toBe(401);
    upload.end('x'.repeat(1 << 20));
    await text(refused);
    const [next] = await once(http.get(`${server.url}/healthz`, { agent }), 'response');
    expect(await text(next)).toBe('ok\n');
    agent.destroy();

    const session = http2.connect(server.url);
    const path = '/clickmesh.v1.IngestService/IngestStream';
    const stream = session.request({ ':method': 'POST', ':path': path, 'content-type': 'application/grpc' });
    stream.write(ENVELOPE);
    const [headers, flags] = await once(stream, 'response');
    expect(headers).toMatchObject({ ':status': 200, 'grpc-status': '16' });
    expect(flags & http2.constants.NGHTTP2_FLAG_END_STREAM).not.toBe(0);
    stream.end(Buffer.alloc(1 << 20));
    const healthy = session.request({ ':path': '/healthz' });
    expect(await text(healthy)).toBe('ok\n');
    session.destroy();
  });

  it.each<[string, Guard, number]>([
    [
      'throws an error for the client',
      () => {
        throw NO();
      },
      401,
    ],
    [
      'rejects with one',
      async () => {
        throw NO();
      },
      401,
    ],
    [
      'has a bug',
      () => {
        throw new TypeError('secret');
      },
      500,
    ],
    [
      'has a bug later',
      async () => {
        throw new TypeError('secret');
      },
      500,
    ],
  ])('comes from a guard that %s', async (_, guard, status) => {
    const server = await serveEverything(guard);
    const answer = await fetch(`${server.url}/click`, { method: 'POST', body: JSON_BODY });
    expect(answer.status).toBe(status);
    expect(await answer.text()).not.toContain('secret');
    expect(server.stored()).toBe(0);
  });
});

describe('a guard', () => {
  it('is given what the request says, and who sends it', async () => {
    const seen: unknown[] = [];
    const server = await serveEverything(({ method, path, headers, peer }) => {
      seen.push([method, path, headers.authorization, peer]);
      return NO();
    });
    const headers = { authorization: 'Bearer x', 'content-type': 'application/json' };
    const client = clientOf(server);
    const request = { method: 'POST', path: '/click?a=b', headers, body: JSON_BODY };
    await client.whole({ ...request, path: '/click' });
    await client.chunked(request);
    await client.http2(request);
    expect(seen).toEqual(Array(3).fill(['POST', '/click', 'Bearer x', '127.0.0.1']));
  });

  it('that lets pass changes no answer', async () => {
    const guards = [undefined, () => undefined, async () => undefined];
    const servers = await Promise.all(guards.map(serveEverything));
    for await (const { name, answers } of walk(servers[0]!, ...servers.map(clientOf))) {
      const [without, atOnce, later] = answers.map(({ body, ...rest }) => ({ ...rest, body: body.toString('latin1') }));
      expect(atOnce, name).toEqual(without);
      expect(later, name).toEqual(without);
    }
    expect(servers[0]!.stored()).toBeGreaterThan(0);
    expect(servers.map((server) => server.stored())).toEqual(Array(3).fill(servers[0]!.stored()));
  });

  const requests = [
    ['HTTP/1.1', (url: string) => http.get(`${url}/c/ad-456`).on('error', () => {})],
    [
      'HTTP/2',
      (url: string) => {
        const session = http2.connect(url);
        session.request({ ':path': '/c/ad-456' }).on('error', () => {});
        return session;
      },
    ],
  ] as const;

  it.each(requests)('that decides late passes on no request whose client has left: %s', async (_, request) => {
    const asked = Promise.withResolvers<void>();
    const left = Promise.withResolvers<void>();
    const decision = Promise.withResolvers<undefined>();
    const server = await serveEverything((exchange) => {
      (exchange as Exchange).onClose(left.resolve);
      asked.resolve();
      return decision.promise;
    });
    const client = request(server.url);
    await asked.promise;
    client.destroy();
    await left.promise;
    decision.resolve(undefined);
    await turn();
    expect(server.visits()).toBe(0);
  });
});

function grpcJsCall(server: RunningServer, { parent, localName, methodKind }: DescMethod): Promise<string> {
  const client = grpcJsClient(parent, `127.0.0.1:${server.port}`);
  running.unshift(client);
  return new Promise((resolve) => {
    const done = (error: { code: number; details: string } | null) =>
      resolve(error === null ? 'answered' : error.code === Code.Unauthenticated ? error.details : `${error.code}`);
    const method = client[localName]!.bind(client);
    const isStreamed = /client|bidi/.test(methodKind);
    const stream = /unary|client/.test(methodKind) ? method(...(isStreamed ? [] : [{}]), done) : method({});
    if (isStreamed) stream.end({});
    if (/server|bidi/.test(methodKind)) {
      stream.on('error', done);
      stream.on('end', () => done(null));
      stream.resume();
    }
  });
}
