import { EVENT_TYPES, type EventType } from './event-rules.ts';

/**
 * Header of an IngestBatch in which its sender says how many names it left out of the events, as the contract does not
 * know them, such as "click=3, conversion=1": who makes messages of JSON sees them, and the mesh does not.
 */
export const NAMES_IGNORED = 'clickmesh-names-ignored';

/** Most names of a type that are believed, of 1,000 events. */
const MAX_NAMES = 1_000_000;

/** The header's value; undefined if nothing was left out. */
export function namesIgnoredText(names: ReadonlyMap<EventType, number>): string | undefined {
  return names.size === 0 ? undefined : [...names].map(([type, count]) => `${type}=${count}`).join(', ');
}

/** Reads a header that anybody may have written: what is none of ours is passed over. */
export function readNamesIgnored(text: string): [type: EventType, names: number][] {
  return EVENT_TYPES.flatMap((type) => {
    const names = Number(new RegExp(`(?:^|, )${type}=(\\d{1,7})(?:,|$)`).exec(text)?.[1] ?? 0);
    return names > 0 && names <= MAX_NAMES ? [[type, names]] : [];
  });
}
