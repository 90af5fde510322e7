import type { Readable } from 'node:stream';
import { type DescMessage, fromBinary } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import { ENVELOPE_HEAD_BYTES } from '../exchange/answer.ts';
import type { Exchange } from '../exchange/exchange.ts';
import { dialectOf } from '../exchange/protocol.ts';
import { type BodyLimits, receivedBody } from '../exchange/read-body.ts';
import { messageOf } from '../fast/bytes-calls.ts';

/**
 * The body of a call with one message, whole. Fails with INVALID_ARGUMENT if that can't be read in Protobuf: connect,
 * which reads it again, would call it an error of the server. What else is wrong with it, that finds as well.
 */
export async function* readableBody(
  exchange: Exchange,
  body: Readable,
  input: DescMessage,
  { maxBytes, receiving }: BodyLimits,
): AsyncIterable<Buffer> {
  const dialect = dialectOf(exchange.headers);
  const isRead = dialect?.format === 'proto';
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of receivedBody(exchange, body, receiving)) {
    bytes += piece.length;
    pieces.push(piece);
    // What is not read here, or too large, goes on as it comes.
    if (!isRead || bytes > maxBytes + ENVELOPE_HEAD_BYTES) yield* pieces.splice(0);
  }
  if (isRead && bytes <= maxBytes + ENVELOPE_HEAD_BYTES) {
    const fault = faultOf(input, () => messageOf(Buffer.concat(pieces), exchange, dialect, maxBytes));
    if (fault !== undefined) throw fault;
  }
  yield* pieces;
}

/** Why the message can't be read in Protobuf that a GET of Connect has in its URL; undefined if it can. */
export function faultInUrl({ method, query }: Exchange, input: DescMessage): ConnectError | undefined {
  if (method !== 'GET') return undefined;
  const parameters = new URLSearchParams(query);
  if (parameters.get('encoding') !== 'proto' || parameters.has('compression')) return undefined;
  return faultOf(input, () => Buffer.from(parameters.get('message') ?? '', 'base64url'));
}

/** Why a message can't be read; undefined if it can, or there is none. */
function faultOf(input: DescMessage, message: () => Buffer): ConnectError | undefined {
  let bytes: Buffer;
  try {
    bytes = message();
  } catch {
    return undefined;
  }
  try {
    fromBinary(input, bytes);
    return undefined;
  } catch (error) {
    const isText = error instanceof TypeError;
    const reason = isText ? 'a text in it has bytes that are not UTF-8' : (error as Error).message;
    return new ConnectError(`this is no ${input.typeName} in Protobuf: ${reason}`, Code.InvalidArgument);
  }
}
