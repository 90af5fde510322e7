/**
 * Limits that more than one room must agree on. Those of events stand in event.proto (event-rules.ts reads them), those
 * of one room beside what they limit.
 */

/** 2200-01-01T00:00:00Z in ms: the latest time that every table can hold; attribution refuses records beyond it. */
export const MAX_TIMESTAMP_MS = Date.UTC(2200, 0, 1);
/** Most bytes of a request body, or of one message of a stream, after decompression. */
export const MAX_REQUEST_BYTES = 1 << 20;
export const MAX_BATCH_ITEMS = 1000;
/** Most rejected events that a stream's answer lists. */
export const MAX_STREAM_REJECTIONS = 1000;

/** Bytes of keys and values waiting for the log before appends are refused. 64 requests of the largest size. */
export const MAX_IN_FLIGHT_BYTES = 64 * MAX_REQUEST_BYTES;

/** Longest range of a stats query, in days: 3 years with a leap day. */
export const MAX_STATS_DAYS = 3 * 365 + 1;

/** About the most bytes of records in an insert of the embedded sink: each makes a part a table, so larger is cheaper. */
export const SINK_BATCH_BYTES = 8 << 20;

export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;
