import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import pino from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { temporaryFolder } from '../../test/fixtures/mesh-process.ts';
import { type RawClient, rawClient } from '../../test/fixtures/raw-request.ts';
import { type RunningServer, serve } from '../http/server/server.ts';
import { buildDashboard } from './build.ts';
import { dashboardHttp } from './routes.ts';

const EMPTY = Buffer.alloc(0);
const folder = temporaryFolder();
let server: RunningServer;
let client: RawClient;

beforeAll(async () => {
  await buildDashboard(folder.path);
  const services = () => {};
  const logger = pino({ level: 'silent' });
  server = await serve({
    host: '127.0.0.1',
    port: 0,
    services,
    routes: dashboardHttp(folder.path),
    logger,
    lastRequestMs: 0,
  });
  client = rawClient(server.url);
});
afterAll(async () => {
  client.close();
  await server.close();
  folder[Symbol.dispose]();
});

const get = (path: string, headers = {}, by: 'whole' | 'http2' = 'whole') =>
  client[by]({ method: 'GET', path, headers, body: EMPTY });

/** Paths of what the page loads. */
async function assets(): Promise<string[]> {
  const { body } = await get('/');
  return [...body.toString().matchAll(/(?:src|href)="\.(\/assets\/[^"]+)"/g)].map(([, path]) => path!);
}

test('the page is at /, may be framed by nobody, and loads nothing from elsewhere', async () => {
  for (const by of ['whole', 'http2'] as const) {
    const { status, headers, body } = await get('/', {}, by);
    expect(status).toBe(200);
    expect(headers).toMatchObject({ 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-cache' });
    expect(headers['content-security-policy']).toContain("default-src 'none'; script-src 'self'; style-src 'self'");
    expect(headers['content-security-policy']).toContain("frame-ancestors 'none'");
    expect(body.toString()).not.toMatch(/(src|href)="(https?:)?\/\//);
  }
});

test('what the page loads is kept for ever, and sent in the smallest coding that is taken', async () => {
  const paths = await assets();
  expect(paths.map((path) => path.split('.').at(-1)).sort()).toEqual(['css', 'js']);
  for (const path of paths) {
    const plain = await get(path);
    expect(plain.headers).toMatchObject({
      'cache-control': 'public, max-age=31536000, immutable',
      vary: 'accept-encoding',
    });
    expect(plain.headers['content-type']).toMatch(path.endsWith('.js') ? /^text\/javascript/ : /^text\/css/);
    const br = await get(path, { 'accept-encoding': 'gzip, deflate, br, zstd' });
    expect(br.headers['content-encoding']).toBe('br');
    expect(brotliDecompressSync(br.body)).toEqual(plain.body);
    const gzip = await get(path, { 'accept-encoding': 'gzip, br;q=0' });
    expect(gzip.headers['content-encoding']).toBe('gzip');
    expect(gunzipSync(gzip.body)).toEqual(plain.body);
    expect(plain.headers['content-encoding']).toBeUndefined();
  }
});

test('what a browser has is not sent again, whatever its coding', async () => {
  for (const path of ['/', ...(await assets())]) {
    for (const coding of ['identity', 'gzip', 'br']) {
      const first = await get(path, { 'accept-encoding': coding });
      const again = { 'accept-encoding': coding, 'if-none-match': `"other", W/${first.headers.etag}` };
      const { status, body } = await get(path, again);
      expect([status, body.length]).toEqual([304, 0]);
      expect((await get(path, { ...again, 'if-none-match': '"other"' })).status).toBe(200);
    }
  }
});

test('other paths are served as before', async () => {
  expect((await get('/assets/none.js')).status).toBe(404);
  expect((await client.whole({ method: 'POST', path: '/', headers: {}, body: EMPTY })).status).toBe(405);
  expect((await client.whole({ method: 'HEAD', path: '/', headers: {}, body: EMPTY })).status).toBe(200);
});
