import type { IncomingHttpHeaders } from 'node:http';
import { cors } from '@connectrpc/connect';

/** How long a browser may remember a preflight's answer, in s; Chromium's own upper bound. */
const MAX_AGE = '7200';

type Headers = Readonly<Record<string, string>>;

const NONE: Headers = {};

/** Headers of every answer to a page of another origin. No cookies are involved, so any origin may call. */
const CORS_HEADERS: Headers = {
  'access-control-allow-origin': '*',
  'access-control-expose-headers': [...cors.exposedHeaders, 'retry-after'].join(', '),
};

/** The answer to a browser's question whether it may call. */
export const PREFLIGHT_HEADERS: Headers = {
  ...CORS_HEADERS,
  'access-control-allow-methods': cors.allowedMethods.join(', '),
  'access-control-allow-headers': [...cors.allowedHeaders, 'Authorization'].join(', '),
  'access-control-max-age': MAX_AGE,
};

/** Headers that the answer to a request with these headers needs besides its own. */
export function corsHeaders({ origin }: IncomingHttpHeaders): Headers {
  return origin === undefined ? NONE : CORS_HEADERS;
}
