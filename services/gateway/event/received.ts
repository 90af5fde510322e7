import { cut, MAX_CUT } from '../../contract/cut.ts';

/** What a field held, as JSON, for an answer to repeat. */
export function receivedText(value: unknown): string {
  if (typeof value === 'string') return cut(JSON.stringify(value.slice(0, MAX_CUT)));
  // JSON has no number for what is too large for a double.
  if (typeof value === 'number') return String(value);
  return cut(jsonText(value) ?? '');
}

/** From here on a number is no longer written with all its digits. */
const MAX_WRITTEN = 1e21;

/**
 * The JSON of a value, in which integers beyond 2^53 are bigints; undefined if that can't be written as it came: if it
 * nests too deep or has a number that is too large.
 */
export function jsonText(value: unknown): string | undefined {
  try {
    return JSON.stringify(value, exactNumber);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function exactNumber(_: string, value: unknown): unknown {
  if (typeof value === 'bigint') return JSON.rawJSON(String(value));
  if (typeof value === 'number' && !(Math.abs(value) < MAX_WRITTEN)) throw new RangeError('too large');
  return value;
}
