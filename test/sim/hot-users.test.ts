import fc from 'fast-check';
import { expect, test } from 'vitest';
import { attributionConfig, parseAttributionEnvironment } from '../../services/attribution/decision/config.ts';
import { newPartitionFold } from '../../services/attribution/partition/partition-fold.ts';
import { loadProgress } from '../../services/attribution/store/progress.ts';
import type { NewRecord } from '../../services/log/event-log.ts';
import { logRecord } from '../fixtures/log-record.ts';
import { memoryStateStore } from '../fixtures/memory-state-store.ts';
import { collapse, encodeEvent, journey, LOOKBACK, START } from './journey.ts';
import { attributeNaively, type SimEvent } from './naive-attribution.ts';

const RUNS = Number(process.env.SIM_RUNS ?? 2000) / 4;
const EXACT = ['last_click', 'first_click'] as const;

const step = fc.record({ size: fc.integer({ min: 1, max: 6 }), next: fc.constantFrom('go on', 'flush', 'reopen') });

/** What there is no room for can't be corrected. */
const uncorrected = journey.map((events) => events.filter(({ kind }) => kind === 'click' || kind === 'conversion'));

test('last_click and first_click are exact, however few touches and conversions there is room for', () => {
  let overflowed = 0;
  fc.assert(
    fc.property(
      uncorrected,
      fc.integer({ min: 1, max: 2 }),
      fc.boolean(),
      fc.array(step),
      (events, most, all, steps) => {
        const models = all ? ['linear', ...EXACT] : EXACT;
        const { published, dropped } = foldWith({ MODELS: models.join(','), MAX_TOUCHES: String(most) }, events, steps);
        overflowed += dropped;
        const naive = attributeNaively(events, [...EXACT], LOOKBACK);
        const exact = (lines: string[]) => lines.filter((line) => !/ linear\b/.test(line));
        const { attributed, counters } = collapse(published);
        expect(exact(attributed)).toEqual(naive.attributed);
        expect(exact(counters)).toEqual(naive.counters);
      },
    ),
    { numRuns: RUNS },
  );
  expect(overflowed).toBeGreaterThan(RUNS / 4);
}, 300_000);

type Steps = readonly { size: number; next: string }[];

function foldWith(env: Record<string, string>, events: readonly SimEvent[], steps: Steps) {
  const hours = { LOOKBACK_HOURS: String(LOOKBACK / 3_600_000) };
  const config = attributionConfig(parseAttributionEnvironment({ ...hours, ...env }));
  const store = memoryStateStore();
  const published: NewRecord[] = [];
  const begin = () => newPartitionFold(config, loadProgress(store, 0));
  let fold = begin();
  const log = events.map((sim, offset) => logRecord({ offset, value: encodeEvent(sim), appendTime: START + offset }));
  for (let i = 0, n = 0; i < log.length; n++) {
    const { size, next } = steps[n] ?? { size: 5, next: 'go on' };
    const rows = fold.fold(store, log.slice(i, i + size));
    published.push(...rows.map((row) => ({ ...row, value: Buffer.from(row.value) })), ...fold.takeTotals());
    if (next !== 'go on') fold.flush(store, []);
    if (next === 'reopen') fold = begin();
    i += size;
  }
  return { published, dropped: Number(fold.progress.touchesDropped) };
}
