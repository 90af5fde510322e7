import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import type { ClickHouseClient } from '@clickhouse/client';
import { type Client, Code, ConnectError } from '@connectrpc/connect';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Interval, type StatsService } from '../../gen/ts/clickmesh/v1/stats_service_pb.js';
import { startTestClickHouse, type TestClickHouse } from '../../test/fixtures/clickhouse.ts';
import { countersIn, getRequest, statsClient } from '../../test/fixtures/stats.ts';
import { clickhouseClient } from '../clickhouse/client.ts';
import type { StatsDeps } from './deps.ts';
import { statsHttp } from './routes.ts';

let server: TestClickHouse;
let client: ClickHouseClient;
let deps: StatsDeps;
let stats: Client<typeof StatsService>;

beforeAll(async () => {
  server = await startTestClickHouse();
  client = server.client;
  deps = { client, models: ['last_click', 'time_decay'], rollups: [] };
  await insertDailyStats();
  stats = statsClient(deps);
});

afterAll(() => server.close());

/** 2023-03-15 is a Wednesday. Clicks have neither type nor model; partitions add up; the highest version counts. */
async function insertDailyStats(): Promise<void> {
  const table = `
    day        campaign source   type     model       partition clicks conversions revenue version
    2023-03-12 camp-1   facebook -        -           0         100    0           0       1
    2023-03-13 camp-1   facebook -        -           0         10     0           0       1
    2023-03-15 camp-1   facebook -        -           0         900    0           0       5
    2023-03-15 camp-1   facebook -        -           0         1000   0           0       6
    2023-03-15 camp-1   facebook -        -           1         500    0           0       3
    2023-03-15 camp-1   facebook purchase last_click  0         0      40          900     6
    2023-03-15 camp-1   facebook signup   last_click  1         0      10          99.5    3
    2023-03-15 camp-1   facebook purchase linear      0         0      12.5        300     6
    2023-03-15 camp-1   google   -        -           0         7      0           0       2
    2023-03-15 camp-2   facebook -        -           0         5      0           0       2
    2023-03-16 camp-2   facebook purchase last_click  0         0      2           10      2
    2023-03-16 camp-3   facebook purchase last_click  0         0      0           0       9
    2023-04-01 camp-1   facebook -        -           0         1      0           0       9
  `;
  await client.insert({ table: 'daily_stats', values: countersIn(table), format: 'JSONEachRow' });
}

const MARCH = { startDate: '2023-03-01', endDate: '2023-03-31' };

async function table(request: Parameters<typeof stats.getStats>[0]): Promise<string[]> {
  const { data } = await stats.getStats(request);
  return data.map((row) => [row.date, row.campaignId, row.source, row.clicks, row.conversions, row.revenue].join(' '));
}

describe('GetStats', () => {
  test('by day: partitions add up, the highest version counts, and rows that count nothing are left out', async () => {
    expect(await table(MARCH)).toEqual([
      '2023-03-12 camp-1 facebook 100 0 0',
      '2023-03-13 camp-1 facebook 10 0 0',
      '2023-03-15 camp-1 facebook 1500 50 999.5',
      '2023-03-15 camp-1 google 7 0 0',
      '2023-03-15 camp-2 facebook 5 0 0',
      '2023-03-16 camp-2 facebook 0 2 10',
    ]);
  });

  test('by ISO week, which begins on Monday', async () => {
    expect(await table({ ...MARCH, interval: Interval.WEEKLY, campaignId: 'camp-1', source: 'facebook' })).toEqual([
      '2023-03-06 camp-1 facebook 100 0 0',
      '2023-03-13 camp-1 facebook 1510 50 999.5',
    ]);
  });

  test('by month', async () => {
    expect(await table({ ...MARCH, endDate: '2023-04-30', interval: Interval.MONTHLY, source: 'facebook' })).toEqual([
      '2023-03-01 camp-1 facebook 1610 50 999.5',
      '2023-03-01 camp-2 facebook 5 2 10',
      '2023-04-01 camp-1 facebook 1 0 0',
    ]);
  });

  test('the first and the last day are included, and a week counts only the days inside', async () => {
    const days = { startDate: '2023-03-12', endDate: '2023-03-13', interval: Interval.WEEKLY };
    expect(await table(days)).toEqual(['2023-03-06 camp-1 facebook 100 0 0', '2023-03-13 camp-1 facebook 10 0 0']);
  });

  test.each([
    ['a conversion type', { conversionType: 'signup' }, '2023-03-15 camp-1 facebook 1500 10 99.5'],
    ['a model that is not counted any more', { model: 'linear' }, '2023-03-15 camp-1 facebook 1500 12.5 300'],
  ])('clicks are counted whatever the filter: %s', async (_, filter, expected) => {
    const day = { startDate: '2023-03-15', endDate: '2023-03-15', campaignId: 'camp-1', source: 'facebook' };
    expect(await table({ ...day, ...filter })).toEqual([expected]);
  });

  test('cvr is conversions by clicks, and none without clicks', async () => {
    const { data } = await stats.getStats(MARCH);
    expect(data[2]).toMatchObject({ cvr: 50 / 1500, conversionsMicros: 50_000_000n, revenueMicros: 999_500_000n });
    expect(data[5]).toMatchObject({ clicks: 0n, conversions: 2 });
    expect(data[5]!.cvr).toBeUndefined();
  });

  test.each([
    ['start_date is required', { startDate: '' }],
    ['start_date is not a date', { startDate: '15.03.2023' }],
    ['start_date is not a date', { startDate: '2023-02-30' }],
    ['end_date is not a date', { endDate: '2023-13-01' }],
    ['end_date is before start_date', { endDate: '2023-02-28' }],
    ['end_date is more than 1096 days after start_date', { endDate: '2026-03-02' }],
    ['interval "9" is unknown', { interval: 9 as Interval }],
    ['model "guess" is not counted by this mesh. Known are last_click, time_decay, linear', { model: 'guess' }],
  ])('invalid_argument: %s', async (message, change) => {
    const error = await stats.getStats({ ...MARCH, ...change }).catch(ConnectError.from);
    expect(error).toMatchObject({ code: Code.InvalidArgument, rawMessage: expect.stringContaining(message) });
  });

  test('however many days: each counts once', async () => {
    const days = Array.from({ length: 10 }, (_, i) => ({ day: `2022-01-${10 + i}`, clicks: 10 ** i }));
    const values = days.map((each) => ({ ...each, campaign_id: 'camp-1', source: 'facebook', version: 1 }));
    await client.insert({ table: 'daily_stats', values, format: 'JSONEachRow' });
    for (const [i, { day }] of days.entries()) {
      const until = days.slice(0, i + 1);
      const period = { startDate: '2022-01-10', endDate: day };
      expect(await table(period)).toEqual(until.map(({ day, clicks }) => `${day} camp-1 facebook ${clicks} 0 0`));
      const sum = '1'.repeat(i + 1);
      expect(await table({ ...period, interval: Interval.MONTHLY })).toEqual([`2022-01-01 camp-1 facebook ${sum} 0 0`]);
    }
  });

  test('three years are allowed', async () => {
    expect(await table({ startDate: '2023-03-01', endDate: '2026-03-01', campaignId: 'camp-3' })).toEqual([]);
  });

  test('quotes in a filter are only text', async () => {
    expect(await table({ ...MARCH, campaignId: `' OR 1 = 1 --` })).toEqual([]);
  });
});

const request = getRequest();

async function get(query: string): Promise<{ status: number; body: unknown }> {
  const [route] = statsHttp(deps);
  const response = await route!.handle({ ...request, query });
  return {
    status: response.status,
    body: JSON.parse(await text(response.stream ?? Readable.from([String(response.body)]))),
  };
}

test('answers any number of rows, and GetStats no more than fit into one message', async () => {
  await client.command({
    query: `INSERT INTO daily_stats (day, campaign_id, source, clicks, version)
      SELECT toDate32('2022-01-01') + number % 7, 'campaign-' || toString(intDiv(number, 2)), 's', 1, 1
      FROM numbers(200001)`,
  });
  const [days, interval] = ['start_date=2022-01-01&end_date=2022-01-07', 'monthly'];
  const { body } = (await get(days)) as { body: { data: unknown[] } };
  expect(body.data).toHaveLength(200_001);
  const period = { startDate: '2022-01-01', endDate: '2022-01-07' };
  const tooMany = await stats.getStats(period).catch((error) => error);
  expect(tooMany).toMatchObject({ code: Code.InvalidArgument, rawMessage: expect.stringContaining('200000 rows') });
  const { data } = await stats.getStats({ ...period, interval: Interval.MONTHLY });
  expect(data).toHaveLength(100_001);
  expect((await get(`${days}&interval=${interval}`)).body).toHaveProperty('data.length', 100_001);
});

describe('GET /api/v1/stats', () => {
  test('answers that nobody reads hold no connection', async () => {
    const [route] = statsHttp(deps);
    const query = 'start_date=2023-03-01&end_date=2023-03-31';
    const moreThanConnections = 20;
    for (let i = 0; i < moreThanConnections; i++) await route!.handle({ ...request, query });
    expect((await get(query)).status).toBe(200);
  });

  test('answers with the same numbers as GetStats, whatever their size, and with text as it is', async () => {
    const sums = [1, 333_333, 1_234_567, 19_990_000, 2 ** 53 - 1, 999_999_999_999_999_999n, 10n ** 18n].map(BigInt);
    const values = sums.flatMap((sum, i) => {
      const key = { day: '2024-02-01', campaign_id: `"/\\\n\u2028é${i}`, source: 's', partition: 0, version: 1 };
      const counts = { conversions_micros: String(sum), revenue_micros: String(10n ** 18n - sum) };
      return [
        { ...key, conversion_type: '', model: '', clicks: 3 * i },
        { ...key, conversion_type: 'purchase', model: 'last_click', clicks: 0, ...counts },
      ];
    });
    await client.insert({ table: 'daily_stats', values, format: 'JSONEachRow' });
    const { body } = (await get('start_date=2024-02-01&end_date=2024-02-01')) as { body: { data: unknown[] } };
    const { data } = await stats.getStats({ startDate: '2024-02-01', endDate: '2024-02-01' });
    expect(body.data).toHaveLength(sums.length);
    expect(body.data).toEqual(
      data.map(({ date, campaignId, source, clicks, conversions, revenue, cvr }) => {
        return {
          date,
          campaign_id: campaignId,
          source,
          clicks: Number(clicks),
          conversions,
          revenue,
          cvr: cvr ?? null,
        };
      }),
    );
  });

  test('answers in snake_case with plain numbers', async () => {
    expect(await get('start_date=2023-03-14&end_date=2023-03-15&campaign_id=camp-1')).toEqual({
      status: 200,
      body: {
        interval: 'daily',
        data: [
          {
            date: '2023-03-15',
            campaign_id: 'camp-1',
            source: 'facebook',
            clicks: 1500,
            conversions: 50,
            revenue: 999.5,
            cvr: 50 / 1500,
          },
          {
            date: '2023-03-15',
            campaign_id: 'camp-1',
            source: 'google',
            clicks: 7,
            conversions: 0,
            revenue: 0,
            cvr: 0,
          },
        ],
      },
    });
  });

  test('takes the interval by name', async () => {
    const { body } = await get('start_date=2023-04-01&end_date=2023-04-30&interval=weekly');
    expect(body).toMatchObject({ interval: 'weekly', data: [{ date: '2023-03-27' }] });
  });

  test.each([
    ['start_date', 'end_date=2023-03-15'],
    ['end_date', 'start_date=2023-03-15&end_date=yesterday'],
    ['interval', 'start_date=2023-03-15&end_date=2023-03-15&interval=yearly'],
  ])('answers 400 and names the field: %s', async (field, query) => {
    const { status, body } = await get(query);
    expect(status).toBe(400);
    expect(body).toEqual({ error: { code: 'invalid_argument', field, message: expect.stringContaining(field) } });
  });
});

describe('WatchStats', () => {
  test('answers at once, and again when something changed', async () => {
    const query = { startDate: '2024-01-01', endDate: '2024-01-01' };
    const seen: bigint[] = [];
    for await (const { stats: now } of stats.watchStats({ query, periodMs: 200 })) {
      const clicks = now!.data[0]?.clicks ?? 0n;
      seen.push(clicks);
      if (clicks === 2n) break;
      const row = { day: '2024-01-01', campaign_id: 'camp-1', source: 'facebook', clicks: Number(clicks) + 1 };
      await client.insert({
        table: 'daily_stats',
        values: [{ ...row, version: row.clicks }],
        format: 'JSONEachRow',
      });
    }
    expect(seen).toEqual([0n, 1n, 2n]);
  });

  test('invalid_argument: a period too short', async () => {
    const first = stats.watchStats({ query: MARCH, periodMs: 199 })[Symbol.asyncIterator]().next();
    await expect(first).rejects.toMatchObject({ code: Code.InvalidArgument, rawMessage: /^period_ms / });
  });
});

test('while ClickHouse is down: unavailable, with a time to try again', async () => {
  const nowhere = clickhouseClient('http://127.0.0.1:1');
  const error = await statsClient({ client: nowhere, models: ['last_click'], rollups: [] })
    .getStats(MARCH)
    .catch(ConnectError.from);
  expect(error).toMatchObject({ code: Code.Unavailable });
  expect((error as ConnectError).metadata.get('retry-after')).toBe('5');
  await nowhere.close();
});
