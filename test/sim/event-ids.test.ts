import fc from 'fast-check';
import { expect } from 'vitest';
import {
  type AttributionConfig,
  attributionConfig,
  parseAttributionEnvironment,
} from '../../services/attribution/decision/config.ts';
import { newPartitionFold } from '../../services/attribution/partition/partition-fold.ts';
import { loadProgress } from '../../services/attribution/store/progress.ts';
import type { StateStore } from '../../services/attribution/store/state-store.ts';
import { newSweep } from '../../services/attribution/store/sweep.ts';
import { DAY_MS, HOUR_MS } from '../../services/contract/limits.ts';
import { logRecord } from '../fixtures/log-record.ts';
import { memoryStateStore } from '../fixtures/memory-state-store.ts';
import { stateDigest } from '../fixtures/state-digest.ts';
import { expectMet, testRuns } from '../fixtures/test-runs.ts';
import { encodeEvent, START } from './journey.ts';

const RUNS = Math.ceil(Number(process.env.SIM_RUNS ?? 2000) / 10);

/** Clicks are kept for 8 hours, a day as candidates, and their ids for 3 days; conversions for 31 days. */
const config = attributionConfig(
  parseAttributionEnvironment({
    LOOKBACK_HOURS: '4',
    ALLOWED_LATENESS_HOURS: '4',
    EVENT_ID_DAYS: '3',
    ADJUSTMENT_DAYS: '1',
  }),
);
/** With which all that is closed moves out of states, the sooner the better. */
const closing = { ...config, closing: { conversions: 1, touches: 1 } };
const KNOWN_MS = { click: 3 * DAY_MS, conversion: 31 * DAY_MS };

const step = fc.record({
  kind: fc.constantFrom('click' as const, 'conversion' as const),
  number: fc.integer({ min: 0, max: 5 }),
  userId: fc.constantFrom('ann', 'bob'),
  hour: fc.integer({ min: 0, max: 10 }),
  /** Hours of arrival before it. */
  pause: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 30 }), fc.constantFrom(0, 0, 800)),
  next: fc.constantFrom('go on', 'flush', 'sweep', 'sweep and reopen'),
});
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

testRuns('R-19: an id is known for EVENT_ID_DAYS, and nothing depends on when the sweep comes by', RUNS, (numRuns) => {
  const met = { swept: 0, duplicates: 0, again: 0 };
  fc.assert(
    fc.property(fc.array(step, { maxLength: 20, size: 'max' }), (steps) => {
      const [swept, unswept] = [play(config, steps, true), play(config, steps, false)];
      expect(swept.published).toEqual(unswept.published);
      expect(stateDigest(config, swept.store)).toBe(stateDigest(config, unswept.store));
      const naive = countNaively(steps);
      const { clicks, attributed, unattributed, clickDuplicates, conversionDuplicates } = loadProgress(swept.store, 0);
      expect([clicks, attributed + unattributed, clickDuplicates, conversionDuplicates].map(Number)).toEqual([
        ...[naive.click.kept, naive.conversion.kept, naive.click.duplicates, naive.conversion.duplicates],
      ]);
      met.swept += swept.deleted;
      met.duplicates += naive.click.duplicates + naive.conversion.duplicates;
      met.again += naive.again;
      const [closedSwept, closedUnswept] = [play(closing, steps, true), play(closing, steps, false)];
      expect(closedSwept.published).toEqual(closedUnswept.published);
      expect(stateDigest(closing, closedSwept.store)).toBe(stateDigest(closing, closedUnswept.store));
    }),
    { numRuns },
  );
  expectMet(met, 1 / 4, numRuns);
});

function arrivals(steps: readonly Step[]): number[] {
  let arrival = START;
  return steps.map(({ pause }) => (arrival += pause * HOUR_MS));
}

function play(config: AttributionConfig, steps: readonly Step[], sweeps: boolean) {
  const store = memoryStateStore();
  const published: string[] = [];
  let deleted = 0;
  let hasRoom = true;
  const begin = () =>
    newPartitionFold(config, loadProgress(store, 0), { cacheBytes: () => (hasRoom ? Number.POSITIVE_INFINITY : 0) });
  let fold = begin();
  arrivals(steps).forEach((appendTime, offset) => {
    const { kind, number, userId, hour, next } = steps[offset]!;
    const id = `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;
    const event = { kind, id, userId, timestamp: START + hour * HOUR_MS, label: 'x', valueMicros: 7n };
    hasRoom = offset % 3 !== 2;
    const rows = fold.fold(store, [logRecord({ offset, key: userId, value: encodeEvent(event), appendTime })]);
    for (const { topic, value } of [...rows, ...fold.takeTotals()]) published.push(`${topic} ${hex(value)}`);
    if (next === 'go on') return;
    const expired = sweeps && next !== 'flush' ? newSweep(config).next(store, appendTime) : [];
    const before = count(store);
    fold.flush(store, expired);
    if (expired.length > 0 && count(store) < before) deleted++;
    if (next === 'sweep and reopen') fold = begin();
  });
  fold.flush(store, []);
  return { store, published, deleted };
}

/** Users in a store. */
function count(store: StateStore): number {
  return store.scan(Buffer.from('u'), Buffer.from('v'), 10).length;
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

/** An event is a duplicate if one of the same user, kind and id counted, and is known still. */
function countNaively(steps: readonly Step[]) {
  const counts = { click: { kept: 0, duplicates: 0 }, conversion: { kept: 0, duplicates: 0 }, again: 0 };
  const known = new Map<string, number>();
  arrivals(steps).forEach((arrival, i) => {
    const { kind, number, userId } = steps[i]!;
    const name = `${kind} ${userId} ${number}`;
    const first = known.get(name);
    if (first !== undefined && arrival - first <= KNOWN_MS[kind]) {
      counts[kind].duplicates++;
      return;
    }
    if (first !== undefined) counts.again++;
    known.set(name, arrival);
    counts[kind].kept++;
  });
  return counts;
}
