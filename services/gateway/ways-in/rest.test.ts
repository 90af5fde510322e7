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
  const routes = gatewayHttp({ log, now: () => NOW, currency: 'USD' });
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
        received: `"${'x'.repeat(62)}…`,
        message: 'user_id must have at most 128 bytes of UTF-8: it has 129',
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
        {
          ...{ status: 'rejected', index: 1, reason: 'malformed' },
          message: 'the event is not valid JSON at line 2, column 15: it ends too early',
        },
        { status: 'accepted' },
      ]);
    },
  );

  it('lets a line that is not UTF-8 spoil no other', async () => {
    const body = Buffer.concat([Buffer.from([0x22, 0xff, 0x22, 0x0a]), Buffer.from(JSON.stringify(CLICK))]);
    expect((await post(body, 'application/ndjson')).body).toMatchObject({
      results: [{ reason: 'malformed', message: 'the event must be a JSON object' }, { status: 'accepted' }],
    });
  });

  it('answers 400 with the results when nothing was accepted', async () => {
    const { status, body } = await postJson([{ ...CLICK, event_id: 'null' }]);
    expect(status).toBe(400);
    expect(body).toMatchObject({ accepted: 0, rejected: 1, results: [{ reason: 'placeholder', received: '"null"' }] });
  });

  it('names the fields it does not know, and null is missing', async () => {
    const { status, body } = await postJson({ ...CLICK, type: 7, extra: {}, metadata: null });
    expect([status, body.results]).toMatchObject([202, [{ status: 'accepted', ignored: ['type', 'extra'] }]]);
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
    [{ ...CLICK, timestamp: 1678886400000.5 }, 'timestamp', 'malformed'],
    [{ ...CLICK, timestamp: 1e300 }, 'timestamp', 'out_of_range'],
    [{ ...CLICK, timestamp: '2026-02-30T00:00:00Z' }, 'timestamp', 'malformed'],
    [{ ...CLICK, timestamp: '2026-02-03T00:00:00' }, 'timestamp', 'malformed'],
    [{ ...CLICK, timestamp: 1678886400 }, 'timestamp', 'out_of_range'],
    [{ ...CLICK, user_id: 123 }, 'user_id', 'malformed'],
    [{ ...CLICK, userId: 'u' }, 'user_id', 'contradiction'],
    [{ ...CONVERSION, value: '19,99' }, 'value', 'malformed'],
    [{ ...CONVERSION, value: '0x10' }, 'value', 'malformed'],
    [{ ...CONVERSION, value: ' 5' }, 'value', 'malformed'],
    [{ ...CONVERSION, value: undefined, revenue: 49.9 }, 'revenue', 'misnamed_value'],
    [{ ...CONVERSION, value: undefined, properties: { value: '49.9' } }, 'properties.value', 'misnamed_value'],
    [{ ...CONVERSION, currency: 'EUR' }, 'currency', 'other_currency'],
    [{ ...CONVERSION, value: -1 }, 'value', 'out_of_range'],
    [{ ...CONVERSION, value_micros: 2 ** 53 }, 'value_micros', 'contradiction'],
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

describe('an item in the shapes that people send', () => {
  const micros = (change: object) => ({ ...CONVERSION, value: undefined, ...change });
  it.each([
    [{ ...CLICK, timestamp: '1678886400000' }, { timestamp: 1678886400000n }],
    [{ ...CLICK, timestamp: '2023-03-15T13:20:00Z' }, { timestamp: 1678886400000n }],
    [{ ...CLICK, timestamp: '2023-03-15 18:50:00.000999+05:30' }, { timestamp: 1678886400000n }],
    [{ ...CONVERSION, value: '4245.42' }, { valueMicros: 4245_420_000n }],
    [micros({ valueMicros: 49_900_000 }), { valueMicros: 49_900_000n }],
    [micros({ value_micros: '1000000000000000000' }), { valueMicros: 10n ** 18n }],
    [micros({ value_micros: '9007199254740993' }), { valueMicros: 9007199254740993n }],
    [micros({ metadata: { order: 'x' } }), { metadata: { order: 'x' } }],
    [{ ...CONVERSION, currency: 'usd' }, { currency: '' }],
    [{ ...CLICK, event_id: 'order-1001' }, { eventId: 'd9f4ac00-73dd-5950-9359-bd43b480c350' }],
    [{ ...CLICK, metadata: [] }, { metadata: {} }],
    [{ ...CLICK, metadata: { a: 1.5, b: true, c: { d: [1] } } }, { metadata: { a: '1.5', b: 'true', c: '{"d":[1]}' } }],
  ])('%j is stored', async (item, fields) => {
    const { body } = await postJson(item);
    expect(body.results).toMatchObject([{ status: 'accepted' }]);
    expect(body.results[0]).not.toHaveProperty('ignored');
    expect(stored().at(-1)!.value).toMatchObject(fields);
  });

  it('keeps every digit of an integer', async () => {
    const long = JSON.stringify(micros({ value_micros: 1, metadata: { a: 1, b: { c: 1 } } }))
      .replace('"value_micros":1', '"value_micros":9007199254740993')
      .replace('"a":1', '"a":120212345678901234')
      .replace('"c":1', '"c":-120212345678901234');
    expect((await post(long)).status).toBe(202);
    expect(stored().at(-1)!.value).toMatchObject({
      valueMicros: 9007199254740993n,
      metadata: { a: '120212345678901234', b: '{"c":-120212345678901234}' },
    });
  });

  it('names what of metadata it leaves out', async () => {
    const metadata = { gclid: null, page: '\ud83d', ok: 'x' };
    const { body } = await postJson([
      { ...CLICK, metadata },
      { ...CLICK, metadata: 5 },
    ]);
    expect(body.results).toMatchObject([{ ignored: ['metadata.gclid', 'metadata.page'] }, { ignored: ['metadata'] }]);
    expect(stored()[0]!.value).toMatchObject({ metadata: { ok: 'x' } });
  });

  it('takes the good of an array in which something is no JSON', async () => {
    const body = `[${JSON.stringify(CLICK)},\n {"value": NaN}, ${JSON.stringify(CONVERSION)}]`;
    const answer = await post(body);
    expect(answer.body.results).toMatchObject([
      { status: 'accepted' },
      {
        ...{ status: 'rejected', index: 1, field: 'event' },
        message:
          'the event is not valid JSON at line 2, column 12: found "NaN}"; JSON has no such number, leave the field out',
      },
      { status: 'accepted' },
    ]);
  });

  it.each([
    ['valid ones', JSON.stringify(Array(1001).fill(CLICK))],
    ['what is no JSON', `[${Array(1001).fill('NaN').join()}]`],
  ])('takes no more than 1,000 of an array: %s', async (_, body) => {
    await expect(post(body)).rejects.toMatchObject({
      rawMessage: '1001 events are more than 1000: send fewer at once',
    });
  });

  it('leaves out numbers that would lose digits', async () => {
    const metadata = '{"a":1e999,"b":[1e21],"c":1e20,"d":-7}';
    const { body } = await post(JSON.stringify({ ...CLICK, metadata: 'M' }).replace('"M"', metadata));
    expect(body.results).toMatchObject([{ ignored: ['metadata.a', 'metadata.b'] }]);
    expect(stored()[0]!.value).toMatchObject({ metadata: { c: '100000000000000000000', d: '-7' } });
  });

  it('says where the one event of a body is no JSON', async () => {
    const { status, body } = await post("{'a': 1}");
    expect([status, body.results]).toMatchObject([
      400,
      [{ message: 'the event is not valid JSON at line 1, column 2: found "\'a\': 1}"; JSON has double quotes' }],
    ]);
  });

  it('drops a BOM', async () => {
    expect((await post(`\ufeff${JSON.stringify(CLICK)}`)).status).toBe(202);
    expect((await post(`\ufeff${JSON.stringify(CLICK)}\n`, 'application/x-ndjson')).status).toBe(202);
  });

  it('tells two people apart whose names are not UTF-8, by refusing both', async () => {
    const of = (name: string) => Buffer.from(JSON.stringify({ ...CLICK, user_id: name }), 'latin1');
    for (const name of ['Ren\xe9', 'Ren\xe8']) {
      expect((await post(of(name))).body.results).toMatchObject([
        { event_id: CLICK.event_id, field: 'user_id', reason: 'malformed' },
      ]);
    }
  });
});

describe('a request that can not be read', () => {
  const fails = (request: Promise<unknown>) => expect(request).rejects.toMatchObject({ code: Code.InvalidArgument });

  it.each(['[', '[{"a":1}', '[}]', '[{}] x'])('is no JSON: %s', (body) => fails(post(body)));
  it('is empty', () => fails(post('')));
  it('is an empty array', () => fails(post('[]')));
  it('is NDJSON without a line', () => fails(post('\n\n', 'application/ndjson')));
  it('has more than 1,000 items', () => fails(postJson(Array(1001).fill(CLICK))));
  it.each(['application/x-www-form-urlencoded', 'constructor', 'text/html; charset=utf-8', 'x'.repeat(1000)])(
    'has the content type "%s"',
    async (type) => {
      const refused = await post('a=b', type).catch((error) => error);
      expect(refused).toMatchObject({ status: 415, code: Code.InvalidArgument });
      const came = type.length > 64 ? `${type.slice(0, 63)}…` : type;
      expect(refused.rawMessage).toBe(
        `content-type "${came}" is not taken here: send application/json or application/x-ndjson for an event a line ` +
          "(curl: -H 'content-type: application/json')",
      );
    },
  );
  it.each<[string, BufferEncoding]>([
    ['', 'utf16le'],
    ['\ufeff', 'utf16le'],
  ])('is UTF-16 that begins with "%s"', async (start, encoding) => {
    for (const type of ['application/json', 'application/x-ndjson']) {
      const little = Buffer.from(start + JSON.stringify(CLICK), encoding);
      for (const body of [little, Buffer.from(little).swap16()]) {
        const refused = await post(body, type).catch((error) => error);
        expect(refused.rawMessage).toBe('the body is UTF-16: send it as UTF-8');
      }
    }
  });
});

describe('a content type', () => {
  const json = [
    '',
    'text/plain',
    'text/plain;charset=UTF-8',
    'text/json',
    'application/vnd.api+json',
    'Application/JSON',
  ];
  it.each(json)('that is JSON: "%s"', async (type) => {
    expect((await post(JSON.stringify([CLICK, CONVERSION]), type)).body).toMatchObject({ accepted: 2 });
  });
  it.each([
    ...['application/jsonl', 'application/x-jsonlines', 'application/jsonlines', 'application/x-ndjson; charset=utf-8'],
    ...['text/x-ndjson', 'text/ndjson', 'application/x-ldjson', 'application/stream+json', 'application/json-lines'],
  ])('that is NDJSON: %s', async (type) => {
    const lines = `${JSON.stringify(CLICK)}\r\n${JSON.stringify(CONVERSION)}`;
    expect((await post(lines, type)).body).toMatchObject({ accepted: 2 });
  });
});

describe('POST /click and /conversion', () => {
  it('take no event of another type', async () => {
    const { body } = await post(JSON.stringify(CONVERSION), 'application/json', '/click');
    expect(body.results).toMatchObject([{ field: 'event_type', reason: 'contradiction', received: '"conversion"' }]);
  });

  it('imply the event_type', async () => {
    const { event_type: _, ...click } = CLICK;
    const { event_type: __, ...conversion } = CONVERSION;
    expect((await post(JSON.stringify(click), 'application/json', '/click')).status).toBe(202);
    expect((await post(JSON.stringify(conversion), 'application/json', '/conversion')).status).toBe(202);
    expect(stored().map((event) => event.case)).toEqual(['click', 'conversion']);
  });
});

it('an item that is not there is a comma too many', async () => {
  const { body } = await post('[{},\n,{}, ]');
  expect(body.results.map(({ message }: { message: string }) => message)).toEqual([
    expect.stringContaining('event_type is required'),
    'the event is not valid JSON at line 2, column 1: found ",{}, ]"; a comma too many',
    expect.stringContaining('event_type is required'),
    'the event is not valid JSON at line 2, column 6: found "]"; a comma too many',
  ]);
});
