import http2 from 'node:http2';
import { text } from 'node:stream/consumers';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import pino from 'pino';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { httpDuration } from '../../telemetry/metrics.ts';
import { type HttpRequest, json } from '../exchange/http-message.ts';
import { type RunningServer, serve } from '../server/server.ts';
import type { HttpRoute } from './http-routes.ts';

let server: RunningServer;
/** The route that answered last. */
let answered: string | undefined;

beforeAll(async () => {
  const route = (method: string, path: string, options: Partial<HttpRoute> = {}): HttpRoute => ({
    ...{ method, path, summary: '', ...options },
    async handle({ headers: _, body, ...request }: HttpRequest) {
      answered = `${method} ${path}`;
      return json({ ...request, body: body.toString() });
    },
  });
  server = await serve({
    ...{ host: '127.0.0.1', port: 0, services: () => {}, logger: pino({ level: 'silent' }) },
    routes: [
      route('GET', '/c/{ad_id}'),
      route('POST', '/c/{ad}'),
      route('GET', '/c/about', { safe: true }),
      route('GET', '/files/v1.{kind}/{name}.json', { safe: true }),
    ],
  });
});
afterEach(() => {
  answered = undefined;
});
afterAll(() => server.close());

const ask = (path: string, method = 'GET') =>
  fetch(server.url + path, { method, body: method === 'POST' ? 'b' : undefined });

describe('a path with parameters', () => {
  it.each([
    ['GET', '/c/ad-456', 'GET /c/{ad_id}', { ad_id: 'ad-456' }],
    ['POST', '/c/ad-456', 'POST /c/{ad}', { ad: 'ad-456' }],
    ['GET', '/c/a%2Fb%20%C3%A9?x=%41', 'GET /c/{ad_id}', { ad_id: 'a/b é' }],
    ['GET', '/c/about', 'GET /c/about', {}],
    ['GET', '/c/about%20', 'GET /c/{ad_id}', { ad_id: 'about ' }],
    ['GET', '/files/v1.a/b.c.json', 'GET /files/v1.{kind}/{name}.json', { kind: 'a', name: 'b.c' }],
  ])('%s %s is answered by %s', async (method, path, by, parameters) => {
    const response = await ask(path, method);
    const [, query = ''] = path.split('?');
    const body = method === 'POST' ? 'b' : '';
    expect(await response.json()).toEqual({ method, parameters, query, peer: '127.0.0.1', body });
    expect(answered).toBe(by);
  });

  it.each(['/c', '/c/', '/c/a/b', '/files/v1xa/b.json', '/files/v1.a/bxjson', '/C/a', '/xc/a'])(
    'does not match %s',
    async (path) => {
      expect((await ask(path)).status).toBe(404);
    },
  );

  it.each([
    ['/c/about/', 'GET /c/about'],
    ['//c///about', 'GET /c/about'],
    ['/c/ad-456//', 'GET /c/{ad_id}'],
    ['/c//ad-456', 'GET /c/{ad_id}'],
  ])('is found however many slashes are in it: %s', async (path, by) => {
    expect((await ask(path)).status).toBe(200);
    expect(answered).toBe(by);
  });

  it('is 404 in JSON where nothing is, with what is near', async () => {
    const response = await ask('/mesh/c/about');
    const message =
      'nothing is served at "/mesh/c/about": clickmesh was reached, which serves /c/about, without /mesh before it';
    expect([response.status, await response.json()]).toEqual([404, { error: { code: 'not_found', message } }]);
  });

  it('is 404 as Connect has it where an RPC is not, also behind a path that is none', async () => {
    for (const path of ['/some.v1.Service/Call', '/mesh/some.v1.Service/Call', '/a/b/some.v1.Service/Call']) {
      const response = await ask(path, 'POST');
      const message = expect.stringContaining(`nothing is served at "${path}"`);
      expect([response.status, await response.json()]).toEqual([404, { code: 'unimplemented', message }]);
    }
  });

  it('is 400 if it can not be decoded', async () => {
    const response = await ask('/c/%ff');
    expect([response.status, await response.json()]).toMatchObject([400, { error: { code: 'invalid_argument' } }]);
    expect(answered).toBeUndefined();
  });
});

describe('a method', () => {
  it.each([
    ['HEAD', '/c/ad-456', 'GET, POST'],
    ['DELETE', '/c/ad-456', 'GET, POST'],
    ['POST', '/c/about', 'GET, HEAD'],
    ['OPTIONS', '/c/about', 'GET, HEAD'],
  ])('that a path does not have is told which it has: %s %s', async (method, path, allow) => {
    const response = await ask(path, method);
    expect([response.status, response.headers.get('allow')]).toEqual([405, allow]);
    expect(answered).toBeUndefined();
  });

  it('HEAD is answered like GET where that is safe', async () => {
    const response = await ask('/c/about', 'HEAD');
    expect([response.status, response.headers.get('content-type'), answered]).toEqual([
      ...[200, 'application/json', 'GET /c/about'],
    ]);
  });
});

describe('a body', () => {
  const compress = {
    gzip: gzipSync,
    GZIP: gzipSync,
    'x-gzip': gzipSync,
    br: brotliCompressSync,
    Zstd: zstdCompressSync,
  };
  const all = {
    ...compress,
    deflate: deflateSync,
    Deflate: deflateRawSync,
    Identity: (text: string) => text,
    '': String,
  };

  it.each(Object.entries(all))('may be compressed with "%s"', async (coding, encode) => {
    const headers = { 'content-encoding': coding };
    const response = await fetch(`${server.url}/c/x`, { method: 'POST', headers, body: encode('hello '.repeat(1000)) });
    expect(await response.json()).toMatchObject({ body: 'hello '.repeat(1000) });
  });

  it.each(Object.entries(compress))('that is a bomb of %s costs no more than the limit', async (coding, encode) => {
    const headers = { 'content-encoding': coding };
    const response = await fetch(`${server.url}/c/x`, { method: 'POST', headers, body: encode(Buffer.alloc(1 << 25)) });
    expect([response.status, await response.json()]).toMatchObject([413, { error: { code: 'invalid_argument' } }]);
    expect(answered).toBeUndefined();
  });

  it.each([
    ['rot13', 415, 'content-encoding "rot13" is not taken here: send gzip, br, zstd, deflate or none'],
    ['gzip', 400, "what is said to be gzip can't be decompressed: incorrect header check"],
    ['zstd', 400, "what is said to be zstd can't be decompressed: Unknown frame descriptor"],
  ])('that is not %s is refused', async (coding, status, message) => {
    const headers = { 'content-encoding': coding };
    const response = await fetch(`${server.url}/c/x`, { method: 'POST', headers, body: 'hello' });
    expect([response.status, await response.json()]).toMatchObject([status, { error: { message } }]);
  });

  it('that is cut is refused', async () => {
    const headers = { 'content-encoding': 'gzip' };
    const body = gzipSync('hello '.repeat(1000)).subarray(0, 30);
    const response = await fetch(`${server.url}/c/x`, { method: 'POST', headers, body });
    expect([response.status, await response.text()]).toEqual([400, expect.stringContaining('unexpected end of file')]);
  });
});

describe('metrics', () => {
  it('have patterns and known methods as labels, and no path or word of a client', async () => {
    const record = vi.spyOn(httpDuration, 'record');
    const session = http2.connect(server.url);
    const paths = ['/c/1', '/c/2', '/c/%ff', '/nope/3', '/files/v1.a/b.json'];
    for (const path of paths) await (await ask(path)).text();
    for (const method of ['HEAD', 'BREW', 'get']) {
      await text(session.request({ ':path': '/c/4', ':method': method }, { endStream: true }));
    }
    session.close();
    const label = (method: string, route: string, status: number) => ({
      ...{ 'http.request.method': method, 'http.route': route, 'http.response.status_code': status },
    });
    await expect
      .poll(() => record.mock.calls.map(([, attributes]) => attributes))
      .toEqual([
        label('GET', '/c/{ad_id}', 200),
        label('GET', '/c/{ad_id}', 200),
        label('GET', '/c/{ad_id}', 400),
        label('GET', '/files/v1.{kind}/{name}.json', 200),
        label('HEAD', '/c/{ad_id}', 405),
        label('_OTHER', '/c/{ad_id}', 405),
        label('_OTHER', '/c/{ad_id}', 405),
      ]);
  });
});
