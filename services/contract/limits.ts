/**
 * Limits that more than one room must agree on. Those of events stand in event.proto (event-rules.ts reads them), those
 * of one room beside what they limit. The SQL of migrations has limits by name (clickhouse/sql-template.ts).
 */

/** 2200-01-01T00:00:00Z in ms: the latest time that every table can hold; attribution refuses records beyond it. */
export const MAX_TIMESTAMP_MS = Date.UTC(2200, 0, 1);

/** Most bytes of a request body, or of one message of a stream, after decompression. */
export const MAX_REQUEST_BYTES = 1 << 20;
export const MAX_BATCH_ITEMS = 1000;

/** Most bytes of keys and values that wait for the log before appends are refused: 64 requests of the largest size. */
export const MAX_IN_FLIGHT_BYTES = 64 * MAX_REQUEST_BYTES;

export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;
