import http from 'node:http';
import http2 from 'node:http2';
import { type AddressInfo, Server, type Socket } from 'node:net';
import { Code, ConnectError, type ConnectRouter } from '@connectrpc/connect';
import type { Logger } from 'pino';
import { MAX_REQUEST_BYTES } from '../../contract/limits.ts';
import { preflight } from '../exchange/cors.ts';
import { HttpError, quoted } from '../exchange/errors.ts';
import { type Exchange, Http1Exchange, Http2Exchange } from '../exchange/exchange.ts';
import type { Notice } from '../exchange/http-message.ts';
import { dialectOf } from '../exchange/protocol.ts';
import { BODY_TIMEOUT_MS, MAX_RECEIVING_BYTES, Receiving } from '../exchange/receiving.ts';
import { isRpcPath, refuse } from '../exchange/refuse.ts';
import { Http1Connections } from '../fast/http1-connection.ts';
import { type HttpRoute, handlersByPath, postPaths } from '../routes/http-routes.ts';
import { nearbyHint, postHint } from '../routes/nearest-path.ts';
import { type Endpoint, httpEndpoint, observed, rpcEndpoint } from '../routes/observe.ts';
import { PathTable, tidyPath } from '../routes/path-table.ts';
import { answerClientError } from './client-error.ts';
import { type Guard, OPEN_PATHS, passGuard } from './guard.ts';
import { rpcEndpoints } from './rpc-handler.ts';

/** Time to send the first bytes, and all headers, in ms. */
const HEADERS_TIMEOUT_MS = 10_000;
/** Interval in ms at which requests are looked for that take longer than they may. */
const CHECK_TIMEOUTS_MS = 5_000;
/** Longest idle time of an HTTP/1.1 connection, in ms: above load balancers' usual 60 s, so that they close first. */
const KEEP_ALIVE_TIMEOUT_MS = 65_000;
/** Silence in ms after which an HTTP/2 connection gets a GOAWAY; its open streams may still end. */
const SESSION_TIMEOUT_MS = 300_000;
/** Interval in ms at which close, after lastRequestMs, looks for connections without a request. */
const SWEEP_MS = 20;
const MAX_HEADER_BYTES = 16_384;
/** Open streams per HTTP/2 connection. What comes of their requests counts against MAX_RECEIVING_BYTES. */
const MAX_CONCURRENT_STREAMS = 256;
/** Stream resets that a client may send at once, and per second: "rapid reset" sends them by the thousand. */
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
  /** Stands before every request but browsers' preflights and those to OPEN_PATHS. Without one every request passes. */
  guard?: Guard;
  /** What to tell those who send events, in the header clickmesh-notice. */
  notice?: Notice;
  logger: Logger;
  /** Most bytes of a request body, or of one message of a stream, after decompression; MAX_REQUEST_BYTES by default. */
  maxRequestBytes?: number;
  /** Most bytes held of bodies whose rest is on its way; MAX_RECEIVING_BYTES by default. */
  maxReceivingBytes?: number;
  /** How long close waits for requests in flight, in ms; 10 s by default. */
  drainMs?: number;
  /**
   * How long close leaves idle and still silent HTTP/1.1 connections open, in ms, 500 by default: a request may be on
   * its way, whose answer then tells the client to close the connection.
   */
  lastRequestMs?: number;
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
  const { host, logger, drainMs = 10_000, lastRequestMs = 500 } = options;
  const shutdown = new AbortController();
  const receiving = new Receiving(options.maxReceivingBytes ?? MAX_RECEIVING_BYTES);
  const handle = requestHandler(options, receiving, shutdown.signal);
  const underWay = new Set<http.ServerResponse>();
  const h1 = http1Server((req, res) => {
    underWay.add(res);
    res.once('close', () => underWay.delete(res));
    if (shutdown.signal.aborted) endWith(res);
    const exchange = new Http1Exchange(req, res);
    if (req.headers.host !== undefined || req.httpVersion === '1.0') handle(exchange);
    else refuse(exchange, new ConnectError('the Host header is missing', Code.InvalidArgument, CLOSE));
  });
  const h2 = http2Server(handle);
  h2.on('sessionError', (err) => logger.debug({ err }, 'HTTP/2 connection failed'));
  const http1 = new Http1Connections({
    paths: postPaths(options.routes),
    maxHeadBytes: MAX_HEADER_BYTES,
    keepAliveMs: KEEP_ALIVE_TIMEOUT_MS,
    shutdown: shutdown.signal,
    handle,
    handOver: takeConnections(h1),
  });
  const connections = shareConnections(h1, h2, http1);
  const port = await listen(h1, { host, port: options.port, exclusive: !options.shared });
  const lateCheck = setInterval(() => receiving.cutLate(), CHECK_TIMEOUTS_MS);

  /** Cuts connections without a request. Runs after input was read: when timers are late, a request may wait there. */
  function cutIdle(): void {
    for (const socket of connections.silent) socket.destroy();
    http1.closeIdle();
    h1.closeIdleConnections();
  }

  async function close(): Promise<void> {
    // The close of http.Server would cut idle connections at once.
    const closed = new Promise<void>((resolve) => Server.prototype.close.call(h1, () => resolve()));
    shutdown.abort();
    h2.close();
    for (const response of underWay) endWith(response);
    let sweep: NodeJS.Timeout | undefined;
    const lastRequest = setTimeout(() => {
      sweep = setInterval(() => setImmediate(cutIdle), SWEEP_MS);
    }, lastRequestMs);
    const cut = setTimeout(() => {
      logger.warn({ connections: connections.open.size }, 'requests were cut at shutdown');
      for (const socket of connections.open) socket.destroy();
    }, drainMs);
    await closed;
    // Stops http.Server's own timers.
    h1.close();
    clearTimeout(lastRequest);
    clearInterval(sweep);
    clearInterval(lateCheck);
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

/** Every request passes here, whatever its protocol and the way by which it was read. */
function requestHandler(options: ServeOptions, receiving: Receiving, shutdown: AbortSignal): Handler {
  const { guard, logger, notice } = options;
  const endpoints = new PathTable(endpointsOf(options, receiving, shutdown));
  const posts = [...postPaths(options.routes)];
  const notFound = (exchange: Exchange) => refuse(exchange, notFoundError(exchange, endpoints.patterns, posts));
  const admit = (exchange: Exchange, handle: Handler) => {
    if (exchange.method === 'OPTIONS' && exchange.headers.origin !== undefined) {
      exchange.answer(preflight(exchange.headers));
    } else if (guard === undefined || OPEN_PATHS.has(exchange.path)) handle(exchange);
    else passGuard(guard, exchange, handle, logger);
  };
  return (exchange) => {
    let endpoint = endpoints.find(exchange.path);
    if (endpoint === undefined) {
      // Before the guard, which decides by the path that is served.
      exchange.path = tidyPath(exchange.path);
      endpoint = endpoints.find(exchange.path);
    }
    if (endpoint === undefined) return admit(exchange, notFound);
    exchange.credentials = endpoint.credentials;
    if (endpoint.credentials) exchange.notice = notice;
    observed(exchange, endpoint, admit);
  };
}

function endpointsOf(options: ServeOptions, receiving: Receiving, shutdown: AbortSignal): [string, Endpoint][] {
  const { services, routes, logger, maxRequestBytes: maxBytes = MAX_REQUEST_BYTES } = options;
  const bodies = { maxBytes, receiving };
  const rpcs = rpcEndpoints((router) => services(router, shutdown), bodies, logger);
  const posts = postPaths(routes);
  return [
    ...rpcs.map(({ path, handle, takesBytes }): [string, Endpoint] => [path, rpcEndpoint(path, handle, takesBytes)]),
    ...Array.from(handlersByPath(routes, bodies, logger, shutdown), ([path, handle]): [string, Endpoint] => [
      path,
      httpEndpoint(path, handle, posts.has(path)),
    ]),
  ];
}

/** RPCs have a code of their own for it. */
function notFoundError(exchange: Exchange, served: readonly string[], posts: readonly string[]): ConnectError {
  const { method, path, headers } = exchange;
  const protocol = dialectOf(headers)?.protocol ?? 'connect';
  const code = protocol !== 'connect' || isRpcPath(path) ? Code.Unimplemented : Code.NotFound;
  const hint = nearbyHint(path, served) || (code === Code.NotFound ? postHint(method, path, posts) : '');
  return new HttpError(404, code, `nothing is served at ${quoted(path)}${hint}`);
}

function http1Server(handle: http.RequestListener): http.Server {
  const server = http.createServer(
    {
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: BODY_TIMEOUT_MS,
      keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
      connectionsCheckingInterval: CHECK_TIMEOUTS_MS,
      maxHeaderSize: MAX_HEADER_BYTES,
      // Node's own answer to a request without it is empty.
      requireHostHeader: false,
      keepAlive: true,
      noDelay: true,
    },
    handle,
  );
  // Node's own answer to an expectation that it does not know is empty: whatever is expected, what is sent is read.
  server.on('checkExpectation', handle);
  return server.on('clientError', answerClientError);
}

function http2Server(handle: Handler): http2.Http2Server {
  const server = http2.createServer({
    settings: { maxConcurrentStreams: MAX_CONCURRENT_STREAMS, maxHeaderListSize: MAX_HEADER_BYTES },
    streamResetBurst: STREAM_RESET_BURST,
    streamResetRate: STREAM_RESET_RATE,
  });
  server.on('session', (session) => session.setTimeout(SESSION_TIMEOUT_MS, () => session.close()));
  return server.on('stream', (stream, headers) => {
    if (headers.expect === '100-continue') stream.additionalHeaders({ ':status': 100 });
    handle(new Http2Exchange(stream, headers));
  });
}

/** Header of the answer to a request whose sender must be wrong about more than this request. */
const CLOSE = { connection: 'close' };

/** Takes new connections away from the server that listens, and returns the function that gives it one. */
function takeConnections(h1: http.Server): (socket: Socket) => void {
  const [speakHttp1] = h1.listeners('connection') as [(socket: Socket) => void];
  h1.removeAllListeners('connection');
  return (socket) => speakHttp1.call(h1, socket);
}

/** Gives connections that open with HTTP/2's preface ("PRI * HTTP/2.0") to `h2`, and the others to `http1`. */
function shareConnections(h1: http.Server, h2: http2.Http2Server, http1: Http1Connections) {
  const open = new Set<Socket>();
  /** Open connections on which nothing has come yet, such as a browser's spare ones. */
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

/** Reads the first three bytes, which no HTTP/1.1 method shares with HTTP/2's preface, and puts them back. */
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
