import fc from 'fast-check';
import { expect, test } from 'vitest';
import { memoryStateStore } from '../../../test/fixtures/memory-state-store.ts';
import { HOUR_MS } from '../../contract/limits.ts';
import { reportDays } from '../../contract/report-days.ts';
import { parseRollups } from '../../contract/rollups.ts';
import { decide } from '../decision/decide.ts';
import { newEffects, recordChanges, type SharesChange } from '../decision/effects.ts';
import { MODELS, type ModelName } from '../decision/models.ts';
import type { RememberedConversion, Touch } from '../decision/state.ts';
import { putTouch, TOUCH_WORDS, TouchSpace, TouchTexts, touchMemory } from '../memory/touch-memory.ts';
import type { StateStore } from '../store/state-store.ts';
import { Counters } from './counters.ts';
import { inRuns } from './touch-runs.ts';

const TOUCHES = 200;
const BASE_MS = 20_000 * 24 * HOUR_MS;
const ROLLUPS = parseRollups('day:campaign_id,ad_id; hour:campaign_id; day:conversion_type');
const NOTHING = { retracted: false, valueMicros: 0n, refundsMicros: 0n, exceededMicros: 0n };

const ALL_MODELS = Object.keys(MODELS) as ModelName[];

const conversion = fc.record({
  first: fc.nat(40),
  end: fc.constantFrom(50, 110, 110, 130, TOUCHES),
  minutes: fc.integer({ min: 0, max: 90 }),
  type: fc.constantFrom('buy', 'buy', 'install'),
  valueMicros: fc.oneof(
    fc.bigInt({ min: 0n, max: 10n ** 9n }),
    fc.bigInt({ min: 0n, max: 100n }),
    fc.constantFrom(2n ** 53n - 1n, 2n ** 53n - 2n, 2n ** 53n),
  ),
  models: fc.constantFrom<ModelName[]>(ALL_MODELS, ['linear', 'last_click'], ['time_decay'], ['last_click']),
  /** Whether the first touch is one of those beside the state, an object of its own each time. */
  isFirstBeside: fc.boolean(),
});
const conversions = fc.array(conversion, { minLength: 1, maxLength: 12 }).map((all) =>
  // Most come in order of time, as do their touches.
  all.toSorted((a, b) => a.first - b.first),
);

test('conversions that many touches share are counted together as they are one by one, from wherever a store is', () => {
  fc.assert(
    fc.property(conversions, fc.nat(12), fc.nat(12), (given, some, stored) => {
      const texts = new TouchTexts();
      const touches = touchesIn(texts);
      const changes = given.flatMap((each, i) => changesOf(each, i, touches));
      const parts = [changes.slice(0, some), changes.slice(some)];
      const single = counted(
        memoryStateStore(),
        texts,
        changes.map((change) => [change]),
      );
      expect(counted(memoryStateStore(), texts, [changes])).toEqual(single);
      expect(counted(memoryStateStore(), texts, parts)).toEqual(single);
      // What the store has already does not count anew.
      const store = memoryStateStore();
      counted(store, texts, [changes.slice(0, stored)]);
      expect(counted(store, texts, [changes])).toEqual(single);
    }),
    { numRuns: 300 },
  );
});

test('a touch of many conversions is in their run once, be it the first of all, an object of its own each time', () => {
  const texts = new TouchTexts();
  const touches = touchesIn(texts);
  const of = { minutes: 0, type: 'buy', valueMicros: 10n, models: ALL_MODELS, isFirstBeside: true };
  // Two at a time begin with the same touch, and the next ones ten later.
  const changes = Array.from({ length: 10 }, (_, i) =>
    changesOf({ ...of, first: 10 * (i >> 1), end: 101 + 10 * (i >> 1) }, i, touches),
  ).flat();
  const { runs } = inRuns(texts, changes, () => true);
  const [inState, beside] = [140, 5];
  expect(runs.map(({ count }) => count)).toEqual([inState + beside]);
});

test('clicks of two users with the same id are not taken for one', () => {
  const texts = new TouchTexts();
  const touches = touchesIn(texts);
  const of = { minutes: 0, type: 'buy', valueMicros: 10n, models: ALL_MODELS, isFirstBeside: true };
  const [change] = changesOf({ ...of, first: 0, end: 110 }, 0, touches);
  const others = [{ ...touchOf(0), adId: 'other' }, ...change!.touches.slice(1)];
  const changes = [change!, { ...change!, userId: 'v', touches: others, offset: 20 }];
  const [together, single] = [[changes], changes.map((each) => [each])];
  expect(counted(memoryStateStore(), texts, together)).toEqual(counted(memoryStateStore(), texts, single));
});

/** What the store has in the end. */
function counted(store: StateStore, texts: TouchTexts, parts: readonly (readonly SharesChange[])[]) {
  const counters = new Counters(3, ROLLUPS, reportDays('UTC'), () => 1 << 20);
  for (const changes of parts) counters.add(store, texts, { clicks: [], changes });
  store.write({ deletes: [], puts: counters.takeDirty(), appends: [] });
  return store
    .scan(Buffer.of(0), Buffer.of(255), 100_000)
    .map(({ key, value }) => [key.toString('latin1'), value.toString('latin1')]);
}

function touchesIn(texts: TouchTexts): Touch[] {
  const space = new TouchSpace(texts);
  const memory = touchMemory(TOUCH_WORDS);
  space.reserve(TOUCHES);
  return Array.from({ length: TOUCHES }, (_, i) => {
    putTouch(memory, 0, touchOf(i), texts);
    return space.copy(memory, 0);
  });
}

function touchOf(i: number): Touch {
  const clickId = `00000000-0000-4000-8000-${String(i).padStart(12, '0')}`;
  const of = { adId: `ad${i % 7}`, campaignId: `c${i % 3}`, source: 's', metadata: '' };
  return { clickId, timestamp: BASE_MS + i, arrival: BASE_MS + i, ...of };
}

interface Given {
  first: number;
  end: number;
  minutes: number;
  type: string;
  valueMicros: bigint;
  models: readonly ModelName[];
  isFirstBeside: boolean;
}

function changesOf(given: Given, i: number, all: readonly Touch[]) {
  const { first, end, minutes, type, valueMicros, models, isFirstBeside } = given;
  const timestamp = BASE_MS + minutes * 60_000;
  const touches = all.slice(first, end);
  if (isFirstBeside) touches[0] = { ...touchOf(first) };
  const windows = { lookbackMs: 24 * HOUR_MS, apartMs: 48 * HOUR_MS, maxTouches: 1024 };
  const of: RememberedConversion = {
    ...{ conversionId: `00000000-0000-4000-9000-${String(i).padStart(12, '0')}`, timestamp, arrival: timestamp },
    ...{ type, valueMicros, models, windows, credits: [], isCounted: true },
  };
  const standing = { ...NOTHING, valueMicros };
  const candidates = { touches, newest: touches, isTruncated: false };
  const shares = decide({ models, lookbackMs: windows.lookbackMs }, candidates, of, standing);
  const effects = newEffects();
  const ref = {
    userId: 'u',
    conversion: of,
    offset: 10 * (i + 1),
    cause: { eventId: '', type: 'conversion' as const },
  };
  recordChanges(
    effects,
    ref,
    { shares: { touches: [], byModel: [] }, standing, isCounted: false },
    {
      ...{ models, shares, candidates: touches, isTruncated: false, invalid: [], standing, corrections: [] },
      lookbackMs: windows.lookbackMs,
    },
  );
  return effects.changes;
}
