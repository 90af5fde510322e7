import { expect } from 'vitest';
import type { ModelName } from '../../services/attribution/decision/models.ts';
import type { SeedEvent } from '../../services/cli/generate/seed-events.ts';
import { clickhouseClient } from '../../services/clickhouse/client.ts';
import { clickmesh, type MeshProcess } from '../fixtures/mesh-process.ts';
import { attributeNaively, type SimEvent } from '../sim/naive-attribution.ts';

/** The columns of attributed_events that a line of the naive model has. */
const COLUMNS = `user_id, toString(conversion_id) AS conversion, model, toString(click_id) AS click, campaign_id,
  credit_micros, value_micros, adjusted_micros, refunds_micros, toBool(conversion_retracted) AS retracted`;

/**
 * The audit is clean, attributions are those of the naive model, and the stats count every event once, but for what was
 * taken back.
 */
export async function expectEveryEventCountedOnce(mesh: MeshProcess, events: readonly SeedEvent[]): Promise<void> {
  const audit = await clickmesh(['audit', '--url', mesh.url, '--timeout', '240']);
  expect(audit, audit.stdout + audit.stderr).toMatchObject({ code: 0 });
  const status = (await (await fetch(`${mesh.url}/status`)).json()) as { clickhouse_url: string; models: ModelName[] };
  const expected = attributeNaively(events.map(toSim), status.models, 24 * 3_600_000);

  await using client = clickhouseClient(status.clickhouse_url);
  const query = `SELECT ${COLUMNS} FROM attributed_events FINAL`;
  const rows = await (await client.query({ query, format: 'JSONEachRow' })).json<Record<string, string>>();
  expect(rows.map((row) => Object.values(row).join(' ')).sort()).toEqual(expected.attributed);

  const filter = 'start_date=2026-01-01&end_date=2026-01-31&model=last_click&gross=true';
  const { data } = (await (await fetch(`${mesh.url}/api/v1/stats?${filter}`)).json()) as { data: StatsRow[] };
  expect(sumsOfStats(data)).toEqual(sumsOfCounters(expected.counters));
}

type StatsRow = Record<'clicks' | 'conversions' | 'revenue' | 'refunds', number> &
  Record<'invalid_clicks' | 'gross_conversions' | 'gross_revenue', number>;

/** Clicks, invalid clicks; in micros conversions, revenue, what of both does not hold, and refunds. */
function sumsOfStats(rows: readonly StatsRow[]): number[] {
  const sum = (of: keyof StatsRow, unit: number) => rows.reduce((total, row) => total + Math.round(row[of] * unit), 0);
  const micros = (of: keyof StatsRow) => sum(of, 1e6);
  const [conversions, revenue] = [micros('conversions'), micros('revenue')];
  const [retracted, adjusted] = [micros('gross_conversions') - conversions, micros('gross_revenue') - revenue];
  return [sum('clicks', 1), sum('invalid_clicks', 1), conversions, revenue, retracted, adjusted, micros('refunds')];
}

/** The same of the naive model's lines of `DAY CAMPAIGN TYPE MODEL: ...`, of clicks and under last_click. */
function sumsOfCounters(lines: readonly string[]): number[] {
  const sums = Array.from({ length: 7 }, () => 0);
  for (const line of lines) {
    const [key, counts] = line.split(': ');
    if (!/(- -|last_click)$/.test(key!)) continue;
    for (const [i, count] of counts!.split(' ').entries()) sums[i]! += Number(count);
  }
  return sums;
}

function toSim(event: SeedEvent): SimEvent {
  const { event_id: id, user_id: userId, timestamp } = event;
  const common = { id, userId, timestamp, valueMicros: 0n };
  switch (event.event_type) {
    case 'click':
      return { ...common, kind: 'click', label: event.campaign_id };
    case 'conversion':
      return { ...common, kind: 'conversion', label: event.type, valueMicros: micros(event.value) };
    case 'adjustment':
      return {
        ...{ ...common, kind: event.kind, label: event.conversion_id },
        valueMicros: 'value' in event ? micros(event.value) : 0n,
      };
    case 'verdict':
      return { ...common, kind: event.valid ? 'valid' : 'invalid', label: event.click_id };
  }
}

function micros(value: number): bigint {
  return BigInt(Math.round(value * 1e6));
}
