import type { ConnectError } from '@connectrpc/connect';
import { callError, connectError } from './answer.ts';
import { toErrorResponse } from './errors.ts';
import type { Exchange } from './exchange.ts';
import { dialectOf } from './protocol.ts';

/** The path of an RPC: its service has a package. */
const RPC_PATH = /^\/\w+(?:\.\w+)+\/\w+$/;

/** Type of errors for clients that may be of another protocol, by which Connect's know them, too. */
const UNKNOWN_CLIENT = 'application/json; charset=utf-8';

/**
 * Answers the request with the error, in the protocol that it speaks, as far as its content type and path tell. May be
 * called before the request was read, whether or not something is served at its path.
 */
export function refuse(exchange: Exchange, error: ConnectError): void {
  const { path, headers } = exchange;
  const dialect = dialectOf(headers);
  if (dialect !== undefined && dialect.protocol !== 'connect') {
    exchange.failure = error.code;
    exchange.answer(callError(dialect, error));
  } else if (isRpcPath(path)) exchange.answer(connectError(error, dialect === undefined ? UNKNOWN_CLIENT : undefined));
  else exchange.answer(toErrorResponse(error));
}

/** A path that a client was wrongly told to put before it changes nothing. */
export function isRpcPath(path: string): boolean {
  return RPC_PATH.test(path.slice(path.lastIndexOf('/', path.lastIndexOf('/') - 1)));
}
