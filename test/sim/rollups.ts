import { create, fromBinary } from '@bufbuild/protobuf';
import { expect } from 'vitest';
import {
  type DailyStats,
  type ModelStats,
  ModelStatsSchema,
  type RollupStats,
  RollupStatsSchema,
} from '../../gen/ts/clickmesh/v1/attribution_pb.js';
import { HIGH } from '../../services/attribution/outputs/counter-table.ts';
import type { Topic } from '../../services/contract/topics.ts';
import { dailyRows } from '../fixtures/daily-rows.ts';
import { geoOf } from './journey.ts';
import { dayIn } from './naive-attribution.ts';

interface Published {
  topic: Topic;
  value: Uint8Array;
}

/**
 * Checks that each of these rollups has what daily_stats has, of which it is a sum or a part.
 *
 * @param zone of the days that counts are by, which are of whole hours
 */
export function expectSameSums(published: readonly Published[], names: readonly string[], zone = 'UTC'): void {
  const daily = newest(published, 'daily-stats', dailyRows, keyOfDaily);
  const rollups = newest(published, 'rollup-stats', (bytes) => [fromBinary(RollupStatsSchema, bytes)], keyOfRollup);
  for (const name of names) {
    const [grain, list] = name.split(':') as [string, string];
    const dimensions = list.split(',');
    const isBoth = (dimension: string) => dimension !== 'ad_id' && dimension !== 'metadata.browser';
    const expected = daily.map((row) => {
      const texts: Record<string, string> = {
        campaign_id: row.campaignId,
        source: row.source,
        conversion_type: row.conversionType,
        'metadata.geo': geoOf(row.campaignId),
      };
      return { key: [row.day, ...dimensions.filter(isBoth).map((each) => texts[each])], row };
    });
    const actual = rollups.flatMap((row) => {
      if (row.rollup !== name) return [];
      const day = grain === 'day' ? row.period : dayIn(zone, row.period * 3_600_000);
      const key = [day, ...row.values.filter((_, i) => isBoth(dimensions[i]!))];
      const ofClicks = { ...NO_SUMS, clicks: row.clicks, invalidClicks: row.invalidClicks };
      return [{ key, row: ofClicks }, ...row.models.map((sums) => ({ key, row: { ...NO_CLICKS, ...sums } }))];
    });
    expect(sums(actual), name).toEqual(sums(expected));
  }
}

function keyOfDaily({ partition, day, campaignId, source, conversionType, model }: DailyStats): string {
  return [partition, day, campaignId, source, conversionType, model].join('\0');
}

function keyOfRollup({ partition, rollup, period, values }: RollupStats): string {
  return [partition, rollup, period, ...values].join('\0');
}

/** The newest version of each counter. */
function newest<Row extends { version: bigint }>(
  published: readonly Published[],
  topic: Topic,
  read: (bytes: Uint8Array) => Row[],
  keyOf: (row: Row) => string,
): Row[] {
  const rows = new Map<string, Row>();
  for (const record of published) {
    if (record.topic !== topic) continue;
    for (const row of read(record.value)) {
      const before = rows.get(keyOf(row));
      if (before === undefined || row.version >= before.version) rows.set(keyOf(row), row);
    }
  }
  return [...rows.values()];
}

type Counts = Omit<ModelStats, '$typeName'> & Pick<DailyStats, 'clicks' | 'invalidClicks'>;

const NO_CLICKS = { clicks: 0n, invalidClicks: 0n };
const NO_SUMS = create(ModelStatsSchema);

function sums(rows: readonly { key: unknown[]; row: Counts }[]): Map<string, bigint[]> {
  const byKey = Map.groupBy(rows, ({ key, row }) => [...key, row.model].join(' '));
  const summed = [...byKey].map(([key, all]): [string, bigint[]] => {
    const counts = all.map(({ row }) => [
      row.clicks,
      row.invalidClicks,
      row.conversionsMicros,
      row.retractedMicros,
      BigInt(row.revenueHigh) * HIGH + row.revenueMicros,
      BigInt(row.adjustedHigh) * HIGH + row.adjustedMicros,
      BigInt(row.refundsHigh) * HIGH + row.refundsMicros,
    ]);
    return [key, counts.reduce((sum, each) => sum.map((value, i) => value + each[i]!))];
  });
  return new Map(summed.filter(([, counts]) => counts.some((count) => count !== 0n)));
}
