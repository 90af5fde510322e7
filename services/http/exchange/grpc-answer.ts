import type { ConnectError, createHandlerContext } from '@connectrpc/connect';
import { setTrailerStatus } from '@connectrpc/connect/protocol-grpc';
import type { HttpResponse } from './http-message.ts';

export type Context = ReturnType<typeof createHandlerContext>;

/** Bytes before a gRPC message: one of flags, and four of the message's length. */
export const ENVELOPE_BYTES = 5;

const GRPC_TYPE = { 'content-type': 'application/grpc+proto' };
const GRPC_OK = { 'grpc-status': '0' };

export function grpcAnswer(bytes: Uint8Array, context?: Context): HttpResponse {
  const frame = Buffer.allocUnsafe(ENVELOPE_BYTES + bytes.length);
  frame[0] = 0;
  frame.writeUInt32BE(bytes.length, 1);
  frame.set(bytes, ENVELOPE_BYTES);
  const trailers = context ? { ...Object.fromEntries(context.responseTrailer), ...GRPC_OK } : GRPC_OK;
  return { status: 200, headers: grpcHeaders(context), body: frame, trailers };
}

/** The answer to a failed call. Without a context it is, in gRPC's words, Trailers-Only: its status is in a header. */
export function grpcError(error: ConnectError, context?: Context): HttpResponse {
  const trailers = Object.fromEntries(errorTrailers(error, context?.responseTrailer));
  if (context === undefined) return { status: 200, headers: { ...trailers, ...GRPC_TYPE }, body: '' };
  return { status: 200, headers: grpcHeaders(context), body: '', trailers };
}

/** Trailers of a failed call. Commas and colons of the message are not encoded: grpc-js would not decode them. */
export function errorTrailers(error: ConnectError, metadata?: Headers): Headers {
  const trailers = setTrailerStatus(new Headers(metadata), error);
  trailers.set('grpc-message', encodeURI(error.rawMessage));
  return trailers;
}

function grpcHeaders(context?: Context): Record<string, string> {
  return { ...(context && Object.fromEntries(context.responseHeader)), ...GRPC_TYPE };
}
