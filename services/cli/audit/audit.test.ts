import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ClickHouseClient, createClient } from '@clickhouse/client';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type EmbeddedClickHouse, startEmbeddedClickHouse } from '../../clickhouse/embedded/server.ts';
import { migrate } from '../../clickhouse/migrate.ts';
import { getStatus } from '../ask-mesh.ts';
import { audit } from './audit.ts';
import { describeAccounts, readAccounts, readNamesIgnored } from './audit-accounts.ts';
import { CHECKS } from './audit-checks.ts';

const DAY = '2025-12-01';
const NEXT_DAY = '2025-12-02';
/** Credited under a window of two days. */
const SIGNUP_DAY = '2025-12-03';

// Of two clicks at one time the greater id wins, as text: ClickHouse sorts these two the other way round.
const WINS_TIE = click('ffffffff-0000-4000-8000-000000000001', 'ann', 'camp-1', `${DAY} 10:00:00.000`);
const LOSES_TIE = click('00000000-0000-4000-9000-000000000002', 'ann', 'camp-2', `${DAY} 10:00:00.000`);
const EARLY = click('00000000-0000-4000-8000-000000000003', 'bob', 'camp-1', `${DAY} 00:00:00.000`);
const AFTER_ALL = click('00000000-0000-4000-8000-000000000004', 'bob', 'camp-2', '2025-12-09 00:00:00.000');
const CLICKS = [WINS_TIE, LOSES_TIE, EARLY, AFTER_ALL];

const TIED = conversion('00000000-0000-4000-8000-000000000011', 'ann', 'purchase', 10_000_001, `${DAY} 10:00:00.000`);
const AT_WINDOW = conversion('00000000-0000-4000-8000-000000000012', 'bob', 'purchase', 7, `${NEXT_DAY} 00:00:00.000`);
const TOO_LATE = conversion('00000000-0000-4000-8000-000000000013', 'bob', 'purchase', 5, `${NEXT_DAY} 00:00:00.001`);
const LONG_WINDOW = conversion(
  '00000000-0000-4000-8000-000000000014',
  'bob',
  'signup',
  0,
  `${SIGNUP_DAY} 00:00:00.000`,
);
const CONVERSIONS = [TIED, AT_WINDOW, TOO_LATE, LONG_WINDOW];

/** As they should be: rows of every table after 8 events, a duplicate and a record that can't be read. */
const TABLES: Record<string, Record<string, unknown>[]> = {
  events_local: [
    ...[...CLICKS, ...CONVERSIONS].map((event, offset) => ({ ...event, _partition: 1, _offset: offset })),
    { ...WINS_TIE, campaign_id: 'camp-9', _partition: 1, _offset: 8 },
  ],
  ingest_errors: [{ topic: 'raw-events', _partition: 1, _offset: 9, error: 'no protobuf', raw: '?' }],
  attributed_events: [
    { ...credit(TIED, LOSES_TIE, 'last_click', 1_000_000, 10_000_001), version: 2 },
    { ...credit(TIED, LOSES_TIE, 'last_click', 0, 0), version: 4, retracted: 1 },
    credit(TIED, WINS_TIE, 'last_click', 1_000_000, 10_000_001),
    credit(TIED, WINS_TIE, 'linear', 500_000, 5_000_001),
    credit(TIED, LOSES_TIE, 'linear', 500_000, 5_000_000),
    ...['last_click', 'linear'].flatMap((model) => [
      credit(AT_WINDOW, EARLY, model, 1_000_000, 7),
      credit(LONG_WINDOW, EARLY, model, 1_000_000, 0),
    ]),
  ],
  conversion_decisions: CONVERSIONS.map((each) => ({
    ...{ conversion_id: each.event_id, user_id: each.user_id, conversion_type: each.conversion_type },
    ...{ conversion_time: each.timestamp, value_micros: each.value_micros, attributed: each === TOO_LATE ? 0 : 1 },
  })),
  daily_stats: [
    ...CLICKS.map((each) => ({ ...counter(each.timestamp.slice(0, 10), each.campaign_id, '', ''), clicks: 1 })),
    { ...counter(DAY, 'camp-1', '', ''), clicks: 2, version: 5 },
    counter(DAY, 'camp-2', 'purchase', 'last_click'),
    counter(DAY, 'camp-1', 'purchase', 'last_click', 1_000_000, 10_000_001),
    counter(DAY, 'camp-1', 'purchase', 'linear', 500_000, 5_000_001),
    counter(DAY, 'camp-2', 'purchase', 'linear', 500_000, 5_000_000),
    ...['last_click', 'linear'].flatMap((model) => [
      counter(NEXT_DAY, 'camp-1', 'purchase', model, 1_000_000, 7),
      counter(SIGNUP_DAY, 'camp-1', 'signup', model, 1_000_000, 0),
    ]),
  ],
  attribution_progress: [
    {
      ...{ partition: 1, records: 10, clicks: 4, attributed: 3, unattributed: 1 },
      ...{ click_duplicates: 1, dead_lettered: 1, version: 9 },
    },
  ],
};

let folder: string;
let clickhouse: EmbeddedClickHouse;
let client: ClickHouseClient;
let mesh: Server;
let url: string;
let inserted: number;
let setAside: { partition: number; records: number }[];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'clickmesh-audit-'));
  clickhouse = await startEmbeddedClickHouse({ dir: folder, logger: pino({ level: 'silent' }) });
  client = createClient({ url: clickhouse.url });
  await migrate(client, {});
  mesh = createServer(({ url: path }, response) => {
    if (path === '/metrics') response.setHeader('content-type', 'text/plain').end(METRICS);
    else response.setHeader('content-type', 'application/json').end(JSON.stringify(status()));
  });
  await new Promise<void>((resolve) => mesh.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(mesh.address() as AddressInfo).port}`;
});

afterAll(async () => {
  mesh?.close();
  mesh?.closeAllConnections();
  await client?.close();
  await clickhouse?.close();
  rmSync(folder, { recursive: true });
});

beforeEach(async () => {
  inserted = 10;
  setAside = [];
  for (const [table, values] of Object.entries(TABLES)) {
    await client.command({ query: `TRUNCATE TABLE ${table}` });
    await client.insert({ table, values, format: 'JSONEachRow' });
  }
});

test('a clean mesh', async () => {
  const results = await audit({ url, timeout: 10 });
  expect(results.filter(({ differing }) => differing > 0)).toEqual([]);
  expect(results.map(({ name }) => name)).toEqual(CHECKS.map(({ name }) => name));
  expect(results.every(({ compared }) => compared > 0)).toBe(true);
});

const READ_TO_END = 'attribution has read every partition to its end';
const ONE_THING = 'every record became exactly one thing';
const COUNTERS = 'the counters of each partition equal the raw events stored';
const DECISIONS = 'every conversion has its decision';
const WINNERS = 'every conversion is credited to its last click';
const TWICE = 'no conversion is attributed twice under last_click';
const CREDITS = 'the credits of a conversion add up to it, under every model';
const RECOUNT = 'daily_stats under last_click equals a recount of the raw events';
const SUMS = 'daily_stats equals the sums of attributed_events, under every model';

test.each<[damage: string, query: string, found: string[]]>([
  ['a click is lost', remove('events_local', AFTER_ALL.event_id, 'event_id'), [COUNTERS, RECOUNT]],
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
  ['a decision is lost', remove('conversion_decisions', TOO_LATE.event_id, 'conversion_id'), [DECISIONS]],
  [
    'a decision says the opposite',
    change('conversion_decisions', '* REPLACE(1 AS attributed)', `conversion_id = '${TOO_LATE.event_id}'`),
    [DECISIONS],
  ],
  [
    'a conversion is credited twice',
    insertCredit(credit(TIED, LOSES_TIE, 'last_click', 1_000_000, 10_000_001)),
    [WINNERS, TWICE, CREDITS, SUMS],
  ],
  ['a credit is lost', remove('attributed_events', LONG_WINDOW.event_id, 'conversion_id'), [WINNERS, CREDITS, SUMS]],
  [
    'a conversion is credited that is outside its window',
    insertCredit(credit(TOO_LATE, EARLY, 'last_click', 1_000_000, 5)),
    [WINNERS, CREDITS, SUMS],
  ],
  [
    'another click wins',
    change(
      'attributed_events',
      `* REPLACE(toUUID('${AFTER_ALL.event_id}') AS click_id)`,
      `conversion_id = '${AT_WINDOW.event_id}' AND model = 'last_click'`,
      `conversion_id = '${AT_WINDOW.event_id}' AND model = 'last_click' AND click_id = '${EARLY.event_id}'`,
    ),
    [WINNERS],
  ],
  [
    'a share is a micro too small',
    change(
      'attributed_events',
      '* REPLACE(credit_micros - 1 AS credit_micros)',
      `conversion_id = '${TIED.event_id}' AND click_id = '${WINS_TIE.event_id}' AND model = 'linear'`,
    ),
    [CREDITS, SUMS],
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
    [RECOUNT],
  ],
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

test('a record that was set aside is a difference until it is sent again, and counts', async () => {
  setAside = [{ partition: 1, records: 1 }];
  const asideInsteadOf = async (name: string) => {
    const columns = `* REPLACE(${name} - 1 AS ${name}, dead_lettered + 1 AS dead_lettered)`;
    for (const statement of change('attribution_progress', columns, 'true').split(';\n')) {
      await client.command({ query: statement });
    }
    const results = await audit({ url, timeout: 10 });
    return results.filter(({ differing }) => differing > 0).map(({ name }) => name);
  };
  // The first of two with one id was set aside: the other is no duplicate.
  expect(await asideInsteadOf('click_duplicates')).toEqual([]);
  setAside = [{ partition: 1, records: 2 }];
  expect(await asideInsteadOf('clicks')).toEqual([COUNTERS]);
});

test('the rows that differ are shown, both sides', async () => {
  await client.command({ query: insertCredit(credit(TOO_LATE, EARLY, 'last_click', 1_000_000, 5)) });
  const results = await audit({ url, timeout: 10 });
  expect(results.find(({ name }) => name === CREDITS)!.rows).toEqual([
    {
      key: { user_id: 'bob', conversion_id: TOO_LATE.event_id, model: 'last_click' },
      expected: [],
      stored: [{ credit_micros: '1000000', value_micros: '5' }],
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
  const mesh = await getStatus(url);
  mesh.topics[0]!.partitions[0]!.end = 6;
  const accounts = await readAccounts(client, mesh);
  expect(describeAccounts(accounts, await readNamesIgnored(url)).split('\n')).toEqual([
    'accepted 16 = clicks 5 + attributed 3 + unattributed 3 + duplicates 3 + dead letters 2',
    expect.stringMatching(/^conflicts 1: /),
    expect.stringMatching(/^clicks forgotten 7: /),
    expect.stringMatching(/^names ignored 42 = click 12 \+ conversion 30: /),
    '',
  ]);
  expect(describeAccounts(accounts, {})).toContain('names ignored 0: ');
});

test('can not be run while ClickHouse is behind', async () => {
  inserted = 9;
  await expect(audit({ url, timeout: 0 })).rejects.toThrow('ClickHouse is at 9 of 10 in partition 1 of raw-events');
});

test('can not be run without a mesh', async () => {
  await expect(audit({ url: 'http://127.0.0.1:1', timeout: 0 })).rejects.toThrow('does not answer');
});

const METRICS = `# TYPE clickmesh_events_names_ignored_total counter
clickmesh_events_names_ignored_total{event_type="click"} 12
clickmesh_events_names_ignored_total{event_type="conversion"} 30
clickmesh_events_accepted_total{event_type="conversion"} 31
`;

function status() {
  return {
    clickhouse_url: clickhouse.url,
    lookback_hours: 24,
    lookback_hours_by_type: { signup: 48 },
    models: ['last_click', 'linear'],
    set_aside: setAside,
    topics: [
      {
        topic: 'raw-events',
        partitions: [
          { partition: 0, start: 0, end: 0, inserted: 0 },
          { partition: 1, start: 0, end: 10, inserted },
        ],
      },
      { topic: 'raw-events.DLT', partitions: [{ partition: 0, start: 0, end: 1, inserted: null }] },
    ],
    attribution: [{ partition: 1, next_offset: 10 }],
  };
}

function click(event_id: string, user_id: string, campaign_id: string, timestamp: string) {
  return {
    event_type: 'click',
    event_id,
    user_id,
    ad_id: `ad-of-${campaign_id}`,
    campaign_id,
    source: 'web',
    timestamp,
  };
}

function conversion(
  event_id: string,
  user_id: string,
  conversion_type: string,
  value_micros: number,
  timestamp: string,
) {
  return { event_type: 'conversion', event_id, user_id, conversion_type, value_micros, source: 'app', timestamp };
}

function credit(
  to: ReturnType<typeof conversion>,
  from: ReturnType<typeof click>,
  model: string,
  credit_micros: number,
  value_micros: number,
) {
  return {
    ...{ conversion_id: to.event_id, click_id: from.event_id, user_id: to.user_id, ad_id: from.ad_id },
    ...{ campaign_id: from.campaign_id, source: from.source, conversion_type: to.conversion_type, model },
    ...{ credit_micros, value_micros, click_time: from.timestamp, conversion_time: to.timestamp, version: 4 },
  };
}

function counter(day: string, campaign_id: string, conversion_type: string, model: string, credits = 0, revenue = 0) {
  const key = { day, campaign_id, source: 'web', conversion_type, model, partition: 1 };
  return { ...key, conversions_micros: credits, revenue_micros: revenue, version: 4 };
}

function insertCredit(row: ReturnType<typeof credit>): string {
  return `INSERT INTO attributed_events FORMAT JSONEachRow ${JSON.stringify({ ...row, version: 99 })}`;
}

function remove(table: string, id: string, column: string): string {
  return `DELETE FROM ${table} WHERE ${column} = '${id}'`;
}

/** Writes what the columns say over the rows that match, as a higher version. */
function change(table: string, columns: string, where: string, removed = 'false'): string {
  const higher = columns.replace('REPLACE(', 'REPLACE(version + 9 AS version, ');
  return `INSERT INTO ${table} SELECT ${higher} FROM ${table} FINAL WHERE ${where};\nDELETE FROM ${table} WHERE ${removed}`;
}
