import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { create } from '@bufbuild/protobuf';
import { connectNodeAdapter } from '@connectrpc/connect-node';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  type GetStatsRequest,
  GetStatsResponseSchema,
  Interval,
  StatsService,
} from '../../../gen/ts/clickmesh/v1/stats_service_pb.js';
import { getStats, getStatsJson } from './stats.ts';
import { sinceNote, statsCsv, statsTable } from './stats-format.ts';

const RESPONSE = create(GetStatsResponseSchema, {
  interval: Interval.DAILY,
  data: [
    {
      date: '2023-03-15',
      campaignId: 'camp-789',
      source: 'facebook',
      clicks: 1500n,
      conversions: 50,
      revenue: 999.5,
      cvr: 50 / 1500,
      conversionsMicros: 50_000_000n,
      revenueMicros: 999_500_000n,
    },
    {
      date: '2023-03-16',
      campaignId: 'a "quoted", one',
      source: 'google',
      clicks: 3n,
      conversions: 0.333333,
      revenue: 0.000001,
      cvr: 0.111111,
      conversionsMicros: 333_333n,
      revenueMicros: 1n,
    },
    { date: '2023-03-16', campaignId: 'c', source: 'web', conversionsMicros: 2_000_000n, revenueMicros: 0n },
  ],
});

let server: Server;
let asked: GetStatsRequest[];
/** Of the last GET /api/v1/stats. */
let parameters: URLSearchParams | undefined;
/** Not quite JSON: it is passed on as it is. */
const ANSWER = '{"interval":"weekly", "data":[ ]}';

beforeEach(async () => {
  asked = [];
  const getStats = (request: GetStatsRequest) => {
    asked.push(request);
    return RESPONSE;
  };
  const rpc = connectNodeAdapter({ routes: (router) => router.service(StatsService, { getStats }) });
  server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url!, 'http://host');
    if (pathname !== '/api/v1/stats') return rpc(request, response);
    parameters = searchParams;
    const isKnown = !searchParams.has('model');
    response.writeHead(isKnown ? 200 : 400, { 'content-type': 'application/json' });
    response.end(isKnown ? ANSWER : '{"error":{"code":"invalid_argument","message":"no such model"}}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});

afterEach(() => {
  server.close();
  server.closeAllConnections();
});

test('asks for what the options say', async () => {
  const { port } = server.address() as AddressInfo;
  const filters = { campaign: 'c', source: 's', type: 't', model: 'linear', interval: 'weekly' } as const;
  await getStats({ url: `http://127.0.0.1:${port}`, start: '2023-03-01', end: '2023-03-31', ...filters });
  expect(asked).toMatchObject([
    {
      ...{ startDate: '2023-03-01', endDate: '2023-03-31', interval: Interval.WEEKLY },
      ...{ campaignId: 'c', source: 's', conversionType: 't', model: 'linear' },
    },
  ]);
});

test('table', () => {
  expect(statsTable(RESPONSE)).toBe(
    [
      'date        campaign_id      source    clicks  conversions   revenue     cvr',
      '2023-03-15  camp-789         facebook    1500           50    999.50  0.0333',
      '2023-03-16  a "quoted", one  google         3     0.333333  0.000001  0.1111',
      '2023-03-16  c                web            0            2      0.00       –',
      '',
    ].join('\n'),
  );
});

test('by other dimensions, with gross sums, and what is not attributed last', () => {
  const gross = { invalidClicks: 2n, grossConversionsMicros: 3_000_000n, grossRevenueMicros: 5n, refundsMicros: 1n };
  const row = { date: '2023-03-15', values: ['ad-1'], clicks: 1n, conversionsMicros: 2_000_000n, ...gross };
  const unattributed = [{ date: '2023-03-15', conversionsMicros: 1_000_000n, ...gross, invalidClicks: 0n }];
  expect(statsCsv(create(GetStatsResponseSchema, { data: [row], unattributed }), ['ad_id'])).toBe(
    [
      'date,ad_id,clicks,conversions,revenue,cvr,invalid_clicks,gross_conversions,gross_revenue,refunds',
      '2023-03-15,ad-1,1,2,0.00,,2,3,0.000005,0.000001',
      '2023-03-15,,0,1,0.00,,0,3,0.000005,0.000001',
      '',
    ].join('\r\n'),
  );
});

test('money beyond 64 bits of micros', () => {
  const most = 2n ** 63n - 1n;
  const sums = { revenue: 1e13, revenueMicros: most, grossRevenue: 2e13 + 0.5, grossRevenueMicros: most };
  const row = { date: '2023-03-15', values: ['ad-1'], ...sums, refunds: 1e30, refundsMicros: most };
  expect(statsCsv(create(GetStatsResponseSchema, { data: [row] }), ['ad_id'])).toContain(
    ',10000000000000.00,,,0,20000000000000.50,1000000000000000000000000000000.00\r\n',
  );
});

test('an empty table says so', () => {
  expect(statsTable(create(GetStatsResponseSchema))).toBe('nothing counted in these days\n');
});

test('since when the sums count, unless always', () => {
  const { since } = create(GetStatsResponseSchema, {
    since: { modelUntil: 1_000n, rollup: 'day:ad_id', rollupSince: 0n },
  });
  expect(sinceNote(since)).toBe('note: the model is counted only until 1970-01-01T00:00:01.000Z\n');
  expect(sinceNote({ ...since!, model: 500n, modelUntil: 0n, rollupSince: 2_000n })).toBe(
    'note: the model is counted only from 1970-01-01T00:00:00.500Z\n' +
      'note: the rollup day:ad_id is counted only from 1970-01-01T00:00:02.000Z\n',
  );
  expect(sinceNote(undefined)).toBe('');
});

test('csv', () => {
  expect(statsCsv(RESPONSE)).toBe(
    [
      'date,campaign_id,source,clicks,conversions,revenue,cvr',
      '2023-03-15,camp-789,facebook,1500,50,999.50,0.0333',
      '2023-03-16,"a ""quoted"", one",google,3,0.333333,0.000001,0.1111',
      '2023-03-16,c,web,0,2,0.00,',
      '',
    ].join('\r\n'),
  );
});

test('json is what GET /api/v1/stats answers to the same question', async () => {
  const { port } = server.address() as AddressInfo;
  const question = {
    url: `http://127.0.0.1:${port}`,
    start: '2023-03-01',
    end: '2023-03-31',
    interval: 'weekly',
  } as const;
  expect(await getStatsJson({ ...question, campaign: 'a&b', type: 't' })).toBe(ANSWER);
  expect(Object.fromEntries(parameters!)).toEqual({
    ...{ start_date: '2023-03-01', end_date: '2023-03-31', interval: 'weekly' },
    ...{ campaign_id: 'a&b', conversion_type: 't' },
  });
  await expect(getStatsJson({ ...question, model: 'none' })).rejects.toMatchObject({ message: 'no such model' });
});
