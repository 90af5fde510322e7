import type { Click, Conversion } from '../../../gen/ts/clickmesh/v1/event_pb.js';
import { MAX_ID_BYTES, MAX_METADATA_BYTES, MAX_METADATA_ENTRIES } from '../../contract/limits.ts';

/** A tag or a length below 16 KiB as a varint. */
const MAX_HEAD_BYTES = 3;
/** The longest event that passes accept: five ids, two integers, and the metadata, each of whose entries has three heads. */
const MAX_EVENT_BYTES =
  64 + 5 * (MAX_HEAD_BYTES + MAX_ID_BYTES) + MAX_METADATA_BYTES + MAX_METADATA_ENTRIES * 3 * MAX_HEAD_BYTES;

const MAX_SAFE = BigInt(Number.MAX_SAFE_INTEGER);

/** Where events are put together, the message from here on so that there is room for the head that tells its length. */
const scratch = Buffer.allocUnsafe(MAX_EVENT_BYTES);
const START = 1 + MAX_HEAD_BYTES;

/**
 * The bytes of an Event that passed accept, as toBinary gives them but for unknown fields and the value, which are left
 * out, with another event_id and worth if they are given. Generic code took 5.6 µs for it, of 13 µs that an event of a
 * batch took in all.
 */
export function encodeEvent(
  eventCase: Click | Conversion,
  eventId: string = eventCase.eventId,
  valueMicros: bigint = eventCase.$typeName === 'clickmesh.v1.Conversion' ? eventCase.valueMicros : 0n,
): Uint8Array {
  if (eventCase.$typeName === 'clickmesh.v1.Click') return wrapped(0x0a, clickEnd(eventCase, eventId));
  return wrapped(0x12, conversionEnd(eventCase, eventId, valueMicros));
}

function clickEnd({ userId, adId, campaignId, source, timestamp, metadata }: Click, eventId: string): number {
  let end = putText(START, 0x0a, eventId);
  end = putText(end, 0x12, userId);
  end = putText(end, 0x1a, adId);
  end = putText(end, 0x22, campaignId);
  end = putText(end, 0x2a, source);
  end = putInteger(end, 0x30, timestamp);
  for (const key in metadata) end = putEntry(end, 0x3a, key, metadata[key]!);
  return end;
}

function conversionEnd({ userId, type, source, timestamp }: Conversion, eventId: string, valueMicros: bigint): number {
  let end = putText(START, 0x0a, eventId);
  end = putText(end, 0x12, userId);
  end = putText(end, 0x1a, type);
  end = putText(end, 0x2a, source);
  end = putInteger(end, 0x30, timestamp);
  return valueMicros === 0n ? end : putInteger(end, 0x38, valueMicros);
}

/** The case of the Event: its head goes before the message that ends here. */
function wrapped(tag: number, end: number): Uint8Array {
  const length = end - START;
  const start = START - 1 - varintBytes(length);
  scratch[start] = tag;
  putVarint(start + 1, length);
  return Buffer.from(scratch.subarray(start, end));
}

function putEntry(at: number, tag: number, key: string, value: string): number {
  const [keyBytes, valueBytes] = [Buffer.byteLength(key), Buffer.byteLength(value)];
  scratch[at] = tag;
  const end = putVarint(at + 1, 2 + varintBytes(keyBytes) + keyBytes + varintBytes(valueBytes) + valueBytes);
  return putText(putText(end, 0x0a, key), 0x12, value);
}

function putText(at: number, tag: number, text: string): number {
  scratch[at] = tag;
  if (putAscii(at + 2, text)) {
    scratch[at + 1] = text.length;
    return at + 2 + text.length;
  }
  const start = putVarint(at + 1, Buffer.byteLength(text));
  return start + scratch.write(text, start);
}

/** Only what has a length of one byte. For texts so short the ways into native code cost more than the copy. */
function putAscii(at: number, text: string): boolean {
  const { length } = text;
  if (length >= 0x80) return false;
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i);
    if (code >= 0x80) return false;
    scratch[at + i] = code;
  }
  return true;
}

function putInteger(at: number, tag: number, value: bigint): number {
  scratch[at] = tag;
  let end = at + 1;
  let rest = value;
  for (; rest > MAX_SAFE; rest >>= 7n) scratch[end++] = Number(rest & 0x7fn) | 0x80;
  let small = Number(rest);
  for (; small > 0x7f; small = Math.floor(small / 0x80)) scratch[end++] = (small % 0x80) | 0x80;
  scratch[end] = small;
  return end + 1;
}

function putVarint(at: number, value: number): number {
  let end = at;
  let rest = value;
  for (; rest > 0x7f; rest >>= 7) scratch[end++] = (rest & 0x7f) | 0x80;
  scratch[end] = rest;
  return end + 1;
}

function varintBytes(value: number): number {
  return value < 0x80 ? 1 : value < 0x4000 ? 2 : MAX_HEAD_BYTES;
}
