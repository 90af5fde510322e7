import http2 from 'node:http2';
import { brotliCompressSync } from 'node:zlib';
import { Code, type ConnectError, type ConnectRouter } from '@connectrpc/connect';
import pino from 'pino';
import { expect, test } from 'vitest';
import { IngestService } from '../../../gen/ts/clickmesh/v1/ingest_service_pb.js';
import { rawClient } from '../../../test/fixtures/raw-request.ts';
import { envelope } from '../../../test/fixtures/rpc-ways.ts';
import { serve } from '../server/server.ts';
import { byteStreamMethod } from './bytes-methods.ts';

const MESSAGE = Buffer.from([0, 0, 0, 0, 1, 7]);
const PATH = '/clickmesh.v1.IngestService/IngestStream';

/** A server whose IngestStream reads messages by `read`, and answers nothing. */
function serveStream(read: (messages: AsyncIterable<Buffer>) => Promise<void>, logger = pino({ level: 'silent' })) {
  const call = async (messages: AsyncIterable<Buffer>) => {
    await read(messages);
    return new Uint8Array();
  };
  const ingestStream = byteStreamMethod(IngestService.method.ingestStream, call);
  const services = (router: ConnectRouter) => void router.service(IngestService, { ingestStream });
  return serve({ host: '127.0.0.1', port: 0, services, routes: [], logger });
}

test('messages that inflate to megabytes leave others their turn', async () => {
  const bombs = 50;
  let messages = 0;
  const turns = new Set<number>();
  const server = await serveStream(async (all) => {
    let isReading = true;
    const count = () => {
      turns.add(messages);
      if (isReading) setImmediate(count);
    };
    setImmediate(count);
    for await (const message of all) if (message.length === 1 << 20) messages++;
    isReading = false;
  });
  const client = rawClient(server.url);
  const headers = { 'content-type': 'application/grpc', te: 'trailers', 'grpc-encoding': 'br' };
  const bomb = envelope(brotliCompressSync(Buffer.alloc(1 << 20)), 1);
  await client.http2({ method: 'POST', path: PATH, headers, body: Buffer.concat(Array(bombs).fill(bomb)) });
  client.close();
  await server.close();
  expect(messages).toBe(bombs);
  expect(turns.size).toBeGreaterThan(bombs / 2);
});

test.each([
  ['resets its stream', (stream: http2.ClientHttp2Stream) => stream.close(8), undefined],
  ['closes its connection', (stream: http2.ClientHttp2Stream) => stream.session!.destroy(), Code.Canceled],
])('a client that %s ends the messages of its call, and is no error of ours', async (_, leave, code) => {
  const logged: string[] = [];
  const logger = pino({ level: 'info' }, { write: (line) => logged.push(line) });
  const [first, end] = [Promise.withResolvers<Uint8Array>(), Promise.withResolvers<Code | undefined>()];
  const read = async (messages: AsyncIterable<Buffer>) => {
    try {
      for await (const message of messages) first.resolve(message);
      end.resolve(undefined);
    } catch (thrown) {
      end.resolve((thrown as ConnectError).code);
      throw thrown;
    }
  };
  const server = await serveStream(read, logger);
  const session = http2.connect(server.url);
  const stream = session.request({ ':method': 'POST', ':path': PATH, 'content-type': 'application/grpc' });
  stream.on('error', () => {});
  stream.write(MESSAGE);
  expect([...(await first.promise)]).toEqual([7]);
  leave(stream);
  expect(await end.promise).toBe(code);
  session.destroy();
  await server.close();
  expect(logged).toEqual([]);
});
