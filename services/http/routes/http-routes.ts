import { Code, ConnectError } from '@connectrpc/connect';
import type { Logger } from 'pino';
import { errorOf, errorResponse, toErrorResponse } from '../exchange/errors.ts';
import { type Exchange, readBody, sendResponse } from '../exchange/exchange.ts';
import type { HttpRequest, HttpResponse } from '../exchange/http-message.ts';
import { matcherOf, shapeOf } from './path-table.ts';

/** A plain HTTP endpoint, as far as it is served, measured and documented; without the code that answers. */
export interface RouteDescription {
  method: string;
  /** Matched exactly and without the query, but for parameters, as in /c/{ad_id}. */
  path: string;
  /** One line for readers of the API. */
  summary: string;
  /** Says of a GET that it changes nothing, so that HEAD may be answered like it. */
  safe?: boolean;
  /** Puts the route into the OpenAPI document; routes for operators have none. */
  openapi?: Operation;
}

/** What the OpenAPI document says of a route besides its summary and the parameters of its path. Schemas go by name. */
export interface Operation {
  operationId: string;
  /** Message of the contract whose fields are the parameters of the query. */
  query?: string;
  /** Schema of the events in the body, which is one, an array of them, or NDJSON. */
  events?: string;
  /** By status; the body is one of the schemas. */
  answers: Readonly<Record<number | 'default', { description: string; schemas: readonly string[] }>>;
}

export interface HttpRoute extends RouteDescription {
  /** Gets no body over the limit. What it throws is answered as the RPCs answer it. */
  handle(request: HttpRequest): Promise<HttpResponse>;
}

interface Limits {
  maxBytes: number;
  logger: Logger;
}

const NO_BODY = Buffer.alloc(0);
const NO_PARAMETERS = {};

/** What answers requests to the routes, by path: those that differ in their method only are one. */
export function handlersByPath(routes: readonly HttpRoute[], limits: Limits) {
  const byShape = Map.groupBy(routes, ({ path }) => shapeOf(path));
  return new Map(Array.from(byShape.values(), (atPath) => [atPath[0]!.path, handlerOf(atPath, limits)]));
}

function handlerOf(atPath: readonly HttpRoute[], { maxBytes, logger }: Limits): (exchange: Exchange) => void {
  const tooLarge = errorResponse(413, 'resource_exhausted', `the body is larger than ${maxBytes} bytes`);
  const answers = new Map(atPath.map((route) => [route.method, answerOf(route, logger)]));
  for (const { method, safe } of atPath) if (safe) answers.set('HEAD', answers.get(method)!);
  const allow = [...answers.keys()].join(', ');
  const notAllowed = errorResponse(405, 'unimplemented', `use ${allow}`, { allow });

  return (exchange) => {
    const answer = answers.get(exchange.method);
    if (answer === undefined) return exchange.answer(notAllowed);
    const respond = (body: Buffer) => {
      if (body.length > maxBytes) exchange.answer(tooLarge);
      else sendResponse(exchange, answer(exchange, body), logger);
    };
    if (exchange.method === 'GET' || exchange.method === 'HEAD') respond(NO_BODY);
    else if (Number(exchange.headers['content-length']) > maxBytes) exchange.answer(tooLarge);
    else readBody(exchange, maxBytes, respond);
  };
}

function answerOf(route: HttpRoute, logger: Logger) {
  const matcher = route.path.includes('{') ? matcherOf(route.path) : undefined;
  return async ({ method, path, query, headers, peer }: Exchange, body: Buffer): Promise<HttpResponse> => {
    try {
      const parameters = matcher === undefined ? NO_PARAMETERS : parametersIn(path, matcher);
      return await route.handle({ method, parameters, query, headers, peer, body });
    } catch (thrown) {
      return toErrorResponse(errorOf(thrown, route.path, logger));
    }
  };
}

function parametersIn(path: string, matcher: RegExp): HttpRequest['parameters'] {
  const entries = Object.entries(matcher.exec(path)!.groups!);
  try {
    return Object.fromEntries(entries.map(([name, value]) => [name, decodeURIComponent(value)]));
  } catch {
    throw new ConnectError('the path has a % that begins no character', Code.InvalidArgument);
  }
}
