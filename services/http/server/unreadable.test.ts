import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startGateway, type TestGateway } from '../../../test/fixtures/gateway.ts';

const CHECK = '/grpc.health.v1.Health/Check';

let gateway: TestGateway;

beforeEach(async () => {
  gateway = await startGateway();
});
afterEach(async () => {
  expect((await fetch(`${gateway.url}/healthz`)).status).toBe(200);
  await gateway.close();
});

async function raw(...writes: (string | Buffer)[]): Promise<string> {
  const socket = connect(gateway.port, '127.0.0.1');
  socket.on('error', () => {});
  for (const part of writes) {
    socket.write(part);
    await new Promise(setImmediate);
  }
  return text(socket);
}

describe('a request that can not be read is told why in JSON', () => {
  const start = `POST ${CHECK} HTTP/1.1\r\n`;
  it.each([
    ['no HTTP', 'hello\r\n\r\n', 400, 'the request is not HTTP/1.1: Invalid method encountered'],
    ['no Host', `${start}content-type: application/json\r\n\r\n`, 400, 'the Host header is missing'],
    ['no Host by REST', 'GET /healthz HTTP/1.1\r\n\r\n', 400, 'the Host header is missing'],
    [
      'a Host that is none',
      `${start}host: a b\r\nconnection: close\r\n\r\n`,
      400,
      'the Host header is missing or no host',
    ],
    ['a path that is none', 'GET // HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n', 404, 'nothing is served at "/"'],
    ['raw UTF-8 in the URL', 'GET /api/v1/stats?campaign_id=café HTTP/1.1\r\nhost: x\r\n\r\n', 400, 'percent-encoded'],
    [
      'a space in the URL',
      'GET /api/v1/stats?campaign_id=a b HTTP/1.1\r\nhost: x\r\n\r\n',
      400,
      'the request is not HTTP',
    ],
    ['a bad content-length', 'POST /click HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n', 400, 'Invalid character'],
    [
      'two lengths',
      'POST / HTTP/1.1\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n',
      400,
      'Transfer-Encod',
    ],
    [
      'headers too large',
      `GET / HTTP/1.1\r\nhost: x\r\ncookie: ${'x'.repeat(20_000)}\r\n\r\n`,
      431,
      'headers are too large',
    ],
  ])('%s', async (_, bytes, status, message) => {
    const [head, body] = (await raw(bytes)).split('\r\n\r\n') as [string, string];
    expect(head).toMatch(`HTTP/1.1 ${status} `);
    expect(head.toLowerCase()).toContain('content-type: application/json');
    const { error, ...connect } = JSON.parse(body);
    expect((error ?? connect).message).toContain(message);
  });

  it('but for an expectation that is unknown, which is ignored', async () => {
    const head =
      'POST /click HTTP/1.1\r\nhost: x\r\nexpect: the-unexpected\r\nconnection: close\r\ncontent-length: 2\r\n\r\n';
    expect(await raw(`${head}{}`)).toMatch(/^HTTP\/1.1 400 .*"accepted":0,"rejected":1/s);
  });

  it('but for a path behind an origin, as proxies are asked, which is taken', async () => {
    const head = 'content-type: application/json\r\nconnection: close\r\ncontent-length: 2\r\n\r\n';
    const answer = await raw(`POST HTTP://a.example:80//click/?x=/api HTTP/1.1\r\nhost: x\r\n${head}{}`);
    expect(answer).toMatch(/^HTTP\/1.1 400 .*"accepted":0,"rejected":1/s);
    const nowhere = await raw('GET http://a.example HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n');
    expect(nowhere).toContain('nothing is served at \\"/\\"');
  });

  it('half a preface', async () => {
    expect(await raw('PRI * HTTP/2.0\r\n\r\nXX\r\n\r\nGET / HTTP/1.1\r\n\r\n')).toMatch(/./);
  });

  it('a body that is shorter than it was said to be', async () => {
    const socket = connect({ port: gateway.port, host: '127.0.0.1', allowHalfOpen: true });
    socket.end('POST /click HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n{}');
    expect(await text(socket)).toContain('the connection ended before the request did');
  });

  it('a request that comes byte by byte', async () => {
    const bytes = [...'POST /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n'];
    expect(await raw(...bytes)).toMatch(/^HTTP\/1.1 405/);
  });
});
