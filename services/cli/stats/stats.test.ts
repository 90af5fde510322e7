import { spawn } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { exactly } from './forms.ts';
import { parametersOf } from './question.ts';
import { type ReportAnswer, reportTable, stampText } from './report-table.ts';
import { reportParameters } from './stats.ts';

const STAMP = {
  models: ['last_click'],
  ...{ time_zone: 'Asia/Tokyo', rollup: 'day:ad_id', rollup_since: 0, models_since: [0], currency: 'EUR' },
  ...{ complete_through: 1_764_547_200_000, lag_ms: 1200, truncated: 0, compared_from: 0, compared_until: 0 },
};
const COUNTED = { conversions: 2, revenue: 9.5, cvr: 0.5, invalid_clicks: 0, gross_conversions: 3, gross_revenue: 10 };
const ROW = { clicks: 4, ...COUNTED, refunds: 0.5, partial: false };
const NOTHING = { conversions: 0, revenue: 0, gross_conversions: 0, gross_revenue: 0, refunds: 0, partial: false };

function answer(parts: object): ReportAnswer {
  const whole = { rows: [], totals: ROW, unattributed: NOTHING, total_rows: 0, next_page_token: '', stamp: STAMP };
  return exactly(JSON.stringify({ ...whole, ...parts }));
}

let server: Server;
let url: string;
let asked: string[];

beforeEach(async () => {
  asked = [];
  server = createServer((request, response) => {
    asked.push(request.url!);
    const { searchParams } = new URL(request.url!, 'http://host');
    if (searchParams.get('format') === 'csv') {
      const isLast = searchParams.has('page_token');
      response.setHeader('content-type', 'text/csv; charset=utf-8');
      if (!isLast) response.setHeader('clickmesh-next-page-token', 'second');
      return response.end(`ad_id,clicks\r\n${isLast ? 'ad-2,2' : 'ad-1,1'}\r\n`);
    }
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(answer({ stamp: STAMP })));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterEach(() => {
  server.close();
  server.closeAllConnections();
});

test('options are the parameters of REST', async () => {
  const days = { url, startDate: '2023-03-01', endDate: '2023-03-31' };
  const filters = {
    campaignId: ['a&b', 'c'],
    metadata: ['geo=US', 'x=y=z'],
    exclude: ['source=web', 'metadata.os=a=b'],
  };
  const parameters = await reportParameters({ ...days, ...filters, groupBy: 'ad_id', models: 'linear', top: '3' });
  expect([...parameters]).toEqual([
    ['start_date', '2023-03-01'],
    ['end_date', '2023-03-31'],
    ['limit', '3'],
    ['group_by', 'ad_id'],
    ['models', 'linear'],
    ['interval', 'none'],
    ['order_by', '-conversions'],
    ['campaign_id', 'a&b'],
    ['campaign_id', 'c'],
    ['metadata.geo', 'US'],
    ['metadata.x', 'y=z'],
    ['source!', 'web'],
    ['metadata.os!', 'a=b'],
  ]);
  expect(asked).toEqual([]);
});

test('without dates the last 7 days of the zone that the mesh counts by', async () => {
  const tokyo = new Intl.DateTimeFormat('sv-SE', { timeZone: 'Asia/Tokyo', dateStyle: 'short' });
  const expected = [Date.now() - 6 * 86_400_000, Date.now()].map((time) => tokyo.format(time));
  const parameters = await parametersOf({ url }, {});
  expect([parameters.get('start_date'), parameters.get('end_date')]).toEqual(expected);
  const before = await parametersOf({ url, endDate: '2024-03-03' }, {});
  expect(before.get('start_date')).toBe('2024-02-26');
});

test('a table has totals and what is not attributed, and says what it lacks', () => {
  const rows = [
    { date: '2025-12-01', ad_id: '東京', ...ROW, partial: true, previous: { clicks: 8, ...COUNTED, revenue: 9 } },
    { date: '2025-12-08', ad_id: 'a\x1b[2J', ...ROW, clicks: 0, cvr: null },
  ];
  const shown = { groupBy: ['ad_id'], compare: true };
  expect(reportTable(answer({ rows, total_rows: 5 }), shown)).toBe(
    [
      'date          ad_id       clicks     +/-  conversions    +/-  revenue    +/-     cvr    +/-',
      '2025-12-01*   東京             4  -50.0%            2  +0.0%     9.50  +5.6%  0.5000  +0.0%',
      '2025-12-08    a\\u001b[2J       0       –            2    new     9.50    new       –      –',
      'total         –                4     new            2    new     9.50    new  0.5000      –',
      'unattributed  –                –       –            0      –     0.00      –       –      –',
      '* not the whole of the period, or it is not over',
      '3 of 5 rows are not shown, but in the totals: clickmesh stats --csv has all of them',
      '',
    ].join('\n'),
  );
});

test('models side by side, without a date', () => {
  const models = {
    last_click: COUNTED,
    linear: { ...COUNTED, conversions: 0.333333, revenue: 987 },
  };
  const json = JSON.stringify(answer({})).replace(/"totals":\{/, `"totals":{"models":${JSON.stringify(models)},`);
  const exact = json.replace('"revenue":987', '"revenue":123456789012345.678901');
  expect(reportTable(exactly(exact), { groupBy: [] })).toContain('0.333333  123456789012345.678901');
});

test('what a report was counted by, and what its sums lack', () => {
  expect(stampText(answer({}))).toBe(
    'last_click, days of Asia/Tokyo, EUR; complete through 2025-12-01T00:00:00.000Z, lag 1 s\n',
  );
  const lacking = { ...STAMP, rollup_since: 1000, models_since: [2000], truncated: 3, complete_through: 0 };
  expect(stampText(answer({ stamp: lacking }))).toBe(
    'last_click, days of Asia/Tokyo, EUR\n' +
      'note: the model last_click is counted only from 1970-01-01T00:00:02.000Z\n' +
      'note: the rollup day:ad_id is counted only from 1970-01-01T00:00:01.000Z\n' +
      'note: 3 conversions shared among their newest clicks only\n',
  );
});

test('CSV has all pages under one line of names', async () => {
  const { stdout, code } = await clickmesh(
    'stats',
    '--start',
    '2023-03-01',
    '--end',
    '2023-03-31',
    '--csv',
    '--raw',
    '--bom',
  );
  expect({ stdout, code }).toEqual({ stdout: 'ad_id,clicks\r\nad-1,1\r\nad-2,2\r\n', code: 0 });
  expect(asked.map((path) => path.split('format=')[1])).toEqual([
    'csv&raw=true&bom=true&limit=10000',
    'csv&raw=true&bom=true&limit=10000&page_token=second',
  ]);
});

test('a pipe that nobody reads ends it without a word', async () => {
  const child = start('stats', '--start', '2023-03-01', '--end', '2023-03-31', '--json');
  child.stdout.destroy();
  const [code, stderr] = await Promise.all([
    new Promise((resolve) => child.once('close', resolve)),
    text(child.stderr),
  ]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
});

const BIN = fileURLToPath(new URL('../clickmesh.js', import.meta.url));

function start(...args: string[]) {
  return spawn(process.execPath, [BIN, ...args, '--url', url]);
}

async function clickmesh(...args: string[]) {
  const child = start(...args);
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const [code, stdout, stderr] = await Promise.all([exited, text(child.stdout), text(child.stderr)]);
  return { code, stdout, stderr };
}
