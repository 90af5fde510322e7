import { createHash } from 'node:crypto';
import { globSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import type { HttpRequest, HttpResponse } from '../http/exchange/http-message.ts';
import type { HttpRoute } from '../http/routes/http-routes.ts';

const DIST = join(import.meta.dirname, 'dist');

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
};

/** Codings of built files, the smallest first, by what they add to the name. */
const CODINGS: readonly [coding: string, extension: string][] = [
  ['br', '.br'],
  ['gzip', '.gz'],
];

/** Nothing is loaded from elsewhere or framed, and no text becomes code. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const HEADERS = {
  'content-security-policy': POLICY,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  vary: 'accept-encoding',
};

const NOT_BUILT = {
  status: 404,
  headers: { 'content-type': 'text/plain; charset=utf-8' },
  body: 'The dashboard is not built: `npm run build` in the folder of clickmesh does it.\n',
};

/** The dashboard, at / and below /assets: what `npm run build` made of page/. @param folder where that is */
export function dashboardHttp(folder = DIST): HttpRoute[] {
  const files = globSync('{index.html,assets/*.{js,css}}', { cwd: folder });
  if (files.length === 0) return [route('/', async () => NOT_BUILT)];
  return files.map((name) => {
    const answer = fileAnswer(folder, name);
    return route(name === 'index.html' ? '/' : `/${name}`, async ({ headers }) => answer(headers));
  });
}

function route(path: string, handle: HttpRoute['handle']): HttpRoute {
  return { method: 'GET', path, summary: 'The dashboard.', safe: true, handle };
}

/** What answers requests for a file. Names of assets have a digest of what is in them: they never change. */
function fileAnswer(folder: string, name: string): (headers: HttpRequest['headers']) => HttpResponse {
  const path = join(folder, name);
  const body = readFileSync(path);
  const digest = createHash('sha256').update(body).digest('base64url').slice(0, 22);
  const cached = name === 'index.html' ? 'no-cache' : 'public, max-age=31536000, immutable';
  const headers = { ...HEADERS, 'content-type': TYPES[extname(name)]!, 'cache-control': cached };
  const variants = CODINGS.map(([coding, extension]) => {
    const own = { ...headers, 'content-encoding': coding, etag: `"${digest}-${coding}"` };
    return { coding, whole: { status: 200, headers: own, body: readFileSync(path + extension) } };
  });
  const plain = { status: 200, headers: { ...headers, etag: `"${digest}"` }, body };
  return (asked) => {
    const accepted = acceptedCodings(asked['accept-encoding']);
    const whole = variants.find(({ coding }) => accepted.has(coding))?.whole ?? plain;
    const known = asked['if-none-match']
      ?.split(',')
      .some((tag) => tag.trim().replace(/^W\//, '') === whole.headers.etag);
    return known ? { ...whole, status: 304, body: '' } : whole;
  };
}

/** Codings that a request takes: those it names but for q=0. */
function acceptedCodings(header: string | string[] = ''): Set<string> {
  const named = String(header).toLowerCase().split(',');
  return new Set(named.filter((one) => !/;\s*q=0(\.0*)?\s*$/.test(one)).map((one) => one.replace(/;.*/, '').trim()));
}
