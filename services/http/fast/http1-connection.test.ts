import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import pino from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { HttpRequest } from '../exchange/http-message.ts';
import { type RunningServer, serve } from '../server/server.ts';
import { readHead } from './http1-head.ts';

let server: RunningServer;
/** Holds back every answer. */
let hold: Promise<void>;
/** Requests that were to be answered. */
let handled: number;

async function start(): Promise<void> {
  hold = Promise.resolve();
  handled = 0;
  const handle = async ({ headers, body }: HttpRequest) => {
    handled++;
    await hold;
    const type = headers['content-type'] ?? 'none';
    return { status: 202, headers: { 'content-type': 'text/plain', 'retry-after': '1' }, body: `${type}: ${body} 😀` };
  };
  server = await serve({
    ...{ host: '127.0.0.1', port: 0, logger: pino({ level: 'silent' }), services: () => {}, maxRequestBytes: 100 },
    routes: [
      { method: 'POST', path: '/x', summary: '', handle },
      { method: 'GET', path: '/y', summary: '', handle },
    ],
  });
}

const request = (headers: readonly string[], body = 'hello', start = 'POST /x HTTP/1.1') =>
  `${[start, 'Host: mesh', ...headers].join('\r\n')}\r\n\r\n${body}`;
const LENGTH = 'Content-Length: 5';

/** Sends something by itself: the server, which is in this process, has read it when this returns. */
async function write(socket: Socket, text: string): Promise<void> {
  await new Promise((resolve) => socket.write(text, resolve));
  for (let i = 0; i < 5; i++) await turn();
}

/** All that comes until the connection ends, which a last request asks for if what was written does not end it. */
async function answerTo(...texts: string[]): Promise<string> {
  const socket = connect(server.port, '127.0.0.1');
  socket.setEncoding('utf8');
  let answer = '';
  socket.on('data', (chunk) => {
    answer += chunk;
  });
  socket.on('error', () => {});
  const closed = new Promise((resolve) => socket.once('close', resolve));
  const answered = new Promise((resolve) => socket.once('data', resolve));
  for (const text of texts) await write(socket, text);
  await Promise.race([closed, answered]);
  if (socket.writable) await write(socket, request(['Connection: close'], '', 'GET /y HTTP/1.1'));
  await closed;
  return answer.replaceAll(/Date: [^\r]+/g, 'Date: now');
}

const CASES: [name: string, request: string, taken: boolean][] = [
  ['a plain request', request([LENGTH]), true],
  ['headers', request(['content-type:text/plain;a=b ', 'X-A: b: c', LENGTH, 'Connection: Keep-Alive']), true],
  ['another origin', request([LENGTH, 'Origin: http://elsewhere']), true],
  ['no body', request(['Content-Length: 0'], ''), true],
  ['a long body', request(['Content-Length: 101'], 'x'.repeat(101)), true],
  ['no length', request([], ''), false],
  ['a wrong length', request(['Content-Length: 5x']), false],
  ['two lengths', request([LENGTH, LENGTH]), false],
  ['two lengths in one', request(['Content-Length: 5, 5']), false],
  ['chunks', request(['Transfer-Encoding: chunked'], '5\r\nhello\r\n0\r\n\r\n'), false],
  ['chunks and a length', request([LENGTH, 'Transfer-Encoding: chunked'], '5\r\nhello\r\n0\r\n\r\n'), false],
  ['two requests', request([LENGTH]) + request([LENGTH], 'again'), false],
  ['a header twice', request([LENGTH, 'X-A: 1', 'X-A: 2']), false],
  ['a header without a value', request([LENGTH, 'X-A:']), false],
  ['a header without a name', request([LENGTH, ': x']), false],
  ['no header', request([LENGTH, 'hello']), false],
  ['a space before a colon', request([LENGTH, 'X-A : b']), false],
  ['a header of two lines', request([LENGTH, 'X-A: b', ' c']), false],
  ['a tab', request([LENGTH, 'X-A: b\tc']), false],
  ['half a line end', request([LENGTH, 'X-A: b\nX-B: c']), false],
  ['__proto__', request([LENGTH, '__proto__: x']), false],
  ['no Host', request([LENGTH]).replace('Host: mesh\r\n', ''), false],
  ['Connection: close', request([LENGTH, 'Connection: close']), false],
  ['Expect', request([LENGTH, 'Expect: 100-continue']), false],
  ['Upgrade', request([LENGTH, 'Connection: Upgrade', 'Upgrade: h2c']), false],
  ['HTTP/1.0', request([LENGTH], 'hello', 'POST /x HTTP/1.0'), false],
  ['a query', request([LENGTH], 'hello', 'POST /x?a=b HTTP/1.1'), false],
  ['a whole URL', request([LENGTH], 'hello', 'POST http://mesh/x HTTP/1.1'), false],
  ['a path that is not served', request([LENGTH], 'hello', 'POST /z HTTP/1.1'), false],
  ['a path that is served otherwise', request([LENGTH], 'hello', 'POST /y HTTP/1.1'), false],
  ['another method', request([], '', 'GET /y HTTP/1.1'), false],
  ['no HTTP', 'hello\r\n\r\n', false],
];

describe('a request', () => {
  beforeAll(start);
  afterAll(() => server.close());

  // In two pieces it is Node's.
  it.each(CASES)('is answered as Node answers it: %s', async (_, text) => {
    const first = request([LENGTH]);
    const pieces = (whole: string) => [whole.slice(0, 7), whole.slice(7)];
    const [alone, byNode, second, secondByNode] = await Promise.all([
      ...[answerTo(text), answerTo(...pieces(text))],
      ...[answerTo(first, text), answerTo(...pieces(first), text)],
    ]);
    expect(alone).toBe(byNode);
    expect(second).toBe(secondByNode);
  });

  it.each(CASES)('is taken only if it is a plain one: %s', (_, text, taken) => {
    const end = text.indexOf('\r\n\r\n');
    const head = readHead(text.slice(0, end));
    const isWhole = head?.contentLength === text.length - end - 4;
    expect(isWhole && head.path === '/x').toBe(taken);
  });
});

describe('a connection', () => {
  let socket: Socket;

  beforeEach(async () => {
    await start();
    socket = connect(server.port, '127.0.0.1');
    socket.setEncoding('utf8');
    await once(socket, 'connect');
  });
  afterEach(() => {
    socket.destroy();
    return server.close();
  });

  it('answers one request after the other, in their order, though they come early', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    hold = promise;
    let answers = '';
    socket.on('data', (chunk) => {
      answers += chunk;
    });
    for (const body of ['first', 'secnd', 'third', 'forth']) {
      await write(socket, request([LENGTH], body));
    }
    expect(answers).toBe('');
    resolve();
    while (!answers.includes('forth')) await once(socket, 'data');
    expect([...answers.matchAll(/none: (\w+)/g)].map(([, body]) => body)).toEqual(['first', 'secnd', 'third', 'forth']);
  });

  it('that its client has half closed still gets its answer', async () => {
    socket.end(request([LENGTH]));
    const [answer] = await once(socket, 'data');
    expect(answer).toMatch(/^HTTP\/1.1 202 Accepted\r\n/);
    await once(socket, 'end');
  });

  it('that idles ends when the server closes', async () => {
    socket.write(request([LENGTH]));
    await once(socket, 'data');
    await Promise.all([server.close(), once(socket, 'close')]);
  });

  it('with a request under way when the server closes gets its answer, and ends', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    hold = promise;
    socket.write(request([LENGTH]));
    await expect.poll(() => handled, { timeout: 10_000 }).toBe(1);
    const closed = server.close();
    resolve();
    const [answer] = await once(socket, 'data');
    expect(answer).toContain('\r\nConnection: close\r\n');
    await closed;
  });
});
