import { type ClickHouseClient, ClickHouseError } from '@clickhouse/client';
import { type Client, Code } from '@connectrpc/connect';
import { beforeEach, expect, test } from 'vitest';
import type { StatsService } from '../../../gen/ts/clickmesh/v1/stats_service_pb.js';
import { getRequest, statsClient } from '../../../test/fixtures/stats.ts';
import { conversionsHttp, conversionsRoutes } from './routes.ts';

/** What ClickHouse answers to any statement: rows, or that it went beyond a limit. */
let answers: Record<string, unknown>[] | ClickHouseError;

const client = {
  async query() {
    if (answers instanceof ClickHouseError) throw answers;
    const names = Object.keys(answers[0] ?? {});
    const data = answers.map((row) => Object.values(row));
    return { json: async () => ({ meta: names.map((name) => ({ name })), data }) };
  },
} as unknown as ClickHouseClient;

const deps = { client, models: ['last_click', 'linear'], rollups: [] };
const stats: Client<typeof StatsService> = statsClient(deps, conversionsRoutes);
const DAYS = { startDate: '2025-06-01', endDate: '2025-06-30' };
const DAYS_TEXT = 'start_date=2025-06-01&end_date=2025-06-30';

beforeEach(() => {
  answers = [];
});

async function get(path: string, query: string): Promise<{ status: number; body: unknown }> {
  const route = conversionsHttp(deps).find((each) => each.path === path)!;
  const request = getRequest(query);
  const { status, body } = await route.handle(request);
  return { status, body: JSON.parse(String(body)) };
}

test.each([
  ['/api/v1/conversions', 'end_date=2025-06-30', 'start_date is required'],
  ['/api/v1/conversions', `${DAYS_TEXT}&limit=1001`, 'limit must be in [1, 1000]: it is 1001'],
  ['/api/v1/conversions', `${DAYS_TEXT}&attributed=true`, 'attributed "true" is unknown. Known are yes, no'],
  [
    '/api/v1/conversions',
    `${DAYS_TEXT}&order_by=-date`,
    'order_by "-date" is unknown. Known are time, -time, value, -value, corrections, -corrections, touches, -touches, lag, -lag',
  ],
  [
    '/api/v1/conversions',
    `${DAYS_TEXT}&page_token=x`,
    'page_token is none that was given out. Leave it out for the first page',
  ],
  ['/api/v1/conversions', `${DAYS_TEXT}&user_id=a&user_id=b`, 'user_id is given more than once'],
  [
    '/api/v1/conversions',
    `${DAYS_TEXT}&time_zone=Mars/Olympus`,
    'time_zone "Mars/Olympus" is unknown: name one of the IANA database, such as UTC or America/New_York',
  ],
  ['/api/v1/clicks', '', 'user_id is required'],
  ['/api/v1/clicks', 'user_id=u&start_date=2025-06-01', 'end_date is required'],
  ['/api/v1/paths', `${DAYS_TEXT}&max_steps=21`, 'max_steps must be in [1, 20]: it is 21'],
  [
    '/api/v1/paths',
    `${DAYS_TEXT}&dimension=conversion_type`,
    'dimension "conversion_type" is unknown. Known are campaign_id, ad_id, source',
  ],
  [
    '/api/v1/touches',
    `${DAYS_TEXT}&dimension=click_id`,
    'dimension "click_id" is unknown. Known are campaign_id, ad_id, source',
  ],
  ['/api/v1/touches', `${DAYS_TEXT}&limit=10001`, 'limit must be in [1, 10000]: it is 10001'],
  [
    '/api/v1/time-lag',
    `${DAYS_TEXT}&model=lineal`,
    'model "lineal" is not counted by this mesh. Known are last_click, linear',
  ],
  [
    '/api/v1/path-length',
    `${DAYS_TEXT}&limit=3`,
    'limit is unknown. Known are start_date, end_date, time_zone, campaign_id, ad_id, source, conversion_type, ' +
      'metadata.KEY, and these with ! for all but a value',
  ],
  ['/api/v1/dead-letters', 'topic=x', 'topic is unknown. Known are limit, page_token'],
  ['/api/v1/explain', '', 'conversion_id is required'],
])('GET %s?%s', async (path, query, message) => {
  const { status, body } = await get(path, query);
  expect(body).toEqual({ error: { code: 'invalid_argument', field: expect.any(String), message } });
  expect(status).toBe(400);
});

test('what REST refuses, the call does', async () => {
  const error = { code: Code.InvalidArgument, rawMessage: 'limit must be in [1, 1000]: it is 1001' };
  await expect(stats.listConversions({ ...DAYS, limit: 1001 })).rejects.toMatchObject(error);
  await expect(stats.listDeadLetters({ limit: 1001 })).rejects.toMatchObject(error);
});

test.each([
  ['TIMEOUT_EXCEEDED', 'the answer takes more than 10 s: ask for fewer days, or filter'],
  ['MEMORY_LIMIT_EXCEEDED', 'the answer takes more than 1024 MiB of memory: ask for fewer days, or filter'],
  ['TOO_MANY_ROWS', 'the answer takes more than 500,000,000 rows read: ask for fewer days, or filter'],
])('beyond a limit, %s, the answer says what to do', async (type, rawMessage) => {
  answers = new ClickHouseError({ message: 'too much', code: '1', type });
  const error = { code: Code.ResourceExhausted, rawMessage };
  await expect(stats.topPaths(DAYS)).rejects.toMatchObject(error);
  await expect(stats.listConversions(DAYS)).rejects.toMatchObject(error);
});
