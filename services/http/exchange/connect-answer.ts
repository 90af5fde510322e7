import type { JsonWriteOptions } from '@bufbuild/protobuf';
import type { ConnectError } from '@connectrpc/connect';
import { codeToHttpStatus, errorToJsonBytes, trailerMux } from '@connectrpc/connect/protocol-connect';
import type { Context } from './grpc-answer.ts';
import type { HttpResponse } from './http-message.ts';

export function connectAnswer(contentType: string, body: string | Uint8Array, context?: Context): HttpResponse {
  return { status: 200, headers: { ...metadataOf(context), 'content-type': contentType }, body };
}

/** The error of a unary call. */
export function connectError(
  error: ConnectError,
  context?: Context,
  jsonOptions?: Partial<JsonWriteOptions>,
): HttpResponse {
  const metadata = { ...metadataOf(context), ...Object.fromEntries(error.metadata) };
  const headers = { ...metadata, 'content-type': 'application/json' };
  return { status: codeToHttpStatus(error.code), headers, body: errorToJsonBytes(error, jsonOptions) };
}

function metadataOf(context?: Context): Record<string, string> | undefined {
  return context && Object.fromEntries(trailerMux(context.responseHeader, context.responseTrailer));
}
