/** Every limit of the product in one place, with where it comes from. */

/** Most bytes of an id (user_id, ad_id, campaign_id, source, conversion type), as UTF-8. */
export const MAX_ID_BYTES = 128;
export const MAX_METADATA_ENTRIES = 32;
/** Keys and values together, as UTF-8. */
export const MAX_METADATA_BYTES = 4096;
/** 2000-01-01T00:00:00Z in ms: nothing older is a click; catches seconds sent for milliseconds. */
export const MIN_TIMESTAMP_MS = Date.UTC(2000, 0, 1);
/** 2200-01-01T00:00:00Z in ms: the latest time that every table can hold; only attribution's check of foreign records. */
export const MAX_TIMESTAMP_MS = Date.UTC(2200, 0, 1);
/** How far a client's clock may be ahead, in ms. */
export const MAX_TIMESTAMP_AHEAD_MS = 24 * 3_600_000;
/** In currency units; as micros (1e18) it stays well inside int64. */
export const MAX_VALUE = 1e12;
export const MAX_VALUE_MICROS = 10n ** 18n;

/** Most bytes of a request body, or of one message of a stream, after decompression. */
export const MAX_REQUEST_BYTES = 1 << 20;
export const MAX_BATCH_ITEMS = 1000;
/** Most rejected events that a stream's answer lists. */
export const MAX_STREAM_REJECTIONS = 1000;

/** Bytes of keys and values waiting for the log before appends are refused. 64 requests of the largest size. */
export const MAX_IN_FLIGHT_BYTES = 64 * MAX_REQUEST_BYTES;

/** Longest range of a stats query, in days: 3 years with a leap day. */
export const MAX_STATS_DAYS = 3 * 365 + 1;

/** About the most bytes of records in one insert of the embedded sink: one insert makes a part a table, so larger is cheaper. */
export const SINK_BATCH_BYTES = 8 << 20;

export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;
