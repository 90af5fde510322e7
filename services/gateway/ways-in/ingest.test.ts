import { create, fromBinary, type MessageInitShape } from '@bufbuild/protobuf';
import { Code, ConnectError, createClient, createRouterTransport } from '@connectrpc/connect';
import { pino } from 'pino';
import { beforeEach, describe, expect, it } from 'vitest';
import { EventSchema } from '../../../gen/ts/clickmesh/v1/event_pb.js';
import { IngestService, RejectionSchema, RejectReason } from '../../../gen/ts/clickmesh/v1/ingest_service_pb.js';
import { type MemoryLog, memoryLog } from '../../../test/fixtures/memory-log.ts';
import { errorInterceptor } from '../../http/exchange/errors.ts';
import { LogFull, LogUnavailable } from '../../log/event-log.ts';
import { gatewayRoutes } from '../routes.ts';

const NOW = Date.UTC(2026, 0, 2);
const logger = pino({ level: 'silent' });

type EventInit = MessageInitShape<typeof EventSchema>;

const id = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
const click = (n: number, userId = `user-${n}`): EventInit => ({
  event: {
    case: 'click',
    value: { eventId: id(n), userId, adId: 'a', campaignId: 'c', source: 's', timestamp: BigInt(NOW) },
  },
});

let log: MemoryLog;
let appends: number[];

beforeEach(() => {
  log = memoryLog();
  appends = [];
  log.beforeAppend = (records) => void appends.push(records.length);
});

function client() {
  const routes = (router: Parameters<typeof gatewayRoutes>[0]) =>
    gatewayRoutes(router, { log, now: () => NOW, currency: 'USD' });
  const router = { interceptors: [errorInterceptor(logger)] };
  return createClient(IngestService, createRouterTransport(routes, { router }));
}

const failure = (call: Promise<unknown>): Promise<ConnectError> =>
  call.then(
    () => expect.fail('the call succeeded'),
    (err) => ConnectError.from(err),
  );

describe('Ingest', () => {
  it('answers with the place of the event', async () => {
    const { acceptance } = await client().ingest({ event: click(1) });
    const [record] = log.records('raw-events');
    expect(acceptance).toMatchObject({ eventId: id(1), partition: record!.partition, offset: BigInt(record!.offset) });
    expect(record!.key).toBe('user-1');
    expect(fromBinary(EventSchema, record!.value)).toEqual(create(EventSchema, click(1)));
  });

  it('fails a rejected event with the rejection as detail', async () => {
    const err = await failure(client().ingest({ event: click(1, '') }));
    expect(err.code).toBe(Code.InvalidArgument);
    expect(err.findDetails(RejectionSchema)).toMatchObject([
      { eventId: id(1), field: 'user_id', reason: RejectReason.REQUIRED },
    ]);
    expect(appends).toEqual([]);
  });

  it('rejects a request without an event', async () => {
    const err = await failure(client().ingest({}));
    expect(err.findDetails(RejectionSchema)).toMatchObject([{ reason: RejectReason.UNKNOWN_EVENT_TYPE }]);
  });

  it.each([
    ['unavailable while the log is down', new LogUnavailable('disk'), Code.Unavailable, '5'],
    ['resource_exhausted while too much is in flight', new LogFull('64 MiB'), Code.ResourceExhausted, '1'],
  ])('%s', async (_, thrown, code, retryAfter) => {
    log.beforeAppend = () => {
      throw thrown;
    };
    const err = await failure(client().ingest({ event: click(1) }));
    expect(err.code).toBe(code);
    expect(err.metadata.get('retry-after')).toBe(retryAfter);
  });

  it('hides what went wrong inside', async () => {
    log.beforeAppend = () => {
      throw new TypeError('secret');
    };
    const err = await failure(client().ingest({ event: click(1) }));
    expect(err).toMatchObject({ code: Code.Internal, rawMessage: 'internal error' });
  });
});

describe('IngestBatch', () => {
  it('answers per event, in order, and appends once', async () => {
    const events = [click(1), click(2, ''), click(3), {}];
    const { results, accepted, rejected } = await client().ingestBatch({ events });
    expect(results.map(({ result }) => [result.case, result.value?.eventId])).toEqual([
      ['accepted', id(1)],
      ['rejected', id(2)],
      ['accepted', id(3)],
      ['rejected', ''],
    ]);
    expect({ accepted, rejected }).toEqual({ accepted: 2, rejected: 2 });
    expect(appends).toEqual([2]);
  });

  it('succeeds without an append when every event is rejected', async () => {
    expect(await client().ingestBatch({ events: [{}, {}] })).toMatchObject({ accepted: 0, rejected: 2 });
    expect(appends).toEqual([]);
  });

  it.each([
    [0, Code.InvalidArgument],
    [1, 'ok'],
    [1000, 'ok'],
    [1001, Code.InvalidArgument],
  ])('of %d events', async (count, expected) => {
    const events = Array.from({ length: count }, (_, n) => click(n));
    const outcome = await client()
      .ingestBatch({ events })
      .then(
        () => 'ok',
        (err) => ConnectError.from(err).code,
      );
    expect(outcome).toBe(expected);
    expect(log.records('raw-events')).toHaveLength(expected === 'ok' ? count : 0);
  });
});

describe('IngestStream', () => {
  async function* messages(sizes: number[]) {
    let n = 0;
    for (const size of sizes) yield { events: Array.from({ length: size }, () => click(n++, 'one-user')) };
  }

  it('appends every message by itself, in order', async () => {
    const total = await client().ingestStream(messages([2, 0, 3, 1]));
    expect(total).toMatchObject({ accepted: 6n, rejected: 0n, rejections: [] });
    expect(appends).toEqual([2, 3, 1]);
    const events = log.records('raw-events').map(({ value }) => fromBinary(EventSchema, value).event.value?.eventId);
    expect(events).toEqual([0, 1, 2, 3, 4, 5].map(id));
  });

  it('numbers rejected events across messages', async () => {
    async function* mixed() {
      yield { events: [click(0), click(1, '')] };
      yield { events: [click(2), {}, click(4)] };
    }
    const { accepted, rejected, rejections } = await client().ingestStream(mixed());
    expect({ accepted, rejected }).toEqual({ accepted: 3n, rejected: 2n });
    expect(rejections.map(({ index, rejection }) => [index, rejection?.field])).toEqual([
      [1n, 'user_id'],
      [3n, 'event'],
    ]);
  });

  it('lists the first 1,000 rejected events and counts the rest', async () => {
    async function* bad() {
      for (let i = 0; i < 3; i++) yield { events: Array.from({ length: 600 }, () => ({})) };
    }
    const { rejected, rejections } = await client().ingestStream(bad());
    expect(rejected).toBe(1800n);
    expect(rejections.map(({ index }) => index)).toEqual(Array.from({ length: 1000 }, (_, i) => BigInt(i)));
  });

  it('has at most 8 messages on their way to the log', async () => {
    let inFlight = 0;
    let most = 0;
    log.beforeAppend = async () => {
      most = Math.max(most, ++inFlight);
      await new Promise(setImmediate);
      inFlight--;
    };
    await client().ingestStream(messages(Array(50).fill(1)));
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(8);
  });

  it('fails when a message can not be stored', async () => {
    log.beforeAppend = () => {
      if (appends.push(1) > 2) throw new LogUnavailable('gone');
    };
    const err = await failure(client().ingestStream(messages(Array(20).fill(1))));
    expect(err.code).toBe(Code.Unavailable);
    expect(log.records('raw-events')).toHaveLength(2);
  });

  it('fails on a message of more than 1,000 events', async () => {
    const err = await failure(client().ingestStream(messages([1, 1001])));
    expect(err.code).toBe(Code.InvalidArgument);
  });
});
