import {
  create,
  fromBinary,
  fromJsonString,
  type MessageInitShape,
  type MessageShape,
  toBinary,
  toJsonString,
} from '@bufbuild/protobuf';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { EventSchema } from '../../../gen/ts/clickmesh/v1/event_pb.js';
import {
  IngestBatchRequestSchema,
  IngestBatchResponseSchema,
  IngestRequestSchema,
  IngestStreamResponseSchema,
} from '../../../gen/ts/clickmesh/v1/ingest_service_pb.js';
import { startGateway, type TestGateway } from '../../../test/fixtures/gateway.ts';
import { type RawClient, rawClient } from '../../../test/fixtures/raw-request.ts';
import { callBy, type RpcOutcome, type RpcWay, STREAM_WAYS, UNARY_WAYS } from '../../../test/fixtures/rpc-ways.ts';
import { LogFull, LogUnavailable } from '../../log/event-log.ts';

type EventInit = NonNullable<MessageInitShape<typeof IngestRequestSchema>['event']>;

const PATH = '/clickmesh.v1.IngestService/';
const id = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
const click = (n: number, userId = 'u'): EventInit => ({
  event: {
    case: 'click',
    value: { eventId: id(n), userId, adId: 'a', campaignId: 'c', source: 's', timestamp: 1678886400000n },
  },
});

let gateway: TestGateway;
let client: RawClient;
beforeEach(async () => {
  gateway = await startGateway();
  client = rawClient(gateway.url);
});
afterEach(async () => {
  client.close();
  await gateway.close();
});

function one({ format }: RpcWay, event: EventInit): Buffer {
  const message = create(IngestRequestSchema, { event });
  const json = () => toJsonString(IngestRequestSchema, message);
  return Buffer.from(format === 'json' ? json() : toBinary(IngestRequestSchema, message));
}

function many({ format }: RpcWay, ...events: EventInit[]): Buffer {
  const message = create(IngestBatchRequestSchema, { events });
  const json = () => toJsonString(IngestBatchRequestSchema, message);
  return Buffer.from(format === 'json' ? json() : toBinary(IngestBatchRequestSchema, message));
}

/** A batch with one event whose user is not UTF-8, between two good ones. */
function withBadUtf8(way: RpcWay): Buffer {
  const bytes = many(way, click(1), click(2, 'Ren+'), click(3));
  bytes[bytes.indexOf('Ren+') + 3] = 0xe9;
  return bytes;
}

const call = (way: RpcWay, method: string, ...messages: Buffer[]) => callBy(client, way, PATH + method, messages);

function decoded<D extends typeof IngestBatchResponseSchema | typeof IngestStreamResponseSchema>(
  desc: D,
  { format }: RpcWay,
  { code, message, answer }: RpcOutcome,
): MessageShape<D> {
  if (answer === undefined) throw new Error(`${code}: ${message}`);
  return format === 'json' ? fromJsonString(desc, String(answer)) : fromBinary(desc, answer);
}

const stored = () => gateway.log.records('raw-events').map(({ key }) => key);
const plain = (ways: RpcWay[]) => ways.filter(({ coding }) => coding === undefined);

describe.each(plain(UNARY_WAYS))('by $name', (way) => {
  test('one event is taken', async () => {
    expect(await call(way, 'Ingest', one(way, click(1)))).toMatchObject({ code: 'ok' });
    expect(stored()).toEqual(['u']);
  });

  test.each([
    ['a rejected event', (way: RpcWay) => one(way, click(1, '')), 'user_id is required'],
    ['no event', (way: RpcWay) => one(way, {}), /^event is none of click, conversion, adjustment, verdict/],
  ])('%s fails the call', async (_, request, message) => {
    const outcome = await call(way, 'Ingest', request(way));
    expect(outcome).toEqual({ code: 'invalid_argument', message: expect.stringMatching(message) });
    expect(stored()).toEqual([]);
  });

  test('one event of a batch sinks no other', async () => {
    for (const batch of [withBadUtf8(way), many(way, click(1), click(2, ''), click(3))]) {
      const { results } = decoded(IngestBatchResponseSchema, way, await call(way, 'IngestBatch', batch));
      expect(results.map(({ result }) => [result.case, result.value?.eventId])).toEqual([
        ...[
          ['accepted', id(1)],
          ['rejected', id(2)],
          ['accepted', id(3)],
        ],
      ]);
      expect(results[1]!.result.value).toMatchObject({ field: 'user_id' });
    }
    expect(stored()).toEqual(['u', 'u', 'u', 'u']);
  });

  test.each([
    [0, 'events is empty'],
    [1000, undefined],
    [1001, '1001 events are more than 1000: send fewer at once'],
  ])('a batch of %d events', async (count, message) => {
    const batch = many(way, ...Array.from({ length: count }, (_, n) => click(n)));
    const outcome = await call(way, 'IngestBatch', batch);
    expect(outcome).toMatchObject(message === undefined ? { code: 'ok' } : { code: 'invalid_argument', message });
    expect(stored()).toHaveLength(message === undefined ? count : 0);
  });

  test('what can not be told apart is the fault of its client', async () => {
    for (const broken of [
      Buffer.from('0a7f00', 'hex'),
      Buffer.from('{"events":'),
      Buffer.from([0xff, 0xfe, 0x7b, 0]),
    ]) {
      expect(await call(way, 'Ingest', broken)).toMatchObject({ code: 'invalid_argument' });
      expect(await call(way, 'IngestBatch', broken)).toMatchObject({ code: 'invalid_argument' });
    }
  });

  test.each([
    ['a full log', new LogFull('full'), 'resource_exhausted'],
    ['an outage', new LogUnavailable('disk'), 'unavailable'],
    ['a bug', new TypeError('secret'), 'internal'],
  ])('%s is told', async (_, thrown, code) => {
    gateway.log.beforeAppend = () => {
      throw thrown;
    };
    expect(await call(way, 'Ingest', one(way, click(1)))).toMatchObject({ code });
    expect(await call(way, 'IngestBatch', many(way, click(1), click(2, '')))).toMatchObject({ code });
  });
});

describe.each(plain(STREAM_WAYS))('a stream by $name', (way) => {
  test('is stored message by message', async () => {
    const appends: number[] = [];
    gateway.log.beforeAppend = (records) => void appends.push(records.length);
    const outcome = await call(way, 'IngestStream', many(way, click(1), click(2)), many(way), withBadUtf8(way));
    const { accepted, rejected, rejections } = decoded(IngestStreamResponseSchema, way, outcome);
    expect([accepted, rejected, appends]).toEqual([4n, 1n, [2, 2]]);
    expect(rejections).toMatchObject([{ index: 3n, rejection: { field: 'user_id' } }]);
  });

  test('fails with the first message that can not be told apart', async () => {
    const broken = way.format === 'json' ? Buffer.from('{"events":') : Buffer.from('0a7f00', 'hex');
    const outcome = await call(way, 'IngestStream', many(way, click(1)), broken, many(way, click(2)));
    expect(outcome).toMatchObject({ code: 'invalid_argument' });
    expect(stored()).toEqual(['u']);
  });
});

test('an event is stored as the same by every way', async () => {
  const expected = { key: 'José 😀', event: create(EventSchema, click(1, 'José 😀')) };
  for (const way of [...UNARY_WAYS, ...STREAM_WAYS]) {
    const method = way.protocol === 'connect-stream' ? 'IngestStream' : 'IngestBatch';
    expect(await call(way, method, many(way, click(1, 'José 😀'))), way.name).toMatchObject({ code: 'ok' });
    const { key, value } = gateway.log.records('raw-events').at(-1)!;
    expect({ key, event: fromBinary(EventSchema, value) }, way.name).toEqual(expected);
  }
  expect(stored()).toHaveLength(UNARY_WAYS.length + STREAM_WAYS.length);
});
