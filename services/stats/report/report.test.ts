import { gunzipSync } from 'node:zlib';
import { type Client, Code, ConnectError } from '@connectrpc/connect';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Compare, ReportInterval, TimeBasis } from '../../../gen/ts/clickmesh/v1/reports_pb.js';
import type { StatsService } from '../../../gen/ts/clickmesh/v1/stats_service_pb.js';
import { BY_AD, BY_TYPE_AND_HOUR, TABLES } from '../../../test/fixtures/audited-tables.ts';
import { startTestClickHouse, type TestClickHouse } from '../../../test/fixtures/clickhouse.ts';
import { getRequest, statsClient } from '../../../test/fixtures/stats.ts';
import { parseRollups } from '../../contract/rollups.ts';
import type { StatsDeps } from '../deps.ts';
import { reportHttp, reportRoutes } from './routes.ts';

let server: TestClickHouse;
let deps: StatsDeps;
let stats: Client<typeof StatsService>;

beforeAll(async () => {
  server = await startTestClickHouse();
  const { client } = server;
  for (const [table, values] of Object.entries(TABLES)) await client.insert({ table, values, format: 'JSONEachRow' });
  deps = { client, models: ['last_click', 'linear'], rollups: parseRollups(`${BY_AD};${BY_TYPE_AND_HOUR}`) };
  stats = statsClient(deps, reportRoutes);
});

afterAll(() => server.close());

const DAYS = { startDate: '2025-11-30', endDate: '2025-12-09' };
const QUERY = 'start_date=2025-11-30&end_date=2025-12-09';

async function get(query: string, headers: Record<string, string> = {}) {
  const [route] = reportHttp(deps);
  const request = getRequest(query, headers);
  const response = await route!.handle(request);
  const body = Buffer.from(response.body);
  const isZipped = response.headers['content-encoding'] === 'gzip';
  return { ...response, text: String(isZipped ? gunzipSync(body) : body) };
}

async function getJson(query: string) {
  return JSON.parse((await get(query)).text);
}

describe('RunReport', () => {
  test('by campaign under two models, with totals and what no click is credited for', async () => {
    const { rows, totals, unattributed, totalRows, stamp } = await stats.runReport({
      ...{ ...DAYS, interval: ReportInterval.NONE, groupBy: ['campaign_id'] },
      models: ['last_click', 'linear'],
    });
    const told = rows.map(({ values, clicks, invalidClicks, models }) =>
      [values, clicks, invalidClicks, ...models.flatMap((each) => [each.conversionsMicros, each.revenueMicros])].join(
        ' ',
      ),
    );
    expect(told).toEqual([
      'camp-1 3 0 5000000 13000008 4500000 8000008',
      'camp-2 2 0 0 0 500000 5000000',
      'camp-3 0 1 0 0 0 0',
    ]);
    expect(totals).toMatchObject({ clicks: 5n, invalidClicks: 1n, values: [], date: '' });
    const [first] = totals!.models;
    expect(first).toMatchObject({ conversionsMicros: 5_000_000n, grossConversionsMicros: 6_000_000n, cvr: 1 });
    expect(first).toMatchObject({ revenueMicros: 13_000_008n, grossRevenueMicros: 26_000_008n });
    expect(first!.refundsMicros).toBe(7_000_000n);
    expect(unattributed!.models).toMatchObject([{ model: '', conversionsMicros: 1_000_000n, revenueMicros: 5n }]);
    expect(totalRows).toBe(3n);
    expect(stamp).toMatchObject({ rollup: 'daily_stats', timeZone: 'UTC', models: ['last_click', 'linear'] });
  });

  test.each([
    [{ groupBy: ['source'] }, 'daily_stats'],
    [{ groupBy: ['ad_id'] }, BY_AD],
    [{ groupBy: ['campaign_id'], interval: ReportInterval.HOUR }, BY_TYPE_AND_HOUR],
    [{ groupBy: ['ad_id'], interval: ReportInterval.HOUR }, 'events'],
    [{ groupBy: ['ad_id', 'source'] }, 'events'],
    [{ groupBy: ['campaign_id'], timeZone: 'Asia/Kolkata' }, 'events'],
  ])('%o is answered by %s', async (request, rollup) => {
    expect((await stats.runReport({ ...DAYS, ...request })).stamp?.rollup).toBe(rollup);
  });

  test.each([
    ['interval=day&group_by=campaign_id,source'],
    ['interval=week&group_by=campaign_id,conversion_type&models=linear,last_click'],
    ['interval=month&group_by=ad_id&order_by=-revenue'],
    ['interval=hour&group_by=campaign_id,conversion_type&conversion_type!=purchase'],
    ['interval=none&group_by=model&models=linear,last_click&order_by=-gross_revenue&campaign_id!=camp-2'],
    ['interval=day&group_by=campaign_id&compare=previous_period&start_date=2025-12-01&end_date=2025-12-01'],
    ['interval=day&campaign_id=camp-2&campaign_id=camp-3&order_by=-invalid_clicks'],
  ])('a rollup and the events say the same of %s', async (query) => {
    const days = query.includes('start_date') ? '' : QUERY;
    const { stamp, ...ofRollup } = await getJson(`${days}&${query}`);
    // Another name of the zone, whose days are not those that rollups are known to have.
    const { stamp: other, ...ofEvents } = await getJson(`${days}&${query}&time_zone=Etc/UTC`);
    expect([stamp.rollup === 'events', other.rollup]).toEqual([false, 'events']);
    expect(ofRollup.rows.length).toBeGreaterThan(0);
    expect(ofEvents).toEqual(ofRollup);
  });

  test('pages are of all rows, each once, and a token is good for its request', async () => {
    const request = { ...DAYS, groupBy: ['campaign_id', 'source', 'conversion_type'], orderBy: '-clicks' };
    const whole = await stats.runReport(request);
    const paged: string[] = [];
    let pageToken = '';
    do {
      const page = await stats.runReport({ ...request, limit: 2, pageToken });
      expect(page.totalRows).toBe(BigInt(whole.rows.length));
      expect(page.totals).toEqual(whole.totals);
      paged.push(...page.rows.map(({ date, values }) => `${date} ${values}`));
      pageToken = page.nextPageToken;
    } while (pageToken !== '');
    expect(paged).toEqual(whole.rows.map(({ date, values }) => `${date} ${values}`));
    const { nextPageToken } = await stats.runReport({ ...request, limit: 2 });
    const error = await stats.runReport({ ...request, limit: 3, pageToken: nextPageToken }).catch(ConnectError.from);
    expect(error).toMatchObject({ code: Code.InvalidArgument, rawMessage: expect.stringContaining('another request') });
  });
});

test('an answer reconciles in itself while more comes between what is asked of ClickHouse', async () => {
  const { client } = server;
  let version = 0;
  // One after the other, so that each knows more than the one before.
  let last: Promise<unknown> = Promise.resolve();
  const query: typeof client.query = (params) => {
    const answer = last.then(() => insertMore()).then(() => client.query(params));
    last = answer;
    return answer;
  };
  const insertMore = async () => {
    const key = { day: '2024-05-01', campaign_id: 'camp-1', source: 'web', partition: 0 };
    const conversions = { ...key, campaign_id: '', source: '', conversion_type: 'buy', conversions_micros: 1e6 };
    version++;
    const values = [
      { ...key, clicks: version, version },
      { ...conversions, conversions_micros: version * 1e6, version },
    ];
    await client.insert({ table: 'daily_stats', values, format: 'JSONEachRow' });
  };
  const busy = new Proxy(client, { get: (of, name) => (name === 'query' ? query : Reflect.get(of, name)) });
  const asked = { startDate: '2024-05-01', endDate: '2024-05-01', groupBy: ['campaign_id'] };
  const { rows, totals, unattributed } = await statsClient({ ...deps, client: busy }, reportRoutes).runReport(asked);
  expect(rows).toHaveLength(1);
  expect(totals!.clicks).toBe(rows[0]!.clicks);
  expect(unattributed!.models[0]!.conversionsMicros).toBe(rows[0]!.clicks * 1_000_000n);
});

test('where there is nothing, totals say so', async () => {
  const { rows, totals, unattributed, totalRows } = await stats.runReport({
    ...{ startDate: '2001-01-01', endDate: '2001-01-02', groupBy: ['campaign_id'], models: ['last_click', 'linear'] },
  });
  expect([rows, totalRows]).toEqual([[], 0n]);
  expect(totals).toMatchObject({ clicks: 0n, models: [{ conversionsMicros: 0n }, { conversionsMicros: 0n }] });
  expect(unattributed).toMatchObject({ models: [{ conversionsMicros: 0n }] });
});

describe('RunReport refuses', () => {
  test.each([
    [{ groupBy: ['ad_id', 'source'] }, 'filter, or add day:ad_id,source to ROLLUPS, which counts from then on'],
    [{ groupBy: [], interval: ReportInterval.HOUR, filters: [] }, undefined],
    [{ groupBy: ['ad_id'], interval: ReportInterval.HOUR }, 'or add hour:ad_id to ROLLUPS'],
    [{ timeZone: 'Asia/Kolkata' }, 'filter; rollups have days of UTC'],
    [{ timeBasis: TimeBasis.CLICK }, 'filter; rollups count by the time of the conversion'],
  ])('what is too much to be counted from the events, and says what to do: %o', async (request, advice) => {
    const { client } = server;
    // The limit as it is would take too many rows to reach.
    const query: typeof client.query = (params) =>
      client.query({ ...params, query: params.query.replace(/max_rows_to_read = \d+/, 'max_rows_to_read = 3') });
    const limited = new Proxy(client, { get: (of, name) => (name === 'query' ? query : Reflect.get(of, name)) });
    const asked = statsClient({ ...deps, client: limited }, reportRoutes).runReport({ ...DAYS, ...request });
    if (advice === undefined) return expect((await asked).totalRows).toBeGreaterThan(0n);
    const error = await asked.catch(ConnectError.from);
    const rawMessage = expect.stringMatching(
      /^the answer takes more than 50,000,000 rows read: ask for fewer days, or /,
    );
    expect(error).toMatchObject({ code: Code.ResourceExhausted, rawMessage });
    expect((error as ConnectError).rawMessage).toContain(advice);
  });

  test.each([
    ['start_date is required', { startDate: '' }],
    ['group_by "campaign" is unknown: is campaign_id meant?', { groupBy: ['campaign'] }],
    ['group_by has ad_id twice', { groupBy: ['ad_id', 'ad_id'] }],
    ['models has linear twice', { models: ['linear', 'linear'] }],
    ['model "guess" is not counted by this mesh', { models: ['guess'] }],
    ['order_by "revenue.linear" is unknown', { orderBy: 'revenue.linear' }],
    ['limit is not in [1, 10000]: 10001', { limit: 10_001 }],
    ['time_zone "Mars/Olympus" is unknown', { timeZone: 'Mars/Olympus' }],
    ['interval "9" is unknown', { interval: 9 as ReportInterval }],
    ['compare "7" is unknown', { compare: 7 as Compare }],
  ])('invalid_argument: %s', async (message, change) => {
    const error = await stats.runReport({ ...DAYS, ...change }).catch(ConnectError.from);
    expect(error).toMatchObject({ code: Code.InvalidArgument, rawMessage: expect.stringContaining(message) });
  });
});

describe('GET /api/v1/report', () => {
  test('answers rows with dimensions by name, and models by theirs', async () => {
    const { rows, unattributed } = await getJson(
      `${QUERY}&group_by=campaign_id&interval=none&models=last_click,linear`,
    );
    expect(rows[1]).toEqual({
      ...{ campaign_id: 'camp-2', clicks: 2, invalid_clicks: 0, partial: false },
      models: {
        last_click: { conversions: 0, revenue: 0, cvr: 0, gross_conversions: 0, gross_revenue: 0, refunds: 0 },
        linear: { conversions: 0.5, revenue: 5, cvr: 0.25, gross_conversions: 0.5, gross_revenue: 5, refunds: 0 },
      },
    });
    const net = { conversions: 1, revenue: 0.000005, gross_conversions: 1, gross_revenue: 0.000005, refunds: 0 };
    expect(unattributed).toEqual({ ...net, partial: false });
  });

  test('as CSV, in which a spreadsheet finds no formula, and as NDJSON', async () => {
    const clicks = {
      event_type: 'click',
      user_id: 'eve',
      ad_id: '=1+1',
      source: 'a,"b"\n',
      _append_time: '2025-11-01',
    };
    const event_id = '00000000-0000-4000-8000-0000000000e1';
    const values = [{ ...clicks, event_id, campaign_id: '-x', timestamp: '2025-11-01 00:00:00.000' }];
    await server.client.insert({ table: 'events_local', values, format: 'JSONEachRow' });
    const query = 'start_date=2025-11-01&end_date=2025-11-01&group_by=ad_id,campaign_id,source';
    const numbers = '1,0,0,0,0,0,0,0,false';
    const measures = 'conversions,revenue,cvr,gross_conversions,gross_revenue,refunds';
    const head = `date,ad_id,campaign_id,source,clicks,invalid_clicks,${measures},partial`;
    const { text, headers } = await get(`${query}&bom=true`, { accept: 'text/csv' });
    expect(text).toBe(`\ufeff${head}\r\n2025-11-01,'=1+1,'-x,"a,""b""\n",${numbers}\r\n`);
    expect(headers).toMatchObject({ 'clickmesh-total-rows': '1' });
    expect(headers['content-type']).toContain('text/csv');
    const raw = await get(`${query}&format=csv&raw=true`);
    expect(raw.text).toBe(`${head}\r\n2025-11-01,=1+1,-x,"a,""b""\n",${numbers}\r\n`);
    const lines = (await get(query, { accept: 'application/x-ndjson' })).text.trim().split('\n');
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([{ ad_id: '=1+1', clicks: 1 }]);
  });

  test('is compressed if that is asked for', async () => {
    const query = `${QUERY}&group_by=campaign_id&models=last_click,linear`;
    const zipped = await get(query, { 'accept-encoding': 'br, gzip;q=0.5' });
    expect(zipped.headers['content-encoding']).toBe('gzip');
    const plain = await get(query, { 'accept-encoding': 'gzip;q=0' });
    expect(plain.headers['content-encoding']).toBeUndefined();
    expect(zipped.text).toBe(plain.text);
  });

  test.each([
    ['groupBy', `${QUERY}&groupBy=ad_id`, 'is group_by meant?'],
    ['limit', `${QUERY}&limit=5&limit=6`, 'given more than once'],
    ['format', `${QUERY}&format=csv&format=json`, 'given more than once'],
    ['format', `${QUERY}&format=xls`, 'Known are json, ndjson, csv'],
    ['raw', `${QUERY}&raw=yes`, 'Known are true, false'],
    ['formats', `${QUERY}&formats=csv`, ', format, raw, bom, '],
  ])('answers 400 and names the field: %s', async (field, query, message) => {
    const { status, text } = await get(query);
    expect(status).toBe(400);
    expect(JSON.parse(text)).toEqual({
      error: { code: 'invalid_argument', field, message: expect.stringContaining(message) },
    });
  });
});
