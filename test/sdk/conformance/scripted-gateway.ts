import { once } from 'node:events';
import {
  createServer as createHttp1Server,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import { createServer as createHttp2Server, type Http2ServerRequest, type Http2ServerResponse } from 'node:http2';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { type Code, ConnectError, type HandlerContext } from '@connectrpc/connect';
import { connectNodeAdapter } from '@connectrpc/connect-node';
import type { Event } from '../../../gen/ts/clickmesh/v1/event_pb.js';
import { IngestService } from '../../../gen/ts/clickmesh/v1/ingest_service_pb.js';

/**
 * What the next call is answered with: that all is stored, an error of the protocol, or one of HTTP. `retryAfter` is a
 * header, `retryInfo` are seconds, below 128, of a google.rpc.RetryInfo.
 */
export type Scripted = 'stored' | { code: Code; retryAfter?: string; retryInfo?: number } | { status: number };

/** Its field 1 is a Duration, whose field 1 has seconds. */
function retryInfo(seconds: number): { type: string; value: Uint8Array } {
  return { type: 'google.rpc.RetryInfo', value: Uint8Array.of(0x0a, 2, 0x08, seconds) };
}

type Request = IncomingMessage | Http2ServerRequest;

export interface Call {
  /** By performance.now(), in ms. */
  at: number;
  path: string;
  headers: IncomingHttpHeaders;
}

/** A gateway over HTTP/2 and HTTP/1.1 that answers as it is told, and keeps what came. */
export interface ScriptedGateway extends AsyncDisposable {
  url: string;
  calls: Call[];
  /** The ids of the events that were stored, in the order in which they came. */
  ids: string[];
  /** Asked at each call, with its number from 0. */
  script: (call: number) => Scripted;
}

export async function startScriptedGateway(pathPrefix = ''): Promise<ScriptedGateway> {
  const sockets = new Set<Socket>();
  const idOf = ({ event }: Event) => event.value?.eventId ?? '';
  const take = (events: readonly Event[], { requestHeader }: HandlerContext) => {
    const scripted = gateway.script(Number(requestHeader.get('x-call')));
    if (typeof scripted === 'object' && 'code' in scripted) {
      const headers = new Headers();
      if (scripted.retryAfter !== undefined) headers.set('retry-after', scripted.retryAfter);
      const details = scripted.retryInfo === undefined ? [] : [retryInfo(scripted.retryInfo)];
      // Details of errors that were received are passed on as they are, and its schema is in no package here.
      throw new ConnectError('as scripted', scripted.code, headers, details as never);
    }
    gateway.ids.push(...events.map(idOf));
    return events.map((event) => ({ eventId: idOf(event) }));
  };
  const handler = connectNodeAdapter({
    requestPathPrefix: pathPrefix,
    routes(router) {
      router.service(IngestService, {
        ingest: ({ event }, context) => ({ acceptance: take([event!], context)[0]! }),
        ingestBatch({ events }, context) {
          const results = take(events, context).map((value) => ({ result: { case: 'accepted' as const, value } }));
          return { results, accepted: events.length };
        },
      });
    },
  });
  const answer = (request: Request, response: ServerResponse | Http2ServerResponse) => {
    const number = gateway.calls.length;
    gateway.calls.push({ at: performance.now(), path: request.url!, headers: { ...request.headers } });
    const scripted = gateway.script(number);
    if (typeof scripted === 'object' && 'status' in scripted) {
      response.statusCode = scripted.status;
      return void response.end();
    }
    request.headers['x-call'] = String(number);
    handler(request, response);
  };
  const http1 = createHttp1Server(answer);
  const http2 = createHttp2Server(answer);
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
    // Passed on, because HTTP/2 does not take a connection of which something was read.
    socket.once('data', (chunk: Buffer) => {
      const { port } = (chunk.subarray(0, 3).toString() === 'PRI' ? http2 : http1).address() as AddressInfo;
      const inner = connect(port, '127.0.0.1');
      sockets.add(inner);
      inner.on('error', () => socket.destroy());
      inner.on('close', () => sockets.delete(inner));
      socket.on('close', () => inner.destroy());
      inner.write(chunk);
      socket.pipe(inner).pipe(socket);
    });
  });
  for (const each of [http1, http2, server]) {
    each.listen(0, '127.0.0.1');
    await once(each, 'listening');
  }
  const gateway: ScriptedGateway = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${pathPrefix}`,
    calls: [],
    ids: [],
    script: () => 'stored',
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      for (const each of [http1, http2]) each.close();
      server.close();
      await once(server, 'close');
    },
  };
  return gateway;
}
