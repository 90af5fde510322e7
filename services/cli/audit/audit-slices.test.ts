import { type ClickHouseClient, ClickHouseError } from '@clickhouse/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type AuditedMesh, startAuditedMesh } from '../../../test/fixtures/audited-mesh.ts';
import { change, remove, TOO_LATE } from '../../../test/fixtures/audited-tables.ts';
import { CHECKS } from '../../audit/checks.ts';
import { allChecks } from '../../audit/run-checks.ts';
import { ALL_TIME, cutSlice } from '../../audit/slices.ts';
import { getStatus } from '../ask-mesh.ts';

let mesh: AuditedMesh;

beforeAll(async () => {
  mesh = await startAuditedMesh();
});
afterAll(() => mesh?.close());

/** A client that has not the memory for a query of all keys and all time; and how often it was asked less. */
function smallClient(client: ClickHouseClient) {
  const asked = { slices: 0 };
  const query = async (params: Parameters<ClickHouseClient['query']>[0]) => {
    const { slice_from: from } = (params.query_params ?? {}) as { slice_from?: number };
    const to = params.query_params?.slice_to;
    if (from === ALL_TIME.from && to === ALL_TIME.to && !params.query.includes('% 4 =')) {
      throw new ClickHouseError({ message: 'Query memory limit exceeded', code: '241' });
    }
    if (from !== undefined && !params.query.includes('% 4 =')) asked.slices++;
    return client.query(params);
  };
  return { client: { query } as unknown as ClickHouseClient, asked };
}

test.each<[name: string, damage: string, zone?: string]>([
  ['clean', 'SELECT 1'],
  // Of which it is still the month before when the first conversions of December happen.
  ['days are of another zone than those that are stored', 'SELECT 1', 'America/New_York'],
  ['a decision is lost', remove('conversion_decisions', TOO_LATE.event_id, 'conversion_id')],
  ['a day has a click too many', change('daily_stats', '* REPLACE(clicks + 1 AS clicks)', 'clicks > 0')],
])('in slices of a month an audit finds what it does as a whole: %s', async (_, damage, zone = 'UTC') => {
  await mesh.reset();
  for (const query of damage.split(';')) await mesh.client.command({ query });
  const status = { ...(await getStatus(mesh.url)), report_time_zone: zone };
  const whole = await allChecks({ status, client: mesh.client, queryBytes: undefined });
  const { client, asked } = smallClient(mesh.client);
  expect(sorted(await allChecks({ status, client, queryBytes: undefined }))).toEqual(sorted(whole));
  expect(asked.slices).toBeGreaterThanOrEqual(2 * CHECKS.filter(({ inSlices }) => inSlices).length);
});

function sorted(results: Awaited<ReturnType<typeof allChecks>>) {
  return results.map(({ rows, ...rest }) => ({ ...rest, rows: rows.map((row) => JSON.stringify(row)).sort() }));
}

test('slices of time are cut where months begin, until each has one with events', () => {
  const events = { from: Date.UTC(2016, 3, 30, 23), to: Date.UTC(2025, 1, 1) };
  let slices = [ALL_TIME];
  for (let rounds = 0; rounds < 4; rounds++) slices = slices.flatMap((slice) => cutSlice(slice, events));
  expect(slices).toHaveLength(12 * 8 + 11);
  expect(slices[0]).toEqual({ from: ALL_TIME.from, to: Date.UTC(2016, 4) });
  expect(slices[1]).toEqual({ from: Date.UTC(2016, 4), to: Date.UTC(2016, 5) });
  expect(slices.at(-1)).toEqual({ from: Date.UTC(2025, 1), to: ALL_TIME.to });
  for (const [i, { to }] of slices.slice(0, -1).entries()) expect(slices[i + 1]!.from).toBe(to);
  expect(slices.flatMap((slice) => cutSlice(slice, events))).toEqual(slices);
});
