/** What a thread sends to the log's writer, to be written as one. */
export interface CommitRequest {
  batches: CommitBatch[];
  /** Other keys and values, written with the batches. */
  puts: [key: Uint8Array, value: Uint8Array][];
}

/** A packed record batch without its header; its buffer is transferred, not copied. */
export interface CommitBatch {
  slot: number;
  count: number;
  bytes: Uint8Array<ArrayBuffer>;
}

/** The offset of each batch's first record, in order; or the reason why nothing is known of the request's fate. */
export type CommitReply = { baseOffsets: number[] } | { failed: string };

/** Asks the other side to finish what is under way and to close the port. */
export const CLOSE = 'close';
