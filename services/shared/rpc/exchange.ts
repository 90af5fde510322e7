import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { Http2ServerRequest, Http2ServerResponse, type ServerHttp2Stream } from 'node:http2';
import type { Readable } from 'node:stream';
import type { Code } from '@connectrpc/connect';
import type { Logger } from 'pino';
import { inActiveSpan } from '../telemetry/tracing.ts';
import { corsHeaders } from './cors.ts';
import type { HttpResponse } from './http-message.ts';

/** A request on its way in and its answer on the way out, whatever the version of HTTP. */
export interface Exchange {
  version: 1 | 2;
  method: string;
  path: string;
  /** Without the question mark. */
  query: string;
  headers: IncomingHttpHeaders;
  body: Readable;
  /** Calls back when the answer was sent or the client has left. */
  onClose(callback: () => void): void;
  /** The HTTP status that was answered; undefined while nothing was. */
  readonly status: number | undefined;
  /** The code that gRPC's trailers had. */
  readonly grpcStatus: string | undefined;
  /** The error of an RPC that neither of them may show, because it is told in the body. */
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

export function http1Exchange(req: IncomingMessage, res: ServerResponse): Exchange {
  return {
    version: 1,
    method: req.method!,
    ...splitUrl(req.url!),
    headers: req.headers,
    body: req,
    onClose: (callback) => res.once('close', callback),
    get status() {
      return res.headersSent ? res.statusCode : undefined;
    },
    grpcStatus: undefined,
    failure: undefined,
    answer({ status, headers, body }) {
      res.statusCode = status;
      setHeaders(res, corsHeaders(req.headers));
      setHeaders(res, headers);
      res.end(body);
      discardRest(req);
    },
    nodeObjects() {
      setHeaders(res, corsHeaders(req.headers));
      res.once('finish', () => discardRest(req));
      return { req, res };
    },
  };
}

/** Node's own HTTP/2 request and response objects were up to a quarter of a small call: they are made on demand. */
export function http2Exchange(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): Exchange {
  // The stream closes after an error, which is all there is to do about it.
  stream.on('error', () => {});
  return {
    version: 2,
    method: String(headers[':method']),
    ...splitUrl(String(headers[':path'] ?? '')),
    headers,
    body: stream,
    onClose: (callback) => stream.once('close', callback),
    get status() {
      return stream.sentHeaders?.[':status'] as number | undefined;
    },
    get grpcStatus() {
      return stream.sentTrailers?.['grpc-status'] as string | undefined;
    },
    failure: undefined,
    answer(response) {
      if (stream.closed) return;
      const { trailers } = response;
      if (trailers !== undefined) stream.once('wantTrailers', () => stream.sendTrailers(trailers));
      const sent = { ':status': response.status, ...corsHeaders(headers), ...response.headers };
      stream.respond(sent, { waitForTrailers: trailers !== undefined });
      // The answer to HEAD has ended with its headers.
      if (!stream.writableEnded) stream.end(response.body);
      discardRest(stream);
    },
    nodeObjects() {
      const req = new Http2ServerRequest(stream, headers, {}, []);
      const res = new Http2ServerResponse(stream);
      setHeaders(res, corsHeaders(headers));
      stream.once('finish', () => discardRest(req));
      return { req, res };
    },
  };
}

/** Answers when the answer is there; the bug of one that never comes ends the connection. */
export function answerWith(exchange: Exchange, response: Promise<HttpResponse>, logger: Logger): void {
  response.then(exchange.answer).catch((err) => {
    logger.error({ err, path: exchange.path }, 'a request was not answered');
    exchange.body.destroy();
  });
}

/**
 * Calls back once: with the body, or, as soon as that is larger than `maxBytes`, with its beginning, which is larger
 * too. Never if the client leaves before.
 */
export function readBody({ body }: Exchange, maxBytes: number, done: (body: Buffer) => void): void {
  const whole = inActiveSpan(done);
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

/** An answer given before the request was read to its end must not leave the connection stuck on the rest. */
function discardRest(body: Readable): void {
  if (!body.readableEnded) body.resume();
}

function setHeaders(res: ServerResponse | Http2ServerResponse, headers: Readonly<Record<string, string>>): void {
  for (const name in headers) res.setHeader(name, headers[name]!);
}

function splitUrl(url: string): { path: string; query: string } {
  const mark = url.indexOf('?');
  return mark === -1 ? { path: url, query: '' } : { path: url.slice(0, mark), query: url.slice(mark + 1) };
}
