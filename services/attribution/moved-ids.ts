import type { FoldEvent } from './fold.ts';
import type { SeenId } from './state.ts';
import { idHashOf } from './touch.ts';
import { readUuidText, UUID_WORDS } from './uuid.ts';

interface Moved {
  id: SeenId;
  /** Another one with the same hash, moved before. */
  before: Moved | undefined;
}

/** Event ids that were moved out of their users' states and are not yet in the store. */
export class MovedIds {
  #ids: SeenId[] = [];
  /** The last one of each hash: that an event's id is not here is known without a string of it. */
  readonly #byHash = new Map<number, Moved>();

  add(id: SeenId): void {
    const hash = hashOfId(id.eventId);
    this.#ids.push(id);
    this.#byHash.set(hash, { id, before: this.#byHash.get(hash) });
  }

  /** When the event's id arrived, in ms; undefined if it is not here. */
  arrivalOf(event: FoldEvent): number | undefined {
    const hash = event.kind === 'click' ? idHashOf(event.touch) : hashOfId(event.conversion.conversionId);
    for (let moved = this.#byHash.get(hash); moved !== undefined; moved = moved.before) {
      const { kind, userId, eventId, arrival } = moved.id;
      if (kind === event.kind && userId === event.userId && eventId === eventIdOf(event)) return arrival;
    }
    return undefined;
  }

  /** In the order in which they were added, which the caller now stores. */
  take(): SeenId[] {
    const taken = this.#ids;
    this.#ids = [];
    this.#byHash.clear();
    return taken;
  }
}

export function eventIdOf(event: FoldEvent): string {
  return event.kind === 'click' ? event.touch.clickId : event.conversion.conversionId;
}

const words = new Int32Array(UUID_WORDS);

/** As that of a touch. */
function hashOfId(eventId: string): number {
  readUuidText(eventId, words, 0);
  return words[UUID_WORDS - 1]!;
}
