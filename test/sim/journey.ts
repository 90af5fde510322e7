import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { expect } from 'vitest';
import {
  AttributedConversionSchema,
  CandidateReason,
  ConversionDecisionSchema,
  CorrectionEffect,
  type PartitionProgress,
} from '../../gen/ts/clickmesh/v1/attribution_pb.js';
import { EventSchema } from '../../gen/ts/clickmesh/v1/event_pb.js';
import { attributionConfig, parseAttributionEnvironment } from '../../services/attribution/decision/config.ts';
import { HIGH } from '../../services/attribution/outputs/counter-table.ts';
import type { Topic } from '../../services/contract/topics.ts';
import { dailyRows } from '../fixtures/daily-rows.ts';
import { Counts, type FinalTables, type SimEvent, typeOf } from './naive-attribution.ts';

const HOUR = 3_600_000;
export const START = Date.UTC(2026, 0, 5, 20);
export const LOOKBACK = 4 * HOUR;
export const MODELS = ['last_click', 'first_click', 'linear', 'time_decay', 'position_based'] as const;

/** Of which each has, or sums up to, what daily_stats has. */
export const ROLLUPS = [
  ...['day:campaign_id,ad_id', 'hour:campaign_id', 'hour:source,conversion_type'],
  ...['day:metadata.geo,conversion_type', 'hour:ad_id,metadata.geo,metadata.browser'],
];

/** What clicks of a campaign have as their `metadata.geo`. */
export function geoOf(campaignId: string): string {
  return campaignId === 'x' ? 'of x' : '';
}

/**
 * @param zone of the days that counts are by
 * @param env other settings
 */
export function configIn(zone: string, env: NodeJS.ProcessEnv = {}) {
  return attributionConfig(
    parseAttributionEnvironment({
      ...env,
      MODELS: MODELS.join(','),
      LOOKBACK_HOURS: String(LOOKBACK / HOUR),
      ROLLUPS: ROLLUPS.join(';'),
      REPORT_TIME_ZONE: zone,
    }),
  );
}

export const config = configIn('UTC');

/** Zones, and when journeys start in which a day ends, that in New York after the change of its offset. */
export const ZONES = [
  { zone: 'UTC', start: START },
  { zone: 'America/New_York', start: Date.UTC(2026, 2, 8, 20) },
  { zone: 'America/New_York', start: Date.UTC(2026, 10, 1, 20) },
  { zone: 'Asia/Kolkata', start: Date.UTC(2026, 0, 5, 14) },
].map(({ zone, start }) => ({ zone, start, config: configIn(zone) }));

/** Few instants and few ids, so that ties, window edges and duplicates are the rule. */
const timestamp = fc.integer({ min: 0, max: 10 }).map((h) => START + h * HOUR);
const valueMicros = fc.oneof(fc.bigInt({ min: 0n, max: 10n }), fc.bigInt({ min: 0n, max: 10n ** 18n }));
const id = (most: number) =>
  fc.integer({ min: 0, max: most }).map((n) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`);

/** A click or conversion, of few users. */
const event = fc.record({
  kind: fc.constantFrom('click' as const, 'conversion' as const),
  id: id(12),
  userId: fc.constantFrom('ann', 'bob'),
  timestamp,
  label: fc.constantFrom('x', 'y'),
  valueMicros,
});

/** What corrects one of the events; now and then, one that does not come. */
function correctionOf(events: readonly SimEvent[]): fc.Arbitrary<SimEvent> {
  const target = fc.oneof({ weight: 6, arbitrary: fc.constantFrom(...events) }, { weight: 1, arbitrary: event });
  return target.chain(
    ({ kind, id: label, userId }) =>
      fc.record({
        kind: kind === 'click' ? fc.constantFrom('valid', 'invalid') : fc.constantFrom('refund', 'restate', 'retract'),
        id: id(20),
        userId: fc.constant(userId),
        timestamp,
        label: fc.constant(label),
        valueMicros: kind === 'click' ? fc.constant(0n) : valueMicros,
      }) as fc.Arbitrary<SimEvent>,
  );
}

/** Events with the same id are the same event; then any of them again, in any order. */
export const journey: fc.Arbitrary<SimEvent[]> = fc
  .array(event, { maxLength: 18 })
  .chain((events) => {
    const corrections = events.length === 0 ? fc.constant([]) : fc.array(correctionOf(events), { maxLength: 8 });
    return corrections.map((all) => [...events, ...all]);
  })
  .map((events) => [...new Map(events.map((e) => [`${typeOf(e)}${e.userId}${e.id}`, e])).values()])
  .chain((events) =>
    fc
      .tuple(fc.constant(events), fc.subarray(events))
      .chain(([once, again]) => fc.shuffledSubarray([...once, ...again], { minLength: once.length + again.length })),
  );

interface Published {
  topic: Topic;
  value: Uint8Array;
}

/** Keeps the highest version of every key, and adds up counters, as every reader of the topics does. */
export function collapse(published: readonly Published[]): Omit<FinalTables, 'totals'> {
  const attributed = latest(published, 'attributed-events', (bytes) => {
    const { clicks, models, ...row } = fromBinary(AttributedConversionSchema, bytes);
    return clicks.flatMap((click) =>
      models.map((model, m) => {
        const key = `${row.userId} ${row.conversionId} ${model} ${click.clickId}`;
        const of = [click.creditsMicros, click.valuesMicros, click.adjustedMicros, click.refundsMicros];
        const amounts = of.map((amounts) => amounts[m] ?? 0n);
        const line = `${key} ${click.campaignId} ${amounts.join(' ')} ${row.conversionRetracted}`;
        return { key, version: row.version, line: amounts.some(Boolean) ? line : undefined };
      }),
    );
  });
  const counters = new Counts();
  const newest = latest(published, 'daily-stats', (bytes) =>
    dailyRows(bytes).map((row) => {
      const key = `${row.day} ${row.campaignId || '-'} ${row.conversionType || '-'} ${row.model || '-'}`;
      const measures = {
        ...{ clicks: row.clicks, invalidClicks: row.invalidClicks },
        ...{ conversions: row.conversionsMicros, retracted: row.retractedMicros },
        revenue: BigInt(row.revenueHigh) * HIGH + row.revenueMicros,
        adjusted: BigInt(row.adjustedHigh) * HIGH + row.adjustedMicros,
        refunds: BigInt(row.refundsHigh) * HIGH + row.refundsMicros,
      };
      return { key: `${row.partition} ${key}`, version: row.version, line: { key, measures } };
    }),
  );
  for (const { key, measures } of newest) counters.add(key, measures);
  const decisions = latest(published, 'conversion-decisions', (bytes) => {
    const row = fromBinary(ConversionDecisionSchema, bytes);
    const invalid = row.candidates.filter(({ reasons }) => reasons[0] === CandidateReason.INVALID);
    const considered = row.candidates
      .filter((candidate) => !invalid.includes(candidate))
      .flatMap((c) => c.creditsMicros.map((credit, i) => `${row.models[i]} ${c.clickId} ${credit}`));
    const corrected = row.corrections.map((c) => `${c.eventId} ${c.kind} ${CorrectionEffect[c.effect]}`);
    const all = [...considered.sort(), ...invalid.map(({ clickId }) => `${clickId} INVALID`).sort(), ...corrected];
    const key = `${row.userId} ${row.conversionId}`;
    return [{ key, version: row.version, line: `${key}: ${all.join(', ')}` }];
  });
  return { attributed: attributed.sort(), counters: counters.lines(), decisions: decisions.sort() };
}

function latest<Line>(
  published: readonly Published[],
  topic: Topic,
  read: (bytes: Uint8Array) => { key: string; version: bigint; line: Line | undefined }[],
): Line[] {
  const rows = new Map<string, ReturnType<typeof read>[number]>();
  for (const record of published.filter((r) => r.topic === topic)) {
    for (const row of read(record.value)) {
      const before = rows.get(row.key);
      if (before?.version === row.version) expect(row, 'one version, two contents').toEqual(before);
      if (before === undefined || row.version >= before.version) rows.set(row.key, row);
    }
  }
  return [...rows.values()].flatMap(({ line }) => (line === undefined ? [] : [line]));
}

/** What became of all records, as the naive model tells it. */
export function totalsOf(done: PartitionProgress): string {
  const duplicates = [done.clickDuplicates, done.conversionDuplicates];
  duplicates.push(done.adjustmentDuplicates, done.verdictDuplicates);
  return [
    `${done.records} records, ${done.clicks} clicks (${done.invalidClicks} invalid)`,
    `${done.attributed} attributed, ${done.unattributed} unattributed`,
    `${done.adjustments} adjustments (${done.exceeded} exceed), ${done.verdicts} verdicts, ${done.waiting} wait`,
    `${duplicates.join('+')} duplicates, ${done.tooLate} too late`,
  ].join(', ');
}

/** The value of the event's record in raw-events. */
export function encodeEvent(sim: SimEvent): Uint8Array {
  const { id: eventId, userId, label } = sim;
  const timestamp = BigInt(sim.timestamp);
  const of = { eventId, userId, timestamp };
  const event = {
    click: {
      case: 'click',
      value: { ...of, adId: 'ad', campaignId: label, source: 'src', metadata: { geo: geoOf(label) } },
    },
    conversion: { case: 'conversion', value: { ...of, source: 'src', type: label, valueMicros: sim.valueMicros } },
    adjustment: {
      case: 'adjustment',
      value: { ...of, conversionId: label, kind: sim.kind, valueMicros: sim.valueMicros },
    },
    verdict: { case: 'verdict', value: { ...of, clickId: label, valid: sim.kind === 'valid' } },
  } as const;
  return toBinary(EventSchema, create(EventSchema, { event: event[typeOf(sim)] }));
}
