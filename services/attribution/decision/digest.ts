import { assertNever } from './kinds.ts';
import type { RememberedEvent } from './state.ts';

/** What no event has as its digest. */
export const UNKNOWN_DIGEST = 0;

/**
 * A hash, of 32 bits, of what events with the same id are compared by: two that differ have the same one in 4 · 10⁹.
 */
export function digestOf(event: RememberedEvent): number {
  switch (event.role) {
    case 'touch': {
      const { timestamp, adId, campaignId, source } = event.touch;
      return known(addText(addText(addText(hashOfNumber(timestamp), adId), campaignId), source));
    }
    case 'outcome': {
      const { timestamp, type, valueMicros } = event.conversion;
      const low = Number(BigInt.asIntN(32, valueMicros));
      return known(add(add(addText(hashOfNumber(timestamp), type), low), Number(valueMicros >> 32n)));
    }
    default:
      return assertNever(event);
  }
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
