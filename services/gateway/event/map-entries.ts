import type { Event } from '../../../gen/ts/clickmesh/v1/event_pb.js';
import type { EventShape } from '../../contract/event-rules.ts';

/** A character of JavaScript, of which an emoji has two, takes at most so many bytes of UTF-8. */
export const MAX_UTF8_BYTES = 3;

export type Texts = Readonly<Record<string, string>>;
type Message = NonNullable<Event['event']['value']>;

/**
 * The event with what its maps can keep: entries of well-formed text without NUL, in their order as many as the rule
 * of the map allows. The others are added to `leftOut`, by the names of map and key.
 */
export function withoutBadEntries<M extends Message>(shape: EventShape, event: M, leftOut: string[]): M {
  let kept = event;
  for (const { name, localName, rule } of shape.with.map) {
    const texts = (event as unknown as Record<string, Texts>)[localName]!;
    const { maxEntries, maxBytes } = rule.value;
    if (areAllKept(texts, maxEntries, maxBytes)) continue;
    kept = { ...kept, [localName]: goodEntries(texts, maxEntries, maxBytes, `${name}.`, leftOut) };
  }
  return kept;
}

/** Looks at most maps without counting bytes; false means no more than that they are to be counted. */
function areAllKept(texts: Texts, maxEntries: number, maxBytes: number): boolean {
  let entries = 0;
  let characters = 0;
  for (const key in texts) {
    const text = texts[key]!;
    entries++;
    characters += key.length + text.length;
    if (!isKept(key) || !isKept(text)) return false;
  }
  return entries <= maxEntries && characters * MAX_UTF8_BYTES <= maxBytes;
}

function goodEntries(texts: Texts, maxEntries: number, maxBytes: number, prefix: string, leftOut: string[]): Texts {
  const good: [string, string][] = [];
  let bytes = 0;
  for (const key in texts) {
    const text = texts[key]!;
    const size = Buffer.byteLength(key) + Buffer.byteLength(text);
    if (good.length < maxEntries && bytes + size <= maxBytes && isKept(key) && isKept(text)) {
      good.push([key, text]);
      bytes += size;
    } else leftOut.push(prefix + key);
  }
  return Object.fromEntries(good);
}

function isKept(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0');
}
