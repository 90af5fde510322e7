import fc from 'fast-check';
import { expect, test } from 'vitest';
import { newPartitionFold } from '../../services/attribution/partition/partition-fold.ts';
import { userKey } from '../../services/attribution/store/keys.ts';
import { loadProgress, nextOffset } from '../../services/attribution/store/progress.ts';
import { newSweep } from '../../services/attribution/store/sweep.ts';
import { DAY_MS } from '../../services/contract/limits.ts';
import type { LogRecord, NewRecord } from '../../services/log/event-log.ts';
import { logRecord } from '../fixtures/log-record.ts';
import { memoryStateStore } from '../fixtures/memory-state-store.ts';
import { expectMet, testRuns } from '../fixtures/test-runs.ts';
import { encodeUser } from '../fixtures/user-bytes.ts';
import {
  collapse,
  config as configOfJourneys,
  encodeEvent,
  journey,
  LOOKBACK,
  MODELS,
  ROLLUPS,
  START,
  totalsOf,
} from './journey.ts';
import { attributeNaively, type SimEvent, typeOf } from './naive-attribution.ts';
import { expectSameSums } from './rollups.ts';

const RUNS = Number(process.env.SIM_RUNS ?? 2000) / 2;

/** With which all that is closed moves out of states, the sooner the better. */
const closing = {
  ...configOfJourneys,
  eventIdMs: 365 * DAY_MS,
  closing: { conversions: 1, touches: 1 },
};
const inParts = { ...closing, partBytes: 1500 };
const keeping = { ...closing, closing: { conversions: Number.POSITIVE_INFINITY, touches: Number.POSITIVE_INFINITY } };

const step = fc.record({
  size: fc.integer({ min: 1, max: 5 }),
  next: fc.constantFrom('go on', 'flush', 'sweep', 'sweep and reopen', 'crash'),
  hasRoom: fc.boolean(),
});
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** Days after which the second part comes, and that pass between two events of it. */
const late = fc.record({ begin: fc.constantFrom(3, 20, 60), pause: fc.constantFrom(0, 1) });

testRuns('corrections long after all is closed end where the naive model does, whenever it moved', RUNS, (numRuns) => {
  const met = { moved: 0, corrected: 0 };
  fc.assert(
    fc.property(journey, fc.array(fc.boolean()), late, fc.array(step), (all, areNow, { begin, pause }, steps) => {
      const [now, later] = parted(all, areNow);
      // Those who come by have what is closed of them moved.
      const visits = ['ann', 'bob'].map((userId, n) => visit(userId, n));
      const events = [...now, ...visits, ...later];
      const log = events.map((sim, i) => {
        const days = i < now.length ? 0 : begin + Math.max(0, i - now.length - visits.length) * pause;
        return logRecord({ offset: i, value: encodeEvent(sim), appendTime: START + i + days * DAY_MS });
      });
      const naive = attributeNaively(events, [...MODELS], LOOKBACK);
      const [moved, whole] = [play(closing, log, steps), play(inParts, log, steps.toReversed())];
      expect(moved.tables).toEqual(naive);
      expect(whole.tables).toEqual(naive);
      expect(play(keeping, log, steps).tables).toEqual(naive);
      if (moved.closed > 0) met.moved++;
      if (moved.closed > 0 && later.some((event) => typeOf(event) === 'verdict')) met.corrected++;
    }),
    { numRuns },
  );
  expectMet(met, 1 / 4, numRuns);
});

const ID = '00000000-0000-4000-8000-0000000009';

function visit(userId: string, n: number): SimEvent {
  const id = `${ID}0${n}`;
  return { kind: 'click', id, userId, timestamp: START - 100 * DAY_MS, label: 'x', valueMicros: 0n };
}

/** All clicks and conversions, with some of the others; and the rest, but verdicts that come too late. */
function parted(events: readonly SimEvent[], areNow: readonly boolean[]): [SimEvent[], SimEvent[]] {
  const [now, later]: [SimEvent[], SimEvent[]] = [[], []];
  const seen = new Set<string>();
  events.forEach((event, i) => {
    const name = `${typeOf(event)} ${event.userId} ${event.id}`;
    const isNew = !seen.has(name);
    seen.add(name);
    const isFirst = isNew && (event.kind === 'click' || event.kind === 'conversion');
    if (isFirst || areNow[i]) now.push(event);
    else if (typeOf(event) !== 'verdict' || isOfCandidate(event, events)) later.push(event);
  });
  return [now, later];
}

/** Whether a verdict is on a click that some conversion can be credited to, or on none that comes. */
function isOfCandidate({ userId, label }: SimEvent, events: readonly SimEvent[]): boolean {
  const own = events.filter((event) => event.userId === userId);
  const click = own.find(({ kind, id }) => kind === 'click' && id === label);
  if (click === undefined) return true;
  return own.some(({ kind, timestamp }) => {
    const age = timestamp - click.timestamp;
    return kind === 'conversion' && age >= 0 && age <= LOOKBACK;
  });
}

const EACH: readonly Step[] = Array.from({ length: 6 }, () => ({ size: 1, next: 'sweep and reopen', hasRoom: true }));

/** Events of ann with the days after which they arrive. */
function logOf(...events: readonly [days: number, event: Partial<SimEvent> & Pick<SimEvent, 'kind' | 'id'>][]) {
  return events.map(([days, event], offset) => {
    const sim = { userId: 'ann', timestamp: START, label: 'x', valueMicros: 5n, ...event };
    return logRecord({ offset, value: encodeEvent(sim), appendTime: START + days * DAY_MS + offset });
  });
}

test('what a build before decided is corrected as it was decided then, wherever it lies', () => {
  const touches = [1, 2].map((n) => {
    const of = { clickId: `${ID}0${n}`, timestamp: START + n, arrival: START };
    return { ...of, adId: 'ad', campaignId: 'x', source: 'src', metadata: 'geo\0of x' };
  });
  const credits = touches.map((touch) => {
    return { model: 'linear', touch, creditMicros: 500_000, valueMicros: 5n, adjustedMicros: 0n, refundsMicros: 0n };
  });
  const of = { conversionId: `${ID}03`, timestamp: START + 3, arrival: START, type: 'y', valueMicros: 10n };
  const state = encodeUser({ touches, conversions: [{ ...of, credits, isCounted: true, models: ['linear'] }] });
  const log = logOf(
    [5, visit('ann', 4)],
    [10, { kind: 'refund', id: `${ID}05`, label: `${ID}03`, valueMicros: 4n }],
    [20, { kind: 'refund', id: `${ID}06`, label: `${ID}03`, valueMicros: 2n }],
    [30, { kind: 'invalid', id: `${ID}07`, label: `${ID}02`, valueMicros: 0n }],
    [40, { kind: 'refund', id: `${ID}08`, label: `${ID}03`, valueMicros: 1n }],
  );
  const moved = play(closing, log, EACH, state);
  expect(moved.closed).toBe(1);
  expect(moved.tables).toEqual(play(keeping, log, EACH, state).tables);
  expect(moved.tables.attributed).toEqual([`ann ${ID}03 linear ${ID}01 x 1000000 3 7 7 false`]);
});

test('a correction that waited is remembered as long as the conversion that it waited for is corrected', () => {
  const [conversion, value] = [`${ID}03`, { label: `${ID}03`, valueMicros: 1n }];
  const log = logOf(
    [0, { kind: 'refund', id: `${ID}01`, ...value }],
    [80, { kind: 'conversion', id: conversion }],
    [90, visit('ann', 5)],
    [120, { kind: 'refund', id: `${ID}02`, ...value }],
  );
  const { tables, closed } = play(closing, log, EACH);
  expect(closed).toBe(1);
  const both = [1, 2].map((n) => `${ID}0${n} refund APPLIED`).join(', ');
  expect(tables.decisions).toEqual([`ann ${conversion}: ${both}`]);
});

test('a conversion that comes again when its id is forgotten does not take the corrections of the first', () => {
  const [conversion, refund] = [`${ID}03`, `${ID}04`];
  const log = logOf(
    [0, { kind: 'click', id: `${ID}01` }],
    [0, { kind: 'conversion', id: conversion }],
    [5, visit('ann', 5)],
    [10, { kind: 'refund', id: refund, label: conversion, valueMicros: 2n }],
    [40, { kind: 'conversion', id: conversion }],
  );
  const { tables } = play({ ...closing, eventIdMs: 3 * DAY_MS }, log, EACH);
  expect(tables.totals).toContain('1 attributed, 0 unattributed, 1 adjustments (0 exceed), 0 verdicts, 0 wait');
  expect(tables.totals).toContain('0+1+0+0 duplicates');
});

/** @param state of ann before */
function play(config: typeof closing, log: readonly LogRecord[], steps: readonly Step[], state?: Buffer) {
  const store = memoryStateStore();
  if (state !== undefined) store.write({ deletes: [], puts: [{ key: userKey('ann'), value: state }], appends: [] });
  const published: NewRecord[] = [];
  let hasRoom = true;
  const begin = () =>
    newPartitionFold(config, loadProgress(store, 0), { cacheBytes: () => (hasRoom ? Number.POSITIVE_INFINITY : 0) });
  let fold = begin();
  for (let i = 0, n = 0; i < log.length; n++) {
    const { size, next, ...rest } = steps[n] ?? { size: 5, next: 'flush', hasRoom: true };
    hasRoom = rest.hasRoom;
    const take = (rows: readonly NewRecord[]) => {
      for (const row of rows) published.push({ ...row, value: Buffer.from(row.value) });
    };
    take(fold.fold(store, log.slice(i, i + size)));
    while (fold.unfinished !== undefined) take(fold.goOn(store));
    i = Number(fold.progress.version) + 1;
    take(fold.takeTotals());
    if (next === 'go on') continue;
    if (next === 'crash') {
      fold = begin();
      i = nextOffset(loadProgress(store, 0)) ?? 0;
      continue;
    }
    const clock = Number(fold.progress.watermark);
    fold.flush(store, next === 'flush' ? [] : newSweep(config).next(store, clock));
    if (next === 'sweep and reopen') fold = begin();
  }
  fold.flush(store, []);
  expectSameSums(published, ROLLUPS);
  const closed = store.scan(Buffer.from('z'), Buffer.from('{'), 100).length;
  return { tables: { ...collapse(published), totals: totalsOf(fold.progress) }, closed };
}
