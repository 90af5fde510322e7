import { fromBinary } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ConversionDecisionSchema } from '../../gen/ts/clickmesh/v1/attribution_pb.js';
import { attributionConfig, parseAttributionEnvironment } from '../../services/attribution/decision/config.ts';
import { newPartitionFold } from '../../services/attribution/partition/partition-fold.ts';
import { loadProgress } from '../../services/attribution/store/progress.ts';
import { newSweep } from '../../services/attribution/store/sweep.ts';
import { DAY_MS } from '../../services/contract/limits.ts';
import type { NewRecord } from '../../services/log/event-log.ts';
import { logRecord } from '../fixtures/log-record.ts';
import { memoryStateStore } from '../fixtures/memory-state-store.ts';
import { expectMet, testRuns } from '../fixtures/test-runs.ts';
import { collapse, encodeEvent, journey, LOOKBACK, START, totalsOf } from './journey.ts';
import { attributeNaively, type SimEvent, typeOf } from './naive-attribution.ts';

const RUNS = Number(process.env.SIM_RUNS ?? 2000) / 4;
const EXACT = ['last_click', 'first_click'] as const;

const step = fc.record({ size: fc.integer({ min: 1, max: 6 }), next: fc.constantFrom('go on', 'flush', 'reopen') });

testRuns(
  'last_click and first_click are exact, however few touches and conversions there is room for',
  RUNS,
  (numRuns) => {
    let overflowed = 0;
    let corrected = 0;
    let met = 0;
    fc.assert(
      fc.property(journey, fc.integer({ min: 1, max: 2 }), fc.boolean(), fc.array(step), (events, most, all, steps) => {
        const models = all ? ['linear', ...EXACT] : EXACT;
        const { published, progress } = foldWith(
          { MODELS: models.join(','), MAX_TOUCHES: String(most) },
          events,
          steps,
        );
        if (progress.touchesDropped > 0n) overflowed++;
        if (progress.touchesDropped > 0n && progress.adjustments + progress.verdicts > 2n) corrected++;
        const naive = attributeNaively(events, [...EXACT], LOOKBACK);
        const exact = (lines: string[]) => lines.filter((line) => !/ linear\b/.test(line));
        const { attributed, counters } = collapse(published);
        expect(exact(attributed)).toEqual(naive.attributed);
        expect(exact(counters)).toEqual(naive.counters);
        expect(totalsOf(progress)).toEqual(naive.totals);
        // It is told of what is published, and of none that no model shares.
        const truncated = truncatedIn(published);
        expect(progress.truncated).toBe(BigInt(truncated.length));
        expect(truncated).toEqual(all ? moreThan(most, events) : []);
        if (truncated.length > 0) met++;
      }),
      { numRuns },
    );
    expectMet({ overflowed }, 1 / 4, numRuns);
    expectMet({ corrected }, 1 / 8, numRuns);
    expectMet({ truncated: met }, 1 / 50, numRuns);
  },
);

testRuns('what there is no room for is corrected as long as if there were room', RUNS, (numRuns) => {
  const met = { corrected: 0, tooLate: 0 };
  const pauses = fc.array(fc.constantFrom(0, 0, 0, 1, 2, 20, 60, 100), { minLength: 44, maxLength: 44 });
  fc.assert(
    fc.property(
      journey,
      pauses,
      fc.constantFrom('1', '30', '365', '365'),
      fc.array(step),
      (all, days, known, steps) => {
        // What is sent again is known as long as its id, or its event: that may differ.
        const events = [...new Map(all.map((event) => [`${typeOf(event)}${event.userId}${event.id}`, event])).values()];
        const env = { MODELS: EXACT.join(','), EVENT_ID_DAYS: known };
        const [few, many, ...closing] = ['1', '10000', '1', '10000'].map((most, i) => {
          const { published, progress } = foldWith({ ...env, MAX_TOUCHES: most }, events, steps, days, i > 1);
          if (most === '1' && progress.touchesDropped > 0n) {
            if (progress.adjustments + progress.verdicts > 2n) met.corrected++;
            if (progress.tooLate > 0n) met.tooLate++;
          }
          const { attributed, counters } = collapse(published);
          return { attributed, counters, totals: totalsOf(progress) };
        });
        expect(few).toEqual(many);
        expect(closing).toEqual([many, many]);
      },
    ),
    { numRuns },
  );
  expectMet(met, 1 / 50, numRuns);
});

test('a click that is judged where it has moved to is found as that, once it is stored', () => {
  const event = (kind: SimEvent['kind'], n: number, label: string): SimEvent => ({
    ...{ kind, id: idOf(n), userId: 'ann', timestamp: START + n, label, valueMicros: 5n },
  });
  const clicks = [0, 1, 2, 6].map((n) => event('click', n, 'x'));
  const judged = [...clicks, event('invalid', 4, idOf(2)), event('conversion', 3, 'z')];
  const steps = [...judged, 0].map(() => ({ size: 1, next: 'reopen' }));
  for (const events of [judged, [...judged, event('valid', 5, idOf(2)), event('conversion', 5, 'z')]]) {
    const { published } = foldWith({ MODELS: 'last_click', MAX_TOUCHES: '1' }, events, steps);
    const { attributed, counters } = attributeNaively(events, ['last_click'], LOOKBACK);
    expect(collapse(published)).toMatchObject({ attributed, counters });
  }
});

/** Conversions whose newest decision says truncated. */
function truncatedIn(published: readonly NewRecord[]): string[] {
  const decisions = published.filter(({ topic }) => topic === 'conversion-decisions');
  const newest = new Map<string, boolean>();
  for (const { value } of decisions) {
    const { userId, conversionId, truncated } = fromBinary(ConversionDecisionSchema, value);
    newest.set(`${userId} ${conversionId}`, truncated);
  }
  return [...newest].flatMap(([key, truncated]) => (truncated ? [key] : [])).sort();
}

/** Conversions that have more valid clicks inside their window, as decisions of the naive model name them. */
function moreThan(most: number, events: readonly SimEvent[]): string[] {
  const { decisions } = attributeNaively(events, ['last_click'], LOOKBACK);
  return decisions.flatMap((line) => {
    const [key, considered] = line.split(': ');
    const clicks = considered!.match(/last_click /g) ?? [];
    return clicks.length > most ? [key!] : [];
  });
}

function idOf(n: number): string {
  return `00000000-0000-4000-8000-00000000000${n}`;
}

type Steps = readonly { size: number; next: string }[];

/**
 * @param days that pass before each event
 * @param closes whether what is closed moves out of states as soon as there is any
 */
function foldWith(
  env: Record<string, string>,
  events: readonly SimEvent[],
  steps: Steps,
  days: readonly number[] = [],
  closes = false,
) {
  const hours = { LOOKBACK_HOURS: String(LOOKBACK / 3_600_000) };
  const given = attributionConfig(parseAttributionEnvironment({ ...hours, ...env }));
  const config = closes ? { ...given, closing: { conversions: 1, touches: 1 } } : given;
  const store = memoryStateStore();
  const published: NewRecord[] = [];
  const begin = () => newPartitionFold(config, loadProgress(store, 0));
  let fold = begin();
  let now = START;
  const log = events.map((sim, offset) => {
    now += 1 + (days[offset] ?? 0) * DAY_MS;
    return logRecord({ offset, value: encodeEvent(sim), appendTime: now });
  });
  for (let i = 0, n = 0; i < log.length; n++) {
    const { size, next } = steps[n] ?? { size: 5, next: 'go on' };
    const rows = fold.fold(store, log.slice(i, i + size));
    published.push(...rows.map((row) => ({ ...row, value: Buffer.from(row.value) })), ...fold.takeTotals());
    const sweep = newSweep(config);
    const last = log[Math.min(i + size, log.length) - 1]!.appendTime;
    if (next !== 'go on') fold.flush(store, sweep.next(store, last));
    if (next === 'reopen') fold = begin();
    i += size;
  }
  return { published, progress: fold.progress };
}
