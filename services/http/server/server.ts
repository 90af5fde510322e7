import http from 'node:http';
import http2 from 'node:http2';
import { type AddressInfo, Server, type Socket } from 'node:net';
import type { ConnectRouter } from '@connectrpc/connect';
import type { Logger } from 'pino';
import { MAX_REQUEST_BYTES } from '../../contract/limits.ts';
import { PREFLIGHT_HEADERS } from '../exchange/cors.ts';
import { type Exchange, http1Exchange, http2Exchange } from '../exchange/exchange.ts';
import type { HttpResponse } from '../exchange/http-message.ts';
import { type Http1Connections, http1Connections } from '../fast/http1-connection.ts';
import { type HttpRoute, httpRouter } from '../routes/http-routes.ts';
import { httpEndpoint, observed, rpcEndpoint } from '../routes/observe.ts';
import { rpcHandler } from './rpc-handler.ts';

/** Time to send the first bytes, and all headers, in ms. */
const HEADERS_TIMEOUT_MS = 10_000;
/** Time to send a whole HTTP/1.1 request, in ms: an upload of 1 MiB at 150 kbit/s. */
const REQUEST_TIMEOUT_MS = 60_000;
/** How long an HTTP/1.1 connection may idle, in ms: longer than the usual 60 s of load balancers, who then close first. */
const KEEP_ALIVE_TIMEOUT_MS = 65_000;
/** An HTTP/2 connection that was silent for so long is told to go; its open streams may end first. In ms. */
const SESSION_TIMEOUT_MS = 300_000;
/** How often close then looks for connections without a request, in ms. */
const SWEEP_MS = 20;
/**
 * How long close leaves HTTP/1.1 connections open that idle or have not said anything yet, in ms: a request may be on
 * its way on them, and those who send one are told to go elsewhere with its answer.
 */
const LAST_REQUEST_MS = 500;
const MAX_HEADER_BYTES = 16_384;
/** Per HTTP/2 connection. With a request of the largest size in each: 256 MiB. */
const MAX_CONCURRENT_STREAMS = 256;
/** Resets a client may send at once, and per second: "rapid reset" opens and resets streams by the thousand. */
const STREAM_RESET_BURST = 1000;
const STREAM_RESET_RATE = 100;

export interface ServeOptions {
  host: string;
  /** 0 for any free port. */
  port: number;
  /** Under node:cluster, takes the connections of all processes that listen on this port in turn with them. */
  shared?: boolean;
  /** Registers the RPC services. `shutdown` aborts when close is called: streams without an end watch it and return. */
  services: (router: ConnectRouter, shutdown: AbortSignal) => void;
  routes: readonly HttpRoute[];
  logger: Logger;
  /** Most bytes of a request body, or of one message of a stream, after decompression; MAX_REQUEST_BYTES by default. */
  maxRequestBytes?: number;
  /** How long close waits for requests in flight, in ms; 10 s by default. */
  drainMs?: number;
}

export interface RunningServer {
  port: number;
  url: string;
  /** Takes no more connections, lets requests in flight end, and cuts those that outlast drainMs. */
  close(): Promise<void>;
}

type Handler = (exchange: Exchange) => void;

/**
 * Serves Connect, gRPC, gRPC-Web and plain HTTP routes over HTTP/1.1 and HTTP/2 without TLS, all on one port.
 * Rejects with one line if it can't listen.
 */
export async function serve(options: ServeOptions): Promise<RunningServer> {
  const { host, logger, drainMs = 10_000 } = options;
  const shutdown = new AbortController();
  const handle = requestHandler(options, shutdown.signal);
  const underWay = new Set<http.ServerResponse>();
  const h1 = http1Server((req, res) => {
    underWay.add(res);
    res.once('close', () => underWay.delete(res));
    if (shutdown.signal.aborted) endWith(res);
    handle(http1Exchange(req, res));
  });
  const h2 = http2Server(handle);
  h2.on('sessionError', (err) => logger.debug({ err }, 'HTTP/2 connection failed'));
  const sessions = trackSessions(h2);
  const http1 = http1Connections({
    paths: new Set(options.routes.filter(({ method }) => method === 'POST').map(({ path }) => path)),
    maxHeadBytes: MAX_HEADER_BYTES,
    keepAliveMs: KEEP_ALIVE_TIMEOUT_MS,
    shutdown: shutdown.signal,
    handle,
    handOver: takeConnections(h1),
  });
  const connections = shareConnections(h1, h2, http1);
  const port = await listen(h1, { host, port: options.port, exclusive: !options.shared });

  /** Only after a look at what has come: after timers that are late a request may wait to be read. */
  function cutIdle(): void {
    for (const socket of connections.silent) socket.destroy();
    http1.closeIdle();
    h1.closeIdleConnections();
  }

  async function close(): Promise<void> {
    // The close of http.Server would cut idle connections at once.
    const closed = new Promise<void>((resolve) => Server.prototype.close.call(h1, () => resolve()));
    shutdown.abort();
    for (const session of sessions) session.close();
    for (const response of underWay) endWith(response);
    let sweep: NodeJS.Timeout | undefined;
    const lastRequest = setTimeout(() => {
      sweep = setInterval(() => setImmediate(cutIdle), SWEEP_MS);
    }, LAST_REQUEST_MS);
    const cut = setTimeout(() => {
      logger.warn({ connections: connections.open.size }, 'requests were cut at shutdown');
      for (const socket of connections.open) socket.destroy();
    }, drainMs);
    await closed;
    // What http.Server itself has to clear.
    h1.close();
    clearTimeout(lastRequest);
    clearInterval(sweep);
    clearTimeout(cut);
  }

  return { port, url: `http://${host.includes(':') ? `[${host}]` : host}:${port}`, close };
}

/** Ends an HTTP/1.1 connection with this answer: its client must not send another request on it, which might be cut. */
function endWith(response: http.ServerResponse): void {
  const { socket } = response;
  if (response.headersSent) response.once('finish', () => socket?.end());
  else response.setHeader('connection', 'close');
}

/** Every request passes here, whatever its protocol; the first that knows its path answers. */
function requestHandler(options: ServeOptions, shutdown: AbortSignal): Handler {
  const { services, routes, logger, maxRequestBytes = MAX_REQUEST_BYTES } = options;
  const route = httpRouter(routes, maxRequestBytes, logger);
  const rpc = rpcHandler((router) => services(router, shutdown), maxRequestBytes, logger);
  const endpoints = [...routes.map(({ path }) => httpEndpoint(path)), ...rpc.paths.map(rpcEndpoint)];
  return observed(endpoints, (exchange) => {
    if (exchange.method === 'OPTIONS' && exchange.headers.origin !== undefined) exchange.answer(PREFLIGHT);
    else if (!route(exchange) && !rpc.handle(exchange)) exchange.answer(notFound(exchange.path));
  });
}

const PREFLIGHT: HttpResponse = { status: 204, headers: PREFLIGHT_HEADERS, body: '' };

/** Plain text, because a JSON error would be one of the protocol that the path belongs to. */
function notFound(path: string): HttpResponse {
  return { status: 404, headers: { 'content-type': 'text/plain' }, body: `nothing is served at ${path}\n` };
}

function http1Server(handle: http.RequestListener): http.Server {
  return http.createServer(
    {
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
      connectionsCheckingInterval: 5_000,
      maxHeaderSize: MAX_HEADER_BYTES,
      keepAlive: true,
      noDelay: true,
    },
    handle,
  );
}

function http2Server(handle: Handler): http2.Http2Server {
  const server = http2.createServer({
    settings: { maxConcurrentStreams: MAX_CONCURRENT_STREAMS, maxHeaderListSize: MAX_HEADER_BYTES },
    streamResetBurst: STREAM_RESET_BURST,
    streamResetRate: STREAM_RESET_RATE,
  });
  return server.on('stream', (stream, headers) => {
    if (headers.expect === '100-continue') stream.additionalHeaders({ ':status': 100 });
    handle(http2Exchange(stream, headers));
  });
}

function trackSessions(h2: http2.Http2Server): Set<http2.ServerHttp2Session> {
  const sessions = new Set<http2.ServerHttp2Session>();
  h2.on('session', (session) => {
    sessions.add(session);
    session.once('close', () => sessions.delete(session));
    session.setTimeout(SESSION_TIMEOUT_MS, () => session.close());
  });
  return sessions;
}

interface Connections {
  open: Set<Socket>;
  /** Those of the open ones that have not said what they speak, such as a browser's spare ones. */
  silent: Set<Socket>;
}

/** Keeps the connections that come from the listening server, and returns how to give it one. */
function takeConnections(h1: http.Server): (socket: Socket) => void {
  const [speakHttp1] = h1.listeners('connection') as [(socket: Socket) => void];
  h1.removeAllListeners('connection');
  return (socket) => speakHttp1.call(h1, socket);
}

/** Gives connections that open with HTTP/2's preface ("PRI * HTTP/2.0") to one server, and the others to our own HTTP/1.1. */
function shareConnections(h1: http.Server, h2: http2.Http2Server, http1: Http1Connections): Connections {
  const open = new Set<Socket>();
  const silent = new Set<Socket>();
  h1.on('connection', (socket: Socket) => {
    open.add(socket);
    silent.add(socket);
    socket.once('close', () => open.delete(socket) && silent.delete(socket));
    peek(socket, (start) => {
      silent.delete(socket);
      if (start.toString('latin1') === 'PRI') {
        // A client of HTTP/2 that has ended its side reads no more either, whatever streams it left open.
        socket.allowHalfOpen = false;
        h2.emit('connection', socket);
      } else http1.serve(socket);
    });
  });
  return { open, silent };
}

/** Looks at the first three bytes of a connection, which no HTTP/1.1 method shares with the preface, and keeps them. */
function peek(socket: Socket, decide: (start: Buffer) => void): void {
  const timer = setTimeout(() => socket.destroy(), HEADERS_TIMEOUT_MS);
  const onReadable = () => {
    const start: Buffer | null = socket.read(3);
    if (start === null) return;
    clearTimeout(timer);
    socket.off('readable', onReadable);
    socket.unshift(start);
    decide(start);
  };
  socket.on('readable', onReadable);
  socket.on('error', () => socket.destroy());
  socket.once('close', () => clearTimeout(timer));
}

function listen(server: http.Server, options: { host: string; port: number; exclusive: boolean }): Promise<number> {
  const { host, port } = options;
  return new Promise((resolve, reject) => {
    server.once('error', (err: NodeJS.ErrnoException) => {
      const why = err.code === 'EADDRINUSE' ? 'the port is in use' : err.message;
      reject(new Error(`can't listen on ${host}:${port}: ${why}`, { cause: err }));
    });
    server.listen(options, () => resolve((server.address() as AddressInfo).port));
  });
}
