import { create } from '@bufbuild/protobuf';
import type { ClickHouseClient } from '@clickhouse/client';
import { type ReportStamp, ReportStampSchema } from '../../../gen/ts/clickmesh/v1/reports_pb.js';
import { DAY_MS } from '../../contract/limits.ts';
import { DAILY_STATS } from '../../contract/rollups.ts';
import type { Covered, ToldSettings } from '../deps.ts';
import { beginOfDay } from '../requests/dates.ts';
import { selectRows } from '../select-rows.ts';
import { settingsOf } from '../since.ts';
import type { Answering } from './answering.ts';
import { offsetOf } from './calendar.ts';
import type { Leg } from './legs.ts';
import type { ReportQuery } from './report-query.ts';

/** How an answer is counted. */
export async function stampOf(
  client: ClickHouseClient,
  query: ReportQuery,
  { rollup, grain }: Answering,
  legs: readonly Leg[],
  told: ToldSettings,
  covered: Covered | undefined,
  signal: AbortSignal | undefined,
): Promise<ReportStamp> {
  const [settings, truncated] = await Promise.all([settingsOf(client), truncatedIn(client, query, signal)]);
  const since = (kind: string, name: string) => {
    return BigInt(settings.find((each) => each.kind === kind && each.name === name)?.held_since ?? 0);
  };
  const held = settings.filter(({ kind, is_held }) => kind === 'lookback' && is_held);
  const before = legs.find(({ isBefore }) => isBefore);
  return create(ReportStampSchema, {
    models: [...query.models],
    lookbacks: held.map(({ name, value }) => ({ conversionType: name, lookbackMs: BigInt(value) })),
    timeZone: query.timeZone,
    rollup: rollup === undefined ? 'events' : nameOf(rollup.name),
    rollupSince: rollup === undefined ? 0n : since('rollup', rollup.name),
    modelsSince: query.models.map((model) => since('model', model)),
    changesForMs: BigInt(told.changesForMs),
    correctionsForMs: BigInt(told.correctionsForMs),
    currency: told.currency,
    truncated,
    completeThrough: BigInt(covered?.completeThrough ?? 0),
    lagMs: BigInt(covered?.lagMs ?? 0),
    ...(before !== undefined && comparedIn(before, query.timeZone, grain)),
  });
}

function nameOf(rollup: string): string {
  return rollup === DAILY_STATS.name ? 'daily_stats' : rollup;
}

/** Between what times was compared. */
function comparedIn({ start, end, untilSecond }: Leg, timeZone: string, grain: Answering['grain']) {
  const comparedFrom = BigInt(beginOfDay(start, timeZone));
  if (untilSecond === undefined || grain === 'day') {
    return { comparedFrom, comparedUntil: BigInt(beginOfDay(end + 1, timeZone)) };
  }
  return { comparedFrom, comparedUntil: BigInt(clockTime(end, untilSecond, timeZone)) };
}

/** When the clocks of a zone show a second of a day, in ms since 1970-01-01 UTC. */
function clockTime(day: number, second: number, timeZone: string): number {
  const local = day * DAY_MS + second * 1000;
  const near = local - offsetOf(timeZone, local);
  return local - offsetOf(timeZone, near);
}

/**
 * How many conversions of the days asked for shared among the newest clicks only. Those that ever did are few, and told
 * by a column that is hardly anything on disk; what holds of them now is looked up.
 */
async function truncatedIn(
  client: ClickHouseClient,
  { start, end, timeZone }: ReportQuery,
  signal: AbortSignal | undefined,
): Promise<bigint> {
  const query = `
    SELECT count() AS truncated
    FROM conversion_decisions AS d FINAL
    WHERE d.conversion_id IN (SELECT conversion_id FROM conversion_decisions WHERE truncated)
      AND d.truncated AND d.conversion_time >= fromUnixTimestamp64Milli({from:Int64}, 'UTC')
      AND d.conversion_time < fromUnixTimestamp64Milli({until:Int64}, 'UTC')
    SETTINGS distributed_product_mode = 'global'`;
  const query_params = { from: beginOfDay(start, timeZone), until: beginOfDay(end + 1, timeZone) };
  const [row] = await selectRows<{ truncated: string }>(client, { query, query_params }, signal);
  return BigInt(row!.truncated);
}
