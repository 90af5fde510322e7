import http2 from 'node:http2';
import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { beforeEach, describe, expect, test } from 'vitest';
import type { EventSchema } from '../../../gen/ts/clickmesh/v1/event_pb.js';
import {
  IngestBatchRequestSchema,
  IngestRequestSchema,
  IngestStreamResponseSchema,
} from '../../../gen/ts/clickmesh/v1/ingest_service_pb.js';
import { startGateway, type TestGateway } from '../../../test/fixtures/gateway.ts';
import { LogFull, LogUnavailable } from '../../log/event-log.ts';

/** Means nothing to a call, but is unusual enough to keep it from the short ways. */
const UNUSUAL = { 'connect-content-encoding': 'identity' };
const GRPC = { 'content-type': 'application/grpc', te: 'trailers' };
const PROTO = { 'content-type': 'application/proto' };

/** What every append does first. */
let beforeAppend: TestGateway['log']['beforeAppend'];
beforeEach(() => {
  beforeAppend = () => {};
});

const click = (n: number, userId = 'u'): MessageInitShape<typeof EventSchema> => ({
  event: {
    case: 'click',
    value: {
      eventId: `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`,
      ...{ userId, adId: 'a', campaignId: 'c', source: 's', timestamp: 1678886400000n },
    },
  },
});
const one = (event: ReturnType<typeof click>) =>
  Buffer.from(toBinary(IngestRequestSchema, create(IngestRequestSchema, { event })));
const many = (...events: ReturnType<typeof click>[]) =>
  Buffer.from(toBinary(IngestBatchRequestSchema, create(IngestBatchRequestSchema, { events })));
const envelope = (message: Buffer, flags = 0) => {
  const head = Buffer.alloc(5, flags);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
};

const THOUSAND = Array.from({ length: 1000 }, (_, n) => click(n));
const MESSAGES: [name: string, one: Buffer, many: Buffer][] = [
  ['good events', one(click(1)), many(click(1), click(2))],
  ['a rejected event', one(click(1, '')), many(click(1), click(2, ''), click(3), {})],
  ['an unusual event', one(click(1, 'x'.repeat(128))), many(click(1, 'x'.repeat(128)), click(2, '😀'))],
  ['no event', Buffer.alloc(0), Buffer.alloc(0)],
  ['too many events', one(click(1)), many(...THOUSAND, click(0))],
  ['an unknown field', Buffer.concat([one(click(1)), Buffer.from('4801', 'hex')]), Buffer.from('4801', 'hex')],
];
const OUTAGES: [name: string, thrown: Error][] = [
  ['a full log', new LogFull('full')],
  ['an outage', new LogUnavailable('disk')],
  ['a bug', new TypeError('secret')],
];
const BODIES: [name: string, body: Buffer][] = [
  ['nothing', Buffer.alloc(0)],
  [
    'several messages',
    Buffer.concat([envelope(many(click(1))), envelope(many()), envelope(many(click(2, ''), click(3)))]),
  ],
  ['half a head', Buffer.concat([envelope(many(click(1))), Buffer.alloc(3)])],
  ['half a message', envelope(many(click(1))).subarray(0, 30)],
  ['what is said to be compressed', Buffer.concat([envelope(many(click(1))), envelope(many(click(1)), 1)])],
  ['a message that is too large', Buffer.concat([envelope(many(click(1))), envelope(Buffer.alloc((1 << 20) + 1))])],
];

describe('answers as the methods proper do, and stores the same', () => {
  describe.each([
    ['gRPC', GRPC, envelope],
    ['Connect', PROTO, (message: Buffer) => message],
  ])('%s', (_, headers, wrap) => {
    test.each(MESSAGES)('%s', async (_name, single, batch) => {
      await expectSame('Ingest', headers, wrap(single));
      await expectSame('IngestBatch', headers, wrap(batch));
    });

    test.each(OUTAGES)('%s', async (_name, thrown) => {
      beforeAppend = () => {
        throw thrown;
      };
      await expectSame('Ingest', headers, wrap(one(click(1))));
      await expectSame('IngestBatch', headers, wrap(many(click(1), click(2, ''))));
      await expectSame('IngestStream', GRPC, envelope(many(click(1))));
    });
  });

  test.each(MESSAGES)('a stream of %s', (_, _one, batch) => expectSame('IngestStream', GRPC, envelope(batch)));

  test.each(BODIES)('a stream of %s', (_, body) => expectSame('IngestStream', GRPC, body));

  test('a deadline', async () => {
    for (const timeout of ['5S', 'soon', '2H']) {
      await expectSame('IngestStream', { ...GRPC, 'grpc-timeout': timeout }, envelope(many(click(1))));
    }
  });
});

test('a stream is stored message by message', async () => {
  const appends: number[] = [];
  beforeAppend = (records) => void appends.push(records.length);
  const body = Buffer.concat([envelope(many(click(1), click(2))), envelope(many(click(3)))]);
  const { answer } = await outcome('IngestStream', GRPC, body);
  expect(appends).toEqual([2, 1]);
  const total = toBinary(IngestStreamResponseSchema, create(IngestStreamResponseSchema, { accepted: 3n }));
  expect(answer.body).toBe(envelope(Buffer.from(total)).toString('latin1'));
});

/** By the short way and by connect-node's. */
async function expectSame(method: string, headers: Record<string, string>, body: Buffer): Promise<void> {
  const short = await outcome(method, headers, body);
  expect(short).toEqual(await outcome(method, { ...headers, ...UNUSUAL }, body));
}

/** What a new gateway answers and stores. */
async function outcome(method: string, headers: Record<string, string>, body: Buffer) {
  const gateway = await startGateway();
  gateway.log.beforeAppend = beforeAppend;
  try {
    const answer = await call(gateway.url, method, headers, body);
    const records = gateway.log.records('raw-events');
    return { answer, stored: records.map(({ key, value, partition }) => ({ key, partition, value: [...value] })) };
  } finally {
    await gateway.close();
  }
}

const TRAVEL = /^(date|content-length|accept-encoding|grpc-accept-encoding)$/;

function call(url: string, method: string, headers: Record<string, string>, body: Buffer) {
  return new Promise<{ metadata: Record<string, unknown>; body: string }>((resolve, reject) => {
    const session = http2.connect(url);
    const path = `/clickmesh.v1.IngestService/${method}`;
    const stream = session.request({ ':method': 'POST', ':path': path, ...headers });
    const metadata: Record<string, unknown> = {};
    const chunks: Buffer[] = [];
    const note = (received: object) => {
      for (const [name, value] of Object.entries(received)) if (!TRAVEL.test(name)) metadata[name] = value;
    };
    stream.on('response', note);
    stream.on('trailers', note);
    stream.on('data', (chunk) => chunks.push(chunk));
    stream.on('error', reject);
    stream.on('close', () => {
      session.close(() => resolve({ metadata, body: Buffer.concat(chunks).toString('latin1') }));
    });
    stream.end(body);
  });
}
