/**
 * How a user's state lies in the store: a head, then entries one after the other. Touches ascend as in the
 * state, so do those that are invalid; conversions and corrections are in order of arrival. So what came last is added
 * at the end, by RocksDB, to bytes that nobody read. Numbers are little-endian, texts UTF-8.
 *
 *     head:       format u8 | 2 if there was no room for some events, 4 if some lie beside it as closed, u8; 1 once
 *                 said that ids were spilled | in the latter case when the last conversion of those arrived f64
 *     touch:      1 u8, or 4 if it is invalid | bytes of ad u16 | bytes of campaign and source u16 | id 4 × i32 |
 *                 timestamp f64 | arrival f64 | ad (with metadata that rollups are by: ad, NUL, and the metadata as
 *                 `Touch` has it) | campaign and source (campaign, NUL, source)
 *     conversion: 7 u8 | bytes of the whole u32 | id 4 × i32 | timestamp f64 | arrival f64 | value u64 | bytes of
 *                 type u16 | most touches that models share among u16 | lookback f64 | how far apart touches may have
 *                 arrived f64 | type | names of its models, or letters that stand for them, with commas
 *     as builds before left it: 5 u8; 6 if its value is corrected; 2 if it is attributed to nothing and in no counter |
 *                 bytes of the whole u32 | id 4 × i32 | timestamp f64 | arrival f64 | value u64 | bytes of type u16 |
 *                 number of credits u16 | type | credits, or without any the names of the models, with commas
 *     credit:     credit u32 | value u64 | bytes of model u16 | model | adjusted i64 and refunds u64 if the conversion
 *                 is corrected | touch
 *     correction: 3 u8 | kind, as in CORRECTIONS, u32 | id of its target 4 × i32 | timestamp f64 | arrival f64 |
 *                 value u64 | id 4 × i32
 *
 * Format 4, of builds before, has touches of kind 1 and conversions of kind 2 only, whether attributed or not.
 */
export const FORMAT = 5;
export const FORMAT_BEFORE = 4;
export const HEAD_BYTES = 2;
export const OVERFLOW = 2;
export const CLOSED = 4;
export const LAST_CLOSED = 2;
export const LAST_CLOSED_BYTES = 8;
export const TOUCH = 1;
export const UNCOUNTED_CONVERSION = 2;
export const CORRECTION = 3;
export const INVALID_TOUCH = 4;
export const CONVERSION = 5;
export const CORRECTED_CONVERSION = 6;
export const WINDOWED_CONVERSION = 7;
/** Places in all entries alike. */
export const ID = 5;
export const TIMESTAMP = 21;
export const ARRIVAL = 29;
export const TOUCH_TEXTS = 37;
export const VALUE = 37;
export const TYPE_BYTES = 45;
export const CREDITS = 47;
/** Of a conversion with windows. */
export const MAX_TOUCHES = 47;
export const LOOKBACK = 49;
export const APART = 57;
export const WINDOWED_TYPE = 65;
export const TYPE = 49;
export const CREDIT_HEAD = 14;
export const ADJUSTED_BYTES = 16;
export const CORRECTION_ID = 45;
export const CORRECTION_BYTES = 61;
export const MODELS_SEPARATOR = ',';
/** What stands for the names of models; others stand for themselves. */
export const MODEL_LETTERS: Readonly<Record<string, string>> = {
  last_click: 'l',
  first_click: 'f',
  linear: 'n',
  time_decay: 't',
  position_based: 'p',
};
