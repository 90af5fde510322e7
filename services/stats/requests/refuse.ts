import { Code, ConnectError } from '@connectrpc/connect';
import { type HttpResponse, json } from '../../http/exchange/http-message.ts';
import type { FieldError } from './field-error.ts';

/** REST's answer to a field that can't be answered. */
export function badRequest(error: FieldError): HttpResponse {
  return json({ error: { code: 'invalid_argument', ...error } }, 400);
}

/** Throws INVALID_ARGUMENT for a field that can't be answered; its message begins with the field's name. */
export function valid<T>(result: T | FieldError): T {
  if (isFault(result)) throw new ConnectError(result.message, Code.InvalidArgument);
  return result;
}

/** Whether a field can't be answered: no answer and no query has a field of that name. */
export function isFault<T>(result: T | FieldError): result is FieldError {
  return typeof result === 'object' && result !== null && 'field' in result;
}
