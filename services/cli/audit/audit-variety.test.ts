import { afterAll, beforeAll, expect, test } from 'vitest';
import { type AuditedMesh, startAuditedMesh } from '../../../test/fixtures/audited-mesh.ts';
import { BY_AD, DAY } from '../../../test/fixtures/audited-tables.ts';
import { audit } from './audit.ts';

/** Clicks of a user, a campaign, a source and an ad each. */
const CLICKS = 60_000;
/** What the sums of all of them do not fit into, and those of some parts do. */
const QUERY_BYTES = 64 << 20;
const PARTITION = 7;

let mesh: AuditedMesh;
let before: Record<string, number>;

beforeAll(async () => {
  mesh = await startAuditedMesh();
  await mesh.reset();
  before = await comparedIn();
  const numbered = (prefix: string) => `concat('${prefix}-', toString(number))`;
  const [campaign, source, ad] = ['campaign', 'source', 'ad'].map(numbered);
  for (const insert of [
    `events_local (event_type, event_id, user_id, ad_id, campaign_id, source, timestamp, _partition, _offset)
      SELECT 'click', generateUUIDv4(), ${numbered('user')}, ${ad}, ${campaign}, ${source}, '${DAY} 12:00:00.000',
        ${PARTITION}, number`,
    `daily_stats (day, campaign_id, source, partition, clicks, version)
      SELECT '${DAY}', ${campaign}, ${source}, ${PARTITION}, 1, number`,
    `rollup_stats (rollup, day, dimension_1, dimension_2, partition, clicks, version)
      SELECT '${BY_AD}', '${DAY}', ${campaign}, ${ad}, ${PARTITION}, 1, number`,
    `rollup_stats (rollup, day, hour, dimension_2, partition, clicks, version)
      SELECT 'hour:conversion_type,campaign_id', '${DAY}', 12, ${campaign}, ${PARTITION}, 1, number`,
  ]) {
    await mesh.client.command({ query: `INSERT INTO ${insert} FROM numbers(${CLICKS})` });
  }
});
afterAll(() => mesh?.close());

async function comparedIn(queryBytes?: number): Promise<Record<string, number>> {
  const results = await audit({ url: mesh.url, timeout: 10, queryBytes });
  const byCounters = results.filter(({ name }) => name.includes('rollup') || name.includes('daily_stats'));
  expect(byCounters.flatMap(({ rows }) => rows)).toEqual([]);
  return Object.fromEntries(byCounters.map(({ name, compared }) => [name, compared]));
}

test('a recount of more keys than fit into memory is made in parts', async () => {
  const compared = await comparedIn(QUERY_BYTES);
  expect(Object.keys(compared)).toHaveLength(3);
  for (const [name, keys] of Object.entries(compared)) {
    expect({ name, more: keys - before[name]! }).toEqual({ name, more: (name.includes('rollup') ? 2 : 1) * CLICKS });
  }
});
