import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { Code, ConnectError, createClient, type Transport } from '@connectrpc/connect';
import { createConnectTransport, createGrpcTransport } from '@connectrpc/connect-node';
import { createGrpcWebTransport } from '@connectrpc/connect-web';
import type { ServiceError } from '@grpc/grpc-js';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { EventSchema } from '../../gen/ts/clickmesh/v1/event_pb.js';
import { IngestService, RejectionSchema, RejectReason } from '../../gen/ts/clickmesh/v1/ingest_service_pb.js';
import { Health, HealthCheckResponse_ServingStatus as Status } from '../../gen/ts/grpc/health/v1/health_pb.js';
import { LogUnavailable } from '../../services/log/event-log.ts';
import { startGateway, type TestGateway } from '../fixtures/gateway.ts';
import { GRPCURL, installGoTool } from '../fixtures/go-tool.ts';
import { grpcJsClient } from '../fixtures/grpc-js-client.ts';

type GrpcJsClient = ReturnType<typeof grpcJsClient>;

const run = promisify(execFile);

let gateway: TestGateway;
let address: string;

beforeAll(async () => {
  gateway = await startGateway();
  address = `127.0.0.1:${gateway.port}`;
});
afterAll(() => gateway.close());

const ID = '6f1b0e0a-1f7e-4a0e-9d0a-0a4c5cbb8a01';
const CLICK_FIELDS = { userId: 'u', adId: 'a', campaignId: 'c', source: 's', timestamp: 1678886400000n };
const EVENT: MessageInitShape<typeof EventSchema> = {
  event: { case: 'click', value: { eventId: ID, ...CLICK_FIELDS } },
};
const EVENT_JSON = { click: { eventId: ID, ...CLICK_FIELDS, timestamp: '1678886400000' } };
const CLICK_JSON = {
  event_type: 'click',
  event_id: ID,
  user_id: 'u',
  ad_id: 'a',
  campaign_id: 'c',
  source: 's',
  timestamp: 1678886400000,
};
const REJECTION = create(RejectionSchema, {
  field: 'event',
  reason: RejectReason.UNKNOWN_EVENT_TYPE,
  message: 'event is none of click, conversion, adjustment, verdict',
});

describe('curl', { tags: 'curl' }, () => {
  const INGEST = '/clickmesh.v1.IngestService/Ingest';

  async function curl(path: string, body: unknown, ...args: string[]) {
    const json = ['-H', 'content-type: application/json', '-d', JSON.stringify(body)];
    const write = ['-s', '-w', '\n%{http_version} %{http_code}'];
    const { stdout } = await run('curl', [...write, ...json, ...args, `${gateway.url}${path}`]);
    const [answer, status] = stdout.split('\n');
    return { status, answer: JSON.parse(answer!) };
  }

  it('posts REST over HTTP/1.1', async () => {
    const { status, answer } = await curl('/api/v1/events', CLICK_JSON);
    expect(status).toBe('1.1 202');
    expect(answer).toMatchObject({ accepted: 1, results: [{ event_id: ID, status: 'accepted' }] });
  });

  it('posts REST over HTTP/2', async () => {
    const { status } = await curl('/api/v1/events', CLICK_JSON, '--http2-prior-knowledge');
    expect(status).toBe('2 202');
  });

  it('upgrades nothing, and is served over HTTP/1.1', async () => {
    expect((await curl('/api/v1/events', CLICK_JSON, '--http2')).status).toBe('1.1 202');
  });

  it.each([
    ['1.1', '--http1.1'],
    ['2', '--http2-prior-knowledge'],
  ])('calls Connect with JSON over HTTP/%s', async (version, flag) => {
    const { status, answer } = await curl(INGEST, { event: EVENT_JSON }, flag);
    expect(status).toBe(`${version} 200`);
    expect(answer.acceptance).toMatchObject({ eventId: ID });
  });

  it('reads the rejection from a Connect error', async () => {
    const { status, answer } = await curl(INGEST, { event: {} });
    expect(status).toBe('1.1 400');
    expect(answer).toMatchObject({ code: 'invalid_argument', message: REJECTION.message });
    expect(answer.details[0]).toMatchObject({
      type: 'clickmesh.v1.Rejection',
      value: Buffer.from(toBinary(RejectionSchema, REJECTION)).toString('base64').replace(/=+$/, ''),
    });
  });
});

describe('@grpc/grpc-js', () => {
  let client: GrpcJsClient;
  let health: GrpcJsClient;

  beforeAll(() => {
    client = grpcJsClient(IngestService, address);
    health = grpcJsClient(Health, address);
  });
  afterAll(() => {
    client.close();
    health.close();
  });

  const call = (of: GrpcJsClient, method: string, request: object) =>
    new Promise<Record<string, unknown>>((resolve, reject) => {
      of[method]!(request, (err: ServiceError | null, answer: Record<string, unknown>) =>
        err === null ? resolve(answer) : reject(err),
      );
    });

  it('calls Ingest', async () => {
    expect(await call(client, 'ingest', { event: EVENT })).toMatchObject({ acceptance: { eventId: ID } });
  });

  it('calls IngestBatch', async () => {
    const answer = await call(client, 'ingestBatch', { events: [EVENT, {}, EVENT] });
    expect(answer).toMatchObject({ accepted: 2, rejected: 1 });
  });

  it('streams to IngestStream', async () => {
    const answer = await new Promise((resolve, reject) => {
      const stream = client.ingestStream!((err: ServiceError | null, total: object) =>
        err === null ? resolve(total) : reject(err),
      );
      for (let i = 0; i < 20; i++) stream.write({ events: [EVENT, {}] });
      stream.end();
    });
    expect(answer).toMatchObject({ accepted: 20n, rejected: 20n });
  });

  it('reads the rejection from the status details', async () => {
    const err: ServiceError = await call(client, 'ingest', {}).catch((reason) => reason);
    expect(err).toMatchObject({ code: Code.InvalidArgument, details: REJECTION.message });
    const [details] = err.metadata.get('grpc-status-details-bin') as Buffer[];
    expect(details!.includes(Buffer.from(toBinary(RejectionSchema, REJECTION)))).toBe(true);
  });

  it('is told when to try again during an outage', async () => {
    gateway.log.beforeAppend = () => {
      throw new LogUnavailable('test');
    };
    const err: ServiceError = await call(client, 'ingest', { event: EVENT }).catch((reason) => reason);
    gateway.log.beforeAppend = () => {};
    expect(err.code).toBe(Code.Unavailable);
    expect(err.metadata.get('retry-after')).toEqual(['5']);
  });

  it('is told of a message that is too large', async () => {
    const events = Array(20_000).fill(EVENT);
    const err: ServiceError = await call(client, 'ingestBatch', { events }).catch((reason) => reason);
    expect(err.code).toBe(Code.InvalidArgument);
    expect(await call(client, 'ingest', { event: EVENT })).toMatchObject({ acceptance: {} });
  });

  it('checks health', async () => {
    expect(await call(health, 'check', { service: 'clickmesh.v1.IngestService' })).toMatchObject({
      status: Status.SERVING,
    });
    const err: ServiceError = await call(health, 'check', { service: 'nope' }).catch((reason) => reason);
    expect(err.code).toBe(Code.NotFound);
    expect(Object.keys((await call(health, 'list', {})).statuses as object)).toContain('clickmesh.v1.IngestService');
  });

  it('watches health', async () => {
    const seen: Status[] = [];
    const stream = health.watch!({ service: '' });
    await new Promise<void>((resolve) => {
      stream.on('error', () => {});
      stream.on('data', ({ status }: { status: Status }) => {
        seen.push(status);
        gateway.ready = !gateway.ready;
        if (seen.length === 3) resolve();
      });
    });
    stream.cancel();
    gateway.ready = true;
    expect(seen).toEqual([Status.SERVING, Status.NOT_SERVING, Status.SERVING]);
  });
});

describe.each<[string, () => Transport]>([
  ['Connect over HTTP/1.1', () => createConnectTransport({ baseUrl: gateway.url, httpVersion: '1.1' })],
  ['Connect over HTTP/2', () => createConnectTransport({ baseUrl: gateway.url, httpVersion: '2' })],
  ['gRPC', () => createGrpcTransport({ baseUrl: gateway.url })],
  ['gRPC-Web of a browser', () => createGrpcWebTransport({ baseUrl: gateway.url })],
])('connect-es: %s', (name, transport) => {
  let client: ReturnType<typeof createClient<typeof IngestService>>;
  beforeEach(() => {
    client = createClient(IngestService, transport());
  });

  it('calls Ingest', async () => {
    expect(await client.ingest({ event: EVENT })).toMatchObject({ acceptance: { eventId: ID } });
  });

  it('calls IngestBatch', async () => {
    expect(await client.ingestBatch({ events: [EVENT, {}] })).toMatchObject({ accepted: 1, rejected: 1 });
  });

  it('reads the rejection from the error', async () => {
    const err = await client.ingest({}).catch((reason) => ConnectError.from(reason));
    expect((err as ConnectError).findDetails(RejectionSchema)).toEqual([REJECTION]);
  });

  if (name.includes('browser')) return; // Browsers can't stream what they send.
  it('streams to IngestStream', async () => {
    async function* messages() {
      for (let i = 0; i < 20; i++) yield { events: [EVENT] };
    }
    expect(await client.ingestStream(messages())).toMatchObject({ accepted: 20n });
  });
});

describe('grpcurl', { tags: 'go' }, () => {
  let command: string;

  beforeAll(() => {
    command = join(installGoTool(GRPCURL), 'grpcurl');
  }, 300_000);

  const grpcurl = (...args: string[]) =>
    run(command, ['-plaintext', ...args]).then(
      ({ stdout }) => stdout,
      (err) => `${err.stderr}`,
    );

  it('lists and describes services by reflection', async () => {
    expect((await grpcurl(address, 'list')).trim().split('\n')).toEqual([
      'clickmesh.v1.IngestService',
      'grpc.health.v1.Health',
      'grpc.reflection.v1.ServerReflection',
      'grpc.reflection.v1alpha.ServerReflection',
    ]);
    expect(await grpcurl(address, 'describe', 'clickmesh.v1.IngestService.Ingest')).toContain(
      'clickmesh.v1.IngestRequest',
    );
    expect(await grpcurl(address, 'describe', 'clickmesh.v1.Event')).toContain(
      '.clickmesh.v1.Conversion conversion = 2',
    );
    expect(await grpcurl(address, 'describe', 'clickmesh.v1.Nope')).toContain('not');
  });

  it('calls Ingest', async () => {
    const body = JSON.stringify({ event: EVENT_JSON });
    expect(await grpcurl('-d', body, address, 'clickmesh.v1.IngestService/Ingest')).toContain(ID);
  });

  it('prints a rejection with its detail', async () => {
    const answer = await grpcurl('-d', '{}', address, 'clickmesh.v1.IngestService/Ingest');
    expect(answer).toContain('InvalidArgument');
    expect(answer).toContain('REJECT_REASON_UNKNOWN_EVENT_TYPE');
  });
});
