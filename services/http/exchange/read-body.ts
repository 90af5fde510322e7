import type { Readable } from 'node:stream';
import { inActiveSpan } from '../../telemetry/tracing.ts';
import { tooLarge } from './errors.ts';
import type { Exchange } from './exchange.ts';
import type { Receiving } from './receiving.ts';
import { refuse } from './refuse.ts';

export interface BodyLimits {
  /** Most bytes of a body, or of one message of a stream; after decompression, too. */
  maxBytes: number;
  receiving: Receiving;
}

/**
 * Calls back once with the whole body. Never if the client leaves before, or if the body is too large, too late or one
 * too many: then the request is refused here.
 *
 * @param extraBytes that the body may have beyond the limit
 */
export function readBody(exchange: Exchange, limits: BodyLimits, done: (body: Buffer) => void, extraBytes = 0): void {
  const { whole, headers } = exchange;
  const { maxBytes } = limits;
  const most = maxBytes + extraBytes;
  if ((whole?.length ?? Number(headers['content-length'])) > most) refuse(exchange, tooLarge(maxBytes));
  else if (whole !== undefined) done(whole);
  else collectBody(exchange, limits, most, inActiveSpan(done));
}

function collectBody(
  exchange: Exchange,
  { maxBytes, receiving }: BodyLimits,
  most: number,
  done: (body: Buffer) => void,
): void {
  let refused = false;
  const part = receiving.part((error) => {
    refused = true;
    refuse(exchange, error);
    // What is left of it may never come. A connection of HTTP/1.1 has its own timeout.
    if (exchange.version === 2) exchange.cutBody();
  });
  const pieces: Buffer[] = [];
  let bytes = 0;
  const { body } = exchange;
  body.on('data', (piece: Buffer) => {
    if (refused) return;
    bytes += piece.length;
    pieces.push(piece);
    if (bytes > most) {
      part.release();
      refused = true;
      refuse(exchange, tooLarge(maxBytes));
    } else part.hold(bytes, pieces.length);
    if (refused) pieces.length = 0;
  });
  body.once('end', () => {
    part.release();
    // A stream that the client has reset ends like one that is complete, but is closed by then.
    if (!refused && !body.closed) done(pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces));
  });
  body.once('close', () => part.release());
}

/** The body as it comes, while it counts among those that are being received. */
export async function* receivedBody(exchange: Exchange, body: Readable, receiving: Receiving): AsyncIterable<Buffer> {
  const part = receiving.part((error) => {
    refuse(exchange, error);
    exchange.cutBody();
  });
  let bytes = 0;
  let pieces = 0;
  try {
    // An iterator that is left early must not destroy the request: its answer goes over the same connection.
    for await (const piece of body.iterator({ destroyOnReturn: false })) {
      bytes += piece.length;
      part.hold(bytes, ++pieces);
      yield piece;
    }
  } finally {
    part.release();
  }
}
