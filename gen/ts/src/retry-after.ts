const SECONDS = /^\d+(?:\.\d+)?$/;
/** Tags of a RetryInfo, whose field 1 is a Duration, and of that: seconds and nanoseconds. */
const DELAY_TAG = 0x0a;
const SECONDS_TAG = 0x08;
const NANOS_TAG = 0x10;

/** A detail of an error, as Connect has it. */
export interface ErrorDetail {
  type?: string;
  value?: Uint8Array | string;
}

/**
 * How long an answer asks to wait, in ms, by its header retry-after (seconds, or a date of HTTP) or else by a
 * google.rpc.RetryInfo among its details, whose value is Base64 in JSON; 0 if it does not.
 */
export function askedMs(header: string | null, details: readonly ErrorDetail[] = []): number {
  const ms = headerMs(header ?? '');
  if (ms > 0) return ms;
  const value = details.find(({ type }) => type === 'google.rpc.RetryInfo')?.value;
  return value === undefined ? 0 : delayMs(typeof value === 'string' ? bytesOf(value) : value);
}

function headerMs(header: string): number {
  return (SECONDS.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now()) || 0;
}

function bytesOf(base64: string): Uint8Array {
  try {
    return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  } catch {
    return new Uint8Array();
  }
}

/** Of a serialized RetryInfo: pages are without the runtime of Protobuf. */
function delayMs(info: Uint8Array): number {
  if (info[0] !== DELAY_TAG) return 0;
  let ms = 0;
  // Its length is in one byte: a Duration has at most 22.
  for (let at = 2; at < info.length; ) {
    const tag = info[at++];
    let number = 0;
    let unit = 1;
    let byte: number;
    do {
      byte = info[at++] ?? 0;
      number += (byte & 0x7f) * unit;
      unit *= 0x80;
    } while (byte > 0x7f);
    if (tag === SECONDS_TAG) ms += number * 1000;
    if (tag === NANOS_TAG) ms += number / 1e6;
  }
  return ms;
}
