import type { AttributionConfig } from '../decision/config.ts';
import type { Effects } from '../decision/effects.ts';
import { boundsOf } from '../decision/retention.ts';
import { type Deciding, nextPart, type Rest, redecide } from '../decision/settle.ts';
import type { Overflow, Touch } from '../decision/state.ts';
import type { OpenUser } from './open-user.ts';

/** Where users are. */
interface Source {
  /** Takes a user's state apart, in memory of its own. */
  open(slot: number): OpenUser;
  overflow(userId: string, slot: number): Overflow;
}

interface Unfinished {
  rest: Rest;
  /** Once it goes on. */
  opened: { user: OpenUser; deciding: Deciding } | undefined;
}

/** Users of whom an event is folded in part, which decides very many conversions anew. */
export class UnfinishedUsers {
  readonly #config: AttributionConfig;
  /** By their slots, in the order of the events. */
  readonly #all = new Map<number, Unfinished>();

  constructor(config: AttributionConfig) {
    this.#config = config;
  }

  get isAny(): boolean {
    return this.#all.size > 0;
  }

  /** Takes over what is left of an event, whose memory may be used again then. */
  add(slot: number, rest: Rest): void {
    const { change } = rest;
    this.#all.set(slot, { rest: { ...rest, change: { ...change, touch: copyOf(change.touch) } }, opened: undefined });
  }

  /**
   * Does another part of what is left of the first event.
   *
   * @returns its user once nothing is left, to be written back
   */
  goOn(effects: Effects, longestApartMs: number, source: Source): OpenUser | undefined {
    const [slot, unfinished] = this.#all.entries().next().value!;
    let rest: Rest | undefined;
    if (unfinished.opened === undefined) {
      const { change, cause, event, watermark, at } = unfinished.rest;
      const user = source.open(slot);
      const { state } = user;
      state.bounds = boundsOf(this.#config, state);
      const overflow = () => source.overflow(event.userId, slot);
      const context = { config: this.#config, watermark, longestApartMs, overflow };
      const deciding = { context, user: state, bounds: state.bounds, event, effects };
      unfinished.opened = { user, deciding };
      rest = redecide(deciding, change, cause, at);
    } else {
      unfinished.opened.deciding.effects = effects;
      rest = nextPart(unfinished.rest);
    }
    if (rest !== undefined) {
      unfinished.rest = rest;
      return undefined;
    }
    this.#all.delete(slot);
    return unfinished.opened.user;
  }
}

function copyOf({ clickId, timestamp, arrival, adId, campaignId, source, metadata }: Touch): Touch {
  return { clickId, timestamp, arrival, adId, campaignId, source, metadata };
}
