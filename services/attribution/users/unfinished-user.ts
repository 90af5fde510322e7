import type { AttributionConfig } from '../decision/config.ts';
import type { Effects } from '../decision/effects.ts';
import { boundsOf } from '../decision/retention.ts';
import { type Deciding, nextPart, type Rest, redecide } from '../decision/settle.ts';
import type { Overflow, Touch } from '../decision/state.ts';
import type { OpenUser } from './open-user.ts';

/**
 * Most events that are folded in part at the same time, each of which keeps its user as it was: some megabytes of one
 * with very many clicks.
 */
export const MOST_UNFINISHED = 16;

/** The events that are folded in part, in their order. */
export class UnfinishedUsers {
  readonly #users: UnfinishedUser[] = [];

  /** Offset of the first one; undefined if there is none. */
  get offset(): number | undefined {
    return this.#users[0]?.offset;
  }

  /** Offset of the last one; undefined if there is none. */
  get last(): number | undefined {
    return this.#users.at(-1)?.offset;
  }

  /** Whether nothing may be folded until one of them is done. */
  get areInTheWay(): boolean {
    return this.#users.length >= MOST_UNFINISHED || this.#users.at(-1)?.isChanged === true;
  }

  add(user: UnfinishedUser): void {
    this.#users.push(user);
  }

  /** Does another part of the first one. Returns a user that is to be written back now. */
  goOn(effects: Effects): OpenUser | undefined {
    const first = this.#users[0]!;
    if (!first.goOn(effects)) return undefined;
    this.#users.shift();
    return first.isChanged ? first.user : undefined;
  }
}

/**
 * A user as it was right after an event that is folded in part, as it decides very many conversions anew. All that is
 * left to decide follows from that, whatever becomes of the user meanwhile.
 */
export class UnfinishedUser {
  readonly user: OpenUser;
  /**
   * Whether what is left changes the user, who is to be written back then, and of whom nothing else may be folded until
   * then: of conversions that a build before decided the credits are kept.
   */
  readonly isChanged: boolean;
  readonly #config: AttributionConfig;
  readonly #overflow: (withClosed: boolean) => Overflow;
  readonly #longestApartMs: number;
  #rest: Rest;
  /** Once it goes on. */
  #deciding: Deciding | undefined;

  /**
   * @param rest what is left of the event, whose memory may be used again then
   * @param user taken apart, in memory of its own
   * @param overflow what lies beside the user's state, as it was then; what is closed, too, if it is asked for
   */
  constructor(
    config: AttributionConfig,
    rest: Rest,
    user: OpenUser,
    overflow: (withClosed: boolean) => Overflow,
    longestApartMs: number,
  ) {
    const { change } = rest;
    this.user = user;
    this.#config = config;
    this.#overflow = overflow;
    this.#longestApartMs = longestApartMs;
    this.#rest = { ...rest, change: { ...change, touch: copyOf(change.touch) } };
    this.isChanged = this.#isOfBuildBefore();
  }

  /** Offset of the event. */
  get offset(): number {
    return this.#rest.event.offset;
  }

  /** Does another part of what is left. Returns whether that was the last. */
  goOn(effects: Effects): boolean {
    const rest = this.#deciding === undefined ? this.#begin(effects) : this.#next(this.#deciding, effects);
    if (rest !== undefined) this.#rest = rest;
    return rest === undefined;
  }

  #begin(effects: Effects): Rest | undefined {
    const { change, cause, event, watermark, seesClosed, at } = this.#rest;
    const { state } = this.user;
    state.bounds = boundsOf(this.#config, state);
    const overflow = (withClosed = seesClosed === true) => this.#overflow(withClosed);
    const context = { config: this.#config, watermark, longestApartMs: this.#longestApartMs, overflow, seesClosed };
    this.#deciding = { context, user: state, bounds: state.bounds, event, effects };
    return redecide(this.#deciding, change, cause, at);
  }

  #next(deciding: Deciding, effects: Effects): Rest | undefined {
    deciding.effects = effects;
    return nextPart(this.#rest);
  }

  #isOfBuildBefore(): boolean {
    const { conversions, hasOverflow } = this.user.state;
    if (conversions.some(({ windows }) => windows === undefined)) return true;
    const seesClosed = this.#rest.seesClosed === true;
    if (!hasOverflow && !seesClosed) return false;
    const from = this.#rest.change.touch.timestamp;
    for (const { windows } of this.#overflow(seesClosed).conversions(from, from + this.#longestApartMs, false)) {
      if (windows === undefined) return true;
    }
    return false;
  }
}

function copyOf({ clickId, timestamp, arrival, adId, campaignId, source, metadata }: Touch): Touch {
  return { clickId, timestamp, arrival, adId, campaignId, source, metadata };
}
