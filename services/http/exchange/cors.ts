import type { IncomingHttpHeaders } from 'node:http';
import { cors } from '@connectrpc/connect';
import { type HttpResponse, NOTICE_HEADER } from './http-message.ts';

/** How long a browser may remember a preflight's answer, in s; Chromium's own upper bound. */
const MAX_AGE = '7200';

type Headers = Readonly<Record<string, string>>;

/** What of a request decides about the headers for pages of other origins. */
interface CorsRequest {
  headers: IncomingHttpHeaders;
  /** Whether a page's credentials may come with it. */
  credentials: boolean;
}

const NONE: Headers = {};

/** Headers of every answer to a page of another origin: any may call. */
const ANY_ORIGIN: Headers = {
  'access-control-allow-origin': '*',
  'access-control-expose-headers': [...cors.exposedHeaders, 'retry-after', NOTICE_HEADER].join(', '),
};

/** Headers that pages may send, if the browser's question names none. */
const ALLOWED_HEADERS = [...cors.allowedHeaders, 'Authorization', 'traceparent', 'tracestate', 'baggage'].join(', ');

/**
 * Headers that the answer needs besides its own. Beacons come with the cookies of the page's user, which mean nothing
 * here but must be allowed. Answers that tell something don't allow them: a proxy that knows its users by cookies would
 * let any page read what they may.
 */
export function corsHeaders({ headers: { origin }, credentials }: CorsRequest): Headers {
  if (origin === undefined) return NONE;
  if (!credentials) return ANY_ORIGIN;
  const own = { 'access-control-allow-origin': origin, 'access-control-allow-credentials': 'true', vary: 'origin' };
  return { ...ANY_ORIGIN, ...own };
}

/**
 * The answer to a browser's question whether a page may call, besides `corsHeaders`. Pages may send any header, such as
 * those of their tracing: none changes what is done here.
 */
export function preflight(headers: IncomingHttpHeaders): HttpResponse {
  const answer = {
    'access-control-allow-methods': cors.allowedMethods.join(', '),
    'access-control-allow-headers': headers['access-control-request-headers'] ?? ALLOWED_HEADERS,
    'access-control-max-age': MAX_AGE,
    vary: 'origin, access-control-request-headers',
  };
  return { status: 204, headers: answer, body: '' };
}
