import { type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { Code } from '@connectrpc/connect';
import { HttpError, toErrorResponse } from '../exchange/errors.ts';

/** What Node's parser makes of a request that it can't read. */
interface ClientError extends Error {
  code?: string;
  reason?: string;
}

/** What Node knows of a connection: the answer that is not written yet, and the request whose rest is on its way. */
interface Connection extends Duplex {
  _httpMessage?: ServerResponse | null;
  parser?: { incoming: unknown } | null;
}

const BAD_URL = 'the URL holds a character that must be percent-encoded, such as %C3%A9 for é';
const REASONS: Readonly<Record<string, [status: number, message: string]>> = {
  HPE_HEADER_OVERFLOW: [431, 'the headers are too large'],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'the request did not come whole in time'],
  HPE_INVALID_URL: [400, BAD_URL],
  HPE_INVALID_EOF_STATE: [400, 'the connection ended before the request did'],
};

/** Answers over HTTP/1.1, in JSON, a request that Node could not read, and ends the connection. */
export function answerClientError(error: ClientError, socket: Duplex): void {
  // The answer to a request before it may be under way.
  const { _httpMessage: before, parser } = socket as Connection;
  // One that was refused before it came whole has its answer: another would be taken for that of the next.
  const isAnswered = error.code === 'ERR_HTTP_REQUEST_TIMEOUT' && !before && parser?.incoming;
  if (!socket.writable || before?.headersSent || isAnswered) {
    socket.destroy();
    return;
  }
  const unreadable = `the request is not HTTP/1.1: ${error.reason ?? error.message}`;
  const [status, message] = REASONS[error.code ?? ''] ?? [400, unreadable];
  const { headers, body } = toErrorResponse(new HttpError(status, Code.InvalidArgument, message));
  const head = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\ncontent-type: ${headers['content-type']}\r\n`;
  socket.end(`${head}content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`);
}
