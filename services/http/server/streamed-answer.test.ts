import { once } from 'node:events';
import http from 'node:http';
import http2 from 'node:http2';
import { PassThrough, type Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pino } from 'pino';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { HttpRequest } from '../exchange/http-message.ts';
import { serve } from './server.ts';

/** A server that answers with what the test writes. */
async function serveStream() {
  const source = new PassThrough();
  const handle = async (_: HttpRequest, shutdown?: AbortSignal) => {
    shutdown!.addEventListener('abort', () => source.end('closing'));
    return { status: 200, headers: {}, body: '', stream: source };
  };
  const routes = [{ method: 'GET', path: '/large', summary: '', safe: true, handle }];
  const server = await serve({
    host: '127.0.0.1',
    port: 0,
    services: () => {},
    routes,
    logger: pino({ enabled: false }),
  });
  return { server, url: `http://127.0.0.1:${server.port}`, source };
}

function get2(url: string, method = 'GET') {
  const session = http2.connect(url).on('error', () => {});
  const stream = session.request({ ':path': '/large', ':method': method });
  stream.once('close', () => session.close());
  return stream;
}

/** Leaves the answer where its beginning was read. */
async function beginStream(get: (url: string) => Promise<Readable>) {
  const { server, url, source } = await serveStream();
  source.write('begin,');
  const answer = await get(url);
  expect(String((await once(answer, 'data'))[0])).toBe('begin,');
  return { server, source, answer };
}

describe('an answer that is a stream', () => {
  const versions = [
    ['HTTP/1.1', async (url: string): Promise<Readable> => (await once(http.get(`${url}/large`), 'response'))[0]],
    ['HTTP/2', async (url: string): Promise<Readable> => get2(url)],
  ] as const;

  it.each(versions)('is sent as it comes over %s', async (_, get) => {
    const { server, source, answer } = await beginStream(get);
    source.end('x'.repeat(1 << 20));
    expect((await text(answer)).length).toBe(1 << 20);
    await server.close();
  });

  it.each(versions)('is cut over %s when it fails', async (_, get) => {
    const { server, source, answer } = await beginStream(get);
    source.destroy(new Error('the connection was lost'));
    await expect(text(answer)).rejects.toThrow();
    await server.close();
  });

  it.each(versions)('can end over %s because the server is closing', async (_, get) => {
    const { server, answer } = await beginStream(get);
    const closed = server.close();
    expect(await text(answer)).toBe('closing');
    await closed;
  });

  it('ends its HTTP/1.1 connection, too, when the server is closing', async () => {
    const agent = new http.Agent({ keepAlive: true });
    const get = async (url: string): Promise<Readable> =>
      (await once(http.get(`${url}/large`, { agent }), 'response'))[0];
    const { server, answer } = await beginStream(get);
    // The timers by which idle connections are cut never come.
    vi.useFakeTimers({ toFake: ['setTimeout', 'setInterval'] });
    onTestFinished(() => void vi.useRealTimers());
    const closed = server.close();
    expect(await text(answer)).toBe('closing');
    await closed;
    agent.destroy();
  });

  it.each(versions)('ends over %s when the caller leaves', async (_, get) => {
    const { server, source, answer } = await beginStream(get);
    const told = once(source, 'error');
    answer.destroy();
    expect(await told).toEqual([expect.objectContaining({ code: 'ERR_STREAM_PREMATURE_CLOSE' })]);
    await server.close();
  });

  it.each(['HTTP/1.1', 'HTTP/2'])('is not read for HEAD over %s', async (version) => {
    const { server, url, source } = await serveStream();
    const closed = once(source, 'close');
    if (version === 'HTTP/2') get2(url, 'HEAD').resume();
    else http.request(`${url}/large`, { method: 'HEAD', agent: false }).end();
    await closed;
    await server.close();
  });
});
