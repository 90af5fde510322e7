import { type AttributionConfig, isForgotten } from '../decision/config.ts';
import type { Effects } from '../decision/effects.ts';
import { assertNever, type TouchKind } from '../decision/kinds.ts';
import type { Touch, UserState } from '../decision/state.ts';
import { touchWithId } from '../decision/targets.ts';
import { idHashOf } from '../decision/touch-id.ts';
import { adAt, campaignSourceAt } from '../memory/touch-memory.ts';
import { type EventBatch, touchAt } from './event-batch.ts';

/** Callback for a click that is no duplicate, by the numbers of its campaign and source and of its ad. */
export type OnClick = (campaignSource: number, ad: number, timestamp: number, offset: number) => void;

/** As `noteTouch` does, without an object for a click. */
export function countTouch(
  type: TouchKind['type'],
  events: EventBatch,
  i: number,
  effects: Effects,
  onClick: OnClick,
): void {
  const [memory, at] = [events.touches, touchAt(i)];
  switch (type) {
    case 'click':
      effects.totals.clicks++;
      onClick(campaignSourceAt(memory, at), adAt(memory, at), memory.times[at >> 1]!, events.offsets[i]!);
      return;
    default:
      assertNever(type);
  }
}

/**
 * Takes a touch into a state that has no room for one more, as the fold would have it: later than all of the user's
 * touches and conversions it changes no decision, as nearly all touches of a user with very many. Returns the one that
 * it takes the place of, to be counted as dropped and to be put beside the state; undefined if in doubt, with nothing
 * changed.
 *
 * @param touch that has no id of one beside the state
 */
export function takeNewest(config: AttributionConfig, user: UserState, touch: Touch): Touch | undefined {
  const { bounds, touches, conversions, hasOverflow } = user;
  const { timestamp, arrival } = touch;
  const { retentionMs, maxTouches } = config;
  if (bounds === undefined || !hasOverflow || touches.length !== maxTouches) return undefined;
  if (user.corrections.length > 0) return undefined;
  const { lastConversionTimes, lastInOverflow } = bounds;
  const isLatest =
    timestamp > touches.at(-1)!.timestamp &&
    (conversions.length === 0 || timestamp > lastConversionTimes.at(-1)!) &&
    lastInOverflow !== undefined &&
    timestamp > lastInOverflow;
  if (!isLatest) return undefined;
  const first = conversions[0];
  if (first !== undefined && isForgotten(first.arrival, arrival, retentionMs.outcome)) return undefined;
  if (arrival > bounds.touchesKeptUntil) return undefined;
  if (touchWithId(user, bounds, touch) !== undefined) return undefined;
  bounds.clickIds?.add(idHashOf(touch));
  bounds.touchesKeptUntil = Math.min(bounds.touchesKeptUntil, arrival + retentionMs.touch);
  touches.push(touch);
  return touches.shift();
}
