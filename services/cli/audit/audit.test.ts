import type { ClickHouseClient } from '@clickhouse/client';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type AuditedMesh, startAuditedMesh } from '../../../test/fixtures/audited-mesh.ts';
import {
  AFTER_ALL,
  AT_WINDOW,
  change,
  type click,
  type conversion,
  correction,
  counter,
  credit,
  DAY,
  EARLY,
  EMPTIED,
  GONE,
  HONEST,
  insertCredit,
  LAST_REFUND,
  LAST_VERDICT,
  LONG_WINDOW,
  LOSES_TIE,
  NEXT_DAY,
  REFUNDED,
  remove,
  TABLES,
  TIED,
  TOO_LATE,
  WINS_TIE,
} from '../../../test/fixtures/audited-tables.ts';
import { CHECKS } from '../../audit/checks.ts';
import { getStatus } from '../ask-mesh.ts';
import { audit } from './audit.ts';
import { describeAccounts, readAccounts, readNamesIgnored } from './audit-accounts.ts';

let mesh: AuditedMesh;
let client: ClickHouseClient;
let url: string;

beforeAll(async () => {
  mesh = await startAuditedMesh();
  ({ client, url } = mesh);
});
afterAll(() => mesh?.close());
beforeEach(() => mesh.reset());

test('a clean mesh', async () => {
  const results = await audit({ url, timeout: 10 });
  expect(results.filter(({ differing }) => differing > 0)).toEqual([]);
  expect(results.map(({ name }) => name)).toEqual(CHECKS.map(({ name }) => name));
  expect(results.every(({ compared }) => compared > 0)).toBe(true);
});

const READ_TO_END = 'attribution has read every partition to its end';
const ONE_THING = 'every record became exactly one thing';
const COUNTERS = 'the counters of each partition equal the raw events stored';
const CORRECTED_COUNTERS = 'the counters of corrections of each partition equal a recount';
const TRUNCATED = 'the decisions of each partition that say truncated are counted';
const DECISIONS = 'every conversion has its decision';
const WINNERS = 'every conversion is credited to its last click';
const TWICE = 'no conversion is attributed twice under last_click';
const CREDITS = 'the credits of a conversion add up to it, under every model';
const SHARES = 'every click has its share of a conversion, to the micro, under every model';
const RECOUNT = 'daily_stats under last_click equals a recount of the raw events';
const SUMS = 'daily_stats equals the sums of clicks, credits and what is unattributed, under every model';
const ROLLUPS = 'every other rollup equals the same sums by its dimensions';

test.each<[damage: string, query: string, found: string[]]>([
  ['a click is lost', remove('events_local', AFTER_ALL.event_id, 'event_id'), [COUNTERS, RECOUNT, SUMS, ROLLUPS]],
  [
    'a click is lost before attribution',
    change('attribution_progress', '* REPLACE(clicks - 1 AS clicks, records - 1 AS records)', 'true'),
    [READ_TO_END, COUNTERS],
  ],
  [
    'a record is not accounted for',
    change('attribution_progress', '* REPLACE(click_duplicates - 1 AS click_duplicates)', 'true'),
    [ONE_THING],
  ],
  ['a refused record is lost', 'TRUNCATE TABLE ingest_errors', [COUNTERS]],
  // That no click is credited counts, too, if the decision says so.
  [
    'a decision is lost',
    remove('conversion_decisions', TOO_LATE.event_id, 'conversion_id'),
    [DECISIONS, RECOUNT, SUMS, ROLLUPS],
  ],
  [
    'a decision says the opposite',
    change('conversion_decisions', '* REPLACE(1 AS attributed)', `conversion_id = '${TOO_LATE.event_id}'`),
    [DECISIONS, SUMS, ROLLUPS],
  ],
  [
    'a conversion is credited twice',
    insertCredit(credit(TIED, LOSES_TIE, 'last_click', 1_000_000, 10_000_001)),
    [WINNERS, TWICE, CREDITS, SHARES, SUMS, ROLLUPS],
  ],
  [
    'a credit is lost',
    remove('attributed_events', LONG_WINDOW.event_id, 'conversion_id'),
    [WINNERS, CREDITS, SHARES, SUMS, ROLLUPS],
  ],
  [
    'a conversion is credited that is outside its window',
    insertCredit(credit(TOO_LATE, EARLY, 'last_click', 1_000_000, 5)),
    [WINNERS, CREDITS, SHARES, SUMS, ROLLUPS],
  ],
  [
    'another click wins',
    change(
      'attributed_events',
      `* REPLACE(toUUID('${AFTER_ALL.event_id}') AS click_id)`,
      `conversion_id = '${AT_WINDOW.event_id}' AND model = 'last_click'`,
      `conversion_id = '${AT_WINDOW.event_id}' AND model = 'last_click' AND click_id = '${EARLY.event_id}'`,
    ),
    [WINNERS, SHARES],
  ],
  [
    'a share is a micro too small',
    change(
      'attributed_events',
      '* REPLACE(credit_micros - 1 AS credit_micros)',
      `conversion_id = '${TIED.event_id}' AND click_id = '${WINS_TIE.event_id}' AND model = 'linear'`,
    ),
    [CREDITS, SHARES, SUMS, ROLLUPS],
  ],
  [
    'a micro of the shares is at another click',
    ['+ 1', '- 1']
      .map((by, i) =>
        change(
          'attributed_events',
          `* REPLACE(value_micros ${by} AS value_micros)`,
          `conversion_id = '${TIED.event_id}' AND click_id = '${[LOSES_TIE, WINS_TIE][i]!.event_id}' AND model = 'linear'`,
        ),
      )
      .join(';\n'),
    [SHARES, SUMS, ROLLUPS],
  ],
  [
    'a refund is lost',
    remove('events_local', LAST_REFUND.event_id, 'event_id'),
    [CORRECTED_COUNTERS, DECISIONS, WINNERS, CREDITS, SHARES, RECOUNT],
  ],
  [
    'a verdict is lost',
    remove('events_local', LAST_VERDICT.event_id, 'event_id'),
    [CORRECTED_COUNTERS, WINNERS, SHARES, RECOUNT, SUMS, ROLLUPS],
  ],
  [
    'a conversion that did not happen counts',
    change('attributed_events', '* REPLACE(0 AS conversion_retracted)', `conversion_id = '${GONE.event_id}'`),
    [WINNERS, SUMS, ROLLUPS],
  ],
  [
    'a decision says truncated that is not counted',
    change('conversion_decisions', '* REPLACE(1 AS truncated)', `conversion_id = '${EMPTIED.event_id}'`),
    [TRUNCATED],
  ],
  [
    'a truncated decision is counted that is none',
    change('attribution_progress', '* REPLACE(truncated + 1 AS truncated)', 'partition = 1'),
    [TRUNCATED],
  ],
  [
    'what a refund took is not told',
    change('conversion_decisions', '* REPLACE(0 AS refunds_micros)', `conversion_id = '${REFUNDED.event_id}'`),
    [DECISIONS],
  ],
  [
    'the revenue of a day is a micro too much',
    change(
      'daily_stats',
      '* REPLACE(revenue_micros + 1 AS revenue_micros)',
      `day = '${NEXT_DAY}' AND model = 'last_click'`,
    ),
    [RECOUNT, SUMS],
  ],
  [
    'the clicks of a day are one too many',
    change(
      'daily_stats',
      '* REPLACE(clicks + 1 AS clicks)',
      `day = '${DAY}' AND campaign_id = 'camp-2' AND model = ''`,
    ),
    [RECOUNT, SUMS],
  ],
  [
    'a conversion that no click is credited for does not count',
    `DELETE FROM daily_stats WHERE campaign_id = ''`,
    [RECOUNT, SUMS],
  ],
  ['a row of a rollup is lost', `DELETE FROM rollup_stats_local WHERE dimension_1 = 'camp-3'`, [ROLLUPS]],
  [
    'a day counts what is not there',
    `INSERT INTO daily_stats (day, campaign_id, conversion_type, model, revenue_micros) VALUES ('${DAY}', 'x', 'y', 'linear', 1)`,
    [SUMS],
  ],
])('%s', async (_, query, found) => {
  for (const statement of query.split(';\n')) await client.command({ query: statement });
  const results = await audit({ url, timeout: 10 });
  const failed = results.filter(({ differing }) => differing > 0);
  expect(failed.map(({ name }) => name)).toEqual(found);
  expect(failed.every(({ rows }) => rows.length > 0)).toBe(true);
});

/** By check, how many keys differ for a known limit; an empty list of those that differ for none. */
async function limits() {
  const results = await audit({ url, timeout: 10 });
  expect(results.filter(({ differing }) => differing > 0)).toEqual([]);
  return Object.fromEntries(results.flatMap(({ name, limited }) => (isEmpty(limited) ? [] : [[name, limited]])));
}

const isEmpty = (of: object) => Object.keys(of).length === 0;

async function commands(...queries: string[]): Promise<void> {
  for (const query of queries.flatMap((text) => text.split(';\n'))) await client.command({ query });
}

describe('what differs for a known limit fails nothing', () => {
  // Of rollups, audit-rollups.test.ts tells.
  beforeEach(() => commands('TRUNCATE TABLE rollup_stats_local', 'TRUNCATE TABLE attribution_settings_local'));

  test('a click that came too late for its conversion, which nothing of what is counted has', async () => {
    const late = { ...LOSES_TIE, event_id: 'ffffffff-ffff-4000-8000-000000000001', campaign_id: 'camp-9' };
    const values = [{ ...late, _partition: 1, _offset: 10, _append_time: '2026-01-01 00:00:00.000' }];
    await client.insert({ table: 'events_local', values, format: 'JSONEachRow' });
    await commands(
      change('attribution_progress', '* REPLACE(records + 1 AS records, clicks + 1 AS clicks)', 'partition = 1'),
      `INSERT INTO daily_stats FORMAT JSONEachRow ${JSON.stringify({ ...counter(DAY, 'camp-9', '', ''), clicks: 1 })}`,
    );
    Object.assign(mesh.status, { ends: [11, 12], inserted: 11 });
    expect(await limits()).toEqual({ [WINNERS]: { 'too late': 1 }, [SHARES]: { 'too late': 2 } });
    // Nothing is said of others.
    await commands(remove('attributed_events', LONG_WINDOW.event_id, 'conversion_id'));
    await expect(limits()).rejects.toThrow();
  });

  test('decisions under another lookback window', async () => {
    const lookback = '* REPLACE(3600000 AS lookback_ms, 0 AS attributed)';
    await commands(
      change('conversion_decisions', lookback, `conversion_id = '${AT_WINDOW.event_id}'`),
      remove('attributed_events', AT_WINDOW.event_id, 'conversion_id'),
      `DELETE FROM daily_stats WHERE day = '${NEXT_DAY}' AND model != ''`,
      `INSERT INTO daily_stats FORMAT JSONEachRow ${JSON.stringify({ ...counter(NEXT_DAY, '', 'purchase', '', 1_000_000, 7), source: '', partition: 7 })}`,
    );
    const then = 'another lookback window then';
    expect(await limits()).toEqual({
      ...{ [DECISIONS]: { [then]: 1 }, [WINNERS]: { [then]: 1 } },
      ...{ [CREDITS]: { [then]: 2 }, [SHARES]: { [then]: 2 } },
    });
  });

  test('decisions under other models', async () => {
    const model = "* REPLACE(['last_click'] AS models)";
    await commands(
      change('conversion_decisions', model, `conversion_id = '${AT_WINDOW.event_id}'`),
      `DELETE FROM attributed_events WHERE conversion_id = '${AT_WINDOW.event_id}' AND model = 'linear'`,
      `DELETE FROM daily_stats WHERE day = '${NEXT_DAY}' AND model = 'linear'`,
    );
    const then = 'other models then';
    expect(await limits()).toEqual({ [CREDITS]: { [then]: 1 }, [SHARES]: { [then]: 1 } });
  });

  test('a decision that is not there is a difference', async () => {
    await commands(remove('conversion_decisions', AT_WINDOW.event_id, 'conversion_id'));
    await expect(limits()).rejects.toThrow();
  });

  test('corrections that came too late, which change nothing', async () => {
    const late = (id: string, of: ReturnType<typeof click | typeof conversion>, kind: string, _offset: number) => {
      const place = { _partition: 2, _offset, _append_time: '2027-01-01 00:00:00.000' };
      return { ...correction(id, of, kind, 0, 20), ...place };
    };
    const [retract, verdict] = ['61', '62'].map((end) => LAST_REFUND.event_id.replace(/..$/, end));
    const values = [late(retract!, EMPTIED, 'retract', 12), late(verdict!, HONEST, 'invalid', 13)];
    await client.insert({ table: 'events_local', values, format: 'JSONEachRow' });
    const appended =
      "ALTER TABLE events_local UPDATE _append_time = '2026-01-01 00:00:00' WHERE _append_time < '2000-01-01'";
    await commands(
      `${appended} SETTINGS mutations_sync = 1`,
      change('attribution_progress', '* REPLACE(14 AS records, 2 AS too_late)', 'partition = 2'),
    );
    mesh.status.ends = [10, 14];
    expect(await limits()).toEqual({});
    // One of them was sent again, and what is too late is not known by its id.
    await commands(change('attribution_progress', '* REPLACE(15 AS records, 3 AS too_late)', 'partition = 2'));
    mesh.status.ends = [10, 15];
    expect(await limits()).toEqual({ [CORRECTED_COUNTERS]: { 'too late': 1 } });
  });
});

test('a record that was set aside is a difference until it is sent again, and counts', async () => {
  mesh.status.setAside = [{ partition: 1, records: 1 }];
  const asideInsteadOf = async (name: string) => {
    const columns = `* REPLACE(${name} - 1 AS ${name}, dead_lettered + 1 AS dead_lettered)`;
    for (const statement of change('attribution_progress', columns, 'partition = 1').split(';\n')) {
      await client.command({ query: statement });
    }
    const results = await audit({ url, timeout: 10 });
    return results.filter(({ differing }) => differing > 0).map(({ name }) => name);
  };
  // The first of two with one id was set aside: the other is no duplicate.
  expect(await asideInsteadOf('click_duplicates')).toEqual([]);
  mesh.status.setAside = [{ partition: 1, records: 2 }];
  expect(await asideInsteadOf('clicks')).toEqual([COUNTERS]);
});

test('the rows that differ are shown, both sides', async () => {
  await client.command({ query: insertCredit(credit(TOO_LATE, EARLY, 'last_click', 1_000_000, 5)) });
  const results = await audit({ url, timeout: 10 });
  expect(results.find(({ name }) => name === CREDITS)!.rows).toEqual([
    {
      key: { user_id: 'bob', conversion_id: TOO_LATE.event_id, model: 'last_click' },
      expected: [],
      stored: [{ credit_micros: '1000000', value_micros: '5', adjusted_micros: '0', refunds_micros: '0' }],
    },
  ]);
});

test('revenue that is more than its counter holds is a difference', async () => {
  const [one, two] = ['21', '22'].map((end) => ({ ...TIED, event_id: TIED.event_id.replace(/..$/, end) }));
  const from = { ...EARLY, campaign_id: 'camp-9' };
  // 10^19 micros, as they are left of it in 64 bits.
  const wrapped = JSON.stringify(counter(DAY, 'camp-9', 'purchase', 'linear', 2_000_000)).replace(
    '"revenue_micros":0',
    `"revenue_micros":${10n ** 19n - 2n ** 64n}`,
  );
  for (const to of [one!, two!]) {
    const row = insertCredit(credit(to, from, 'linear', 1_000_000, 0)).replace(
      '"value_micros":0',
      '"value_micros":5000000000000000000',
    );
    await client.command({ query: row });
  }
  await client.command({ query: `INSERT INTO daily_stats FORMAT JSONEachRow ${wrapped}` });
  const sums = (await audit({ url, timeout: 10 })).find(({ name }) => name === SUMS);
  expect(sums).toMatchObject({ differing: 1, rows: [{ expected: [{ revenue_micros: '10000000000000000000' }] }] });
});

test('what became of all that was accepted is told', async () => {
  const last = TABLES.attribution_progress![0]!;
  const other = {
    ...last,
    partition: 0,
    records: 6,
    clicks: 1,
    attributed: 0,
    unattributed: 2,
    conversion_duplicates: 2,
  };
  const values = [{ ...other, click_duplicates: 0, conflicts: 1, touches_dropped: 7 }];
  await client.insert({ table: 'attribution_progress', values, format: 'JSONEachRow' });
  const status = await getStatus(url);
  status.topics[0]!.partitions[0]!.end = 6;
  const accounts = await readAccounts(client, status);
  expect(describeAccounts(accounts, await readNamesIgnored(url)).split('\n')).toEqual([
    'accepted 28 = clicks 7 + attributed 6 + unattributed 3 + adjustments 5 + verdicts 2 + click duplicates 1 + ' +
      'conversion duplicates 2 + adjustment duplicates 0 + verdict duplicates 0 + too late 0 + dead lettered 2',
    expect.stringMatching(/^invalid clicks 1: /),
    expect.stringMatching(/^waiting 0: /),
    expect.stringMatching(/^exceeded 1: /),
    expect.stringMatching(/^conflicts 1: /),
    expect.stringMatching(/^clicks forgotten 7: /),
    expect.stringMatching(/^truncated 0: /),
    expect.stringMatching(/^names ignored 42 = click 12 \+ conversion 30: /),
    '',
  ]);
  expect(describeAccounts(accounts, {})).toContain('names ignored 0: ');
});

test('can not be run while ClickHouse is behind', async () => {
  mesh.status.inserted = 9;
  await expect(audit({ url, timeout: 0 })).rejects.toThrow('ClickHouse is at 9 of 10 in partition 1 of raw-events');
});

test('can not be run while counters of rollups are not published: those follow with the commit', async () => {
  mesh.status.uncommitted = 1;
  await expect(audit({ url, timeout: 0 })).rejects.toThrow('attribution is at 11 of 12 in partition 2');
});

test('can not be run without a mesh', async () => {
  await expect(audit({ url: 'http://127.0.0.1:1', timeout: 0 })).rejects.toThrow('does not answer');
});
