import { LONG_VALUE, MAX_METADATA_VALUE_BYTES } from '../../contract/rollups.ts';
import { FAILED, findValue, lastInteger } from '../../contract/wire-reader.ts';

const LONG_BYTES = Buffer.from(LONG_VALUE);

/** Reads of a click's metadata what counts: what it has under some keys, as `Touch` keeps it. */
export class CountedMetadata {
  readonly #keys: readonly { name: string; bytes: Buffer }[];
  /** Where texts are put together. */
  bytes = Buffer.alloc(256);

  /** @param keys those that rollups are by, ascending */
  constructor(keys: readonly string[]) {
    this.#keys = keys.map((name) => ({ name, bytes: Buffer.from(name) }));
  }

  get isNone(): boolean {
    return this.#keys.length === 0;
  }

  /** What counts of an event's metadata. */
  of(metadata: Readonly<Record<string, string>>): string {
    const pairs = this.#keys.flatMap(({ name }) => {
      const value = Object.hasOwn(metadata, name) ? metadata[name]! : '';
      // What counts is in keys, whose parts end with NUL; gateways leave out such values.
      if (value === '' || value.includes('\0')) return [];
      return [name, Buffer.byteLength(value) > MAX_METADATA_VALUE_BYTES ? LONG_VALUE : value];
    });
    return pairs.join('\0');
  }

  /**
   * Puts an ad, which lies in an event from `adId` on, together with what counts of the event's metadata, whose entries
   * are those from `metadata` on that `skipMap` passes. Returns how long it is in `bytes`.
   */
  putAd(from: Buffer, adId: number, adIdEnd: number, metadata: number, metadataEnd: number): number {
    let at = this.#copy(0, from, adId, adIdEnd);
    for (const { bytes } of this.#keys) {
      const value = findValue(from, metadata, metadataEnd, bytes);
      const length = lastInteger();
      if (value === FAILED || length === 0) continue;
      at = this.#copy(this.#separate(at), bytes, 0, bytes.length);
      at = this.#separate(at);
      if (length > MAX_METADATA_VALUE_BYTES) at = this.#copy(at, LONG_BYTES, 0, LONG_BYTES.length);
      else at = this.#copy(at, from, value, value + length);
    }
    return at;
  }

  #copy(at: number, from: Buffer, start: number, end: number): number {
    // With a place for the NUL behind it.
    const needed = at + end - start + 1;
    if (needed > this.bytes.length) this.bytes = Buffer.concat([this.bytes], 2 * needed);
    for (let i = start; i < end; i++) this.bytes[at + i - start] = from[i]!;
    return at + end - start;
  }

  #separate(at: number): number {
    this.bytes[at] = 0;
    return at + 1;
  }
}

/** What counted metadata has under a key; empty if nothing. */
export function metadataValue(metadata: string, key: string): string {
  const parts = metadata.split('\0');
  for (let i = 0; i < parts.length; i += 2) if (parts[i] === key) return parts[i + 1]!;
  return '';
}

/** What counted metadata has under these keys, which ascend. */
export function metadataOfKeys(metadata: string, keys: readonly string[]): string {
  const pairs = keys.flatMap((key) => {
    const value = metadataValue(metadata, key);
    return value === '' ? [] : [key, value];
  });
  return pairs.join('\0');
}
