import { Code, ConnectError } from '@connectrpc/connect';
import type { Logger } from 'pino';
import { CODINGS, decoderOf } from '../exchange/coding.ts';
import { errorOf, HttpError, quoted, toErrorResponse, wrongMethod } from '../exchange/errors.ts';
import { type Exchange, sendResponse } from '../exchange/exchange.ts';
import type { HttpRequest, HttpResponse } from '../exchange/http-message.ts';
import { type BodyLimits, readBody } from '../exchange/read-body.ts';
import { postHint } from './nearest-path.ts';
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
  /** Parameters of the query beside them, each with its values, the first of which is the default. */
  forms?: Readonly<Record<string, { description: string; values: readonly string[] }>>;
  /** Schema of the events in the body, which is one, an array of them, or NDJSON. */
  events?: string;
  /** By status; the body is one of the schemas, in JSON unless it says another type, or text of one of other types. */
  answers: Readonly<Record<number | 'default', Answer>>;
}

interface Answer {
  description: string;
  schemas: readonly string[];
  type?: string;
  texts?: readonly string[];
}

export interface HttpRoute extends RouteDescription {
  /**
   * Gets the body decompressed, and none over the limit. What it throws is answered as the RPCs answer it.
   *
   * @param shutdown aborts when the server is closing: answers without an end watch it and end.
   */
  handle(request: HttpRequest, shutdown?: AbortSignal): Promise<HttpResponse>;
}

const NO_BODY = Buffer.alloc(0);
const NO_PARAMETERS = {};

/** What answers requests to the routes, by path: those that differ in their method only are one. */
export function handlersByPath(
  routes: readonly HttpRoute[],
  limits: BodyLimits,
  logger: Logger,
  shutdown: AbortSignal,
) {
  const byShape = Map.groupBy(routes, ({ path }) => shapeOf(path));
  const posts = [...postPaths(routes)];
  return new Map(
    Array.from(byShape.values(), (atPath) => [atPath[0]!.path, handlerOf(atPath, posts, limits, logger, shutdown)]),
  );
}

/** Paths that take a POST. */
export function postPaths(routes: readonly RouteDescription[]): Set<string> {
  return new Set(routes.filter(({ method }) => method === 'POST').map(({ path }) => path));
}

function handlerOf(
  atPath: readonly HttpRoute[],
  posts: readonly string[],
  limits: BodyLimits,
  logger: Logger,
  shutdown: AbortSignal,
): (exchange: Exchange) => void {
  const answers = new Map(atPath.map((route) => [route.method, answerOf(route, limits.maxBytes, logger, shutdown)]));
  for (const { method, safe } of atPath) if (safe) answers.set('HEAD', answers.get(method)!);
  const allow = [...answers.keys()].join(', ');

  return (exchange) => {
    const answer = answers.get(exchange.method);
    if (answer === undefined) {
      const hint = postHint(exchange.method, exchange.path, posts);
      return exchange.answer(toErrorResponse(wrongMethod(allow, Code.Unimplemented, hint)));
    }
    const respond = (body: Buffer) => sendResponse(exchange, answer(exchange, body), logger);
    if (exchange.method === 'GET' || exchange.method === 'HEAD') respond(NO_BODY);
    else readBody(exchange, limits, respond);
  };
}

function answerOf(route: HttpRoute, maxBytes: number, logger: Logger, shutdown: AbortSignal) {
  const matcher = route.path.includes('{') ? matcherOf(route.path) : undefined;
  return async ({ method, path, query, headers, peer }: Exchange, received: Buffer): Promise<HttpResponse> => {
    try {
      const parameters = matcher === undefined ? NO_PARAMETERS : parametersIn(path, matcher);
      const coding = headers['content-encoding'];
      const body = coding === undefined ? received : decoded(received, coding, maxBytes);
      return await route.handle({ method, parameters, query, headers, peer, body }, shutdown);
    } catch (thrown) {
      return toErrorResponse(errorOf(thrown, route.path, logger));
    }
  };
}

function decoded(body: Buffer, coding: string, maxBytes: number): Buffer {
  const decode = decoderOf(coding);
  if (decode !== undefined) return decode(body, maxBytes);
  const message = `content-encoding ${quoted(coding)} is not taken here: send ${CODINGS.join(', ')} or none`;
  throw new HttpError(415, Code.InvalidArgument, message, { 'accept-encoding': CODINGS.join(', ') });
}

function parametersIn(path: string, matcher: RegExp): HttpRequest['parameters'] {
  const entries = Object.entries(matcher.exec(path)!.groups!);
  try {
    return Object.fromEntries(entries.map(([name, value]) => [name, decodeURIComponent(value)]));
  } catch {
    throw new ConnectError('the path has a % that begins no character', Code.InvalidArgument);
  }
}
