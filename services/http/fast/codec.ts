import type { IncomingHttpHeaders } from 'node:http';
import { parseTimeout as connectTimeout } from '@connectrpc/connect/protocol-connect';
import { parseTimeout as grpcTimeout } from '@connectrpc/connect/protocol-grpc';
import type { Exchange } from '../exchange/exchange.ts';

/** Most that a call may ask for. */
export interface CallLimits {
  /** Bytes of one message, after decompression. */
  maxBytes: number;
  maxTimeoutMs: number;
}

/** Format of a plain call, named by the content type of its answer. */
export type Codec = 'application/json' | 'application/proto' | 'application/grpc+proto';

/** Format of a plain call; undefined for any other request. */
export function codecOf({ method, headers, version }: Exchange): Codec | undefined {
  if (method !== 'POST' || mayBeCompressed(headers)) return undefined;
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

function mayBeCompressed(headers: IncomingHttpHeaders): boolean {
  return 'content-encoding' in headers || 'grpc-encoding' in headers || 'connect-content-encoding' in headers;
}

/** The deadline that a call asks for in ms, if it does, or the error in how it asks. */
export function timeoutOf(headers: IncomingHttpHeaders, codec: Codec, maxMs: number): ReturnType<typeof grpcTimeout> {
  const text = headers[isGrpc(codec) ? 'grpc-timeout' : 'connect-timeout-ms'];
  if (text === undefined) return {};
  return isGrpc(codec) ? grpcTimeout(String(text), maxMs) : connectTimeout(String(text), maxMs);
}

export function isGrpc(codec: Codec): boolean {
  return codec === 'application/grpc+proto';
}
