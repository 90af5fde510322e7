import { EVENTS, MAX_ID_BYTES, MIN_TIMESTAMP_MS } from '../contract/event-rules.ts';
import { DAY_MS, MAX_TIMESTAMP_MS } from '../contract/limits.ts';
import { streamOf } from './streams.ts';

/** Text of `{{name}}` or `{{name argument}}` in a migration, by name. */
const TEMPLATES: Readonly<Record<string, (argument: string) => string | number | bigint>> = {
  MAX_ID_BYTES: () => MAX_ID_BYTES,
  MIN_TIMESTAMP_MS: () => MIN_TIMESTAMP_MS,
  MAX_TIMESTAMP_MS: () => MAX_TIMESTAMP_MS,
  MAX_VALUE_MICROS: () => EVENTS.conversion.with.integer[0]!.rule.value.max,
  /** First and last day of that range, in days since 1970-01-01. */
  MIN_DAY: () => MIN_TIMESTAMP_MS / DAY_MS,
  MAX_DAY: () => MAX_TIMESTAMP_MS / DAY_MS,
  /** Tests a text for a UUID in lower case, as the gateway stores every event_id. */
  uuid: (column) => `match(${column}, '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$')`,
  /** Makes a DateTime64 of milliseconds since 1970-01-01 UTC, clamped to what every column type can hold. */
  ms: (column) => `fromUnixTimestamp64Milli(clamp(${column}, 0, ${MAX_TIMESTAMP_MS}), 'UTC')`,
  /** Puts the two parts of a sum together again: `high low`. */
  int128(columns) {
    const [high, low] = columns.split(' ');
    return `toInt128(${high}) * 1000000000000000000 + ${low}`;
  },
  errors: errorView,
};

/** Names of the templates that differ from server to server; migrate.ts fills them in. */
const LEFT_FOR_THE_SERVER = new Set(['virtual-columns', 'source', 'distributed']);

/**
 * Fills in a migration's templates, but for those that depend on the server. Throws, naming the file and the line, for
 * a template that is unknown, and for one that refuses its argument.
 */
export function fillInTemplates(file: string, text: string): string {
  return text.replaceAll(/\{\{(\S*?)(?: (.*?))?\}\}/g, (whole: string, name: string, argument = '', at: number) => {
    if (LEFT_FOR_THE_SERVER.has(name)) return whole;
    try {
      const template = TEMPLATES[name];
      if (template === undefined) throw new Error('unknown template');
      return String(template(argument));
    } catch (error) {
      throw new Error(`${file}:${text.slice(0, at).split('\n').length}: ${whole}: ${(error as Error).message}`);
    }
  });
}

/** Writes the view that puts a topic's records that can't be parsed, or are refused, into ingest_errors. */
function errorView(topic: string): string {
  const { queue } = streamOf(topic);
  return `CREATE MATERIALIZED VIEW IF NOT EXISTS ${queue.replace('_queue', '_errors_mv')} TO ingest_errors AS
SELECT
    '${topic}' AS topic,
    _partition,
    _offset,
    assumeNotNull(_timestamp_ms) AS _append_time,
    if(_error != '', _error, refused) AS error,
    _raw_message AS raw
FROM ${queue}
WHERE _error != '' OR refused != ''`;
}
