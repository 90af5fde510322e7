import { expect, onTestFinished, test } from 'vitest';
import { startGateway } from '../../../test/fixtures/gateway.ts';
import { type RawRequest, rawClient } from '../../../test/fixtures/raw-request.ts';
import { type RpcWay, rpcRequest } from '../../../test/fixtures/rpc-ways.ts';

const CLICK = {
  event_id: '6f1b0e0a-1f7e-4a0e-9d0a-0a4c5cbb8a01',
  ...{ user_id: 'u', ad_id: 'a', campaign_id: 'c', source: 's', timestamp: 1678886400000 },
};
const INGEST = '/clickmesh.v1.IngestService/Ingest';
const STREAM = '/clickmesh.v1.IngestService/IngestStream';

function post(path: string, json: object): RawRequest {
  const headers = { 'content-type': 'application/json', origin: 'https://shop.example' };
  return { method: 'POST', path, headers, body: Buffer.from(JSON.stringify(json)) };
}

function call(protocol: RpcWay['protocol'], path: string, json: object): RawRequest {
  const way: RpcWay = { name: '', protocol, format: 'json', by: 'http2' };
  return rpcRequest(way, path, [Buffer.from(JSON.stringify(json))]);
}

const click = { event: { click: CLICK } };
const clicks = { events: [{ click: CLICK }] };
const TAKE_EVENTS = [
  post('/api/v1/events', { event_type: 'click', ...CLICK }),
  post('/api/v1/events', { event_type: 'none' }),
  call('connect', INGEST, click),
  call('connect', INGEST, {}),
  call('grpc', INGEST, click),
  call('grpc', INGEST, {}),
  call('grpc-web', INGEST, click),
  call('connect-stream', STREAM, clicks),
  call('grpc', STREAM, clicks),
  call('grpc-web', STREAM, clicks),
];
const OTHERS = [
  { method: 'GET', path: '/healthz', headers: {}, body: Buffer.alloc(0) },
  call('connect', '/grpc.health.v1.Health/Check', {}),
];

test('a notice is told to all that send events, accepted or not, by every protocol, and to nobody else', async () => {
  let notice: string | undefined;
  const gateway = await startGateway({ notice: () => notice });
  onTestFinished(() => gateway.close());
  const client = rawClient(gateway.url);
  onTestFinished(() => client.close());
  const told = async (requests: readonly RawRequest[]) => {
    const notices: unknown[] = [];
    for (const request of requests) {
      for (const by of ['whole', 'chunked', 'http2'] as const) {
        notices.push((await client[by](request)).headers['clickmesh-notice']);
      }
    }
    return notices;
  };
  expect(new Set(await told(TAKE_EVENTS))).toEqual(new Set([undefined]));
  notice = 'attribution does not go on';
  expect(new Set(await told(TAKE_EVENTS))).toEqual(new Set([notice]));
  expect(new Set(await told(OTHERS))).toEqual(new Set([undefined]));
  const { headers } = await client.whole(TAKE_EVENTS[0]!);
  expect(headers['access-control-expose-headers']).toContain('clickmesh-notice');
});
