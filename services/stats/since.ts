import type { ClickHouseClient } from '@clickhouse/client';
import type { Since } from '../../gen/ts/clickmesh/v1/stats_service_pb.js';
import { DAILY_STATS } from '../contract/rollups.ts';
import type { StatsQuery } from './query.ts';
import { selectRows } from './select-rows.ts';

/** How long what was read is taken for true, in ms: settings change when attribution is started anew. */
const KEPT_MS = 1000;

/** From when on, and until when, a setting holds in all partitions: times of their clocks, in ms. */
interface Held {
  kind: string;
  name: string;
  held_since: string;
  held_until: string;
}

const kept = new WeakMap<ClickHouseClient, { readAt: number; settings: Promise<Held[]> }>();

/** From when on what answers a query has been counted. */
export async function sinceOf(client: ClickHouseClient, { model, rollup }: StatsQuery): Promise<Since> {
  const settings = await settingsOf(client);
  const find = (kind: string, name: string) => settings.find((each) => each.kind === kind && each.name === name);
  const [ofModel, ofRollup] = [find('model', model), find('rollup', rollup.name)];
  return {
    $typeName: 'clickmesh.v1.Since',
    model: BigInt(ofModel?.held_since ?? 0),
    modelUntil: BigInt(ofModel?.held_until ?? 0),
    rollup: rollup.name === DAILY_STATS.name ? '' : rollup.name,
    rollupSince: BigInt(ofRollup?.held_since ?? 0),
  };
}

function settingsOf(client: ClickHouseClient): Promise<Held[]> {
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
  SELECT kind, name, max(since) AS held_since, minIf(until, until > 0) AS held_until
  FROM attribution_settings FINAL
  GROUP BY kind, name`;
