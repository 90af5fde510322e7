import type { ConnectError } from '@connectrpc/connect';
import { endStreamFlag, endStreamToJson, errorToJsonBytes } from '@connectrpc/connect/protocol-connect';
import { setTrailerStatus } from '@connectrpc/connect/protocol-grpc';
import { trailerFlag, trailerSerialize } from '@connectrpc/connect/protocol-grpc-web';
import { statusOf } from './errors.ts';
import type { HttpResponse } from './http-message.ts';
import type { Dialect } from './protocol.ts';

/** Bytes before a message of gRPC, gRPC-Web or a Connect stream: one of flags, and four of the message's length. */
export const ENVELOPE_HEAD_BYTES = 5;

const GRPC_OK = { 'grpc-status': '0' };
const GRPC_WEB_OK = envelope(trailerFlag, Buffer.from('grpc-status: 0\r\n'));
const CONNECT_STREAM_OK = envelope(endStreamFlag, Buffer.from('{}'));

/** The answer to a call that succeeded, of one message. */
export function callAnswer({ protocol, headers }: Dialect, message: Uint8Array): HttpResponse {
  switch (protocol) {
    case 'connect':
      return { status: 200, headers, body: message };
    case 'grpc':
      return { status: 200, headers, body: envelope(0, message), trailers: GRPC_OK };
    case 'grpc-web':
      return { status: 200, headers, body: Buffer.concat([envelope(0, message), GRPC_WEB_OK]) };
    case 'connect-stream':
      return { status: 200, headers, body: Buffer.concat([envelope(0, message), CONNECT_STREAM_OK]) };
  }
}

/** The answer to a call that failed, without a message. */
export function callError({ protocol, headers }: Dialect, error: ConnectError): HttpResponse {
  switch (protocol) {
    case 'connect':
      return connectError(error);
    case 'grpc':
      // Trailers-Only, in gRPC's words: the status is in the headers.
      return { status: 200, headers: { ...Object.fromEntries(errorTrailers(error)), ...headers }, body: '' };
    case 'grpc-web':
      return { status: 200, headers, body: envelope(trailerFlag, trailerSerialize(errorTrailers(error))) };
    case 'connect-stream': {
      const status = JSON.stringify(endStreamToJson(new Headers(), error, undefined));
      return { status: 200, headers, body: envelope(endStreamFlag, Buffer.from(status)) };
    }
  }
}

/** The error of a unary call of Connect: always JSON. */
export function connectError(error: ConnectError, contentType = 'application/json'): HttpResponse {
  const headers = { ...Object.fromEntries(error.metadata), 'content-type': contentType };
  return { status: statusOf(error), headers, body: errorToJsonBytes(error, undefined) };
}

/** Trailers of a failed call. Commas and colons of the message are not encoded: grpc-js would not decode them. */
function errorTrailers(error: ConnectError): Headers {
  const trailers = setTrailerStatus(new Headers(), error);
  trailers.set('grpc-message', encodeURI(error.rawMessage));
  return trailers;
}

function envelope(flags: number, data: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(ENVELOPE_HEAD_BYTES + data.length);
  bytes[0] = flags;
  bytes.writeUInt32BE(data.length, 1);
  bytes.set(data, ENVELOPE_HEAD_BYTES);
  return bytes;
}
