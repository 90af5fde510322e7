import { fromBinary } from '@bufbuild/protobuf';
import { Code } from '@connectrpc/connect';
import { beforeEach, describe, expect, it } from 'vitest';
import { EventSchema } from '../../../gen/ts/clickmesh/v1/event_pb.js';
import { type MemoryLog, memoryLog } from '../../../test/fixtures/memory-log.ts';
import { gatewayHttp } from '../routes.ts';

const NOW = Date.UTC(2026, 0, 2);
const CLICK = {
  event_type: 'click',
  event_id: '6f1b0e0a-1f7e-4a0e-9d0a-0a4c5cbb8a01',
  user_id: 'user-123',
  ad_id: 'ad-456',
  campaign_id: 'camp-789',
  source: 'facebook',
  timestamp: 1678886400000,
  metadata: { browser: 'Chrome', geo: 'US' },
};
const CONVERSION = {
  event_type: 'conversion',
  event_id: '6f1b0e0a-1f7e-4a0e-9d0a-0a4c5cbb8a02',
  user_id: 'user-123',
  type: 'purchase',
  value: 19.99,
  source: 'ios_app',
  timestamp: 1678890000000,
};

let log: MemoryLog;

beforeEach(() => {
  log = memoryLog();
});

async function post(body: string | Buffer, contentType = 'application/json', path = '/api/v1/events', headers = {}) {
  const routes = gatewayHttp({ log, now: () => NOW });
  const route = routes.find((candidate) => candidate.path === path)!;
  const request = {
    ...{ method: 'POST', parameters: {}, query: '', peer: undefined },
    headers: { 'content-type': contentType, ...headers },
    body: Buffer.from(body),
  };
  const response = await route.handle(request);
  return { status: response.status, body: JSON.parse(String(response.body)) };
}

const postJson = (json: unknown) => post(JSON.stringify(json));
const stored = () => log.records('raw-events').map(({ value }) => fromBinary(EventSchema, value).event);

describe('POST /api/v1/events', () => {
  it('takes a click', async () => {
    const { status, body } = await postJson(CLICK);
    expect(status).toBe(202);
    const { partition, offset } = log.records('raw-events')[0]!;
    const result = { event_id: CLICK.event_id, status: 'accepted', partition, offset };
    expect(body).toEqual({ accepted: 1, rejected: 0, results: [result] });
    expect(stored()).toMatchObject([
      {
        case: 'click',
        value: {
          eventId: CLICK.event_id,
          userId: 'user-123',
          adId: 'ad-456',
          campaignId: 'camp-789',
          source: 'facebook',
          timestamp: 1678886400000n,
          metadata: { browser: 'Chrome', geo: 'US' },
        },
      },
    ]);
  });

  it('takes a conversion', async () => {
    expect((await postJson(CONVERSION)).status).toBe(202);
    const value = { eventId: CONVERSION.event_id, userId: 'user-123', type: 'purchase', source: 'ios_app' };
    expect(stored()).toMatchObject([{ case: 'conversion', value: { ...value, value: 0, valueMicros: 19_990_000n } }]);
  });

  it('answers an array in its order, whatever is wrong with some', async () => {
    const { status, body } = await postJson([CLICK, { ...CLICK, user_id: 'x'.repeat(129) }, 7, CONVERSION]);
    expect(status).toBe(202);
    expect(body).toMatchObject({ accepted: 2, rejected: 2 });
    expect(body.results).toMatchObject([
      { event_id: CLICK.event_id, status: 'accepted' },
      {
        event_id: CLICK.event_id,
        status: 'rejected',
        field: 'user_id',
        reason: 'too_long',
        limit: '128 bytes',
        message: 'user_id must have at most 128 bytes',
      },
      { event_id: '', status: 'rejected', field: 'event', reason: 'malformed' },
      { event_id: CONVERSION.event_id, status: 'accepted' },
    ]);
  });

  it.each(['application/x-ndjson', 'application/ndjson', 'Application/NDJSON; charset=utf-8'])(
    'takes %s',
    async (type) => {
      const lines = `${JSON.stringify(CLICK)}\n{"event_type":\n\r\n\n${JSON.stringify(CONVERSION)}`;
      const { status, body } = await post(lines, type);
      expect(status).toBe(202);
      expect(body.results).toMatchObject([
        { status: 'accepted' },
        { status: 'rejected', reason: 'malformed', message: 'not valid JSON' },
        { status: 'accepted' },
      ]);
    },
  );

  it('lets a line that is not UTF-8 spoil no other', async () => {
    const body = Buffer.concat([Buffer.from([0x22, 0xff, 0x22, 0x0a]), Buffer.from(JSON.stringify(CLICK))]);
    expect((await post(body, 'application/ndjson')).body).toMatchObject({
      results: [{ reason: 'malformed', message: 'not UTF-8' }, { status: 'accepted' }],
    });
  });

  it('answers 400 with the results when nothing was accepted', async () => {
    const { status, body } = await postJson([{ ...CLICK, event_id: 'x' }]);
    expect(status).toBe(400);
    expect(body).toMatchObject({ accepted: 0, rejected: 1, results: [{ reason: 'not_a_uuid' }] });
  });

  it('ignores fields it does not know, and null is missing', async () => {
    expect((await postJson({ ...CLICK, type: 7, extra: {}, metadata: null })).status).toBe(202);
    expect((await postJson({ ...CLICK, source: null })).body.results).toMatchObject([{ reason: 'required' }]);
  });

  it('keeps a metadata key that has a meaning in JavaScript', async () => {
    await post(JSON.stringify(CLICK).replace('"browser"', '"__proto__"'));
    expect(Object.entries((stored()[0]!.value as { metadata: object }).metadata)).toContainEqual([
      '__proto__',
      'Chrome',
    ]);
  });
});

describe('an item that is not as described', () => {
  it.each([
    [{ ...CLICK, event_type: undefined }, 'event_type', 'required'],
    [{ ...CLICK, event_type: 'view' }, 'event_type', 'unknown_event_type'],
    [{ ...CLICK, event_type: 1 }, 'event_type', 'unknown_event_type'],
    [{ ...CLICK, timestamp: '1678886400000' }, 'timestamp', 'malformed'],
    [{ ...CLICK, timestamp: 1678886400000.5 }, 'timestamp', 'malformed'],
    [{ ...CLICK, timestamp: 1e300 }, 'timestamp', 'malformed'],
    [{ ...CLICK, timestamp: 1678886400 }, 'timestamp', 'out_of_range'],
    [{ ...CLICK, user_id: 123 }, 'user_id', 'malformed'],
    [{ ...CLICK, metadata: { width: 1080 } }, 'metadata', 'malformed'],
    [{ ...CLICK, metadata: ['a'] }, 'metadata', 'malformed'],
    [{ ...CONVERSION, value: '19.99' }, 'value', 'malformed'],
    [{ ...CONVERSION, value: -1 }, 'value', 'out_of_range'],
    [{ ...CONVERSION, value_micros: 2 ** 53 }, 'value_micros', 'malformed'],
    [{ ...CONVERSION, value_micros: 1 }, 'value_micros', 'contradiction'],
    [[], 'event', 'malformed'],
    [null, 'event', 'malformed'],
  ])('%j: %s %s', async (item, field, reason) => {
    expect((await postJson([item])).body.results).toMatchObject([{ status: 'rejected', field, reason }]);
  });

  it('rejects an infinite value', async () => {
    const body = JSON.stringify(CONVERSION).replace('19.99', '1e999');
    expect((await post(body)).body.results).toMatchObject([{ field: 'value', reason: 'not_finite' }]);
  });
});

describe('a request that can not be read', () => {
  const fails = (request: Promise<unknown>) => expect(request).rejects.toMatchObject({ code: Code.InvalidArgument });

  it('is no JSON', () => fails(post('{')));
  it('is no UTF-8', () => fails(post(Buffer.from([0x22, 0xff, 0x22]))));
  it('is empty', () => fails(post('')));
  it('is an empty array', () => fails(post('[]')));
  it('is NDJSON without a line', () => fails(post('\n\n', 'application/ndjson')));
  it('has more than 1,000 items', () => fails(postJson(Array(1001).fill(CLICK))));
  it.each(['text/plain', 'constructor', ''])('has the content type "%s"', async (type) => {
    expect((await post('a=b', type)).status).toBe(415);
  });
  it('is compressed', async () => {
    const gzip = { 'content-encoding': 'gzip' };
    expect((await post('x', 'application/json', '/api/v1/events', gzip)).status).toBe(415);
  });
});

describe('POST /click and /conversion', () => {
  it('imply the event_type', async () => {
    const { event_type: _, ...click } = CLICK;
    const { event_type: __, ...conversion } = CONVERSION;
    expect((await post(JSON.stringify(click), 'application/json', '/click')).status).toBe(202);
    expect((await post(JSON.stringify(conversion), 'application/json', '/conversion')).status).toBe(202);
    expect(stored().map((event) => event.case)).toEqual(['click', 'conversion']);
  });
});
