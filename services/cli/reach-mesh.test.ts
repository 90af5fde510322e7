import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { createClient } from '@connectrpc/connect';
import { afterEach, expect, test } from 'vitest';
import { StatsService } from '../../gen/ts/clickmesh/v1/stats_service_pb.js';
import { getStatusText } from './ask-mesh.ts';
import { meshTransport } from './reach-mesh.ts';

const servers: Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

/** Listens on a free port, and returns it with its host. */
async function listening(server: Server): Promise<string> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A server that answers whatever comes with these bytes, as one of another protocol does. */
function saying(bytes: string): () => Promise<string> {
  return () => listening(createServer((socket) => socket.on('error', () => {}).once('data', () => socket.end(bytes))));
}

function answering(answer: RequestListener): () => Promise<string> {
  return () => listening(createHttpServer(answer));
}

test('an answer that is cut is no silence', async () => {
  const host = await answering((_, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).write('{', () => response.destroy());
  })();
  await expect(getStatusText(`http://${host}`)).rejects.toThrow(`http://${host} broke off its answer: `);
});

const PATHS = ['/status', '/clickmesh.v1.StatsService/GetStats'];
const html = answering((_, response) => response.setHeader('content-type', 'text/html').end('<h1>\nshop</h1>'));

test.each([
  [
    'a plain port by https',
    html,
    'https://HOST',
    'expected TLS at https://HOST, but it speaks none: is http://HOST meant?',
  ],
  [
    'a port with TLS by http',
    saying('\x15\x03\x01\x00\x02\x02\x46'),
    'http://HOST',
    'expected HTTP/1.1 at http://HOST, but it speaks none: is https://HOST meant, or another port?',
  ],
  [
    'a path prefix that is none of a mesh',
    answering((request, response) => response.writeHead(404).end(`nothing is served at ${request.url}\n`)),
    'http://HOST/mesh',
    'expected a mesh at http://HOST/mesh, but http://HOST/meshPATH answers 404: nothing is served at /meshPATH',
  ],
  [
    'a path prefix that is none, of a mesh',
    answering((_, response) => {
      response.writeHead(404, { 'content-type': 'application/json' });
      response.end('{"error":{"code":"not_found","message":"nothing is served here"}}');
    }),
    'http://HOST/mesh',
    'expected a mesh at http://HOST/mesh, but http://HOST/meshPATH answers 404 with application/json: nothing is served here',
  ],
  [
    'a web site',
    html,
    'http://HOST',
    'expected a mesh at http://HOST, but http://HOSTPATH answers 200 with text/html: <h1>',
  ],
  [
    'an API of something else',
    answering((_, response) => response.writeHead(400, { 'content-type': 'application/json' }).end('{"error":"?"}')),
    'http://HOST',
    'expected a mesh at http://HOST, but http://HOSTPATH answers 400 with application/json: {"error":"?"}',
  ],
])('%s: what was reached, and what was expected', async (_, start, url, words) => {
  const host = await start();
  const at = (text: string, path: string) => text.replaceAll('HOST', host).replaceAll('PATH', path);
  const [get, post] = PATHS.map((path) => at(words, path));
  await expect(getStatusText(at(url, ''))).rejects.toMatchObject({ message: get });
  const stats = createClient(StatsService, meshTransport(at(url, '')));
  await expect(stats.getStats({})).rejects.toMatchObject({ rawMessage: post, cause: undefined });
});
