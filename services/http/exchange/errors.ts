import { Code, ConnectError, createContextKey, type Interceptor } from '@connectrpc/connect';
import { codeToHttpStatus, codeToString } from '@connectrpc/connect/protocol-connect';
import type { Logger } from 'pino';
import { LogFull, LogUnavailable } from '../../log/event-log.ts';
import type { Exchange } from './exchange.ts';
import { type HttpResponse, json } from './http-message.ts';

/** Seconds after which a refused caller should try again: a full log drains within one, an outage lasts longer. */
const RETRY_AFTER_FULL = '1';
const RETRY_AFTER_OUTAGE = '5';

/**
 * The error that an RPC answers for whatever a handler threw. What is not a known outcome is a bug: it becomes
 * `internal` without its message, and keeps the original as `cause` for the log.
 */
export function toConnectError(thrown: unknown): ConnectError {
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

/** The same over plain HTTP: `{"error":{"code","message"}}`, with Retry-After where trying again makes sense. */
export function toErrorResponse(thrown: unknown): HttpResponse {
  const { code, rawMessage, metadata } = toConnectError(thrown);
  return errorResponse(codeToHttpStatus(code), codeToString(code), rawMessage, Object.fromEntries(metadata));
}

/** An error over plain HTTP with a status that no RPC code stands for, such as 415. */
export function errorResponse(
  status: number,
  code: string,
  message: string,
  headers?: Readonly<Record<string, string>>,
): HttpResponse {
  return json({ error: { code, message } }, status, headers);
}

/** The request that a call came with. */
export const EXCHANGE = createContextKey<Exchange | undefined>(undefined);

/** Maps what handlers throw, and logs the bugs. */
export function errorInterceptor(logger: Logger): Interceptor {
  return (next) => async (request) => {
    const rpc = `${request.service.typeName}/${request.method.name}`;
    const fail = (thrown: unknown): never => {
      const error = toConnectError(thrown);
      logIfBug(logger, rpc, error);
      const exchange = request.contextValues.get(EXCHANGE);
      if (exchange !== undefined) exchange.failure = error.code;
      throw error;
    };
    const response = await next(request).catch(fail);
    if (!response.stream) return response;
    return { ...response, message: mapErrors(response.message, fail) };
  };
}

/** Logs an error that the caller was told only as "internal error". */
export function logIfBug(logger: Logger, call: string, error: ConnectError): void {
  if (error.code === Code.Internal) logger.error({ err: error.cause ?? error, call }, 'call failed');
}

async function* mapErrors<T>(messages: AsyncIterable<T>, fail: (thrown: unknown) => never): AsyncIterable<T> {
  try {
    yield* messages;
  } catch (thrown) {
    fail(thrown);
  }
}
