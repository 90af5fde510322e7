import { readUuidText, UUID_WORDS } from '../../contract/uuid.ts';
import type { Touch } from './state.ts';

/** A touch whose id is known as words, which compare without a string. */
export interface TouchWithWords extends Touch {
  /** One of the UUID_WORDS of its id. */
  idWord(i: number): number;
}

const id = new Int32Array(UUID_WORDS);

/** The words of a touch's id, until the next call. */
export function idOf(touch: Touch): Int32Array {
  if (hasWords(touch)) {
    for (let i = 0; i < UUID_WORDS; i++) id[i] = touch.idWord(i);
  } else {
    readUuidText(touch.clickId, id, 0);
  }
  return id;
}

/** A hash of a touch's id: seldom that of another, as ids are random. Throws an Error if the id is no UUID. */
export function idHashOf(touch: Touch): number {
  return idOf(touch)[UUID_WORDS - 1]!;
}

/** Whether two touches are the same click, by their ids. */
export function isSameClick(a: Touch, b: Touch): boolean {
  if (!hasWords(a) || !hasWords(b)) return a.clickId === b.clickId;
  for (let i = UUID_WORDS - 1; i >= 0; i--) if (a.idWord(i) !== b.idWord(i)) return false;
  return true;
}

/** Puts a touch among others where it belongs: they ascend by (timestamp, clickId), and most come last. */
export function insertTouch(touches: Touch[], touch: Touch) {
  let at = touches.push(touch) - 1;
  for (; at > 0 && isAfter(touches[at - 1]!, touch); at--) touches[at] = touches[at - 1]!;
  touches[at] = touch;
}

/** The order of touches: by time, and then by id. */
export function isAfter(a: Pick<Touch, 'timestamp' | 'clickId'>, b: typeof a): boolean {
  return a.timestamp > b.timestamp || (a.timestamp === b.timestamp && a.clickId > b.clickId);
}

function hasWords(touch: Touch): touch is TouchWithWords {
  return 'idWord' in touch;
}
