import type { ConnectError, createHandlerContext } from '@connectrpc/connect';
import { setTrailerStatus } from '@connectrpc/connect/protocol-grpc';
import type { HttpResponse } from '../exchange/http-message.ts';

export type Context = ReturnType<typeof createHandlerContext>;

/** What gRPC puts before a message: a byte of flags and the length as four bytes. */
export const ENVELOPE_BYTES = 5;

const GRPC_OK = { 'grpc-status': '0' };

export function grpcAnswer(bytes: Uint8Array, context?: Context): HttpResponse {
  const frame = Buffer.allocUnsafe(ENVELOPE_BYTES + bytes.length);
  frame[0] = 0;
  frame.writeUInt32BE(bytes.length, 1);
  frame.set(bytes, ENVELOPE_BYTES);
  const trailers = context ? { ...Object.fromEntries(context.responseTrailer), ...GRPC_OK } : GRPC_OK;
  return { status: 200, headers: grpcHeaders(context), body: frame, trailers };
}

export function grpcError(error: ConnectError, context?: Context): HttpResponse {
  const trailers = setTrailerStatus(new Headers(context?.responseTrailer), error);
  return { status: 200, headers: grpcHeaders(context), body: '', trailers: Object.fromEntries(trailers) };
}

function grpcHeaders(context?: Context): Record<string, string> {
  return { ...(context && Object.fromEntries(context.responseHeader)), 'content-type': 'application/grpc+proto' };
}
