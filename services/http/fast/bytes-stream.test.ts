import http2 from 'node:http2';
import { Code, type ConnectError, type ConnectRouter } from '@connectrpc/connect';
import pino from 'pino';
import { expect, test } from 'vitest';
import { IngestService } from '../../../gen/ts/clickmesh/v1/ingest_service_pb.js';
import { serve } from '../server/server.ts';
import { byteStreamMethod } from './bytes-methods.ts';

const MESSAGE = Buffer.from([0, 0, 0, 0, 1, 7]);

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
    return new Uint8Array();
  };
  const ingestStream = byteStreamMethod(IngestService.method.ingestStream, read);
  const services = (router: ConnectRouter) => void router.service(IngestService, { ingestStream });
  const server = await serve({ host: '127.0.0.1', port: 0, services, routes: [], logger });
  const session = http2.connect(server.url);
  const path = '/clickmesh.v1.IngestService/IngestStream';
  const stream = session.request({ ':method': 'POST', ':path': path, 'content-type': 'application/grpc' });
  stream.on('error', () => {});
  stream.write(MESSAGE);
  expect([...(await first.promise)]).toEqual([7]);
  leave(stream);
  expect(await end.promise).toBe(code);
  session.destroy();
  await server.close();
  expect(logged).toEqual([]);
});
