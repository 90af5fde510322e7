import { type DescMessage, fromBinary, toBinary, toJson } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  AttributedConversionSchema,
  ConversionDecisionSchema,
  DailyStatsSchema,
} from '../../gen/ts/clickmesh/v1/attribution_pb.js';
import { newEffects } from '../../services/attribution/decision/effects.ts';
import { fold } from '../../services/attribution/decision/fold.ts';
import { arrivalOf } from '../../services/attribution/decision/state.ts';
import { readEvent } from '../../services/attribution/input/read-event.ts';
import { newPartitionFold } from '../../services/attribution/partition/partition-fold.ts';
import { loadProgress } from '../../services/attribution/store/progress.ts';
import { newSweep } from '../../services/attribution/store/sweep.ts';
import { EventBatch } from '../../services/attribution/users/event-batch.ts';
import { UserTable } from '../../services/attribution/users/user-table.ts';
import type { Topic } from '../../services/contract/topics.ts';
import type { NewRecord } from '../../services/log/event-log.ts';
import { incrementsOf } from '../fixtures/credits.ts';
import { dailyRows } from '../fixtures/daily-rows.ts';
import { logRecord } from '../fixtures/log-record.ts';
import { memoryStateStore } from '../fixtures/memory-state-store.ts';
import { memoryOverflow } from '../fixtures/overflow.ts';
import { expectMet, testRuns } from '../fixtures/test-runs.ts';
import { newUser } from '../fixtures/user-bytes.ts';
import { collapse, config, encodeEvent, journey, LOOKBACK, MODELS, ROLLUPS, START } from './journey.ts';
import { attributeNaively, Counts, type SimEvent, typeOf } from './naive-attribution.ts';
import { expectSameSums } from './rollups.ts';

const RUNS = Number(process.env.SIM_RUNS ?? 2000);
const DAY = 86_400_000;

testRuns('in any order, what is added and taken back sums up to what the naive model counts', RUNS, (numRuns) => {
  fc.assert(
    fc.property(journey, (events) => {
      expect(sumUp(events)).toEqual(attributeNaively(events, [...MODELS], LOOKBACK).counters);
    }),
    { numRuns },
  );
});

/** The sums of all changes of counters. */
function sumUp(events: readonly SimEvent[]): string[] {
  const users = new Map<string, ReturnType<typeof newUser>>();
  const effects = newEffects();
  const batch = new EventBatch(events.length, new UserTable());
  events.forEach((event, offset) => {
    readEvent(logRecord({ offset, key: event.userId, value: encodeEvent(event) }), START + offset, batch);
  });
  batch.findUsers();
  events.forEach(({ userId }, i) => {
    const user = users.get(userId) ?? newUser();
    users.set(userId, user);
    const event = batch.eventAt(i);
    fold(
      {
        ...{ config, watermark: arrivalOf(event), longestApartMs: config.retentionMs.touch },
        ...{ spilled: () => undefined, overflow: memoryOverflow() },
      },
      user,
      event,
      effects,
    );
  });
  const counts = new Counts();
  for (const { touch, clicks, invalidClicks } of effects.clicks) {
    const measures = { clicks: BigInt(clicks), invalidClicks: BigInt(invalidClicks) };
    counts.add(`${Math.floor(touch.timestamp / DAY)} ${touch.campaignId} - -`, measures);
  }
  for (const { timestamp, touch, conversionType, model, ...of } of incrementsOf(effects)) {
    counts.add(`${Math.floor(timestamp / DAY)} ${touch?.campaignId ?? '-'} ${conversionType} ${model || '-'}`, {
      ...{ conversions: of.conversionsMicros, revenue: of.revenueMicros, retracted: of.retractedMicros },
      ...{ adjusted: of.adjustedMicros, refunds: of.refundsMicros },
    });
  }
  return counts.lines();
}

testRuns('a verdict that another takes back leaves all as it was, but versions and causes', RUNS / 4, (numRuns) => {
  let flipped = 0;
  fc.assert(
    fc.property(journey, fc.nat(), (events, place) => {
      const clicks = events.filter(({ kind }) => kind === 'click');
      if (clicks.length === 0) return;
      const click = clicks[place % clicks.length]!;
      const verdicts = events.filter(
        (e) => typeOf(e) === 'verdict' && e.userId === click.userId && e.label === click.id,
      );
      const last = verdicts.sort((a, b) => a.timestamp - b.timestamp || (a.id < b.id ? -1 : 1)).at(-1);
      const [now, other] = last?.kind === 'invalid' ? (['invalid', 'valid'] as const) : (['valid', 'invalid'] as const);
      const [there, back] = [other, now].map((kind, i) => ({
        ...{ ...click, kind, id: `00000000-0000-4000-8000-00000000090${i}` },
        ...{ label: click.id, timestamp: START + DAY + i },
      }));
      const before = tablesOf(events);
      if (JSON.stringify(tablesOf([...events, there!])) !== JSON.stringify(before)) flipped++;
      expect(tablesOf([...events, there!, back!])).toEqual(before);
    }),
    { numRuns },
  );
  expectMet({ flipped }, 1 / 2, numRuns);
});

/** Three clicks of two campaigns, and a conversion of all. */
const SOLD: readonly SimEvent[] = ['x', 'y', 'x', 'z'].map((label, i) => ({
  kind: label === 'z' ? 'conversion' : 'click',
  ...{ id: `00000000-0000-4000-8000-00000000000${i}`, userId: 'ann', timestamp: START + i, label },
  valueMicros: 70_000_000n,
}));

test('a refund 60 days after its conversion lands where that counts, under all models; after 91 days it is too late', () => {
  const refund: SimEvent = {
    ...{ kind: 'refund', id: '00000000-0000-4000-8000-000000000009', userId: 'ann', label: SOLD[3]!.id },
    ...{ timestamp: START + 60 * DAY, valueMicros: 7_000_000n },
  };
  const other = { ...SOLD[0]!, userId: 'bob' };
  const [none, after60, after91] = [undefined, 60, 91].map((days) => {
    const store = memoryStateStore();
    const published: NewRecord[] = [];
    const foldOne = (event: SimEvent, offset: number, appendTime: number) => {
      const fold = newPartitionFold(config, loadProgress(store, 0));
      const record = logRecord({ offset, key: event.userId, value: encodeEvent(event), appendTime });
      published.push(...fold.fold(store, [record]), ...fold.takeTotals());
      fold.flush(store, newSweep(config).next(store, appendTime));
    };
    SOLD.forEach((event, i) => {
      foldOne(event, i, START + i);
    });
    // Somebody else comes by, and the sweep.
    foldOne(other, SOLD.length, START + 50 * DAY);
    if (days !== undefined) foldOne(refund, SOLD.length + 1, START + days * DAY);
    expectSameSums(published, ROLLUPS);
    return { ...collapse(published), progress: loadProgress(store, 0) };
  });
  expect(after60).toMatchObject({ progress: { adjustments: 1n, tooLate: 0n } });
  const { totals: _, ...naive } = attributeNaively([...SOLD, other, refund], [...MODELS], LOOKBACK);
  expect(after60).toMatchObject(naive);
  const day = Math.floor(START / DAY);
  expect(naive.counters).toContain(`${day} x z linear: 0 0 666667 42000000 0 4666667 4666667`);
  expect(after91).toMatchObject({ progress: { adjustments: 0n, tooLate: 1n } });
  expect({ ...after91, progress: none!.progress }).toEqual(none);
});

const MESSAGES: Partial<Record<Topic, DescMessage>> = {
  'attributed-events': AttributedConversionSchema,
  'conversion-decisions': ConversionDecisionSchema,
  'daily-stats': DailyStatsSchema,
};

/** What holds in every topic: the highest version of every key, without what tells versions apart. */
function tablesOf(events: readonly SimEvent[]): string[] {
  const fold = newPartitionFold(config, loadProgress(memoryStateStore(), 0));
  const store = memoryStateStore();
  const records = events.map((event, offset) =>
    logRecord({ offset, key: event.userId, value: encodeEvent(event), appendTime: START + offset }),
  );
  const holding = new Map<string, string>();
  for (const record of records) {
    for (const { topic, value } of [...fold.fold(store, [record]), ...fold.takeTotals()].flatMap(rowsOf)) {
      const schema = MESSAGES[topic];
      if (schema === undefined) continue;
      const message = toJson(schema, fromBinary(schema, value)) as Record<string, unknown>;
      const { version: _, causeId: __, causeType: ___, clicks, ...rest } = message;
      if (topic === 'attributed-events') {
        for (const click of clicks as Record<string, unknown>[]) {
          const name = [topic, message.userId, message.conversionId, click.clickId].join(' ');
          const amounts = Object.values(click).filter((value) => Array.isArray(value));
          if (amounts.flat().every((micros) => micros === '0')) holding.delete(name);
          else holding.set(name, JSON.stringify({ ...rest, click }));
        }
        continue;
      }
      const key = [topic, message.userId, message.conversionId, message.model, message.day];
      const name = [...key, message.campaignId, message.source, message.conversionType].join(' ');
      if (topic === 'daily-stats' && isZero(message)) holding.delete(name);
      else holding.set(name, JSON.stringify(rest));
    }
  }
  return [...holding.values()].sort();
}

/** A record as those whose keys tell what they are about. */
function rowsOf(record: NewRecord): NewRecord[] {
  if (record.topic !== 'daily-stats') return [record];
  return dailyRows(record.value).map((row) => ({ ...record, value: toBinary(DailyStatsSchema, row) }));
}

/** Whether a counter counts nothing, but that something was counted and taken back. */
function isZero(counter: Record<string, unknown>): boolean {
  const {
    day: _,
    campaignId: __,
    source: ___,
    conversionType: ____,
    model: _____,
    version: ______,
    ...counts
  } = counter;
  return Object.keys(counts).length === 0;
}
