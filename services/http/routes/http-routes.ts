import type { Logger } from 'pino';
import { errorOf, errorResponse, toErrorResponse } from '../exchange/errors.ts';
import { type Exchange, readBody, sendResponse } from '../exchange/exchange.ts';
import type { HttpRequest, HttpResponse } from '../exchange/http-message.ts';

/** A plain HTTP endpoint. */
export interface HttpRoute {
  method: string;
  /** Matched exactly, without the query. */
  path: string;
  /** Gets no body over the limit. What it throws is answered as the RPCs answer it. */
  handle(request: HttpRequest): Promise<HttpResponse>;
}

/** Answers requests to the routes' paths and says whether the request was one. */
export type HttpRouter = (exchange: Exchange) => boolean;

const NO_BODY = Buffer.alloc(0);

export function httpRouter(routes: readonly HttpRoute[], maxBytes: number, logger: Logger): HttpRouter {
  const tooLarge = errorResponse(413, 'resource_exhausted', `the body is larger than ${maxBytes} bytes`);
  const byPath = Map.groupBy(routes, (route) => route.path);
  return (exchange) => {
    const atPath = byPath.get(exchange.path);
    if (atPath === undefined) return false;
    const method = exchange.method === 'HEAD' ? 'GET' : exchange.method;
    const route = atPath.find((candidate) => candidate.method === method);
    const respond = (body: Buffer) => {
      if (body.length > maxBytes) exchange.answer(tooLarge);
      else sendResponse(exchange, responseOf(route!, exchange, body, logger), logger);
    };
    if (route === undefined) exchange.answer(methodNotAllowed(atPath));
    else if (method === 'GET') respond(NO_BODY);
    else if (Number(exchange.headers['content-length']) > maxBytes) exchange.answer(tooLarge);
    else readBody(exchange, maxBytes, respond);
    return true;
  };
}

async function responseOf(
  route: HttpRoute,
  { query, headers }: Exchange,
  body: Buffer,
  logger: Logger,
): Promise<HttpResponse> {
  try {
    return await route.handle({ query, headers, body });
  } catch (thrown) {
    return toErrorResponse(errorOf(thrown, route.path, logger));
  }
}

function methodNotAllowed(atPath: readonly HttpRoute[]): HttpResponse {
  const allow = atPath.map((route) => route.method).join(', ');
  return errorResponse(405, 'unimplemented', `use ${allow}`, { allow });
}
