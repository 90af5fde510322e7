import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import type { ClickHouseClient } from '@clickhouse/client';
import { type Client, Code, ConnectError } from '@connectrpc/connect';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { Interval, type StatsService } from '../../gen/ts/clickmesh/v1/stats_service_pb.js';
import { startTestClickHouse, type TestClickHouse } from '../../test/fixtures/clickhouse.ts';
import { rollupRows } from '../../test/fixtures/rollup-rows.ts';
import { countersIn, getRequest, statsClient } from '../../test/fixtures/stats.ts';
import { clickhouseClient } from '../clickhouse/client.ts';
import { parseRollups } from '../contract/rollups.ts';
import type { StatsDeps } from './deps.ts';
import { statsHttp } from './routes.ts';

const ROLLUPS = parseRollups(
  'day:campaign_id,ad_id; hour:campaign_id; hour:conversion_type; day:campaign_id,metadata.geo; hour:metadata.geo',
);

let server: TestClickHouse;
let client: ClickHouseClient;
let deps: StatsDeps;
let stats: Client<typeof StatsService>;

beforeAll(async () => {
  server = await startTestClickHouse();
  client = server.client;
  deps = { client, models: ['last_click', 'linear'], rollups: ROLLUPS };
  stats = statsClient(deps);
});

afterAll(() => server.close());

async function getText(query: string): Promise<{ status: number; body: string }> {
  return getOf(deps, query);
}

async function getOf(deps: StatsDeps, query: string): Promise<{ status: number; body: string }> {
  const [route] = statsHttp(deps);
  const request = getRequest(query);
  const { status, stream, body } = await route!.handle(request);
  return { status, body: await text(stream ?? Readable.from([String(body)])) };
}

async function get(query: string): Promise<{ status: number; body: unknown }> {
  const { status, body } = await getText(query);
  return { status, body: JSON.parse(body) };
}

const JUNE = { startDate: '2023-06-01', endDate: '2023-06-30' };

async function insertRollups(): Promise<void> {
  const table = `
    rollup                day        hour d1     d2   model      partition clicks conversions revenue version
    day:campaign_id,ad_id 2023-06-01 0    camp-1 ad-1 -          0         5      0           0       1
    day:campaign_id,ad_id 2023-06-01 0    camp-1 ad-1 -          1         7      0           0       1
    day:campaign_id,ad_id 2023-06-01 0    camp-1 ad-1 last_click 0         0      2           30      1
    day:campaign_id,ad_id 2023-06-01 0    camp-1 ad-1 last_click 0         0      3           40      2
    day:campaign_id,ad_id 2023-06-01 0    camp-2 ad-1 -          0         1      0           0       1
    day:campaign_id,ad_id 2023-06-02 0    camp-1 ad-2 linear     0         0      9           90      1
    day:campaign_id,ad_id 2023-06-02 0    camp-1 ad-2 -          0         4      0           0       1
    day:campaign_id,ad_id 2023-06-02 0    -      -    -          0         0      1           5       1
    hour:campaign_id      2023-06-01 9    camp-1 -    -          0         3      0           0       1
    hour:campaign_id      2023-06-01 10   camp-1 -    -          0         9      0           0       1
    hour:campaign_id      2023-06-01 10   camp-1 -    last_click 0         0      3           40      2
    hour:campaign_id      2023-06-01 10   -      -    -          0         0      1           5       2
    hour:conversion_type  2023-06-01 10   -      -    -          0         9      0           0       1
    hour:conversion_type  2023-06-01 10   buy    -    last_click 0         0      3           40      2
    hour:conversion_type  2023-06-01 10   buy    -    -          0         0      1           5       2
    day:campaign_id,metadata.geo 2023-06-01 0 camp-1 - -          0        4      0           0       1
    day:campaign_id,metadata.geo 2023-06-01 0 camp-1 - last_click 0        0      2           30      1
    day:campaign_id,metadata.geo 2023-06-01 0 camp-1 DE -         0        8      0           0       1
    day:campaign_id,metadata.geo 2023-06-01 0 -    -  -           0        0      1           5       1
    hour:metadata.geo     2023-06-01 10   -      -    -          0         4      1           5       1
    hour:metadata.geo     2023-06-01 10   -      -    last_click 0         0      2           30      1
    hour:metadata.geo     2023-06-01 10   DE     -    -          0         8      0           0       1
  `;
  await client.insert({ table: 'rollup_stats', values: rollupRows(countersIn(table)), format: 'JSONEachRow' });
}

test('in another time zone than UTC days are not made of hours, and hours are asked for by days of UTC', async () => {
  const rollups = parseRollups('hour:ad_id; day:campaign_id,ad_id');
  const zoned = { ...deps, rollups, timeZone: 'Asia/Kolkata' };
  const days = 'start_date=2023-06-01&end_date=2023-06-01';
  const { message } = JSON.parse(
    (await getOf({ ...zoned, rollups: rollups.slice(0, 1) }, `${days}&by=ad_id`)).body,
  ).error;
  expect(message).toContain('no rollup of this mesh has ad_id by days of Asia/Kolkata');
  expect(message).toContain('add day:ad_id');
  const zoneOf = async (query: string) => JSON.parse((await getOf(zoned, query)).body).time_zone;
  expect(await zoneOf(`${days}&by=ad_id`)).toBe('Asia/Kolkata');
  expect(await zoneOf(`${days}&by=ad_id&interval=hourly`)).toBeUndefined();
  expect(await zoneOf(days)).toBe('Asia/Kolkata');
  // What is counted knows better.
  const setting = { partition: 0, kind: 'time_zone', name: 'Europe/Berlin', value: '3600', version: 1 };
  await client.insert({ table: 'attribution_settings', values: [setting], format: 'JSONEachRow' });
  const { since } = await statsClient({ ...zoned, client: clickhouseClient(server.url) }).getStats(JUNE);
  expect(since?.timeZone).toBe('Europe/Berlin');
  await client.command({ query: "DELETE FROM attribution_settings WHERE kind = 'time_zone'" });
});

describe('by the dimensions of a rollup', () => {
  beforeAll(insertRollups);

  async function byTable(request: Parameters<typeof stats.getStats>[0]): Promise<string[]> {
    const { data } = await stats.getStats({ ...JUNE, ...request });
    return data.map(({ date, values, clicks, conversions, revenue }) =>
      [date, ...values, clicks, conversions, revenue].join(' '),
    );
  }

  test.each([
    [{ by: ['ad_id'] }, ['2023-06-01 ad-1 13 3 40', '2023-06-02 ad-2 4 0 0']],
    [
      { by: ['ad_id', 'campaign_id'] },
      ['2023-06-01 ad-1 camp-1 12 3 40', '2023-06-01 ad-1 camp-2 1 0 0', '2023-06-02 ad-2 camp-1 4 0 0'],
    ],
    [{ by: ['ad_id'], campaignId: 'camp-2' }, ['2023-06-01 ad-1 1 0 0']],
    [
      { by: ['ad_id'], interval: Interval.MONTHLY, model: 'linear' },
      ['2023-06-01 ad-1 13 0 0', '2023-06-01 ad-2 4 9 90'],
    ],
    [
      { by: ['campaign_id'], interval: Interval.HOURLY },
      ['2023-06-01T09:00Z camp-1 3 0 0', '2023-06-01T10:00Z camp-1 9 3 40'],
    ],
    [
      { by: ['conversion_type'], interval: Interval.HOURLY },
      ['2023-06-01T10:00Z  9 0 0', '2023-06-01T10:00Z buy 0 3 40'],
    ],
    // Clicks without it, and conversions that are theirs; not those of no click.
    [{ by: ['metadata.geo', 'campaign_id'] }, ['2023-06-01  camp-1 4 2 30', '2023-06-01 DE camp-1 8 0 0']],
    [{ by: ['metadata.geo'], campaignId: 'camp-1' }, ['2023-06-01  4 2 30', '2023-06-01 DE 8 0 0']],
    [{ by: ['metadata.geo'], interval: Interval.HOURLY }, ['2023-06-01T10:00Z  4 2 30', '2023-06-01T10:00Z DE 8 0 0']],
    [{ by: ['metadata.geo'], interval: Interval.MONTHLY }, ['2023-06-01  4 2 30', '2023-06-01 DE 8 0 0']],
  ])('%o', async (request, expected) => {
    expect(await byTable(request)).toEqual(expected);
  });

  test('by REST: what rows are by in place of campaign_id and source', async () => {
    const { body } = await get('start_date=2023-06-01&end_date=2023-06-01&by=ad_id,campaign_id&campaign_id=camp-1');
    expect(body).toEqual({
      interval: 'daily',
      data: [
        {
          date: '2023-06-01',
          ad_id: 'ad-1',
          campaign_id: 'camp-1',
          clicks: 12,
          conversions: 3,
          revenue: 40,
          cvr: 0.25,
        },
      ],
    });
  });

  test('by metadata, by REST, and what no click is credited for beside it', async () => {
    const days = 'start_date=2023-06-01&end_date=2023-06-01';
    const rows = [
      { 'metadata.geo': '', clicks: 4, conversions: 2, revenue: 30, cvr: 0.5 },
      { 'metadata.geo': 'DE', clicks: 8, conversions: 0, revenue: 0, cvr: 0 },
    ].map((row) => ({ date: '2023-06-01T10:00Z', ...row }));
    const { body } = await get(`${days}&by=metadata.geo&interval=hourly&unattributed=true`);
    expect(body).toEqual({
      interval: 'hourly',
      data: rows,
      unattributed: [{ date: '2023-06-01T10:00Z', conversions: 1, revenue: 5 }],
    });
  });

  test('unattributed conversions are rows of their own, and in no other', async () => {
    const days = { startDate: '2023-06-01', endDate: '2023-06-02' };
    const { data, unattributed } = await stats.getStats({ ...days, by: ['ad_id'], unattributed: true });
    expect(data.map(({ values }) => values)).toEqual([['ad-1'], ['ad-2']]);
    expect(unattributed).toMatchObject([{ date: '2023-06-02', conversions: 1, revenue: 5, clicks: 0n }]);
    expect(unattributed[0]!.cvr).toBeUndefined();
    const { body } = await get(
      'start_date=2023-06-01&end_date=2023-06-01&by=campaign_id&interval=hourly&unattributed=true',
    );
    expect(body).toMatchObject({
      data: [{ clicks: 3 }, { clicks: 9 }],
      unattributed: [{ date: '2023-06-01T10:00Z', conversions: 1, revenue: 5 }],
    });
  });
});

test.each([
  [{ by: ['ad_id', 'source'] }, "by can't be answered: no rollup of this mesh has ad_id, source. ROLLUPS are day:cam"],
  [{ by: ['ad_id'], interval: Interval.HOURLY }, "by can't be answered: no rollup of this mesh has ad_id by the hour"],
  [{ interval: Interval.HOURLY }, "by can't be answered: no rollup of this mesh has campaign_id, source by the hour"],
  [{ interval: Interval.HOURLY }, ': ask by=campaign_id, or add hour:campaign_id,source'],
  [{ interval: Interval.HOURLY, source: 'web' }, ': add hour:campaign_id,source'],
  [
    { by: ['ad_id'], conversionType: 'buy' },
    "by can't be answered: no rollup of this mesh has ad_id, conversion_type.",
  ],
  [{ by: ['adId'] }, 'by "adId" is unknown: is ad_id meant?'],
  [{ by: ['geo'] }, 'by "geo" is unknown: is metadata.geo meant?'],
  [{ by: ['metadata.`'] }, 'by "metadata.`" is unknown: is metadata.geo meant?'],
  [{ by: ['metadata.os'] }, "by can't be answered: no rollup of this mesh has metadata.os. ROLLUPS are day:cam"],
  [{ by: ['ad_id', 'ad_id'] }, 'by has ad_id twice'],
])('invalid_argument: %o', async (request, message) => {
  const error = await stats.getStats({ ...JUNE, ...request }).catch(ConnectError.from);
  expect(error).toMatchObject({ code: Code.InvalidArgument, rawMessage: expect.stringContaining(message) });
});

test('an answer says since when its model and its rollup are counted, unless they always were', async () => {
  const setting = { partition: 0, since: 0, until: 0, version: 1 };
  await client.insert({
    table: 'attribution_settings',
    values: [
      { ...setting, kind: 'model', name: 'last_click' },
      { ...setting, kind: 'model', name: 'linear', since: 1_000 },
      { ...setting, kind: 'model', name: 'linear', since: 2_000, partition: 1 },
      { ...setting, kind: 'model', name: 'time_decay', until: 4_000 },
      { ...setting, kind: 'model', name: 'time_decay', until: 6_000, partition: 1 },
      { ...setting, kind: 'model', name: 'time_decay', partition: 2 },
      { ...setting, kind: 'rollup', name: 'hour:campaign_id', since: 3_000 },
      { ...setting, kind: 'rollup', name: 'hour:campaign_id', since: 5_000, version: 2 },
    ],
    format: 'JSONEachRow',
  });
  const others = { ...deps, client: clickhouseClient(server.url), models: ['last_click', 'linear', 'time_decay'] };
  onTestFinished(() => others.client.close());
  const { getStats } = statsClient(others);
  const always = { model: 0n, modelUntil: 0n, rollup: '', rollupSince: 0n };
  expect((await getStats(JUNE)).since).toMatchObject(always);
  expect((await getStats({ ...JUNE, model: 'linear' })).since).toMatchObject({ ...always, model: 2_000n });
  expect((await getStats({ ...JUNE, model: 'time_decay' })).since).toMatchObject({ ...always, modelUntil: 4_000n });
  const hourly = await getStats({ ...JUNE, by: ['campaign_id'], interval: Interval.HOURLY });
  expect(hourly.since).toMatchObject({ ...always, rollup: 'hour:campaign_id', rollupSince: 5_000n });
  const query = 'start_date=2023-06-01&end_date=2023-06-01';
  expect((await getOf(others, query)).body).not.toContain('since');
  expect((await getOf(others, `${query}&by=campaign_id&interval=hourly&model=linear`)).body).toMatch(
    /,"since":{"model":2000,"rollup":5000}}$/,
  );
});

test('of rollups that can answer, the one with fewer dimensions only if it counts all that time', async () => {
  const setting = { kind: 'rollup', partition: 0, until: 0, version: 1 };
  const [FEW, MANY, NEW] = ['day:ad_id', 'day:campaign_id,ad_id', 'day:ad_id,source'];
  await client.insert({
    table: 'attribution_settings',
    values: [
      { ...setting, name: FEW, since: Date.UTC(2023, 5, 2) },
      { ...setting, name: MANY, since: Date.UTC(2023, 4, 1) },
    ],
    format: 'JSONEachRow',
  });
  const others = clickhouseClient(server.url);
  onTestFinished(() => others.close());
  const since = async (startDate: string, names: readonly string[]) => {
    const rollups = parseRollups(names.join(';'));
    const { getStats } = statsClient({ ...deps, client: others, rollups });
    return (await getStats({ startDate, endDate: '2023-06-30', by: ['ad_id'] })).since!.rollup;
  };
  expect(await since('2023-06-01', [FEW, MANY, NEW])).toBe(MANY);
  expect(await since('2023-06-02', [FEW, MANY, NEW])).toBe(FEW);
  // From before there was any: that which lacks the least.
  expect(await since('2023-01-01', [FEW, NEW, MANY])).toBe(MANY);
  expect(await since('2023-01-01', [NEW])).toBe(NEW);
});

test('daily_stats answers what it can: a rollup of fewer dimensions may count only since it was added', async () => {
  const withSource = { ...deps, rollups: parseRollups('day:source; day:ad_id') };
  const { getStats } = statsClient(withSource);
  expect((await getStats({ ...JUNE, by: ['source'] })).since?.rollup).toBe('');
  expect((await getStats({ ...JUNE, by: ['ad_id'] })).since?.rollup).toBe('day:ad_id');
});

describe('what was taken back', () => {
  const AUGUST = { startDate: '2023-08-01', endDate: '2023-08-31' };
  const query = 'start_date=2023-08-01&end_date=2023-08-31';

  beforeAll(async () => {
    const key = { day: '2023-08-01', campaign_id: 'camp-1', source: 'facebook', version: 1 };
    const refunds = { retracted_micros: 1e6, adjusted_micros: 30_000_000, refunds_micros: 10_000_000 };
    const credited = {
      conversion_type: 'buy',
      model: 'last_click',
      conversions_micros: 2e6,
      revenue_micros: 25_500_000,
    };
    const none = { ...key, campaign_id: '', source: '', conversion_type: 'buy' };
    const values = [
      { ...key, clicks: 3, invalid_clicks: 2 },
      { ...key, ...credited, ...refunds },
      { ...none, conversions_micros: 1e6, revenue_micros: 7e6, adjusted_micros: 1e6, refunds_micros: 1e6 },
      { ...key, campaign_id: 'camp-2', invalid_clicks: 1 },
    ];
    await client.insert({ table: 'daily_stats', values, format: 'JSONEachRow' });
  });

  test('is left out of an answer that nobody asked it of', async () => {
    const { data, unattributed } = await stats.getStats(AUGUST);
    expect(data).toHaveLength(1);
    expect(data[0]).toMatchObject({ clicks: 3n, conversions: 2, revenue: 25.5, cvr: 2 / 3 });
    expect(data[0]!.grossRevenue).toBeUndefined();
    expect(unattributed).toEqual([]);
    const row = { date: '2023-08-01', campaign_id: 'camp-1', source: 'facebook' };
    const counts = { clicks: 3, conversions: 2, revenue: 25.5, cvr: 2 / 3 };
    expect((await get(query)).body).toEqual({ interval: 'daily', data: [{ ...row, ...counts }] });
  });

  test('is beside what holds if it is asked for', async () => {
    const { data, unattributed } = await stats.getStats({ ...AUGUST, gross: true, unattributed: true });
    expect(data).toMatchObject([
      {
        ...{ campaignId: 'camp-1', clicks: 3n, conversions: 2, revenue: 25.5, invalidClicks: 2n },
        ...{ grossConversions: 3, grossRevenue: 55.5, refunds: 10 },
        ...{ grossConversionsMicros: 3_000_000n, grossRevenueMicros: 55_500_000n, refundsMicros: 10_000_000n },
      },
      { campaignId: 'camp-2', clicks: 0n, invalidClicks: 1n, grossRevenue: 0 },
    ]);
    expect(unattributed).toMatchObject([{ conversions: 1, revenue: 7, grossRevenue: 8, refunds: 1 }]);
    const { body } = await get(`${query}&gross=true&unattributed=true&interval=monthly`);
    const gross = { gross_conversions: 3, gross_revenue: 55.5, refunds: 10 };
    expect(body).toMatchObject({
      data: [
        { invalid_clicks: 2, ...gross },
        { clicks: 0, invalid_clicks: 1, cvr: null },
      ],
      unattributed: [{ date: '2023-08-01', conversions: 1, revenue: 7, gross_revenue: 8, refunds: 1 }],
    });
  });

  test('a flag that is neither true nor false is refused', async () => {
    expect(await get(`${query}&gross=yes`)).toMatchObject({ status: 400, body: { error: { field: 'gross' } } });
  });
});

test('revenue beyond 64 bits is summed, and said exactly by REST, in micros as the most that there is', async () => {
  const key = { campaign_id: 'camp-1', source: 's', conversion_type: 'buy', model: 'last_click', version: 1 };
  const values = Array.from({ length: 10 }, (_, partition) => {
    const counts = { conversions_micros: 1_000_000, revenue_micros: '1000000000000000001' };
    return { ...key, day: '2023-09-01', partition, ...counts };
  });
  await client.insert({ table: 'daily_stats', values, format: 'JSONEachRow' });
  const day = { startDate: '2023-09-01', endDate: '2023-09-01' };
  for (const interval of [Interval.DAILY, Interval.WEEKLY]) {
    const { data } = await stats.getStats({ ...day, interval });
    expect(data).toMatchObject([{ conversions: 10, revenue: 1e13, revenueMicros: 2n ** 63n - 1n }]);
  }
  const { body } = await getText('start_date=2023-09-01&end_date=2023-09-01');
  expect(body).toContain('"revenue":10000000000000.00001,');
});
