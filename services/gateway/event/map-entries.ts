import type { Event } from '../../../gen/ts/clickmesh/v1/event_pb.js';
import type { EventShape } from '../../contract/event-rules.ts';

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
    const before = leftOut.length;
    const { maxEntries, maxBytes } = rule.value;
    const good = goodEntries(texts, maxEntries, maxBytes, `${name}.`, leftOut);
    if (leftOut.length > before) kept = { ...kept, [localName]: good };
  }
  return kept;
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
