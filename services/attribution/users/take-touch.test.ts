import fc from 'fast-check';
import { expect, test } from 'vitest';
import { rowsOf } from '../../../test/fixtures/credits.ts';
import { eventName } from '../../../test/fixtures/event-name.ts';
import { memoryOverflow } from '../../../test/fixtures/overflow.ts';
import { testRuns } from '../../../test/fixtures/test-runs.ts';
import { newUser } from '../../../test/fixtures/user-bytes.ts';
import { DAY_MS, HOUR_MS } from '../../contract/limits.ts';
import { type AttributionConfig, attributionConfig, parseAttributionEnvironment } from '../decision/config.ts';
import { digestOf } from '../decision/digest.ts';
import { newEffects } from '../decision/effects.ts';
import { type FoldEvent, fold, type TouchEvent } from '../decision/fold.ts';
import { arrivalOf, END_OF_TIME, type SpilledId } from '../decision/state.ts';
import { takeNewest } from './take-touch.ts';

const BASE_MS = 20_000 * DAY_MS;
/** Few touches, and so many that a set knows their ids. */
const [FEW, MANY] = [3, 64];

function configOf(maxTouches: number): AttributionConfig {
  return attributionConfig(
    parseAttributionEnvironment({
      ...{ MODELS: 'last_click', MAX_TOUCHES: String(maxTouches), LOOKBACK_HOURS: '10', ALLOWED_LATENESS_HOURS: '5' },
      ...{ EVENT_ID_DAYS: '1', ADJUSTMENT_DAYS: '1' },
    }),
  );
}

const event = fc.record({
  kind: fc.oneof(
    { weight: 12, arbitrary: fc.constant('click' as const) },
    { weight: 5, arbitrary: fc.constant('conversion' as const) },
    { weight: 1, arbitrary: fc.constantFrom('invalid' as const, 'valid' as const) },
  ),
  /** Minutes that it happened after its arrival, or before it, if it is late or has the time of another. */
  minutes: fc.oneof(
    { weight: 8, arbitrary: fc.constant(0) },
    { weight: 2, arbitrary: fc.integer({ min: -90, max: 200 }) },
  ),
  pause: fc.oneof({ weight: 12, arbitrary: fc.nat(15) }, { weight: 3, arbitrary: fc.constantFrom(400, 800, 1600) }),
  /** Whether the user is asked for anew before it, as in another batch. */
  isReopened: fc.boolean(),
  /** A repeated id of the last few; none of the most. */
  again: fc.oneof({ weight: 8, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.integer({ min: 1, max: 8 }) }),
});

testRuns('a click that is taken without the fold leaves what the fold does', 300, (numRuns) => {
  let taken = 0;
  const events = fc.array(event, { minLength: 30, maxLength: 100, size: 'max' });
  fc.assert(
    fc.property(events, fc.boolean(), fc.constantFrom(FEW, FEW, MANY), (all, hasCorrections, maxTouches) => {
      const given = all.filter(({ kind }) => hasCorrections || kind === 'click' || kind === 'conversion');
      const config = configOf(maxTouches);
      const [short, whole] = [newJourney(config, true), newJourney(config, false)];
      let arrival = BASE_MS;
      const plain = { kind: 'click' as const, minutes: 0, pause: 1, isReopened: false, again: 0 };
      const first = Array.from({ length: maxTouches }, () => plain);
      [...first, ...given].forEach((each, i) => {
        arrival += each.pause * 60_000;
        for (const journey of [short, whole]) {
          if (each.isReopened) journey.reopen();
          journey.fold(eventOf(each, i, arrival));
        }
        expect(short.seen()).toEqual(whole.seen());
      });
      taken += short.taken();
    }),
    { numRuns },
  );
  expect(taken).toBeGreaterThan(numRuns);
});

test('a click is left to the fold where a conversion is to be forgotten', () => {
  const journey = newJourney(configOf(FEW), true);
  const of = { minutes: 0, pause: 1, again: 0, isReopened: false };
  for (let i = 0; i < 10; i++) {
    journey.fold(eventOf({ ...of, kind: i < 8 ? 'click' : 'conversion' }, i, BASE_MS + i));
  }
  const { user } = journey.seen();
  const arrival = BASE_MS + HOUR_MS;
  const { touch } = eventOf({ ...of, kind: 'click' }, 10, arrival) as TouchEvent;
  const bounds = { ...journey.bounds(), touchesKeptUntil: arrival };
  const isTaken = (conversions: typeof user.conversions) =>
    takeNewest(configOf(FEW), { ...user, touches: [...user.touches], conversions, bounds }, touch) !== undefined;
  expect(isTaken(user.conversions)).toBe(true);
  expect(isTaken(user.conversions.map((each) => ({ ...each, arrival: arrival - 32 * DAY_MS })))).toBe(false);
});

/** @param isShort whether clicks are taken without the fold where that may be */
function newJourney(config: AttributionConfig, isShort: boolean) {
  const [user, effects, spilled] = [newUser(), newEffects(), new Map<string, SpilledId>()];
  const overflow = memoryOverflow(spilled);
  let taken = 0;
  return {
    taken: () => taken,
    bounds: () => user.bounds!,
    seen: () => ({
      user: { ...user, bounds: undefined },
      totals: effects.totals,
      duplicates: effects.duplicates,
      rows: rowsOf(effects).map(({ conversion, credit, retracted, cause }) => [conversion, credit, retracted, cause]),
      beside: [...overflow().touches(0, END_OF_TIME, false)],
      touchesKeptUntil: user.bounds!.touchesKeptUntil,
    }),
    reopen() {
      delete user.bounds;
    },
    fold(event: FoldEvent) {
      if (isShort && event.role === 'touch' && !spilled.has(eventName(event))) {
        const dropped = takeNewest(config, user, event.touch);
        if (dropped !== undefined) {
          effects.totals.clicks++;
          effects.totals.touchesDropped++;
          overflow().addTouch(dropped, false);
          taken++;
          return;
        }
      }
      const known = () => spilled.get(eventName(event));
      const of = { config, watermark: arrivalOf(event), longestApartMs: config.retentionMs.touch };
      fold({ ...of, spilled: known, overflow }, user, event, effects);
      for (const each of effects.spilled.splice(0)) {
        spilled.set(eventName(each), { arrival: arrivalOf(each), digest: digestOf(each) });
      }
    },
  };
}

function idOf(n: number): string {
  return `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
}

function eventOf(
  { kind, minutes, again }: typeof event extends fc.Arbitrary<infer E> ? E : never,
  i: number,
  arrival: number,
): FoldEvent {
  const [id, timestamp] = [idOf(Math.max(0, i - again)), arrival + (minutes * HOUR_MS) / 60];
  const of = { userId: 'u', offset: i };
  if (kind === 'click') {
    const texts = { adId: 'ad', campaignId: 'camp', source: 'src', metadata: '' };
    return { role: 'touch', type: kind, ...of, touch: { clickId: id, timestamp, arrival, ...texts } };
  }
  if (kind === 'conversion') {
    const conversion = { conversionId: id, timestamp, arrival, type: 'buy', valueMicros: 5n };
    return {
      role: 'outcome',
      type: kind,
      ...of,
      conversion: { ...conversion, credits: [], isCounted: false, models: [] },
    };
  }
  // Of what came, or of what comes.
  const targetId = idOf(i + (again === 0 ? 1 : -again));
  const correction = { targetId, eventId: idOf(1000 + i), kind, valueMicros: 0n, timestamp, arrival };
  return { role: 'verdict', type: 'verdict', ...of, correction };
}
