import type { EventType } from '../../contract/event-rules.ts';

/**
 * Finds the users of events of some types by their ids, as those are stored, where they are known: at most two users of
 * an id, enough to see that there are several. An id that is not among the answers is of no event, or not yet. Throws
 * UNAVAILABLE while that can't be told, and RESOURCE_EXHAUSTED if too much is asked at once.
 */
export type FindUsers = (
  types: readonly EventType[],
  ids: readonly string[],
) => Promise<ReadonlyMap<string, readonly string[]>>;
