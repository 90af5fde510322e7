import type { IncomingHttpHeaders } from 'node:http';
import {
  create,
  type DescMethod,
  fromBinary,
  fromJson,
  type Message,
  toBinary,
  toJsonString,
} from '@bufbuild/protobuf';
import { MethodOptions_IdempotencyLevel } from '@bufbuild/protobuf/wkt';
import {
  type ConnectError,
  type ConnectRouter,
  type ConnectRouterOptions,
  createHandlerContext,
  type HandlerContext,
} from '@connectrpc/connect';
import {
  codeToHttpStatus,
  parseTimeout as connectTimeout,
  errorToJsonBytes,
  trailerMux,
} from '@connectrpc/connect/protocol-connect';
import { parseTimeout as grpcTimeout, setTrailerStatus } from '@connectrpc/connect/protocol-grpc';
import type { Logger } from 'pino';
import { logIfBug, toConnectError } from './errors.ts';
import { answerWith, type Exchange, readBody } from './exchange.ts';
import type { HttpResponse } from './http-message.ts';

interface UnaryMethod {
  desc: DescMethod;
  path: string;
  /** Answers with a message, or with what one is created from. */
  handle(request: Message, context?: HandlerContext): Promise<Message> | Message;
  /** A context costs more than all the rest, so only those get one who ask for it. */
  takesContext: boolean;
  json: ConnectRouterOptions['jsonOptions'];
}

interface UnaryLimits {
  maxBytes: number;
  maxTimeoutMs: number;
}

/** Gives a request whose body has been read to the full implementation. */
export type HandOver = (exchange: Exchange, body: Uint8Array) => void;

const ENVELOPE_BYTES = 5;

/** Requests with any of these may be compressed. */
const ODD_HEADERS = ['content-encoding', 'grpc-encoding', 'connect-content-encoding'];

/**
 * The short way for plain unary calls: Connect with JSON or Protobuf, and gRPC over HTTP/2, uncompressed. Queries take the long way, because their answers may be worth compressing. connect-node builds streams,
 * abort controllers and web headers for each call, and then runs interceptors: this replaces the one for errors.
 *
 * It never answers differently: whatever is unusual goes to the full implementation, which also words every error in
 * reading a request.
 */
export function fastUnary({ maxBytes, maxTimeoutMs }: UnaryLimits, logger: Logger, handOver: HandOver) {
  const methods = new Map<string, UnaryMethod>();

  return {
    /** A router that also remembers the methods that fit. */
    watch: (router: ConnectRouter): ConnectRouter => ({
      ...router,
      get handlers() {
        return router.handlers;
      },
      service(service, implementation, options) {
        for (const desc of service.methods) {
          const method = (implementation as Record<string, unknown>)[desc.localName];
          if (desc.methodKind !== 'unary' || typeof method !== 'function') continue;
          if (desc.idempotency === MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS) continue;
          const path = `/${service.typeName}/${desc.name}`;
          const handle = method.bind(implementation) as UnaryMethod['handle'];
          methods.set(path, { desc, path, handle, takesContext: method.length > 1, json: options?.jsonOptions });
        }
        router.service(service, implementation, options);
        return this;
      },
    }),

    /** Answers the request if it is a plain one, and says whether it was. */
    handle(exchange: Exchange): boolean {
      const method = methods.get(exchange.path);
      const codec = codecOf(exchange);
      if (method === undefined || codec === undefined) return false;
      // A body over the limit is for the full implementation from its first byte.
      if (Number(exchange.headers['content-length'] ?? 0) > maxBytes) return false;
      const { timeoutMs, error } = timeoutOf(exchange.headers, codec, maxTimeoutMs);
      if (error !== undefined) return false;
      readBody(exchange, maxBytes + ENVELOPE_BYTES, (body) => {
        const request = readRequest(method, codec, body, maxBytes);
        if (request === undefined) handOver(exchange, body);
        else answerWith(exchange, responseOf({ method, codec, exchange, timeoutMs }, request, logger), logger);
      });
      return true;
    },
  };
}

/** What the answer's content type is. */
type Codec = 'application/json' | 'application/proto' | 'application/grpc+proto';

function codecOf({ method, headers, version }: Exchange): Codec | undefined {
  if (method !== 'POST' || ODD_HEADERS.some((name) => name in headers)) return undefined;
  switch (headers['content-type']) {
    case 'application/json':
    case 'application/proto':
      return headers['content-type'];
    case 'application/grpc':
    case 'application/grpc+proto':
      return version === 2 ? 'application/grpc+proto' : undefined;
    default:
      return undefined;
  }
}

function timeoutOf(headers: IncomingHttpHeaders, codec: Codec, maxMs: number): ReturnType<typeof grpcTimeout> {
  const text = headers[isGrpc(codec) ? 'grpc-timeout' : 'connect-timeout-ms'];
  if (text === undefined) return {};
  return isGrpc(codec) ? grpcTimeout(String(text), maxMs) : connectTimeout(String(text), maxMs);
}

/** Undefined if the body is not exactly one message within the limit. */
function readRequest({ desc, json }: UnaryMethod, codec: Codec, body: Uint8Array, maxBytes: number) {
  try {
    const message = isGrpc(codec) ? unwrap(body) : body;
    if (message === undefined || message.length > maxBytes) return undefined;
    if (codec !== 'application/json') return fromBinary(desc.input, message);
    return fromJson(desc.input, JSON.parse(Buffer.from(message).toString()), { ignoreUnknownFields: true, ...json });
  } catch {
    return undefined;
  }
}

function isGrpc(codec: Codec): boolean {
  return codec === 'application/grpc+proto';
}

/** gRPC: a byte of flags, the length as four bytes, the message. */
function unwrap(body: Uint8Array): Uint8Array | undefined {
  if (body.length < ENVELOPE_BYTES || body[0] !== 0) return undefined;
  const length = new DataView(body.buffer, body.byteOffset).getUint32(1);
  return body.length === ENVELOPE_BYTES + length ? body.subarray(ENVELOPE_BYTES) : undefined;
}

interface Call {
  method: UnaryMethod;
  codec: Codec;
  exchange: Exchange;
  timeoutMs: number | undefined;
}

/** A deadline only aborts the context's signal: it is for the method to heed, and for the client to enforce. */
async function responseOf(call: Call, request: Message, logger: Logger): Promise<HttpResponse> {
  const { method, codec } = call;
  const context = method.takesContext ? contextOf(call) : undefined;
  try {
    const message = create(method.desc.output, await method.handle(request, context));
    return isGrpc(codec) ? grpcAnswer(method, message, context) : connectAnswer(method, codec, message, context);
  } catch (thrown) {
    const error = toConnectError(thrown);
    logIfBug(logger, method.path, error);
    return isGrpc(codec) ? grpcError(error, context) : connectError(method, error, context);
  } finally {
    context?.abort();
  }
}

type Context = ReturnType<typeof createHandlerContext>;

function contextOf({ method: { desc, path }, codec, exchange: { headers, onClose }, timeoutMs }: Call): Context {
  const left = new AbortController();
  onClose(() => left.abort());
  const requestHeader = new Headers();
  for (const name in headers) if (!name.startsWith(':')) requestHeader.set(name, String(headers[name]));
  return createHandlerContext({
    service: desc.parent,
    method: desc,
    protocolName: isGrpc(codec) ? 'grpc' : 'connect',
    requestMethod: 'POST',
    url: `http://${headers[':authority'] ?? headers.host}${path}`,
    requestHeader,
    requestSignal: left.signal,
    timeoutMs,
  });
}

function connectAnswer({ desc, json }: UnaryMethod, codec: Codec, message: Message, context?: Context): HttpResponse {
  const body = codec === 'application/json' ? toJsonString(desc.output, message, json) : toBinary(desc.output, message);
  return { status: 200, headers: { ...connectMetadata(context), 'content-type': codec }, body };
}

function connectError({ json }: UnaryMethod, error: ConnectError, context?: Context): HttpResponse {
  const metadata = { ...connectMetadata(context), ...Object.fromEntries(error.metadata) };
  const headers = { ...metadata, 'content-type': 'application/json' };
  return { status: codeToHttpStatus(error.code), headers, body: errorToJsonBytes(error, json) };
}

function connectMetadata(context?: Context): Record<string, string> | undefined {
  return context && Object.fromEntries(trailerMux(context.responseHeader, context.responseTrailer));
}

const GRPC_OK = { 'grpc-status': '0' };

function grpcAnswer({ desc }: UnaryMethod, message: Message, context?: Context): HttpResponse {
  const bytes = toBinary(desc.output, message);
  const frame = Buffer.allocUnsafe(ENVELOPE_BYTES + bytes.length);
  frame[0] = 0;
  frame.writeUInt32BE(bytes.length, 1);
  frame.set(bytes, ENVELOPE_BYTES);
  const trailers = context ? { ...Object.fromEntries(context.responseTrailer), ...GRPC_OK } : GRPC_OK;
  return { status: 200, headers: grpcHeaders(context), body: frame, trailers };
}

function grpcError(error: ConnectError, context?: Context): HttpResponse {
  const trailers = setTrailerStatus(new Headers(context?.responseTrailer), error);
  return { status: 200, headers: grpcHeaders(context), body: '', trailers: Object.fromEntries(trailers) };
}

function grpcHeaders(context?: Context): Record<string, string> {
  return { ...(context && Object.fromEntries(context.responseHeader)), 'content-type': 'application/grpc+proto' };
}
