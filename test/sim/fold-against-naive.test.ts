import fc from 'fast-check';
import { expect } from 'vitest';
import { newPartitionFold } from '../../services/attribution/partition/partition-fold.ts';
import { loadProgress, nextOffset } from '../../services/attribution/store/progress.ts';
import type { LogRecord, NewRecord } from '../../services/log/event-log.ts';
import { logRecord } from '../fixtures/log-record.ts';
import { memoryStateStore } from '../fixtures/memory-state-store.ts';
import { testRuns } from '../fixtures/test-runs.ts';
import { collapse, encodeEvent, journey, LOOKBACK, MODELS, ROLLUPS, START, totalsOf, ZONES } from './journey.ts';
import { attributeNaively, type FinalTables, type SimEvent } from './naive-attribution.ts';
import { expectSameSums } from './rollups.ts';

const RUNS = Number(process.env.SIM_RUNS ?? 2000);

/** Where batches end, and what goes wrong with each. */
const batches = fc.array(
  fc.record({
    size: fc.integer({ min: 1, max: 6 }),
    flushes: fc.boolean(),
    fault: fc.constantFrom('none', 'none', 'none', 'crash before publishing', 'crash before writing', 'half published'),
  }),
  { minLength: 1, maxLength: 10 },
);

testRuns(
  'R-4: the fold ends where the naive model does, whatever the order, duplicates, batches, crashes and time zone',
  RUNS,
  (numRuns) => {
    const days = new Set<string>();
    fc.assert(
      fc.property(journey, batches, fc.constantFrom(...ZONES), (journey, plan, at) => {
        const events = journey.map((event) => ({ ...event, timestamp: event.timestamp - START + at.start }));
        const expected = attributeNaively(events, [...MODELS], LOOKBACK, at.zone);
        for (const line of expected.counters) days.add(`${at.zone} ${line.split(' ')[0]}`);
        expect(foldInBatches(events, plan, at)).toEqual(expected);
      }),
      { numRuns },
    );
    expect(days.size).toBe(DAYS);
  },
);

/** Each start has events on two days. */
const DAYS = 2 * ZONES.length;

type Plan = readonly { size: number; flushes: boolean; fault: string }[];

function foldInBatches(events: readonly SimEvent[], plan: Plan, at: (typeof ZONES)[number]): FinalTables {
  const log = events.map((event, offset) => toRecord(event, offset, at.start));
  const store = memoryStateStore();
  const published: NewRecord[] = [];
  // By turns all that is stored is forgotten and read back, and nothing is.
  let hasRoom = true;
  const cacheBytes = () => (hasRoom ? Number.POSITIVE_INFINITY : 0);
  const begin = () => newPartitionFold(at.config, loadProgress(store, 0), { cacheBytes });
  let fold = begin();
  for (let step = 0; (nextOffset(loadProgress(store, 0)) ?? 0) < log.length; step++) {
    // A plan may consist of faults only; past its length every batch goes well.
    const { size, flushes, fault } = step < plan.length ? plan[step]! : { size: 6, flushes: true, fault: 'none' };
    hasRoom = step % 3 !== 2;
    const from = nextOffset(fold.progress) ?? 0;
    const rows = from < log.length ? fold.fold(store, log.slice(from, from + size)) : [];
    const outputs = flushes ? [...rows, ...fold.takeTotals()] : rows;
    if (fault === 'none' || fault === 'crash before writing') published.push(...outputs);
    else if (fault === 'half published') published.push(...outputs.slice(0, outputs.length / 2));
    if (fault !== 'none') fold = begin();
    else if (flushes) fold.flush(store, []);
  }
  expectSameSums(published, ROLLUPS, at.zone);
  return { ...collapse(published), totals: totalsOf(loadProgress(store, 0)) };
}

function toRecord(sim: SimEvent, offset: number, start: number): LogRecord {
  const appendTime = start + offset;
  return logRecord({ offset, key: sim.userId, value: encodeEvent(sim), appendTime });
}
