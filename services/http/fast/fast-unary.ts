import { create, fromBinary, fromJson, type Message, toBinary, toJsonString } from '@bufbuild/protobuf';
import { createHandlerContext } from '@connectrpc/connect';
import type { Logger } from 'pino';
import { connectAnswer, connectError } from '../exchange/connect-answer.ts';
import { errorOf } from '../exchange/errors.ts';
import { type Exchange, readBody, sendResponse } from '../exchange/exchange.ts';
import { type Context, ENVELOPE_BYTES, grpcAnswer, grpcError } from '../exchange/grpc-answer.ts';
import type { HttpResponse } from '../exchange/http-message.ts';
import { type CallLimits, type Codec, codecOf, isGrpc, timeoutOf } from './codec.ts';
import type { ShortMethods, UnaryMethod } from './short-methods.ts';

/**
 * The short way for plain unary calls: Connect with JSON or Protobuf, and gRPC over HTTP/2, uncompressed. The long
 * way, connect-node's, builds streams, abort controllers and web headers for each call.
 *
 * Answers are the same by either way: whatever is unusual takes the long one, which also words every error in reading a
 * request. But interceptors run on the long way only. There is one, errorInterceptor, for which `failure` stands here.
 * What has to stand before every request, such as a check of who calls, belongs into ServeOptions.guard.
 *
 * @param handOver gives a request whose body has been read to the long way
 * @returns a function that answers the request if it is a plain one, and otherwise returns false
 */
export function fastUnary(
  methods: ShortMethods['unary'],
  { maxBytes, maxTimeoutMs }: CallLimits,
  logger: Logger,
  handOver: (exchange: Exchange, body: Uint8Array) => void,
): (exchange: Exchange) => boolean {
  return (exchange) => {
    const method = methods.get(exchange.path);
    const codec = codecOf(exchange);
    if (method === undefined || codec === undefined) return false;
    // A body over the limit takes the long way from its first byte.
    if (Number(exchange.headers['content-length'] ?? 0) > maxBytes) return false;
    const { timeoutMs, error } = timeoutOf(exchange.headers, codec, maxTimeoutMs);
    if (error !== undefined) return false;
    readBody(exchange, maxBytes + ENVELOPE_BYTES, (body) => {
      const call = { method, codec, exchange, timeoutMs, logger };
      const response = responseTo(call, messageIn(codec, body, maxBytes));
      if (response === undefined) handOver(exchange, body);
      else sendResponse(exchange, response, logger);
    });
    return true;
  };
}

/** The message in a body; undefined if that is not exactly one message within the limit. */
function messageIn(codec: Codec, body: Buffer, maxBytes: number): Buffer | undefined {
  const message = isGrpc(codec) ? unwrap(body) : body;
  return message === undefined || message.length > maxBytes ? undefined : message;
}

function readRequest({ desc, json }: UnaryMethod, codec: Codec, message: Buffer): Message | undefined {
  try {
    if (codec !== 'application/json') return fromBinary(desc.input, message);
    return fromJson(desc.input, JSON.parse(message.toString()), { ignoreUnknownFields: true, ...json });
  } catch {
    return undefined;
  }
}

/** The message after gRPC's byte of flags and four bytes of length; undefined if the body is anything else. */
function unwrap(body: Buffer): Buffer | undefined {
  if (body.length < ENVELOPE_BYTES || body[0] !== 0) return undefined;
  const length = body.readUInt32BE(1);
  return body.length === ENVELOPE_BYTES + length ? body.subarray(ENVELOPE_BYTES) : undefined;
}

interface Call {
  method: UnaryMethod;
  codec: Codec;
  exchange: Exchange;
  timeoutMs: number | undefined;
  logger: Logger;
}

/** Calls the method; undefined if there is no message, or none that can be read. */
function responseTo(call: Call, message: Buffer | undefined): Promise<HttpResponse> | undefined {
  if (message === undefined) return undefined;
  const { method, codec } = call;
  const answer = codec === 'application/json' ? undefined : method.bytesPath?.(message);
  if (answer !== undefined) {
    const respond = (bytes: Uint8Array) => (isGrpc(codec) ? grpcAnswer(bytes) : connectAnswer(codec, bytes));
    return answer.then(respond, (thrown) => failure(call, thrown));
  }
  const request = readRequest(method, codec, message);
  return request && responseOf(call, request);
}

/** Calls the method proper. A deadline only aborts the context's signal, which the method may heed. */
async function responseOf(call: Call, request: Message): Promise<HttpResponse> {
  const { method, codec } = call;
  const context = method.takesContext ? contextOf(call) : undefined;
  try {
    const message = create(method.desc.output, await method.handle(request, context));
    const { output } = method.desc;
    if (codec === 'application/json') return connectAnswer(codec, toJsonString(output, message, method.json), context);
    const bytes = toBinary(output, message);
    return isGrpc(codec) ? grpcAnswer(bytes, context) : connectAnswer(codec, bytes, context);
  } catch (thrown) {
    return failure(call, thrown, context);
  } finally {
    context?.abort();
  }
}

function failure({ method, codec, logger }: Call, thrown: unknown, context?: Context): HttpResponse {
  const error = errorOf(thrown, method.path, logger);
  return isGrpc(codec) ? grpcError(error, context) : connectError(error, context, method.json);
}

function contextOf({ method: { desc, path }, codec, exchange, timeoutMs }: Call): Context {
  const { headers } = exchange;
  const left = new AbortController();
  exchange.onClose(() => left.abort());
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
