import { assertNever } from './kinds.ts';
import type { RememberedEvent, Touch } from './state.ts';

/** What no event has as its digest. */
export const UNKNOWN_DIGEST = 0;

/**
 * A hash, of 32 bits, of what events with the same id are compared by: two that differ have the same one in 4 · 10⁹.
 */
export function digestOf(event: RememberedEvent): number {
  switch (event.role) {
    case 'touch':
      return hasDigest(event.touch) ? event.touch.digest : digestOfTexts(event.touch);
    case 'outcome': {
      const { timestamp, type, valueMicros } = event.conversion;
      const low = Number(BigInt.asIntN(32, valueMicros));
      return known(add(add(addText(hashOfNumber(timestamp), type), low), Number(valueMicros >> 32n)));
    }
    default:
      return assertNever(event);
  }
}

/** A touch that knows its digest without strings of its texts. */
export interface TouchWithDigest extends Touch {
  readonly digest: number;
}

function hasDigest(touch: Touch): touch is TouchWithDigest {
  return 'digest' in touch;
}

export function digestOfTexts({ timestamp, adId, campaignId, source }: Touch): number {
  return known(addText(addText(addText(hashOfNumber(timestamp), adId), campaignId), source));
}

/**
 * The same of texts where they lie in UTF-8; undefined if they are not all ASCII.
 *
 * @param ad where the ad's id begins in `ads`
 * @param pair where the campaign, NUL and the source begin in `pairs`
 */
export function digestOfBytes(
  timestamp: number,
  ads: Uint8Array,
  ad: number,
  adEnd: number,
  pairs: Uint8Array,
  pair: number,
  pairEnd: number,
): number | undefined {
  let hash = hashOfNumber(timestamp);
  for (let i = ad; i < adEnd; i++) {
    if (ads[i]! >= 0x80) return undefined;
    hash = add(hash, ads[i]!);
  }
  hash = add(hash, -1);
  for (let i = pair; i < pairEnd; i++) {
    if (pairs[i]! >= 0x80) return undefined;
    // There one text ends.
    hash = add(hash, pairs[i] === 0 ? -1 : pairs[i]!);
  }
  return known(add(hash, -1));
}

function known(hash: number): number {
  const mixed = (hash ^ (hash >>> 15)) | 0;
  return mixed === UNKNOWN_DIGEST ? 1 : mixed;
}

function hashOfNumber(time: number): number {
  return add(add(0x811c9dc5, time | 0), (time / 2 ** 32) | 0);
}

/** Adds a text with its end, so that where one ends and the next begins counts, too. */
function addText(hash: number, text: string): number {
  let added = hash;
  for (let i = 0; i < text.length; i++) added = add(added, text.charCodeAt(i));
  return add(added, -1);
}

/** A step of FNV-1a, of whole numbers. */
function add(hash: number, value: number): number {
  const mixed = Math.imul(hash ^ value, 0x01000193);
  return mixed ^ (mixed >>> 13);
}
