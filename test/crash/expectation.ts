import { expect } from 'vitest';
import type { SeedEvent } from '../../services/cli/generate/seed-events.ts';
import { clickhouseClient } from '../../services/clickhouse/client.ts';
import { clickmesh, type MeshProcess } from '../fixtures/mesh-process.ts';
import { attributeNaively, type SimEvent } from '../sim/naive-attribution.ts';

/**
 * The audit is clean, attributions are those of the naive model, and the stats count every event once. Returns the
 * answers to what else a test may want to ask.
 */
export async function expectEveryEventCountedOnce(mesh: MeshProcess, events: readonly SeedEvent[]): Promise<void> {
  const audit = await clickmesh(['audit', '--url', mesh.url, '--timeout', '240']);
  expect(audit, audit.stdout + audit.stderr).toMatchObject({ code: 0 });
  const expected = attributeNaively(events.map(toSim), ['last_click'], 24 * 3_600_000);

  const { clickhouse_url: url } = (await (await fetch(`${mesh.url}/status`)).json()) as { clickhouse_url: string };
  await using client = clickhouseClient(url);
  const query = `SELECT user_id, toString(conversion_id) conversion, model, toString(click_id) click, campaign_id, credit_micros, value_micros FROM attributed_events FINAL`;
  const rows = await (await client.query({ query, format: 'JSONEachRow' })).json<Record<string, string>>();
  expect(rows.map((row) => Object.values(row).join(' ')).sort()).toEqual(expected.attributed);

  const answer = await fetch(`${mesh.url}/api/v1/stats?start_date=${'2026-01-01'}&end_date=${'2026-01-31'}`);
  const { data } = (await answer.json()) as { data: { clicks: number; conversions: number }[] };
  const distinctClicks = new Set(events.filter((e) => e.event_type === 'click').map((e) => e.event_id)).size;
  expect(data.reduce((sum, row) => sum + row.clicks, 0)).toBe(distinctClicks);
  expect(data.reduce((sum, row) => sum + row.conversions, 0)).toBe(expected.attributed.length);
}

function toSim(event: SeedEvent): SimEvent {
  const { event_id: id, user_id: userId, timestamp } = event;
  switch (event.event_type) {
    case 'click':
      return { kind: 'click', id, userId, timestamp, label: event.campaign_id, valueMicros: 0n };
    case 'conversion': {
      const valueMicros = BigInt(Math.round(event.value * 1e6));
      return { kind: 'conversion', id, userId, timestamp, label: event.type, valueMicros };
    }
    default:
      throw new Error(`the naive model knows no ${event.event_type}`);
  }
}
