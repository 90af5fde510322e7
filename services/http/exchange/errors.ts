import { Code, ConnectError, createContextKey, type Interceptor } from '@connectrpc/connect';
import { codeToHttpStatus, codeToString } from '@connectrpc/connect/protocol-connect';
import type { Logger } from 'pino';
import { cut } from '../../contract/cut.ts';
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

/** An error with an HTTP status that says more than its code's. Protocols without such a status tell the code. */
export class HttpError extends ConnectError {
  readonly status: number;

  constructor(status: number, code: Code, message: string, metadata?: Readonly<Record<string, string>>) {
    super(message, code, metadata);
    this.status = status;
  }
}

/** ConnectError tells its instances by their shape, and so would its subclass. */
export function statusOf(error: ConnectError): number {
  return 'status' in error ? (error as HttpError).status : codeToHttpStatus(error.code);
}

/** Not RESOURCE_EXHAUSTED, which says to send the same again later. */
export function tooLarge(maxBytes: number): HttpError {
  return new HttpError(413, Code.InvalidArgument, `more than ${maxBytes} bytes came: send fewer events at once`);
}

/**
 * The error of a method that is not among these. Of an RPC it is UNKNOWN, as Connect reads the status.
 *
 * @param hint what else to say, with the punctuation before it
 */
export function wrongMethod(allow: string, code: Code, hint = ''): HttpError {
  return new HttpError(405, code, `use ${allow}${hint}`, { allow });
}

/** The error of a content type that is not taken. Of an RPC it is UNKNOWN, as its protocol is not known either. */
export function wrongType(type: string | undefined, expected: readonly string[], code: Code): HttpError {
  const came = type ? `content-type ${quoted(type)} is not taken here` : 'the content-type header is missing';
  const how = expected.includes('application/json') ? " (curl: -H 'content-type: application/json')" : '';
  return new HttpError(415, code, `${came}: send ${ANY_OF.format(expected)}${how}`);
}

const ANY_OF = new Intl.ListFormat('en', { type: 'disjunction' });

/** What came, in quotes, cut where it is long. */
export function quoted(text: string): string {
  return JSON.stringify(cut(text));
}

/** The error over plain HTTP: `{"error":{"code","message"}}`, with its metadata, such as Retry-After, as headers. */
export function toErrorResponse(error: ConnectError): HttpResponse {
  const { code, rawMessage: message, metadata } = error;
  return json({ error: { code: codeToString(code), message } }, statusOf(error), Object.fromEntries(metadata));
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
