import { Code, ConnectError } from '@connectrpc/connect';
import { MAX_REQUEST_BYTES } from '../../contract/limits.ts';
import { HttpError } from './errors.ts';

/**
 * Most bytes that a server holds of bodies whose rest is on its way: 64 of the largest requests. Without a limit, 300
 * connections that hold back their last byte would keep 300 MB.
 */
export const MAX_RECEIVING_BYTES = 64 * MAX_REQUEST_BYTES;

/** Time in ms that a body, or one message of a stream, may take from its first byte to its last. */
export const BODY_TIMEOUT_MS = 60_000;

/** Age in ms from which a body is cut where others need its room: whatever is in a hurry is there by then. */
const PATIENCE_MS = 5_000;

/** Bytes that a piece takes besides its own: a body that comes byte by byte is mostly these. */
const PIECE_BYTES = 128;

const RETRY_AFTER = { 'retry-after': '1' };

/** The bodies that a server is receiving, from the oldest, and how much of them it holds. */
export class Receiving {
  readonly #maxBytes: number;
  readonly #parts = new Set<Part>();
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** @param cut refuses the request with the error, and lets go of what came of it */
  part(cut: (error: ConnectError) => void): Part {
    return new Part(this, cut);
  }

  /**
   * Says how much is held of the body, which is new if nothing was before. Where there is no room, those that have been
   * on their way for long are cut for it, the oldest first; otherwise this one is, so that the others come to an end.
   */
  hold(part: Part, bytes: number): void {
    if (part.bytes === 0) this.#begin(part);
    this.#bytes += bytes - part.bytes;
    part.bytes = bytes;
    if (this.#bytes > this.#maxBytes) this.#makeRoomFor(part);
  }

  release(part: Part): void {
    this.#parts.delete(part);
    this.#bytes -= part.bytes;
    part.bytes = 0;
  }

  /** Cuts the bodies that have not come within BODY_TIMEOUT_MS. */
  cutLate(): void {
    const latest = performance.now() - BODY_TIMEOUT_MS;
    for (const part of this.#parts) {
      if (part.began > latest) return;
      const message = `the request did not come whole within ${BODY_TIMEOUT_MS / 1000} s`;
      this.#cut(part, new HttpError(408, Code.DeadlineExceeded, message));
    }
  }

  #begin(part: Part): void {
    part.began = performance.now();
    this.#parts.add(part);
  }

  #makeRoomFor(newest: Part): void {
    const patience = performance.now() - PATIENCE_MS;
    for (const part of this.#parts) {
      const cut = part.began > patience ? newest : part;
      this.#cut(cut, new ConnectError('too many requests are on their way', Code.ResourceExhausted, RETRY_AFTER));
      if (cut === newest || this.#bytes <= this.#maxBytes) return;
    }
  }

  #cut(part: Part, error: ConnectError): void {
    this.release(part);
    part.cut(error);
  }
}

/** What is held of one body, or of one message of a stream. */
export class Part {
  readonly #all: Receiving;
  readonly cut: (error: ConnectError) => void;
  bytes = 0;
  /** When its first byte came, by performance.now(). */
  began = 0;

  constructor(all: Receiving, cut: (error: ConnectError) => void) {
    this.#all = all;
    this.cut = cut;
  }

  /** Says how much is held now, in how many pieces. */
  hold(bytes: number, pieces: number): void {
    this.#all.hold(this, bytes + pieces * PIECE_BYTES);
  }

  /** Says that nothing is held any more. */
  release(): void {
    if (this.bytes > 0) this.#all.release(this);
  }
}
