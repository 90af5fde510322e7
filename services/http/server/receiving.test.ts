import http from 'node:http';
import http2 from 'node:http2';
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { startGateway, type TestGateway } from '../../../test/fixtures/gateway.ts';
import { envelope, rpcOutcome } from '../../../test/fixtures/rpc-ways.ts';

const BODY_BYTES = 300_000;
/** Room for three of the bodies. */
const maxReceivingBytes = 1_000_000;

const CLICK = {
  event_id: '6f1b0e0a-1f7e-4a0e-9d0a-0a4c5cbb8a01',
  ...{ user_id: 'u', ad_id: 'a', campaign_id: 'c', source: 's', timestamp: 1678886400000 },
};
const pad = (json: object) => Buffer.from(JSON.stringify(json).padEnd(BODY_BYTES));
const REST = pad({ event_type: 'click', ...CLICK });
const RPC = pad({ event: { click: CLICK } });
const STREAM = envelope(pad({ events: [{ click: CLICK }] }));

interface Way {
  name: string;
  version: 1 | 2;
  path: string;
  type: string;
  body: Buffer;
  protocol?: 'connect' | 'connect-stream' | 'grpc' | 'grpc-web';
}

const INGEST = '/clickmesh.v1.IngestService/Ingest';
const INGEST_STREAM = '/clickmesh.v1.IngestService/IngestStream';
const CHECK = '/grpc.health.v1.Health/Check';
const KINDS: Omit<Way, 'name' | 'version'>[] = [
  { path: '/api/v1/events', type: 'application/json', body: REST },
  { path: '/click', type: 'application/x-ndjson', body: REST },
  { path: INGEST, type: 'application/json', body: RPC, protocol: 'connect' },
  { path: INGEST, type: 'application/grpc+json', body: envelope(RPC), protocol: 'grpc' },
  { path: INGEST, type: 'application/grpc-web+json', body: envelope(RPC), protocol: 'grpc-web' },
  { path: INGEST_STREAM, type: 'application/connect+json', body: STREAM, protocol: 'connect-stream' },
  { path: INGEST_STREAM, type: 'application/grpc+json', body: STREAM, protocol: 'grpc' },
  { path: INGEST_STREAM, type: 'application/grpc-web+json', body: STREAM, protocol: 'grpc-web' },
  { path: CHECK, type: 'application/json', body: pad({}), protocol: 'connect' },
  { path: CHECK, type: 'application/grpc+json', body: envelope(pad({})), protocol: 'grpc' },
];
const WAYS = KINDS.flatMap((kind) =>
  ([1, 2] as const).map((version): Way => ({ name: `${kind.path} ${kind.type} HTTP/${version}`, version, ...kind })),
);

let gateway: TestGateway;
let running: { destroy(): void }[];
beforeEach(async () => {
  gateway = await startGateway({ maxReceivingBytes });
  running = [];
});
afterEach(async () => {
  vi.restoreAllMocks();
  for (const one of running) one.destroy();
  await gateway.close();
});

interface Held {
  /** "ok" or an error code, or "cut" where the connection ended without an answer. */
  outcome: Promise<string>;
  /** As far as it is known. */
  known?: string;
  /** Resolves when the server, too, is done with the request. */
  closed: Promise<unknown>;
  /** Sends the last byte. */
  finish(): void;
}

/** Sends a request but for its last byte. */
async function holdBack(way: Way): Promise<Held> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const { promise: closed, resolve: close } = Promise.withResolvers<void>();
  const held: Held = { outcome: promise, closed, finish: () => stream.end(way.body.subarray(-1)) };
  promise.then((known) => {
    held.known = known;
  });
  const chunks: Buffer[] = [];
  const tell = (status: number | undefined, headers: object) => {
    if (status === undefined) return resolve('cut');
    const answer = { status, headers: headers as Record<string, unknown>, body: Buffer.concat(chunks) };
    if (way.protocol !== undefined) return resolve(rpcOutcome({ protocol: way.protocol }, answer).code);
    resolve(status === 202 ? 'ok' : JSON.parse(answer.body.toString()).error.code);
  };
  const stream = way.version === 1 ? overHttp1(way, chunks, tell) : overHttp2(way, chunks, tell);
  stream.on('error', () => resolve('cut'));
  stream.on('close', () => {
    close();
    resolve('cut');
  });
  running.push(stream);
  await new Promise((sent) => stream.write(way.body.subarray(0, -1), sent));
  return held;
}

type Tell = (status: number | undefined, headers: object) => void;

function overHttp1({ path, type, body }: Way, chunks: Buffer[], tell: Tell) {
  const headers = { 'content-type': type, 'content-length': body.length };
  const request = http.request(gateway.url + path, { method: 'POST', agent: false, headers });
  request.on('response', (response) => {
    response.on('data', (chunk) => chunks.push(chunk));
    response.on('end', () => tell(response.statusCode!, { ...response.headers, ...response.trailers }));
  });
  return request;
}

function overHttp2({ path, type }: Way, chunks: Buffer[], tell: Tell) {
  const session = http2.connect(gateway.url);
  running.push(session);
  const stream = session.request({ ':method': 'POST', ':path': path, 'content-type': type });
  let head: http2.IncomingHttpHeaders & http2.IncomingHttpStatusHeader = {};
  let trailers = {};
  stream.on('response', (headers) => {
    head = headers;
  });
  stream.on('trailers', (headers) => {
    trailers = headers;
  });
  stream.on('data', (chunk) => chunks.push(chunk));
  stream.on('end', () => tell(head[':status'], { ...head, ...trailers }));
  return stream;
}

async function settled(held: readonly Held[], count: number): Promise<void> {
  await expect.poll(() => held.filter(({ known }) => known !== undefined).length, { timeout: 10_000 }).toBe(count);
  for (let i = 0; i < 20; i++) await turn();
}

describe('bodies that are held back', () => {
  test.each(WAYS)('are refused beyond the room there is, and those before come to their end: $name', async (way) => {
    const held: Held[] = [];
    for (let i = 0; i < 5; i++) held.push(await holdBack(way));
    await settled(held, 2);
    const refused = held.filter(({ known }) => known !== undefined);
    expect(refused.map(({ known }) => known)).toEqual(['resource_exhausted', 'resource_exhausted']);
    for (const one of held) if (one.known === undefined) one.finish();
    expect((await Promise.all(held.map(({ outcome }) => outcome))).filter((one) => one === 'ok')).toHaveLength(3);
    // Their room is free again.
    const again = await Promise.all([holdBack(way), holdBack(way), holdBack(way)]);
    for (const one of again) one.finish();
    expect(await Promise.all(again.map(({ outcome }) => outcome))).toEqual(['ok', 'ok', 'ok']);
  });

  test.each(WAYS)('make room for others once they are slow: $name', async (way) => {
    const slow = [await holdBack(way), await holdBack(way), await holdBack(way)];
    for (let i = 0; i < 100; i++) await turn();
    const { now } = performance;
    vi.spyOn(performance, 'now').mockImplementation(() => now.call(performance) + 6000);
    const other = await holdBack(WAYS[0]!);
    await settled(slow, 1);
    const cut = slow.find(({ known }) => known)!;
    expect(['resource_exhausted', 'cut']).toContain(cut.known);
    // Whatever reads it piece by piece must not be left with what came, and no stream stays open for the rest.
    if (way.version === 2 || way.path === INGEST_STREAM || way.path === CHECK) await cut.closed;
    other.finish();
    expect(await other.outcome).toBe('ok');
  });

  test('are no questions of reflection, which are small', async () => {
    const session = http2.connect(gateway.url);
    running.push(session);
    const path = '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo';
    const stream = session.request({ ':method': 'POST', ':path': path, 'content-type': 'application/grpc' });
    stream.write(envelope(Buffer.alloc(5000)).subarray(0, 5));
    const trailers = Promise.withResolvers<http2.IncomingHttpHeaders>();
    stream.on('response', (headers) => 'grpc-status' in headers && trailers.resolve(headers));
    stream.on('trailers', trailers.resolve);
    stream.resume();
    expect(await trailers.promise).toMatchObject({ 'grpc-status': '8' });
  });

  test('do not count once their client has left', async () => {
    for (const way of WAYS) {
      const held = [await holdBack(way), await holdBack(way), await holdBack(way)];
      for (const one of running.splice(0)) one.destroy();
      await Promise.all(held.map(({ outcome }) => outcome));
    }
    await expect
      .poll(
        async () => {
          const body = await holdBack(WAYS[0]!);
          body.finish();
          return body.outcome;
        },
        { timeout: 10_000 },
      )
      .toBe('ok');
  });
});
