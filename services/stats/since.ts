import type { ClickHouseClient } from '@clickhouse/client';
import { Interval, type Since } from '../../gen/ts/clickmesh/v1/stats_service_pb.js';
import { UTC } from '../contract/report-days.ts';
import { DAILY_STATS, type Rollup } from '../contract/rollups.ts';
import type { StatsQuery } from './query.ts';
import { selectRows } from './select-rows.ts';

/** How long what was read is taken for true, in ms: settings change when attribution is started anew. */
const KEPT_MS = 1000;

/** From when on, and until when, a setting holds in all partitions: times of their clocks, in ms. */
export interface Held {
  kind: 'model' | 'rollup' | 'lookback' | 'time_zone';
  name: string;
  /** Of a lookback its length in ms. */
  value: string;
  held_since: string;
  held_until: string;
  /** In any partition. */
  is_held: number;
}

const kept = new WeakMap<ClickHouseClient, { readAt: number; settings: Promise<Held[]> }>();

/** From when on what answers a query has been counted. */
export async function sinceOf(
  client: ClickHouseClient,
  { model, rollup, interval, timeZone }: StatsQuery,
): Promise<Since> {
  const settings = await settingsOf(client);
  const find = (kind: string, name: string) => settings.find((each) => each.kind === kind && each.name === name);
  const zone = settings.find(({ kind }) => kind === 'time_zone')?.name ?? timeZone;
  const [ofModel, ofRollup] = [find('model', model), find('rollup', rollup.name)];
  return {
    $typeName: 'clickmesh.v1.Since',
    model: BigInt(ofModel?.held_since ?? 0),
    modelUntil: BigInt(ofModel?.held_until ?? 0),
    rollup: rollup.name === DAILY_STATS.name ? '' : rollup.name,
    rollupSince: BigInt(ofRollup?.held_since ?? 0),
    timeZone: interval === Interval.HOURLY ? UTC : zone,
  };
}

/** The first of some rollups that counts all since a time, in ms; if none does, that which has counted the longest. */
export async function rollupSince(
  client: ClickHouseClient,
  [first, ...others]: readonly Rollup[],
  time: number,
): Promise<Rollup> {
  if (others.length === 0) return first!;
  const settings = await settingsOf(client);
  const sinceOf = ({ name }: Rollup) => {
    if (name === DAILY_STATS.name) return time;
    const held = settings.find((each) => each.kind === 'rollup' && each.name === name);
    return held === undefined ? Number.MAX_SAFE_INTEGER : Math.max(time, Number(held.held_since));
  };
  return others.reduce((best, each) => (sinceOf(each) < sinceOf(best) ? each : best), first!);
}

/** All settings that ever held. */
export function settingsOf(client: ClickHouseClient): Promise<Held[]> {
  const now = performance.now();
  const last = kept.get(client);
  if (last !== undefined && now - last.readAt < KEPT_MS) return last.settings;
  const settings = selectRows<Held>(client, { query: QUERY, query_params: {} }, undefined);
  kept.set(client, { readAt: now, settings });
  settings.catch(() => kept.delete(client));
  return settings;
}

/** What one partition does not count any more, the sums lack, though an idle one is told of it by its next record. */
const QUERY = `
  SELECT kind, name, argMax(value, since) AS value, max(since) AS held_since,
    minIf(until, until > 0) AS held_until, max(until = 0) AS is_held
  FROM attribution_settings FINAL
  GROUP BY kind, name
  ORDER BY kind, name`;
