import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';

/** A request that was read to its end. */
export interface HttpRequest {
  /** What follows the path, without the question mark; empty if nothing does. */
  query: string;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

/** A whole answer, but for `stream`. */
export interface HttpResponse {
  status: number;
  headers: Readonly<Record<string, string>>;
  body: string | Uint8Array;
  /**
   * The body instead, where it is too large to be held: sent as it comes, in answer to GET only. If it fails, the answer
   * is cut, and its length was not told. Destroyed if the caller leaves.
   */
  stream?: Readable;
  /** Sent after the body, over HTTP/2 only. */
  trailers?: Readonly<Record<string, string>>;
}

export function json(value: unknown, status = 200, headers?: Readonly<Record<string, string>>): HttpResponse {
  return { status, headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(value) };
}
