import type { IncomingHttpHeaders } from 'node:http';
import { setImmediate as turn } from 'node:timers/promises';
import { fromBinary, toJsonString } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import { parseTimeout as connectTimeout } from '@connectrpc/connect/protocol-connect';
import { parseTimeout as grpcTimeout } from '@connectrpc/connect/protocol-grpc';
import type { Logger } from 'pino';
import { callAnswer, callError, ENVELOPE_HEAD_BYTES } from '../exchange/answer.ts';
import { CODINGS, type Decode, decoderOf } from '../exchange/coding.ts';
import { errorOf, wrongMethod, wrongType } from '../exchange/errors.ts';
import { type Exchange, sendResponse } from '../exchange/exchange.ts';
import type { HttpResponse } from '../exchange/http-message.ts';
import { type Dialect, dialectOf, type Protocol, typesOf } from '../exchange/protocol.ts';
import { type BodyLimits, readBody } from '../exchange/read-body.ts';
import { refuse } from '../exchange/refuse.ts';
import type { BytesMethod, CallByteStream, CallBytes } from './bytes-methods.ts';
import { EnvelopeReader } from './envelope.ts';

export interface CallLimits extends BodyLimits {
  /** Longest deadline that a call may ask for, in ms. */
  maxTimeoutMs: number;
}

/** A call that may be read. */
interface Call {
  exchange: Exchange;
  output: BytesMethod['output'];
  dialect: Dialect;
  /** Undefined if the call names no coding. */
  decode: Decode | undefined;
  limits: CallLimits;
  logger: Logger;
}

const UNARY_TYPES = typesOf('connect', 'grpc', 'grpc-web');
const STREAM_TYPES = typesOf('connect-stream', 'grpc', 'grpc-web');
const CODING_HEADERS: Record<Protocol, string> = {
  connect: 'content-encoding',
  'connect-stream': 'connect-content-encoding',
  grpc: 'grpc-encoding',
  'grpc-web': 'grpc-encoding',
};

/**
 * The way of calls to methods that take bytes: Connect, gRPC and gRPC-Web, in Protobuf and JSON, compressed or not. All
 * of them reach the same method with the same bytes, so that an event has the same outcome however it came; and the
 * way of connect-node, which builds streams, abort controllers, web headers and messages for each call, took three
 * quarters of a call's CPU time (measured 2026-11, one gateway on Kafka). What can't be read is worded as there.
 *
 * No interceptor runs here. What has to stand before every request, such as a check of who calls, belongs into
 * ServeOptions.guard. Deadlines are the client's to enforce.
 */
export function answerBytesCall(exchange: Exchange, method: BytesMethod, limits: CallLimits, logger: Logger): void {
  const { unary, stream } = method.call;
  let call: Call;
  try {
    call = readCall(exchange, method, limits, logger);
  } catch (thrown) {
    refuse(exchange, errorOf(thrown, exchange.path, logger));
    return;
  }
  if (unary !== undefined) answerUnary(call, unary);
  else sendResponse(exchange, streamResponse(call, stream), logger);
}

function readCall(exchange: Exchange, { output, call }: BytesMethod, limits: CallLimits, logger: Logger): Call {
  const { method, headers } = exchange;
  if (method !== 'POST') throw wrongMethod('POST', Code.Unknown);
  const dialect = dialectOf(headers);
  const unfit = call.unary === undefined ? 'connect' : 'connect-stream';
  if (dialect === undefined || dialect.protocol === unfit) {
    throw wrongType(headers['content-type'], call.unary === undefined ? STREAM_TYPES : UNARY_TYPES, Code.Unknown);
  }
  const { error } = timeoutOf(headers, dialect, limits.maxTimeoutMs);
  if (error !== undefined) throw error;
  return { exchange, output, dialect, decode: decodeOf(headers, dialect), limits, logger };
}

function timeoutOf(headers: IncomingHttpHeaders, { protocol }: Dialect, maxMs: number): { error?: ConnectError } {
  const isConnect = protocol === 'connect' || protocol === 'connect-stream';
  const text = headers[isConnect ? 'connect-timeout-ms' : 'grpc-timeout'];
  if (text === undefined) return {};
  return isConnect ? connectTimeout(String(text), maxMs) : grpcTimeout(String(text), maxMs);
}

function decodeOf(headers: IncomingHttpHeaders, { protocol }: Dialect): Decode | undefined {
  const name = CODING_HEADERS[protocol];
  const coding = headers[name];
  if (coding === undefined) return undefined;
  const decode = decoderOf(String(coding));
  if (decode !== undefined) return decode;
  const known = CODINGS.join(',');
  const message = `unknown compression "${coding}": supported encodings are ${known}`;
  const accepted = name.replace('content-encoding', 'accept-encoding').replace('grpc-encoding', 'grpc-accept-encoding');
  throw new ConnectError(message, Code.Unimplemented, { [accepted]: known });
}

function answerUnary(call: Call, unary: CallBytes): void {
  const { exchange, dialect, limits, logger } = call;
  readBody(
    exchange,
    limits,
    (body) => {
      let response: Promise<HttpResponse>;
      try {
        response = responseOf(call, unary(messageIn(call, body), dialect.format, exchange.headers));
      } catch (thrown) {
        response = Promise.resolve(failure(call, thrown));
      }
      sendResponse(exchange, response, logger);
    },
    dialect.protocol === 'connect' ? 0 : ENVELOPE_HEAD_BYTES,
  );
}

/** The one message of a call, unless it has a stream of them. Throws if its body has none, or several. */
export function messageOf(body: Buffer, { headers }: Exchange, dialect: Dialect, maxBytes: number): Buffer {
  return messageIn({ dialect, decode: decodeOf(headers, dialect), limits: { maxBytes } }, body);
}

type Reading = Pick<Call, 'dialect' | 'decode'> & { limits: Pick<BodyLimits, 'maxBytes'> };

function messageIn({ dialect, decode, limits: { maxBytes } }: Reading, body: Buffer): Buffer {
  if (dialect.protocol === 'connect') return decode === undefined ? body : decode(body, maxBytes);
  const isPlain = body.length >= ENVELOPE_HEAD_BYTES && body[0] === 0;
  if (isPlain && body.readUInt32BE(1) === body.length - ENVELOPE_HEAD_BYTES) return body.subarray(ENVELOPE_HEAD_BYTES);
  const reader = new EnvelopeReader(maxBytes, decode);
  const envelopes = reader.read(body);
  reader.end();
  if (envelopes.length === 1) return reader.messageIn(envelopes[0]!);
  const what = envelopes.length === 0 ? 'missing' : 'received extra';
  throw new ConnectError(`protocol error: ${what} input message for unary method`, Code.Unimplemented);
}

async function streamResponse(call: Call, stream: CallByteStream): Promise<HttpResponse> {
  return responseOf(call, stream(messagesOf(call), call.dialect.format));
}

async function responseOf(call: Call, answer: Promise<Uint8Array>): Promise<HttpResponse> {
  const { dialect, output } = call;
  try {
    const bytes = await answer;
    const isJson = dialect.format === 'json';
    return callAnswer(dialect, isJson ? Buffer.from(toJsonString(output, fromBinary(output, bytes))) : bytes);
  } catch (thrown) {
    return failure(call, thrown);
  }
}

function failure({ exchange, dialect, logger }: Call, thrown: unknown): HttpResponse {
  const error = errorOf(thrown, exchange.path, logger);
  exchange.failure = error.code;
  return callError(dialect, error);
}

/**
 * The messages of a stream. Throws CANCELED when the client leaves, which is no bug to be logged. Other requests have
 * their turn behind every `maxBytes` of messages: some KB may inflate to gigabytes of them.
 */
async function* messagesOf({ exchange, decode, limits: { maxBytes, receiving } }: Call): AsyncIterable<Buffer> {
  const reader = new EnvelopeReader(maxBytes, decode);
  let untilTurn = maxBytes;
  const part = receiving.part((error) => {
    refuse(exchange, error);
    exchange.cutBody();
  });
  try {
    // An iterator that is left early must not destroy the request: its answer goes over the same stream.
    for await (const piece of exchange.body.iterator({ destroyOnReturn: false })) {
      const envelopes = reader.read(piece);
      // Time that the messages take is not the client's.
      if (envelopes.length > 0) part.release();
      for (const envelope of envelopes) {
        const message = reader.messageIn(envelope);
        untilTurn -= message.length;
        if (untilTurn <= 0) {
          await turn();
          untilTurn = maxBytes;
        }
        yield message;
      }
      if (reader.bytes > 0) part.hold(reader.bytes, reader.pieces);
    }
    reader.end();
  } catch (thrown) {
    if (thrown instanceof ConnectError) throw thrown;
    throw new ConnectError('the client has left', Code.Canceled, undefined, undefined, thrown);
  } finally {
    part.release();
  }
}
