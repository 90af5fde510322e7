import { gzipSync } from 'node:zlib';
import { create, toBinary } from '@bufbuild/protobuf';
import type { ClickHouseClient } from '@clickhouse/client';
import pino from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { GetStatsRequestSchema } from '../../gen/ts/clickmesh/v1/stats_service_pb.js';
import { type RawAnswer, type RawClient, type RawRequest, rawClient } from '../../test/fixtures/raw-request.ts';
import { type RunningServer, serve } from '../http/server/server.ts';
import { statsHttp, statsRoutes } from './routes.ts';

const DAYS = { start_date: '2023-03-01', end_date: '2023-03-31' };
const DAYS_TEXT = String(new URLSearchParams(DAYS));
const KNOWN =
  'Known are start_date, end_date, campaign_id, interval, source, conversion_type, model, by, gross, unattributed';
const INTERVALS = 'Known are INTERVAL_DAILY, INTERVAL_WEEKLY, INTERVAL_MONTHLY, INTERVAL_HOURLY';

let server: RunningServer;
let raw: RawClient;
/** Statements that reached ClickHouse. */
let asked: string[];

/** What the next statement selects. */
let rows: Record<string, unknown>[] = [];

/** A ClickHouse that has these rows once. */
const clickhouse = {
  async query({ query }: { query: string }) {
    asked.push(query);
    const [selected, names] = [rows, Object.keys(rows[0] ?? {})];
    rows = [];
    const data = selected.map((row) => Object.values(row));
    return { json: async () => ({ meta: names.map((name) => ({ name })), data }) };
  },
} as unknown as ClickHouseClient;

beforeAll(async () => {
  const deps = { client: clickhouse, models: ['time_decay', 'last_click'], rollups: [] };
  const services = (router: Parameters<typeof statsRoutes>[0]) => statsRoutes(router, deps);
  server = await serve({
    ...{ host: '127.0.0.1', port: 0, logger: pino({ level: 'silent' }) },
    ...{ services, routes: statsHttp(deps) },
  });
  raw = rawClient(server.url);
});
beforeEach(() => {
  asked = [];
});
afterAll(async () => {
  raw.close();
  await server.close();
});

describe('GET /api/v1/stats refuses, and names', () => {
  const name = 'x'.repeat(129);
  test.each([
    ['campaign=c', 'campaign', `campaign is unknown: is campaign_id meant? ${KNOWN}`],
    ['limit=10', 'limit', `limit is unknown. ${KNOWN}`],
    ['campaign_id%5B%5D=c', 'campaign_id[]', `campaign_id[] is unknown: is campaign_id meant? ${KNOWN}`],
    ['campaign_id[]=c', 'campaign_id[]', `campaign_id[] is unknown: is campaign_id meant? ${KNOWN}`],
    ['Campaign_ID=c', 'Campaign_ID', `Campaign_ID is unknown: is campaign_id meant? ${KNOWN}`],
    ['campaignId=c', 'campaignId', `campaignId is unknown: is campaign_id meant? ${KNOWN}`],
    ['constructor=c', 'constructor', `constructor is unknown. ${KNOWN}`],
    ['campaign_id=a&campaign_id=a', 'campaign_id', 'campaign_id is given more than once'],
    ['start_date=2023-03-02', 'start_date', 'start_date is given more than once'],
    ['campaign_id=', 'campaign_id', 'campaign_id is empty: give it a value, or leave it out'],
    ['source', 'source', 'source is empty: give it a value, or leave it out'],
    ['model=', 'model', 'model is empty: give it a value, or leave it out'],
    ['campaign_id=%ZZ', 'campaign_id', 'campaign_id is not percent-encoded UTF-8 (curl: -G --data-urlencode)'],
    ['source=%FF', 'source', 'source is not percent-encoded UTF-8 (curl: -G --data-urlencode)'],
    ['source=%', 'source', 'source is not percent-encoded UTF-8 (curl: -G --data-urlencode)'],
    ['campaign_id=%00', 'campaign_id', 'campaign_id has NUL or half of a surrogate pair, which no event has'],
    ['model=%00', 'model', 'model has NUL or half of a surrogate pair, which no event has'],
    [
      'conversion_type=a%00',
      'conversion_type',
      'conversion_type has NUL or half of a surrogate pair, which no event has',
    ],
    [`campaign_id=${name}`, 'campaign_id', 'campaign_id must have at most 128 bytes of UTF-8: it has 129'],
    [`source=${'%C3%A9'.repeat(65)}`, 'source', 'source must have at most 128 bytes of UTF-8: it has 130'],
    ['interval=yearly', 'interval', 'interval "yearly" is unknown. Known are daily, weekly, monthly, hourly'],
    [
      'interval=week',
      'interval',
      'interval "week" is unknown: is weekly meant? Known are daily, weekly, monthly, hourly',
    ],
    [
      'interval=Daily',
      'interval',
      'interval "Daily" is unknown: is daily meant? Known are daily, weekly, monthly, hourly',
    ],
    [
      'model=last-click',
      'model',
      'model "last-click" is not counted by this mesh: is last_click meant? Known are time_decay, last_click',
    ],
    ['model=linear', 'model', 'model "linear" is not counted by this mesh. Known are time_decay, last_click'],
  ])('%s', async (query, field, message) => {
    const response = await fetch(`${server.url}/api/v1/stats?${DAYS_TEXT}&${query}`);
    expect(await response.json()).toEqual({ error: { code: 'invalid_argument', field, message } });
    expect(response.status).toBe(400);
  });
});

test('GET /api/v1/stats refuses bytes beside ASCII', async () => {
  const path = `/api/v1/stats?${DAYS_TEXT}&source=caf\xe9`;
  const { body } = await raw.http2({ method: 'GET', path, headers: {}, body: Buffer.alloc(0) });
  expect(JSON.parse(body.toString()).error).toMatchObject({
    message: 'source is not percent-encoded UTF-8 (curl: -G --data-urlencode)',
  });
});

const STATS = '/clickmesh.v1.StatsService';

function post(path: string, type: string, body: Buffer, headers = {}): RawRequest {
  return { method: 'POST', path: `${STATS}/${path}`, headers: { 'content-type': type, ...headers }, body };
}

function enveloped(message: string | Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(Buffer.byteLength(message), 1);
  return Buffer.concat([head, Buffer.from(message)]);
}

/** The text of an answer, wherever its protocol has it. */
function textOf({ headers, body }: RawAnswer): string {
  return `${decodeURI(JSON.stringify(headers))} ${decodeURIComponent(body.toString())}`;
}

describe('JSON by', () => {
  const url = (json: string) =>
    `${STATS}/GetStats?${new URLSearchParams({ connect: 'v1', encoding: 'json', message: json })}`;
  const ways: [name: string, send: (json: string) => Promise<RawAnswer>][] = [
    ['Connect', (json) => raw.whole(post('GetStats', 'application/json', Buffer.from(json)))],
    ['Connect over HTTP/2', (json) => raw.http2(post('GetStats', 'application/json', Buffer.from(json)))],
    [
      'Connect with gzip',
      (json) => raw.whole(post('GetStats', 'application/json', gzipSync(json), { 'content-encoding': 'gzip' })),
    ],
    ['Connect with GET', (json) => raw.whole({ method: 'GET', path: url(json), headers: {}, body: Buffer.alloc(0) })],
    ['gRPC', (json) => raw.http2(post('GetStats', 'application/grpc+json', enveloped(json), { te: 'trailers' }))],
    ['gRPC-Web', (json) => raw.whole(post('GetStats', 'application/grpc-web+json', enveloped(json)))],
  ];

  test.each([
    ...ways,
    [
      'a stream of Connect',
      (json: string) =>
        raw.whole(post('WatchStats', 'application/connect+json', enveloped(`{"query":${json},"period_ms":1000}`))),
    ] as const,
  ])('%s: a field that is not known is refused', async (_, send) => {
    const known = JSON.stringify({ ...DAYS, campaign: 'c' });
    expect(textOf(await send(known))).toContain(`campaign is unknown: is campaign_id meant? ${KNOWN}`);
    expect(asked).toEqual([]);
  });

  test.each(ways)('%s: the name that REST has for an interval is refused', async (_, send) => {
    const answer = await send(JSON.stringify({ ...DAYS, interval: 'weekly' }));
    expect(textOf(answer)).toContain(` is unknown: is INTERVAL_WEEKLY meant? ${INTERVALS}`);
    expect(asked).toEqual([]);
    const meant = await send(JSON.stringify({ ...DAYS, interval: 'INTERVAL_WEEKLY' }));
    expect(textOf(meant)).toContain('"interval":"INTERVAL_WEEKLY"');
    expect(asked).toContainEqual(expect.stringContaining('toMonday'));
  });
});

describe('Connect with JSON', () => {
  const days = JSON.stringify(DAYS).slice(1, -1);
  const call = (json: string | Buffer, method = 'GetStats') =>
    raw.whole(post(method, 'application/json', Buffer.from(json)));

  test.each([
    [`{${days},"timezone":"Asia/Tokyo"}`, `timezone is unknown. ${KNOWN}`],
    [`{${days},"campaignID":"c"}`, `campaignID is unknown: is campaign_id meant? ${KNOWN}`],
    [`{${days},"interval":"week"}`, `interval "week" is unknown: is INTERVAL_WEEKLY meant? ${INTERVALS}`],
    [
      `{${days},"interval":"Interval_Daily"}`,
      `interval "Interval_Daily" is unknown: is INTERVAL_DAILY meant? ${INTERVALS}`,
    ],
    [`{${days},"interval":"2"}`, `interval "2" is unknown. ${INTERVALS}`],
    [`{${days},"interval":9}`, `interval "9" is unknown. ${INTERVALS}`],
    [`{${days},"model":"linear"}`, 'model "linear" is not counted by this mesh. Known are time_decay, last_click'],
    [`{${days},"campaign_id":"\\u0000"}`, 'campaign_id has NUL or half of a surrogate pair, which no event has'],
    [`{${days},"campaignId":"\\ud83d"}`, 'campaign_id has NUL or half of a surrogate pair, which no event has'],
    [`{${days},"source":"${'é'.repeat(65)}"}`, 'source must have at most 128 bytes of UTF-8: it has 130'],
    [`{${days},"source":"a","source":"b"}`, /^cannot decode .* "source"/],
    [Buffer.from(`{${days},"source":"caf\xe9"}`, 'latin1'), /^the request is not UTF-8: /],
    [`{${days},`, /^the request is not valid JSON: .* position \d+ \(line 1 column \d+\)$/],
    [`{${days},"campaignId":5}`, 'campaign_id must be a string'],
    ['[]', 'the request must be a JSON object'],
  ])('%s', async (json, message) => {
    const answer = await call(json);
    expect(JSON.parse(answer.body.toString())).toEqual({
      code: 'invalid_argument',
      message: typeof message === 'string' ? message : expect.stringMatching(message),
    });
    expect(answer.status).toBe(400);
  });

  test.each([
    [`{${days},"interval":"INTERVAL_MONTHLY"}`, 'INTERVAL_MONTHLY'],
    [`{${days}, "interval" : "INTERVAL_MONTHLY"}`, 'INTERVAL_MONTHLY'],
    [`{${days},"interval":2}`, 'INTERVAL_WEEKLY'],
    [`{${days},"interval":null,"campaignId":null}`, 'INTERVAL_DAILY'],
    [`{${days},"source":"\\"interval\\":\\"weekly\\""}`, 'INTERVAL_DAILY'],
    [`\ufeff{${days},"campaign_id":"","source":""}`, 'INTERVAL_DAILY'],
  ])('%s is answered', async (json, interval) => {
    const answer = await call(json);
    expect(JSON.parse(answer.body.toString())).toEqual({ interval, since: { timeZone: 'UTC' } });
  });

  test('ExplainConversion says that a conversion is attributed to nothing', async () => {
    rows = [{ conversion_id: 'c2d3e4f5-0000-4000-8000-000000000001', user_id: 'u', attributed: false, candidates: [] }];
    const { body } = await call('{"conversionId":"order-1001"}', 'ExplainConversion');
    expect(JSON.parse(body.toString()).decision).toMatchObject({ attributed: false, candidates: [] });
  });

  test('ExplainConversion, too', async () => {
    const { body } = await call('{"conversionid":"x"}', 'ExplainConversion');
    const message = 'conversionid is unknown: is conversion_id meant? Known are conversion_id, user_id, model';
    expect(JSON.parse(body.toString())).toEqual({ code: 'invalid_argument', message });
  });

  test.each([
    ['{"filters":{}}', 'filters must be a list'],
    ['{"filters":["ad_id"]}', 'filters must be a JSON object'],
    ['{"filters":[{"dimension":5}]}', 'dimension must be a string'],
    [
      '{"filters":[{"dimension":"ad_id","value":["a"]}]}',
      'value is unknown: is values meant? Known are dimension, values, exclude',
    ],
    ['{"filters":[{"dimension":"ad_id","values":["a",null]}]}', 'values must be a string'],
    ['{"attributed":"true"}', 'attributed "true" is unknown. Known are ATTRIBUTED_YES, ATTRIBUTED_NO'],
    [
      '{"attributed":"yes"}',
      'attributed "yes" is unknown: is ATTRIBUTED_YES meant? Known are ATTRIBUTED_YES, ATTRIBUTED_NO',
    ],
    // What follows is read, and refused for what it lacks.
    ['{"attributed":"ATTRIBUTED_NO"}', 'start_date is required'],
    [`{"page_token":"${'A'.repeat(200)}"}`, 'start_date is required'],
  ])('ListConversions, with its filters: %s', async (json, message) => {
    const { body } = await call(json, 'ListConversions');
    expect(JSON.parse(body.toString())).toEqual({ code: 'invalid_argument', message });
  });
});

test('Protobuf may have fields of newer clients, and no texts that no event can have', async () => {
  const call = async (fields: object, more: number[] = []) => {
    const request = toBinary(GetStatsRequestSchema, create(GetStatsRequestSchema, fields));
    return raw.whole(post('GetStats', 'application/proto', Buffer.from([...request, ...more])));
  };
  const days = { startDate: DAYS.start_date, endDate: DAYS.end_date };
  const newer = [0xf8, 0x07, 1];
  expect(await call(days, newer)).toMatchObject({ status: 200 });
  const { body } = await call({ ...days, source: 'a\0' });
  expect(JSON.parse(body.toString())).toMatchObject({
    message: 'source has NUL or half of a surrogate pair, which no event has',
  });
});

describe('Protobuf that is none is no fault of the server', () => {
  const ways: [name: string, send: (request: Buffer) => Promise<RawAnswer>, refusal: RegExp][] = [
    ['Connect', (request) => raw.whole(post('GetStats', 'application/proto', request)), /"code":"invalid_argument"/],
    [
      'Connect with gzip',
      (request) => raw.whole(post('GetStats', 'application/proto', gzipSync(request), { 'content-encoding': 'gzip' })),
      /"code":"invalid_argument"/,
    ],
    [
      'Connect with GET',
      (request) => {
        const message = request.toString('base64url');
        const query = new URLSearchParams({ connect: 'v1', encoding: 'proto', base64: '1', message });
        return raw.whole({ method: 'GET', path: `${STATS}/GetStats?${query}`, headers: {}, body: Buffer.alloc(0) });
      },
      /"code":"invalid_argument"/,
    ],
    [
      'gRPC',
      (request) => raw.http2(post('GetStats', 'application/grpc+proto', enveloped(request), { te: 'trailers' })),
      /"grpc-status":"3"/,
    ],
    [
      'gRPC-Web',
      (request) => raw.whole(post('GetStats', 'application/grpc-web+proto', enveloped(request))),
      /grpc-status"?:\s*"?3/,
    ],
    [
      'a stream of Connect',
      (request) => {
        const query = Buffer.concat([Buffer.of(0x0a, request.length), request]);
        return raw.whole(post('WatchStats', 'application/connect+proto', enveloped(query)));
      },
      /"code":"invalid_argument"/,
    ],
  ];
  test.each(ways)('%s', async (_, send, refusal) => {
    const text = textOf(await send(Buffer.from('\x1a\x04caf\xe9', 'latin1')));
    expect(text).toMatch(/this is no clickmesh.v1.\w+ in Protobuf: a text in it has bytes that are not UTF-8/);
    expect(text).toMatch(refusal);
    const cut = textOf(await send(Buffer.from('\x1a\x09caf', 'latin1')));
    expect(cut).toMatch(/this is no clickmesh.v1.\w+ in Protobuf: premature EOF/);
    expect(cut).toMatch(refusal);
    expect(asked).toEqual([]);
  });
});
