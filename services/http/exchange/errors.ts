import { Code, ConnectError, createContextKey, type Interceptor } from '@connectrpc/connect';
import { codeToHttpStatus, codeToString } from '@connectrpc/connect/protocol-connect';
import type { Logger } from 'pino';
import { LogFull, LogUnavailable } from '../../log/event-log.ts';
import type { Exchange } from './exchange.ts';
import { type HttpResponse, json } from './http-message.ts';

/** Retry-After in seconds: a full log drains within one, an outage lasts longer. */
const RETRY_AFTER_FULL = '1';
const RETRY_AFTER_OUTAGE = '5';

/**
 * Maps what a handler threw to the error that its caller gets. What is not a known outcome is a bug: it becomes
 * `internal` without its message, and keeps the original as `cause` for the log.
 */
function toConnectError(thrown: unknown): ConnectError {
  if (thrown instanceof ConnectError) return thrown;
  if (thrown instanceof LogUnavailable) {
    return new ConnectError('the log is unavailable', Code.Unavailable, { 'retry-after': RETRY_AFTER_OUTAGE });
  }
  if (thrown instanceof LogFull) {
    const message = 'too many events are in flight';
    return new ConnectError(message, Code.ResourceExhausted, { 'retry-after': RETRY_AFTER_FULL });
  }
  return new ConnectError('internal error', Code.Internal, undefined, undefined, thrown);
}

/** Maps what a handler threw, and logs it if the caller is told no more than "internal error". */
export function errorOf(thrown: unknown, call: string, logger: Logger): ConnectError {
  const error = toConnectError(thrown);
  if (error.code === Code.Internal) logger.error({ err: error.cause ?? error, call }, 'call failed');
  return error;
}

/** The error over plain HTTP: `{"error":{"code","message"}}`, with its metadata, such as Retry-After, as headers. */
export function toErrorResponse({ code, rawMessage, metadata }: ConnectError): HttpResponse {
  return errorResponse(codeToHttpStatus(code), codeToString(code), rawMessage, Object.fromEntries(metadata));
}

/** An error over plain HTTP, with a status that need not be the code's, such as 415. */
export function errorResponse(
  status: number,
  code: string,
  message: string,
  headers?: Readonly<Record<string, string>>,
): HttpResponse {
  return json({ error: { code, message } }, status, headers);
}

/** Key of the exchange among the context values of a call on the long way. */
export const EXCHANGE = createContextKey<Exchange | undefined>(undefined);

/** Maps what handlers throw, logs the bugs, and notes the error in the exchange. Only calls on the long way pass it. */
export function errorInterceptor(logger: Logger): Interceptor {
  return (next) => async (request) => {
    const rpc = `${request.service.typeName}/${request.method.name}`;
    const fail = (thrown: unknown): never => {
      const error = errorOf(thrown, rpc, logger);
      const exchange = request.contextValues.get(EXCHANGE);
      if (exchange !== undefined) exchange.failure = error.code;
      throw error;
    };
    const response = await next(request).catch(fail);
    if (!response.stream) return response;
    return { ...response, message: mapErrors(response.message, fail) };
  };
}

async function* mapErrors<T>(messages: AsyncIterable<T>, fail: (thrown: unknown) => never): AsyncIterable<T> {
  try {
    yield* messages;
  } catch (thrown) {
    fail(thrown);
  }
}
