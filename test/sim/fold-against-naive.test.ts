import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  AttributedConversionSchema,
  ConversionDecisionSchema,
  DailyStatsSchema,
} from '../../gen/ts/clickmesh/v1/attribution_pb.js';
import { EventSchema } from '../../gen/ts/clickmesh/v1/event_pb.js';
import { attributionConfig, parseAttributionEnvironment } from '../../services/attribution/config.ts';
import { loadProgress, nextOffset, transact } from '../../services/attribution/transaction.ts';
import type { LogRecord, NewRecord } from '../../services/shared/log/event-log.ts';
import { memoryStateStore } from '../fixtures/memory-state-store.ts';
import { attributeNaively, type FinalTables, type SimEvent } from './naive-attribution.ts';

const HOUR = 3_600_000;
const START = Date.UTC(2026, 0, 5, 20);
const MODELS = ['last_click', 'first_click', 'linear', 'time_decay', 'position_based'] as const;
const RUNS = Number(process.env.SIM_RUNS ?? 2000);

const config = attributionConfig(parseAttributionEnvironment({ MODELS: MODELS.join(','), LOOKBACK_HOURS: '4' }));

/** Few users, few instants and few ids, so that ties, window edges and duplicates are the rule. */
const event = fc
  .record({
    kind: fc.constantFrom('click' as const, 'conversion' as const),
    number: fc.integer({ min: 0, max: 12 }),
    userId: fc.constantFrom('ann', 'bob'),
  })
  .chain(({ kind, number, userId }) =>
    fc.record({
      kind: fc.constant(kind),
      id: fc.constant(`00000000-0000-4000-8000-${String(number).padStart(12, '0')}`),
      userId: fc.constant(userId),
      timestamp: fc.integer({ min: 0, max: 10 }).map((h) => START + h * HOUR),
      label: fc.constantFrom('x', 'y'),
      valueMicros: fc.bigInt({ min: 0n, max: 10n ** 18n }),
    }),
  );

/** Events with the same id are the same event; then any of them again, in any order. */
const journey = fc
  .array(event, { maxLength: 24 })
  .map((events) => [...new Map(events.map((e) => [`${e.kind}${e.userId}${e.id}`, e])).values()])
  .chain((events) =>
    fc
      .tuple(fc.constant(events), fc.subarray(events))
      .chain(([once, again]) => fc.shuffledSubarray([...once, ...again], { minLength: once.length + again.length })),
  );

/** Where batches end, and what goes wrong with each. */
const batches = fc.array(
  fc.record({
    size: fc.integer({ min: 1, max: 6 }),
    fault: fc.constantFrom('none', 'none', 'crash before publishing', 'crash before writing', 'half published'),
  }),
  { minLength: 1, maxLength: 10 },
);

test(`the fold ends where the naive model does, whatever the order, duplicates, batches and crashes`, () => {
  fc.assert(
    fc.property(journey, batches, (events, plan) => {
      expect(foldInBatches(events, plan)).toEqual(attributeNaively(events, [...MODELS], 4 * HOUR));
    }),
    { numRuns: RUNS },
  );
}, 300_000);

type Plan = readonly { size: number; fault: string }[];

function foldInBatches(events: readonly SimEvent[], plan: Plan): FinalTables {
  const log = events.map(toRecord);
  const store = memoryStateStore();
  const published: NewRecord[] = [];
  for (let step = 0; (nextOffset(loadProgress(store, 0)) ?? 0) < log.length; step++) {
    const progress = loadProgress(store, 0);
    // A plan may consist of faults only; past its length every batch goes well.
    const { size, fault } = plan[step % plan.length]!;
    const from = nextOffset(progress) ?? 0;
    const { outputs, puts } = transact(config, store, progress, log.slice(from, from + size));
    const goesWell = fault === 'none' || step >= plan.length;
    if (goesWell || fault === 'crash before writing') published.push(...outputs);
    else if (fault === 'half published') published.push(...outputs.slice(0, outputs.length / 2));
    if (goesWell) store.write({ puts, deletes: [] });
  }
  const { records, clicks, attributed, unattributed, clickDuplicates, conversionDuplicates } = loadProgress(store, 0);
  return {
    ...collapse(published),
    tally: [
      `${records} records, ${clicks} clicks`,
      `${attributed} attributed, ${unattributed} unattributed`,
      `${clickDuplicates}+${conversionDuplicates} duplicates`,
    ].join(', '),
  };
}

/** Keeps the highest version of every key, as every reader of the topics does. */
function collapse(published: readonly NewRecord[]): Omit<FinalTables, 'tally'> {
  const attributed = latest(published, 'attributed-events', (bytes) => {
    const row = fromBinary(AttributedConversionSchema, bytes);
    const key = `${row.userId} ${row.conversionId} ${row.model} ${row.clickId}`;
    const line = `${key} ${row.campaignId} ${row.creditMicros} ${row.valueMicros}`;
    return { key, version: row.version, line: row.retracted ? undefined : line };
  });
  const counters = latest(published, 'daily-stats', (bytes) => {
    const row = fromBinary(DailyStatsSchema, bytes);
    const key = `${row.day} ${row.campaignId} ${row.conversionType || '-'} ${row.model || '-'}`;
    const counts = [row.clicks, row.conversionsMicros, row.revenueMicros];
    const isZero = row.clicks === 0n && row.conversionsMicros === 0n;
    return { key, version: row.version, line: isZero ? undefined : `${key}: ${counts.join(' ')}` };
  });
  const decisions = latest(published, 'conversion-decisions', (bytes) => {
    const row = fromBinary(ConversionDecisionSchema, bytes);
    const considered = row.candidates.map((c) => `${c.model} ${c.clickId} ${c.creditMicros}`).sort();
    const key = `${row.userId} ${row.conversionId}`;
    return { key, version: row.version, line: `${key}: ${considered.join(', ')}` };
  });
  return { attributed, counters, decisions };
}

function latest(
  published: readonly NewRecord[],
  topic: NewRecord['topic'],
  read: (bytes: Uint8Array) => { key: string; version: bigint; line: string | undefined },
): string[] {
  const rows = new Map<string, ReturnType<typeof read>>();
  for (const record of published.filter((r) => r.topic === topic)) {
    const row = read(record.value);
    const before = rows.get(row.key);
    if (before?.version === row.version) expect(row, 'one version, two contents').toEqual(before);
    if (before === undefined || row.version >= before.version) rows.set(row.key, row);
  }
  return [...rows.values()].flatMap((row) => row.line ?? []).sort();
}

function toRecord(sim: SimEvent, offset: number): LogRecord {
  const { id: eventId, userId, label } = sim;
  const timestamp = BigInt(sim.timestamp);
  const event =
    sim.kind === 'click'
      ? { case: sim.kind, value: { eventId, userId, timestamp, adId: 'ad', campaignId: label, source: 'src' } }
      : { case: sim.kind, value: { eventId, userId, timestamp, type: label, valueMicros: sim.valueMicros } };
  const value = toBinary(EventSchema, create(EventSchema, { event }));
  return { partition: 0, offset, key: userId, value, headers: {}, appendTime: START + offset };
}
