import { cors } from '@connectrpc/connect';

/** How long a browser may remember a preflight's answer, in s; Chromium's own upper bound. */
const MAX_AGE = '7200';

/** On every answer to a page of another origin. No cookies are involved, so any origin may call. */
export const CORS_HEADERS: Readonly<Record<string, string>> = {
  'access-control-allow-origin': '*',
  'access-control-expose-headers': [...cors.exposedHeaders, 'retry-after'].join(', '),
};

/** The answer to a browser's question whether it may call. */
export const PREFLIGHT_HEADERS: Readonly<Record<string, string>> = {
  ...CORS_HEADERS,
  'access-control-allow-methods': cors.allowedMethods.join(', '),
  'access-control-allow-headers': cors.allowedHeaders.join(', '),
  'access-control-max-age': MAX_AGE,
};
