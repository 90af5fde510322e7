import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { Http2ServerRequest, Http2ServerResponse, type ServerHttp2Stream } from 'node:http2';
import { pipeline, type Readable } from 'node:stream';
import type { Code } from '@connectrpc/connect';
import type { Logger } from 'pino';
import { inActiveSpan } from '../../telemetry/tracing.ts';
import { corsHeaders } from './cors.ts';
import type { HttpResponse } from './http-message.ts';

/** A request, and how to answer it, whatever the version of HTTP. */
export interface Exchange {
  version: 1 | 2;
  method: string;
  path: string;
  /** Without the question mark. */
  query: string;
  headers: IncomingHttpHeaders;
  /** Address of the connection's other end, which may be a proxy; undefined once the connection is closed. */
  readonly peer: string | undefined;
  body: Readable;
  /** The whole body where it was read together with the headers; nothing is left to read then. */
  readonly whole?: Buffer;
  /** Calls back when the answer was sent or the client has left. */
  onClose(callback: () => void): void;
  /** The HTTP status that was answered; undefined while nothing was. */
  readonly status: number | undefined;
  /** gRPC's status as it was sent over HTTP/2, in trailers or, where there were none, in headers. */
  readonly grpcStatus: string | undefined;
  /** Error code of an answer whose status and grpcStatus need not show it, because it is in the body. */
  failure: Code | undefined;
  /** Does nothing if the client has left. */
  answer(response: HttpResponse): void;
  /** Node's objects for code that wants to read and answer by them; `answer` works until they have sent something. */
  nodeObjects(): NodeObjects;
}

export interface NodeObjects {
  req: IncomingMessage | Http2ServerRequest;
  res: ServerResponse | Http2ServerResponse;
}

/** The part that both versions share. Classes: an object literal with accessors took 1 µs (measured 2026-11). */
class BaseExchange {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly headers: IncomingHttpHeaders;
  failure: Code | undefined;

  constructor(method: string, url: string, headers: IncomingHttpHeaders) {
    const mark = url.indexOf('?');
    this.method = method;
    this.path = mark === -1 ? url : url.slice(0, mark);
    this.query = mark === -1 ? '' : url.slice(mark + 1);
    this.headers = headers;
  }
}

export class Http1Exchange extends BaseExchange implements Exchange {
  readonly version = 1;
  readonly grpcStatus = undefined;
  readonly body: IncomingMessage;
  readonly #res: ServerResponse;

  constructor(req: IncomingMessage, res: ServerResponse) {
    super(req.method!, req.url!, req.headers);
    this.body = req;
    this.#res = res;
  }

  get peer(): string | undefined {
    return this.body.socket.remoteAddress;
  }

  onClose(callback: () => void): void {
    this.#res.once('close', callback);
  }

  get status(): number | undefined {
    return this.#res.headersSent ? this.#res.statusCode : undefined;
  }

  answer({ status, headers, body, stream }: HttpResponse): void {
    this.#res.statusCode = status;
    setHeaders(this.#res, corsHeaders(this.headers));
    setHeaders(this.#res, headers);
    if (stream === undefined || this.method === 'HEAD') {
      stream?.destroy();
      this.#res.end(body);
    } else {
      pipeline(stream, this.#res, ignore);
    }
    discardRest(this.body);
  }

  nodeObjects(): NodeObjects {
    setHeaders(this.#res, corsHeaders(this.headers));
    this.#res.once('finish', () => discardRest(this.body));
    return { req: this.body, res: this.#res };
  }
}

/** Makes Node's objects on demand: they were up to a quarter of a small call's CPU time (measured 2026-11). */
export class Http2Exchange extends BaseExchange implements Exchange {
  readonly version = 2;
  readonly body: ServerHttp2Stream;

  constructor(stream: ServerHttp2Stream, headers: IncomingHttpHeaders) {
    super(String(headers[':method']), String(headers[':path'] ?? ''), headers);
    this.body = stream;
    stream.on('error', ignore);
  }

  get peer(): string | undefined {
    return this.body.session?.socket?.remoteAddress;
  }

  onClose(callback: () => void): void {
    this.body.once('close', callback);
  }

  get status(): number | undefined {
    return this.body.sentHeaders?.[':status'] as number | undefined;
  }

  get grpcStatus(): string | undefined {
    const { sentTrailers, sentHeaders } = this.body;
    return (sentTrailers ?? sentHeaders)?.['grpc-status'] as string | undefined;
  }

  answer({ status, headers, body, stream: source, trailers }: HttpResponse): void {
    const stream = this.body;
    if (stream.closed) {
      source?.destroy();
      return;
    }
    if (trailers !== undefined) stream.once('wantTrailers', () => stream.sendTrailers(trailers));
    const sent = { ':status': status, ...corsHeaders(this.headers), ...headers };
    const endStream = body === '' && source === undefined && trailers === undefined;
    stream.respond(sent, { endStream, waitForTrailers: trailers !== undefined });
    // An empty answer, or one to HEAD, has ended with its headers.
    if (stream.writableEnded) source?.destroy();
    else if (source === undefined) stream.end(body);
    else pipeline(source, stream, ignore);
    discardRest(stream);
  }

  nodeObjects(): NodeObjects {
    const stream = this.body;
    const req = new Http2ServerRequest(stream, this.headers, {}, []);
    const res = new Http2ServerResponse(stream);
    setHeaders(res, corsHeaders(this.headers));
    stream.once('finish', () => discardRest(req));
    return { req, res };
  }
}

/** Listener for the errors of a stream that closes after one, which is all there is to do about it. */
function ignore(): void {}

/** Answers once the response is there. Its rejection is a bug: it is logged, and ends the connection. */
export function sendResponse(exchange: Exchange, response: Promise<HttpResponse>, logger: Logger): void {
  response
    .then((answer) => exchange.answer(answer))
    .catch((err) => {
      logger.error({ err, path: exchange.path }, 'a request was not answered');
      exchange.body.destroy();
    });
}

/**
 * Calls back once: with the body, or, as soon as that is larger than `maxBytes`, with its beginning, which is larger
 * too. Never if the client leaves before.
 */
export function readBody(exchange: Exchange, maxBytes: number, done: (body: Buffer) => void): void {
  if (exchange.whole === undefined) collectBody(exchange.body, maxBytes, inActiveSpan(done));
  else done(exchange.whole);
}

function collectBody(body: Readable, maxBytes: number, whole: (body: Buffer) => void): void {
  const chunks: Buffer[] = [];
  let bytes = 0;
  body.on('data', (chunk: Buffer) => {
    if (bytes > maxBytes) return;
    bytes += chunk.length;
    chunks.push(chunk);
    if (bytes > maxBytes) whole(Buffer.concat(chunks));
  });
  body.once('end', () => {
    // A stream that the client has reset ends like one that is complete, but is closed by then.
    if (bytes <= maxBytes && !body.closed) whole(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks));
  });
}

/** Reads on after an early answer, so that the connection is not stuck on the rest of the request. */
function discardRest(body: Readable): void {
  if (!body.readableEnded) body.resume();
}

function setHeaders(res: ServerResponse | Http2ServerResponse, headers: Readonly<Record<string, string>>): void {
  for (const name in headers) res.setHeader(name, headers[name]!);
}
