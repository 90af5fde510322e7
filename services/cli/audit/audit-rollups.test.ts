import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type AuditedMesh, startAuditedMesh } from '../../../test/fixtures/audited-mesh.ts';
import {
  BY_AD,
  BY_GEO,
  BY_TYPE_AND_HOUR,
  change,
  DAY,
  GEO_TABLES,
  NEXT_DAY,
  rollupSetting,
  SIGNUP_DAY,
} from '../../../test/fixtures/audited-tables.ts';
import { audit } from './audit.ts';

/** That of the last click in partition 1. */
const AFTER_ALL_OFFSET = 3;
const ROLLUPS = 'every other rollup equals the same sums by its dimensions';

let mesh: AuditedMesh;

beforeAll(async () => {
  mesh = await startAuditedMesh();
});
afterAll(() => mesh?.close());
beforeEach(() => mesh.reset());

async function commands(...queries: string[]): Promise<void> {
  for (const query of queries.flatMap((text) => text.split(';\n'))) await mesh.client.command({ query });
}

async function resultOfRollups() {
  const results = await audit({ url: mesh.url, timeout: 10 });
  const result = results.find(({ name }) => name === ROLLUPS)!;
  return { failed: results.filter(({ differing }) => differing > 0).map(({ name }) => name), ...result };
}

test.each<[damage: string, query: string, differing: number]>([
  ['a row is lost', `DELETE FROM rollup_stats_local WHERE dimension_1 = 'camp-3'`, 1],
  [
    'a row of what no click is credited for is lost',
    `DELETE FROM rollup_stats_local WHERE rollup = '${BY_AD}' AND dimension_1 = ''`,
    1,
  ],
  [
    'a partition is lost',
    // Clicks, invalid clicks and both models; by hour of three conversions.
    'DELETE FROM rollup_stats_local WHERE partition = 2',
    2 + 2 + (2 + 2 * 3),
  ],
  ['a rollup is lost', `DELETE FROM rollup_stats_local WHERE rollup = '${BY_TYPE_AND_HOUR}'`, 20],
  [
    'a count is one too many',
    change('rollup_stats', '* REPLACE(clicks + 1 AS clicks)', `rollup = '${BY_AD}' AND day = '2025-12-09'`),
    1,
  ],
  [
    'an invalid click counts',
    change('rollup_stats', '* REPLACE(1 AS clicks, 0 AS invalid_clicks)', "dimension_2 = 'ad-of-camp-3'"),
    1,
  ],
  [
    'revenue is a micro too much under one model',
    change(
      'rollup_stats',
      "* REPLACE(arrayMap((m, r) -> r + (m = 'linear'), models, revenue_micros) AS revenue_micros)",
      `rollup = '${BY_AD}' AND day = '${NEXT_DAY}' AND dimension_1 != ''`,
    ),
    1,
  ],
  [
    'what refunds took is not told',
    change(
      'rollup_stats',
      '* REPLACE(arrayMap(r -> toInt128(0), refunds_micros) AS refunds_micros)',
      `rollup = '${BY_TYPE_AND_HOUR}' AND hour = 4`,
    ),
    2,
  ],
  [
    'an ad is another',
    // By ad and day: the one of before and the other, of two models.
    `INSERT INTO rollup_stats SELECT * REPLACE('ad-2' AS dimension_2) FROM rollup_stats FINAL
WHERE rollup = '${BY_AD}' AND day = '${NEXT_DAY}' AND dimension_1 != '';
DELETE FROM rollup_stats_local WHERE rollup = '${BY_AD}' AND day = '${NEXT_DAY}' AND dimension_2 = 'ad-of-camp-1'`,
    4,
  ],
  [
    'an hour is another',
    `INSERT INTO rollup_stats SELECT * REPLACE(23 AS hour) FROM rollup_stats FINAL WHERE dimension_2 = 'camp-3';
DELETE FROM rollup_stats_local WHERE hour = 2`,
    2,
  ],
  [
    'a rollup counts what is not there',
    `INSERT INTO rollup_stats (rollup, day, dimension_1, models, conversions_micros, revenue_micros, retracted_micros,
  adjusted_micros, refunds_micros) VALUES ('${BY_AD}', '${DAY}', 'x', ['linear'], [0], [1], [0], [0], [0])`,
    1,
  ],
  [
    'what never was a rollup counts something',
    `INSERT INTO rollup_stats (rollup, day, hour, dimension_1, clicks) VALUES ('hour:source', '${DAY}', 1, 'web', 1)`,
    // All there is by hour and model, but for the clicks of that hour.
    17,
  ],
])('%s', async (_, query, differing) => {
  await commands(query);
  const { failed, rows, ...found } = await resultOfRollups();
  expect({ failed, ...found }).toMatchObject({ failed: [ROLLUPS], differing, limited: {} });
  expect(rows.length).toBeGreaterThan(0);
});

describe('by metadata of the clicks', () => {
  const NOT_COUNTED = 'not counted then';

  beforeEach(async () => {
    for (const [table, values] of Object.entries(GEO_TABLES)) {
      await mesh.client.insert({ table, values, format: 'JSONEachRow' });
    }
  });

  test('too long values, those with NUL, and clicks without any count as they should', async () => {
    expect(await resultOfRollups()).toMatchObject({ failed: [], limited: {} });
  });

  test.each([
    ['of a click another value', "clicks > 0 AND day = '2025-12-09'", 2],
    // Under two models.
    ['of a conversion another value', `day = '${SIGNUP_DAY}'`, 4],
  ])('%s', async (_, where, differing) => {
    const rows = `FROM rollup_stats FINAL WHERE rollup = '${BY_GEO}' AND ${where}`;
    await commands(`INSERT INTO rollup_stats SELECT * REPLACE('FR' AS dimension_2) ${rows}`);
    await commands(`DELETE FROM rollup_stats_local WHERE rollup = '${BY_GEO}' AND ${where} AND dimension_2 != 'FR'`);
    expect(await resultOfRollups()).toMatchObject({ failed: [ROLLUPS], differing, limited: {} });
  });

  test('a conversion of later on, of a click that came before the rollup', async () => {
    const setting = { ...rollupSetting(BY_GEO, 1), version: 3, since: 1 };
    await mesh.client.insert({ table: 'attribution_settings', values: [setting], format: 'JSONEachRow' });
    const rows = `FROM rollup_stats FINAL WHERE rollup = '${BY_GEO}' AND day = '${SIGNUP_DAY}'`;
    await commands(`INSERT INTO rollup_stats SELECT * REPLACE('' AS dimension_2) ${rows}`);
    await commands(`DELETE FROM rollup_stats_local WHERE dimension_2 = 'DE' AND day = '${SIGNUP_DAY}'`);
    expect(await resultOfRollups()).toMatchObject({ failed: [], limited: { [NOT_COUNTED]: 4 } });
    // Another rollup loses what came of that day.
    await commands(`DELETE FROM rollup_stats_local WHERE rollup = '${BY_AD}' AND day = '${SIGNUP_DAY}'`);
    expect(await resultOfRollups()).toMatchObject({ failed: [ROLLUPS], differing: 2 });
  });
});

describe('what differs for a known limit fails nothing', () => {
  const settings = (...changed: Partial<ReturnType<typeof rollupSetting>>[]) =>
    mesh.client.insert({
      table: 'attribution_settings',
      values: changed.map((each) => ({ ...rollupSetting(BY_AD, 1), version: 1, ...each })),
      format: 'JSONEachRow',
    });
  const LOST = `DELETE FROM rollup_stats_local WHERE rollup = '${BY_AD}'`;

  test('a rollup that is counted from later on, before then', async () => {
    await settings({ since: 1, version: 6 });
    await commands(`${LOST} AND partition = 1 AND day != '${SIGNUP_DAY}'`);
    expect(await resultOfRollups()).toMatchObject({ failed: [], limited: { 'not counted then': 9 } });
    // What came of this day was counted.
    await commands(`${LOST} AND day = '${SIGNUP_DAY}'`);
    expect(await resultOfRollups()).toMatchObject({ failed: [ROLLUPS], differing: 2 });
  });

  test('a rollup that a partition has not counted yet, where another has', async () => {
    await commands(`DELETE FROM attribution_settings_local WHERE name = '${BY_AD}' AND partition = 1`);
    await commands(`${LOST} AND partition = 1`);
    expect(await resultOfRollups()).toMatchObject({ failed: [], limited: { 'not counted then': 11 } });
    // There are rows of it, but nobody says to count it.
    await commands(`DELETE FROM attribution_settings_local WHERE name = '${BY_AD}'`);
    expect(await resultOfRollups()).toMatchObject({ failed: [ROLLUPS], limited: {} });
  });

  test('a rollup that is no longer counted', async () => {
    // With its end came the last click.
    await settings({ until: 1, version: AFTER_ALL_OFFSET });
    await commands(`${LOST} AND day = '2025-12-09'`);
    expect(await resultOfRollups()).toMatchObject({ failed: [], limited: { 'not counted then': 1 } });
    // Nothing is said of others.
    await commands(`DELETE FROM rollup_stats_local WHERE rollup = '${BY_TYPE_AND_HOUR}' AND day = '2025-12-09'`);
    expect(await resultOfRollups()).toMatchObject({ failed: [ROLLUPS], differing: 1 });
  });
});
