import type { ClickHouseClient } from '@clickhouse/client';
import { Compare, ReportInterval } from '../../../gen/ts/clickmesh/v1/reports_pb.js';
import { DAY_MS } from '../../contract/limits.ts';
import { UTC } from '../../contract/report-days.ts';
import { DAILY_STATS, FIELDS, MAX_DIMENSIONS, type Rollup } from '../../contract/rollups.ts';
import type { ToldSettings } from '../deps.ts';
import { rollupSince } from '../since.ts';
import { eventsSource } from './events-source.ts';
import { type Grain, legsOf, type Now } from './legs.ts';
import { neededBy, type ReportQuery } from './report-query.ts';
import type { Source } from './report-sql.ts';
import { rollupSource } from './rollup-source.ts';

/** What answers a query. */
export interface Answering {
  source: Source;
  grain: Grain;
  /** Undefined if the events do. */
  rollup: Rollup | undefined;
}

/** What of a mesh decides what can answer. */
export interface Counting extends ToldSettings {
  rollups: readonly Rollup[];
  /** Whose days rollups by the day count by; those by the hour count by hours of UTC. */
  timeZone: string;
}

/**
 * daily_stats or a rollup that has the dimensions, those first that are cheap; the events, if none has, or if it is not
 * by days of the mesh that is asked. Rollups by the hour, if a part of a day is to be compared.
 */
export async function answering(
  client: ClickHouseClient,
  query: ReportQuery,
  mesh: Counting,
  now: Now,
): Promise<Answering> {
  const fitting = query.isByClick ? [] : fittingOf(query, mesh, now);
  if (fitting.length === 0) {
    return { source: eventsSource(query, mesh.correctionsForMs), grain: 'second', rollup: undefined };
  }
  const first = Math.min(...legsOf(query, now, 'day').map(({ start }) => start));
  const rollup = await rollupSince(client, fitting, first * DAY_MS);
  return { source: rollupSource(query, rollup), grain: rollup.grain, rollup };
}

function fittingOf(query: ReportQuery, { rollups, timeZone }: Counting, now: Now): readonly Rollup[] {
  const needed = neededBy(query);
  const able = [DAILY_STATS, ...rollups].filter(({ grain, dimensions }) => {
    const zone = grain === 'hour' ? UTC : timeZone;
    return query.timeZone === zone && needed.every((name) => dimensions.includes(name));
  });
  const hourly = able.filter(({ grain }) => grain === 'hour').toSorted(byWidth);
  if (query.interval === ReportInterval.HOUR) return hourly;
  const daily = able.filter(({ grain }) => grain === 'day').toSorted(byWidth);
  const byDay = able.includes(DAILY_STATS) ? [DAILY_STATS] : daily;
  const isUnfinished = query.start <= now.day && now.day <= query.end;
  if (query.compare !== Compare.UNSPECIFIED && isUnfinished) return [...hourly, ...byDay];
  return byDay.includes(DAILY_STATS) ? byDay : [...byDay, ...hourly];
}

function byWidth(a: Rollup, b: Rollup): number {
  return a.dimensions.length - b.dimensions.length;
}

/** What makes an answer cheaper that is counted from the events. */
export function adviceOf(query: ReportQuery, { timeZone }: Counting): string {
  const less = 'ask for fewer days, or filter';
  if (query.isByClick) return `${less}; rollups count by the time of the conversion`;
  if (query.interval === ReportInterval.HOUR) {
    return query.timeZone === UTC ? withRollup('hour', less, query) : `${less}; rollups have hours of UTC`;
  }
  if (query.timeZone !== timeZone) return `${less}; rollups have days of ${timeZone}`;
  return withRollup('day', less, query);
}

function withRollup(grain: Rollup['grain'], less: string, query: ReportQuery): string {
  const needed = neededBy(query);
  if (needed.length > MAX_DIMENSIONS) return less;
  return `${less}, or add ${grain}:${needed.join(',') || FIELDS[0]} to ROLLUPS, which counts from then on`;
}
