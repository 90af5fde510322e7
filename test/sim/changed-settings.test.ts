import fc from 'fast-check';
import { expect, test } from 'vitest';
import { attributionConfig, parseAttributionEnvironment } from '../../services/attribution/decision/config.ts';
import { newPartitionFold } from '../../services/attribution/partition/partition-fold.ts';
import { loadProgress } from '../../services/attribution/store/progress.ts';
import { newSweep } from '../../services/attribution/store/sweep.ts';
import { DAY_MS } from '../../services/contract/limits.ts';
import type { NewRecord } from '../../services/log/event-log.ts';
import { logRecord } from '../fixtures/log-record.ts';
import { memoryStateStore } from '../fixtures/memory-state-store.ts';
import { collapse, encodeEvent, journey, MODELS, START } from './journey.ts';
import { Counts, type SimEvent, typeOf } from './naive-attribution.ts';

const RUNS = Number(process.env.SIM_RUNS ?? 2000) / 4;

const settings = fc.record({
  MODELS: fc.subarray([...MODELS], { minLength: 1 }).map((names) => names.join(',')),
  LOOKBACK_HOURS: fc.constantFrom('1', '4', '9', '100'),
  ALLOWED_LATENESS_HOURS: fc.constantFrom('0', '24', '24', '2000'),
  MAX_TOUCHES: fc.constantFrom('1', '2', '100'),
});

type Example = [SimEvent[], { settings: Settings; size: number; days: number }[], Settings];
type Settings = typeof settings extends fc.Arbitrary<infer T> ? T : never;

const ID = '00000000-0000-4000-8000-00000000000';
const ONE_HOUR = { LOOKBACK_HOURS: '1', ALLOWED_LATENESS_HOURS: '0' } as const;
const eventOf = (kind: 'click' | 'conversion', n: number): SimEvent => {
  return {
    kind,
    id: `${ID}${n}`,
    userId: 'ann',
    timestamp: START,
    label: 'x',
    valueMicros: kind === 'click' ? 0n : 5n,
  };
};
const under = (MODELS: string, MAX_TOUCHES: Settings['MAX_TOUCHES']): Settings => ({
  MODELS,
  ...ONE_HOUR,
  MAX_TOUCHES,
});
const clicks = (...ids: number[]) => ids.map((n) => eventOf('click', n));
/** Of the conversion 0. */
const REFUND: SimEvent = { ...eventOf('conversion', 5), kind: 'refund', label: `${ID}0`, valueMicros: 1n };
/** More clicks come than a conversion was to be shared among: while the state has room for all, and when it has not. */
const MORE_TOUCHES: Example[] = [
  [
    [...clicks(1), eventOf('conversion', 0), ...clicks(3, 2, 0)],
    [{ settings: under('first_click,position_based', '1'), size: 2, days: 0 }],
    under('position_based', '2'),
  ],
  [
    [eventOf('conversion', 0), ...clicks(1, 0, 2)],
    [{ settings: under('position_based', '1'), size: 1, days: 0 }],
    under('position_based', '2'),
  ],
];

const HOUR = under('last_click', '100');
const DAY: Settings = { ...HOUR, ALLOWED_LATENESS_HOURS: '24' };
/** What is closed under windows is a candidate of what comes under longer ones, and is so when that is corrected. */
const LONGER: Example[] = [
  [
    [...clicks(9), eventOf('conversion', 1), ...clicks(2), eventOf('conversion', 0), REFUND],
    [
      { settings: HOUR, size: 2, days: 0 },
      { settings: HOUR, size: 1, days: 1 },
    ],
    DAY,
  ],
  [
    [eventOf('conversion', 1), eventOf('conversion', 3), ...clicks(9, 2), eventOf('conversion', 0), REFUND],
    [
      { settings: DAY, size: 1, days: 0 },
      { settings: DAY, size: 1, days: 1 },
      { settings: HOUR, size: 1, days: 1 },
      { settings: HOUR, size: 1, days: 1 },
    ],
    DAY,
  ],
];

test('whatever settings change, what is counted of a conversion is what is published of it', () => {
  let [changed, closed] = [0, 0];
  const stages = fc.array(
    fc.record({ settings, size: fc.integer({ min: 1, max: 12 }), days: fc.oneof(fc.nat(40), fc.constantFrom(1, 2)) }),
  );
  fc.assert(
    fc.property(journey, stages, settings, (all, stages, last) => {
      // What is sent again when its id is forgotten counts twice.
      const events = [...new Map(all.map((event) => [`${typeOf(event)}${event.userId}${event.id}`, event])).values()];
      for (const closes of [false, true]) {
        const { published, corrections, hasClosed } = play(events, stages, last, closes);
        if (corrections > 0n) changed++;
        if (hasClosed) closed++;
        const { attributed, counters } = collapse(published);
        expect(counters.filter((line) => !/ -: /.test(line))).toEqual(recount(attributed, events));
      }
    }),
    { numRuns: RUNS, examples: [...MORE_TOUCHES, ...LONGER] },
  );
  expect(changed).toBeGreaterThan(RUNS / 10);
  expect(closed).toBeGreaterThan(RUNS / 40);
}, 300_000);

/** @param closes whether what is closed moves out of states as soon as there is any */
function play(events: readonly SimEvent[], stages: Example[1], last: Settings, closes: boolean) {
  const store = memoryStateStore();
  const published: NewRecord[] = [];
  let now = START;
  let corrections = 0n;
  for (let i = 0, n = 0; i < events.length; n++) {
    const { settings, size, days } = stages[n] ?? { settings: last, size: events.length, days: 0 };
    const given = attributionConfig(parseAttributionEnvironment({ ...settings, ROLLUPS: '' }));
    const config = closes ? { ...given, closing: { conversions: 1, touches: 1 } } : given;
    const fold = newPartitionFold(config, loadProgress(store, 0));
    now += days * DAY_MS;
    const records = events
      .slice(i, i + size)
      .map((event, j) => logRecord({ offset: i + j, value: encodeEvent(event), appendTime: now + i + j }));
    const rows = fold.fold(store, records);
    published.push(...rows.map((row) => ({ ...row, value: Buffer.from(row.value) })), ...fold.takeTotals());
    fold.flush(store, newSweep(config).next(store, now));
    if (n > 0) corrections += fold.progress.corrections;
    i += size;
  }
  const hasClosed = store.scan(Buffer.from('y'), Buffer.from('{'), 1).length > 0;
  return { published, corrections, hasClosed };
}

/** Counters of the credits that hold. */
function recount(attributed: readonly string[], events: readonly SimEvent[]): string[] {
  const conversions = new Map(
    events.filter(({ kind }) => kind === 'conversion').map((e) => [`${e.userId} ${e.id}`, e]),
  );
  const counts = new Counts();
  for (const line of attributed) {
    const [user, id, model, , campaign, credit, revenue, adjusted, refunds, retracted] = line.split(' ');
    const { timestamp, label } = conversions.get(`${user} ${id}`)!;
    const conversion = retracted === 'true' ? { retracted: BigInt(credit!) } : { conversions: BigInt(credit!) };
    counts.add(`${Math.floor(timestamp / DAY_MS)} ${campaign} ${label} ${model}`, {
      ...{ ...conversion, revenue: BigInt(revenue!), adjusted: BigInt(adjusted!), refunds: BigInt(refunds!) },
    });
  }
  return counts.lines();
}
