import { once } from 'node:events';
import { createServer as createHttp2Server } from 'node:http2';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** What becomes of connections to the mesh. A new fault meets those that are open, too. */
export type Fault =
  /** They are passed on. */
  | 'none'
  /** Nobody listens. */
  | 'refuse'
  /** They are accepted and ended. */
  | 'fin'
  /** They are accepted and reset. */
  | 'rst'
  /** They are accepted, and nothing comes back. */
  | 'black hole'
  /** Whatever is asked is answered as a load balancer without backends does, in HTTP/1.1. */
  | '503'
  /** As 503, in HTTP/2. */
  | '503 over HTTP/2'
  /** They break at the next answer: the mesh has taken what was sent, and its client doesn't know. */
  | 'cut'
  /** Every other one, from the first on, breaks so; the rest are passed on. */
  | 'cut every other'
  /** HTTP/1.1 is passed on, and HTTP/2 is refused as a server refuses it that has never heard of it. */
  | 'HTTP/1.1 only';

/** A way to the mesh on which something goes wrong. */
export interface FaultProxy extends AsyncDisposable {
  url: string;
  /** Answers come so much later, in ms. */
  delayMs: number;
  /** Answers cut off so far. */
  cuts(): number;
  /** Connections that clients made so far; refused ones are unknown. */
  connections(): number;
  set(fault: Fault): Promise<void>;
}

const FRAME_HEADER_BYTES = 9;
const HEADERS_FRAME = 1;
const UNAVAILABLE = 'HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nconnection: close\r\n\r\n';
const NOT_HTTP2 = 'HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n';

/** Passes connections on to the mesh, the port of which may change, until told otherwise. */
export async function startFaultProxy(meshUrl: string | (() => string), first: Fault = 'none'): Promise<FaultProxy> {
  const target = () => new URL(typeof meshUrl === 'string' ? meshUrl : meshUrl());
  /** What ends each open connection. */
  const open = new Map<Socket, () => void>();
  const unavailable = createHttp2Server((_, response) => void response.writeHead(503).end());
  let fault: Fault = first;
  let connections = 0;
  let cuts = 0;

  const server = createServer((client) => {
    const number = connections++;
    open.set(client, () => client.destroy());
    client.on('error', () => client.destroy());
    client.on('close', () => open.delete(client));
    switch (fault) {
      case 'fin':
        return void client.end();
      case 'rst':
        return void client.resetAndDestroy();
      case 'black hole':
        return;
      case '503':
        return void client.once('data', () => client.end(UNAVAILABLE));
      case '503 over HTTP/2':
        return void unavailable.emit('connection', client);
      default:
        passOn(client, number);
    }
  });

  function passOn(client: Socket, number: number): void {
    const { hostname, port } = target();
    const mesh = connect(Number(port), hostname);
    const breakOff = () => {
      client.destroy();
      mesh.destroy();
    };
    open.set(client, breakOff);
    mesh.on('error', breakOff);
    client.on('close', breakOff);
    mesh.on('close', () => client.end());
    const answers = answerDetector();
    client.on('data', (chunk: Buffer) => {
      if (fault === 'black hole') return;
      if (fault === 'HTTP/1.1 only' && chunk.subarray(0, 4).toString() === 'PRI ') return void client.end(NOT_HTTP2);
      mesh.write(chunk);
    });
    mesh.on('data', (chunk: Buffer) => {
      const isAnswer = answers(chunk);
      if (fault === 'black hole') return;
      if (isAnswer && (fault === 'cut' || (fault === 'cut every other' && number % 2 === 0))) {
        cuts++;
        return breakOff();
      }
      if (proxy.delayMs > 0) setTimeout(() => client.write(chunk), proxy.delayMs);
      else client.write(chunk);
    });
  }

  const port = await listen(server, 0);
  if (first === 'refuse') server.close();
  const breakAll = () => {
    for (const end of open.values()) end();
  };
  const proxy: FaultProxy = {
    url: `http://127.0.0.1:${port}`,
    delayMs: 0,
    cuts: () => cuts,
    connections: () => connections,
    async set(next) {
      fault = next;
      if (next === 'refuse' && server.listening) server.close();
      if (next !== 'refuse' && !server.listening) await listen(server, port);
      if (next === 'rst') for (const client of open.keys()) client.resetAndDestroy();
      else if (next === 'fin') for (const client of open.keys()) client.end();
      else if (next !== 'cut' && next !== 'black hole') breakAll();
    },
    async [Symbol.asyncDispose]() {
      breakAll();
      unavailable.close();
      if (!server.listening) return;
      server.close();
      await once(server, 'close');
    },
  };
  return proxy;
}

async function listen(server: Server, port: number): Promise<number> {
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** Tells whether an answer begins in the next chunk: anything over HTTP/1.1, a HEADERS frame over HTTP/2. */
function answerDetector(): (chunk: Buffer) => boolean {
  let unread: Buffer = Buffer.alloc(0);
  let isHttp1: boolean | undefined;
  return (chunk) => {
    isHttp1 ??= chunk.subarray(0, 5).toString() === 'HTTP/';
    if (isHttp1) return true;
    let isAnswer = false;
    unread = Buffer.concat([unread, chunk]);
    while (unread.length >= FRAME_HEADER_BYTES) {
      isAnswer ||= unread[3] === HEADERS_FRAME;
      const frame = FRAME_HEADER_BYTES + unread.readUIntBE(0, 3);
      if (unread.length < frame) break;
      unread = unread.subarray(frame);
    }
    return isAnswer;
  };
}
