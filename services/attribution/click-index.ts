import { dayOf } from './effects.ts';
import type { Touch } from './state.ts';
import { StoredTouch } from './touch.ts';

/**
 * Finds what belongs to the day, campaign and source of a click by the bytes of its touch, so that nobody makes strings
 * of them: one lookup a click, and most days have few campaigns.
 */
export interface ClickIndex<T> {
  get(touch: Touch): T | undefined;
  /** Does nothing if it is there. */
  add(touch: Touch, value: T): void;
  clear(): void;
}

interface Entry<T> {
  day: number;
  /** Campaign and source, one after the other. */
  texts: Buffer;
  campaignBytes: number;
  value: T;
  /** Another one of the same hash. */
  next: Entry<T> | undefined;
}

/** FNV-1a, 32 bits (datatracker.ietf.org/doc/html/draft-eastlake-fnv). */
const FNV_PRIME = 0x01000193;
const FNV_OFFSET = 0x811c9dc5;

export function newClickIndex<T>(): ClickIndex<T> {
  const entries = new Map<number, Entry<T>>();

  function find(touch: StoredTouch, day: number, hash: number): Entry<T> | undefined {
    const { bytes, campaignIdStart: start, sourceStart, end } = touch;
    for (let entry = entries.get(hash); entry !== undefined; entry = entry.next) {
      const isOther = entry.day !== day || entry.campaignBytes !== sourceStart - start;
      if (!isOther && isEqual(entry.texts, bytes, start, end)) return entry;
    }
    return undefined;
  }

  return {
    get(touch) {
      if (!(touch instanceof StoredTouch)) return undefined;
      const day = dayOf(touch.timestamp);
      return find(touch, day, hashOf(touch, day))?.value;
    },
    add(touch, value) {
      if (!(touch instanceof StoredTouch)) return;
      const day = dayOf(touch.timestamp);
      const hash = hashOf(touch, day);
      if (find(touch, day, hash) !== undefined) return;
      const { bytes, campaignIdStart: start, sourceStart, end } = touch;
      const texts = Buffer.from(bytes.subarray(start, end));
      entries.set(hash, { day, texts, campaignBytes: sourceStart - start, value, next: entries.get(hash) });
    },
    clear: () => entries.clear(),
  };
}

function hashOf({ bytes, campaignIdStart, end }: StoredTouch, day: number): number {
  let hash = FNV_OFFSET ^ day;
  for (let i = campaignIdStart; i < end; i++) hash = Math.imul(hash ^ bytes[i]!, FNV_PRIME);
  return hash;
}

function isEqual(texts: Buffer, bytes: Buffer, start: number, end: number): boolean {
  if (texts.length !== end - start) return false;
  // A few bytes: a loop takes less than a call into the runtime.
  for (let i = 0; i < texts.length; i++) if (texts[i] !== bytes[start + i]) return false;
  return true;
}
