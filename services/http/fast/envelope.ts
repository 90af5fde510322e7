import { Code, ConnectError } from '@connectrpc/connect';
import { compressedFlag } from '@connectrpc/connect/protocol';
import { ENVELOPE_HEAD_BYTES } from '../exchange/answer.ts';
import type { Decode } from '../exchange/coding.ts';
import { tooLarge } from '../exchange/errors.ts';

const NONE: Buffer[] = [];

/**
 * Cuts a body into its envelopes, as it comes. Their messages are decompressed one at a time, as they are asked for: a
 * piece of 64 KB may have a thousand envelopes that inflate to the limit each.
 */
export class EnvelopeReader {
  readonly #maxBytes: number;
  readonly #decode: Decode | undefined;
  #pieces: Buffer[] = [];
  /** Bytes that the next message needs, with its head. */
  #needed = ENVELOPE_HEAD_BYTES;
  #bytes = 0;

  /**
   * @param maxBytes of a message, as it comes and after decompression
   * @param decode undefined if the call names no coding
   */
  constructor(maxBytes: number, decode: Decode | undefined) {
    this.#maxBytes = maxBytes;
    this.#decode = decode;
  }

  /** Bytes that are held of a message whose rest is to come. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Pieces that these bytes are in. */
  get pieces(): number {
    return this.#pieces.length;
  }

  /** Returns the envelopes that are whole with this piece. Throws INVALID_ARGUMENT if it can't be read. */
  read(piece: Buffer): Buffer[] {
    this.#pieces.push(piece);
    this.#bytes += piece.length;
    if (this.#bytes < this.#needed) return NONE;
    const envelopes: Buffer[] = [];
    let rest = this.#pieces.length === 1 ? piece : Buffer.concat(this.#pieces);
    for (;;) {
      if (rest.length < ENVELOPE_HEAD_BYTES) {
        this.#needed = ENVELOPE_HEAD_BYTES;
        break;
      }
      const length = rest.readUInt32BE(1);
      if (length > this.#maxBytes) throw tooLarge(this.#maxBytes);
      this.#needed = ENVELOPE_HEAD_BYTES + length;
      if (rest.length < this.#needed) break;
      envelopes.push(rest.subarray(0, this.#needed));
      rest = rest.subarray(this.#needed);
    }
    this.#bytes = rest.length;
    // A copy, because the rest would keep the whole piece that it is a part of.
    this.#pieces = rest.length === 0 ? [] : [envelopes.length === 0 ? rest : Buffer.from(rest)];
    return envelopes;
  }

  /** Throws INVALID_ARGUMENT if the body ends in the middle of a message. */
  end(): void {
    if (this.#bytes > 0) throw new ConnectError('protocol error: incomplete envelope', Code.InvalidArgument);
  }

  /** The message in an envelope, decompressed if need be. Throws INVALID_ARGUMENT if it can't be. */
  messageIn(envelope: Buffer): Buffer {
    const data = envelope.subarray(ENVELOPE_HEAD_BYTES);
    if ((envelope[0]! & compressedFlag) === 0) return data;
    if (this.#decode !== undefined) return this.#decode(data, this.#maxBytes);
    const message = 'received compressed envelope, but do not know how to decompress';
    throw new ConnectError(message, Code.InvalidArgument);
  }
}
