import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import { pipeline } from 'node:stream/promises';
import type { Logger } from 'pino';
import { MAX_REQUEST_BYTES } from '../limits.ts';
import { BodyTooLarge, errorResponse, logIfBug, toConnectError, toErrorResponse } from './errors.ts';

export type NodeRequest = IncomingMessage | Http2ServerRequest;
export type NodeResponse = ServerResponse | Http2ServerResponse;

/** A plain HTTP endpoint. */
export interface HttpRoute {
  method: string;
  /** Matched exactly, without the query. */
  path: string;
  /** The body was read up to MAX_REQUEST_BYTES before. What it throws is answered as the RPCs answer it. */
  handle(request: Request): Promise<Response>;
}

/** Answers requests to the routes' paths and says whether the request was one. */
export type HttpRouter = (req: NodeRequest, res: NodeResponse) => boolean;

export function httpRouter(routes: readonly HttpRoute[], logger: Logger): HttpRouter {
  const byPath = Map.groupBy(routes, (route) => route.path);
  return (req, res) => {
    const atPath = byPath.get(pathOf(req));
    if (atPath === undefined) return false;
    const method = req.method === 'HEAD' ? 'GET' : req.method;
    const route = atPath.find((candidate) => candidate.method === method);
    const answered = route === undefined ? send(res, methodNotAllowed(atPath)) : answer(route, req, res, logger);
    answered.catch((err) => {
      logger.debug({ err, path: route?.path }, 'the client left before its answer');
      res.destroy();
    });
    return true;
  };
}

/** Sends a Response as it is produced; rejects if the connection breaks first. */
export async function send(res: NodeResponse, response: Response): Promise<void> {
  for (const [name, value] of response.headers) res.setHeader(name, value);
  res.statusCode = response.status;
  if (response.body === null) res.end();
  else await pipeline(response.body, res);
}

export function pathOf(req: NodeRequest): string {
  const url = req.url ?? '';
  const query = url.indexOf('?');
  return query === -1 ? url : url.slice(0, query);
}

async function answer(route: HttpRoute, req: NodeRequest, res: NodeResponse, logger: Logger): Promise<void> {
  let response: Response;
  try {
    response = await route.handle(await toRequest(req));
  } catch (thrown) {
    logIfBug(logger, route.path, toConnectError(thrown));
    response = toErrorResponse(thrown);
  }
  await send(res, response);
}

async function toRequest(req: NodeRequest): Promise<Request> {
  const hasBody = req.method !== 'GET' && req.method !== 'HEAD';
  const headers = new Headers();
  for (const [name, value] of Object.entries(req.headers)) {
    if (value !== undefined && !name.startsWith(':')) headers.set(name, String(value));
  }
  // Routes look at path and query only, so the authority, which a client may garble, is left out.
  const url = new URL(`http://localhost${req.url}`);
  return new Request(url, { method: req.method, headers, body: hasBody ? await readBody(req) : null });
}

async function readBody(req: NodeRequest): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  if (Number(req.headers['content-length']) > MAX_REQUEST_BYTES) throw tooLarge();
  // The iterator must not destroy the request when it is left early: its answer goes over the same connection.
  for await (const chunk of req.iterator({ destroyOnReturn: false })) {
    bytes += chunk.length;
    if (bytes > MAX_REQUEST_BYTES) throw tooLarge();
    chunks.push(chunk);
  }
  return new Uint8Array(Buffer.concat(chunks));
}

function tooLarge(): BodyTooLarge {
  return new BodyTooLarge(`the body is larger than ${MAX_REQUEST_BYTES} bytes`);
}

function methodNotAllowed(atPath: readonly HttpRoute[]): Response {
  const allow = atPath.map((route) => route.method).join(', ');
  return errorResponse(405, 'unimplemented', `use ${allow}`, { allow });
}
