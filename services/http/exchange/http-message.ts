import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';

/** A request that was read to its end. */
export interface HttpRequest {
  method: string;
  /** Segments of the path that the route's pattern names, decoded. */
  parameters: Readonly<Record<string, string>>;
  /** Without the question mark; empty if there is none. */
  query: string;
  headers: IncomingHttpHeaders;
  /** Address of the connection's other end, which may be a proxy; undefined once the connection is closed. */
  peer: string | undefined;
  body: Buffer;
}

/** An answer: whole, unless it has a `stream`. */
export interface HttpResponse {
  status: number;
  headers: Readonly<Record<string, string>>;
  body: string | Uint8Array;
  /**
   * Body instead of `body` where that is too large to be held: sent as it comes, without a length, in answer to GET
   * only. If it fails, the answer is cut. It is destroyed if the caller leaves.
   */
  stream?: Readable;
  /** Sent after the body. */
  trailers?: Readonly<Record<string, string>>;
}

export function json(value: unknown, status = 200, headers?: Readonly<Record<string, string>>): HttpResponse {
  return { status, headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(value) };
}

/** Header with what there is to tell besides an answer. */
export const NOTICE_HEADER = 'clickmesh-notice';

/** What there is to tell besides an answer, now, in one line of ASCII; undefined if there is nothing. */
export type Notice = () => string | undefined;
