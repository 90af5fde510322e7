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
  overflow(userId: string, slot: number, withClosed: boolean): Overflow;
}

/** A user of whom an event is folded in part, which decides very many conversions anew. */
export class UnfinishedUser {
  readonly #config: AttributionConfig;
  readonly #slot: number;
  #rest: Rest;
  /** Once it goes on. */
  #opened: { user: OpenUser; deciding: Deciding } | undefined;

  /** @param rest what is left of the event, whose memory may be used again then */
  constructor(config: AttributionConfig, slot: number, rest: Rest) {
    const { change } = rest;
    this.#config = config;
    this.#slot = slot;
    this.#rest = { ...rest, change: { ...change, touch: copyOf(change.touch) } };
  }

  /**
   * Does another part of what is left.
   *
   * @returns the user once nothing is left, to be written back
   */
  goOn(effects: Effects, longestApartMs: number, source: Source): OpenUser | undefined {
    const rest = this.#opened === undefined ? this.#begin(effects, longestApartMs, source) : this.#next(effects);
    if (rest === undefined) return this.#opened!.user;
    this.#rest = rest;
    return undefined;
  }

  #begin(effects: Effects, longestApartMs: number, source: Source): Rest | undefined {
    const { change, cause, event, watermark, seesClosed, at } = this.#rest;
    const user = source.open(this.#slot);
    const { state } = user;
    state.bounds = boundsOf(this.#config, state);
    const overflow = (withClosed = seesClosed === true) => source.overflow(event.userId, this.#slot, withClosed);
    const context = { config: this.#config, watermark, longestApartMs, overflow, seesClosed };
    const deciding = { context, user: state, bounds: state.bounds, event, effects };
    this.#opened = { user, deciding };
    return redecide(deciding, change, cause, at);
  }

  #next(effects: Effects): Rest | undefined {
    this.#opened!.deciding.effects = effects;
    return nextPart(this.#rest);
  }
}

function copyOf({ clickId, timestamp, arrival, adId, campaignId, source, metadata }: Touch): Touch {
  return { clickId, timestamp, arrival, adId, campaignId, source, metadata };
}
