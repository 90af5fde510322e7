import { afterAll, beforeAll, expect, test } from 'vitest';
import { type AuditedMesh, startAuditedMesh } from '../../../test/fixtures/audited-mesh.ts';
import { BY_AD, DAY } from '../../../test/fixtures/audited-tables.ts';
import { WINNERS } from '../../audit/checks.ts';
import { audit } from './audit.ts';

/** Clicks of a user, a campaign, a source and an ad each. */
const CLICKS = 60_000;
/** What their digests fit into, beside what reading and joining take whatever comes; the sums of all do not. */
const QUERY_BYTES = 64 << 20;
/** The same of what joins their events and decisions. */
const JOIN_BYTES = 160 << 20;
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

test('a recount of many keys needs room for their digests only', async () => {
  const compared = await comparedIn(QUERY_BYTES);
  expect(Object.keys(compared)).toHaveLength(3);
  for (const [name, keys] of Object.entries(compared)) {
    expect({ name, more: keys - before[name]! }).toEqual({ name, more: (name.includes('rollup') ? 2 : 1) * CLICKS });
  }
});

test('of many conversions those are told apart that are beyond a limit', { tags: ['long'] }, async () => {
  const conversionId = `toUUID(concat('00000000-0000-4000-9000-', leftPad(toString(number), 12, '0')))`;
  const value = 1_000_000;
  const all = CLICKS * value;
  for (const insert of [
    `events_local (event_type, event_id, user_id, source, conversion_type, value_micros, timestamp, _partition, _offset)
      SELECT 'conversion', ${conversionId}, concat('user-', toString(number)), 'app', 'purchase', ${value},
        '${DAY} 12:30:00.000', ${PARTITION}, ${CLICKS} + number FROM numbers(${CLICKS})`,
    // Under a window of a second, which none has a click in.
    `conversion_decisions (conversion_id, user_id, conversion_type, conversion_time, value_micros, lookback_ms, models,
        version)
      SELECT ${conversionId}, concat('user-', toString(number)), 'purchase', '${DAY} 12:30:00.000', ${value}, 1000,
        ['last_click', 'linear'], 1 + number FROM numbers(${CLICKS})`,
    `daily_stats (day, conversion_type, partition, conversions_micros, revenue_micros, version)
      VALUES ('${DAY}', 'purchase', ${PARTITION}, ${all}, ${all}, 1)`,
    ...[`'${BY_AD}', 0, ''`, `'hour:conversion_type,campaign_id', 12, 'purchase'`].map(
      (key) => `rollup_stats (rollup, hour, dimension_1, day, partition, models, conversions_micros, revenue_micros,
          retracted_micros, adjusted_micros, refunds_micros, version)
        VALUES (${key}, '${DAY}', ${PARTITION}, [''], [${all}], [${all}], [0], [0], [0], 1)`,
    ),
  ]) {
    await mesh.client.command({ query: `INSERT INTO ${insert}` });
  }
  const results = await audit({ url: mesh.url, timeout: 10, queryBytes: JOIN_BYTES });
  const found = new Map(results.map(({ name, limited, rows }) => [name, { limited, rows: rows.length }]));
  expect(found.get(WINNERS)).toEqual({ limited: { 'another lookback window then': CLICKS }, rows: 0 });
  const byCounters = [...found].filter(([name]) => name.includes('rollup') || name.includes('daily_stats'));
  expect(byCounters.map(([, each]) => each)).toEqual(byCounters.map(() => ({ limited: {}, rows: 0 })));
});
