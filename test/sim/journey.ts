import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { expect } from 'vitest';
import {
  AttributedConversionSchema,
  ConversionDecisionSchema,
  DailyStatsSchema,
} from '../../gen/ts/clickmesh/v1/attribution_pb.js';
import { EventSchema } from '../../gen/ts/clickmesh/v1/event_pb.js';
import { attributionConfig, parseAttributionEnvironment } from '../../services/attribution/decision/config.ts';
import { HIGH } from '../../services/attribution/outputs/counter-table.ts';
import type { Topic } from '../../services/contract/topics.ts';
import type { FinalTables, SimEvent } from './naive-attribution.ts';

const HOUR = 3_600_000;
export const START = Date.UTC(2026, 0, 5, 20);
export const LOOKBACK = 4 * HOUR;
export const MODELS = ['last_click', 'first_click', 'linear', 'time_decay', 'position_based'] as const;

/** Of which each has, or sums up to, what daily_stats has. */
export const ROLLUPS = ['day:campaign_id,ad_id', 'hour:campaign_id', 'hour:source,conversion_type'];

export const config = attributionConfig(
  parseAttributionEnvironment({
    MODELS: MODELS.join(','),
    LOOKBACK_HOURS: String(LOOKBACK / HOUR),
    ROLLUPS: ROLLUPS.join(';'),
  }),
);

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
export const journey: fc.Arbitrary<SimEvent[]> = fc
  .array(event, { maxLength: 24 })
  .map((events) => [...new Map(events.map((e) => [`${e.kind}${e.userId}${e.id}`, e])).values()])
  .chain((events) =>
    fc
      .tuple(fc.constant(events), fc.subarray(events))
      .chain(([once, again]) => fc.shuffledSubarray([...once, ...again], { minLength: once.length + again.length })),
  );

interface Published {
  topic: Topic;
  value: Uint8Array;
}

/** Keeps the highest version of every key, as every reader of the topics does. */
export function collapse(published: readonly Published[]): Omit<FinalTables, 'totals'> {
  const attributed = latest(published, 'attributed-events', (bytes) => {
    const row = fromBinary(AttributedConversionSchema, bytes);
    const key = `${row.userId} ${row.conversionId} ${row.model} ${row.clickId}`;
    const line = `${key} ${row.campaignId} ${row.creditMicros} ${row.valueMicros}`;
    return { key, version: row.version, line: row.retracted ? undefined : line };
  });
  const counters = latest(published, 'daily-stats', (bytes) => {
    const row = fromBinary(DailyStatsSchema, bytes);
    const key = `${row.day} ${row.campaignId} ${row.conversionType || '-'} ${row.model || '-'}`;
    const revenueMicros = BigInt(row.revenueHigh) * HIGH + row.revenueMicros;
    const counts = [row.clicks, row.conversionsMicros, revenueMicros];
    const isZero = row.clicks === 0n && row.conversionsMicros === 0n;
    return { key, version: row.version, line: isZero ? undefined : `${key}: ${counts.join(' ')}` };
  });
  const decisions = latest(published, 'conversion-decisions', (bytes) => {
    const row = fromBinary(ConversionDecisionSchema, bytes);
    const considered = row.candidates
      .flatMap((c) => c.creditsMicros.map((credit, i) => `${row.models[i]} ${c.clickId} ${credit}`))
      .sort();
    const key = `${row.userId} ${row.conversionId}`;
    return { key, version: row.version, line: `${key}: ${considered.join(', ')}` };
  });
  return { attributed, counters, decisions };
}

function latest(
  published: readonly Published[],
  topic: Topic,
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

/** The value of the event's record in raw-events. */
export function encodeEvent(sim: SimEvent): Uint8Array {
  const { id: eventId, userId, label } = sim;
  const timestamp = BigInt(sim.timestamp);
  const event =
    sim.kind === 'click'
      ? { case: sim.kind, value: { eventId, userId, timestamp, adId: 'ad', campaignId: label, source: 'src' } }
      : {
          case: sim.kind,
          value: { eventId, userId, timestamp, source: 'src', type: label, valueMicros: sim.valueMicros },
        };
  return toBinary(EventSchema, create(EventSchema, { event }));
}
