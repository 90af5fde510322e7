import type { ConnectError } from '@connectrpc/connect';
import { encodeEnvelope } from '@connectrpc/connect/protocol';
import { contentTypeStreamRegExp, endStreamFlag, endStreamToJson } from '@connectrpc/connect/protocol-connect';
import { contentTypeRegExp as grpcType } from '@connectrpc/connect/protocol-grpc';
import {
  parseContentType as parseGrpcWebType,
  trailerFlag,
  trailerSerialize,
} from '@connectrpc/connect/protocol-grpc-web';
import { connectError } from './connect-answer.ts';
import { toErrorResponse } from './errors.ts';
import type { Exchange } from './exchange.ts';
import { errorTrailers, grpcError } from './grpc-answer.ts';
import type { HttpResponse } from './http-message.ts';

/** The path of an RPC: its service has a package. */
const RPC_PATH = /^\/\w+(?:\.\w+)+\/\w+$/;

/**
 * Answers the request with the error, in the protocol that it speaks, as far as its content type and path tell. May be
 * called before the request was read, whether or not something is served at its path.
 */
export function refuse(exchange: Exchange, error: ConnectError): void {
  exchange.failure = error.code;
  exchange.answer(errorAnswer(exchange, error));
}

function errorAnswer({ path, headers: { 'content-type': type = '' } }: Exchange, error: ConnectError): HttpResponse {
  if (grpcType.test(type)) return grpcError(error);
  // What is in base64, application/grpc-web-text, is not served.
  if (parseGrpcWebType(type)?.text === false) return grpcWebError(type, error);
  if (contentTypeStreamRegExp.test(type)) return connectStreamError(type, error);
  return RPC_PATH.test(path) ? connectError(error) : toErrorResponse(error);
}

function grpcWebError(type: string, error: ConnectError): HttpResponse {
  return lastEnvelope(type, trailerFlag, trailerSerialize(errorTrailers(error)));
}

function connectStreamError(type: string, error: ConnectError): HttpResponse {
  const status = JSON.stringify(endStreamToJson(new Headers(), error, undefined));
  return lastEnvelope(type, endStreamFlag, Buffer.from(status));
}

/** A stream of no messages: the status that it ends with is in its body. */
function lastEnvelope(type: string, flag: number, status: Uint8Array<ArrayBuffer>): HttpResponse {
  return { status: 200, headers: { 'content-type': type }, body: encodeEnvelope(flag, status) };
}
