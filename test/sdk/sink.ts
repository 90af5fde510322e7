import { once } from 'node:events';
import { createServer as createHttp1Server } from 'node:http';
import { createServer, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';

/** What takes batches as fast as it goes, over HTTP/2, by gRPC and by Connect with Protobuf. */
export interface Sink extends AsyncDisposable {
  url: string;
  /** The same over HTTP/1.1, by Connect alone. */
  http1Url: string;
  /** Events taken so far. */
  events(): number;
}

const GRPC_HEADER_BYTES = 5;
/** Of an IngestBatchResponse: one result, an acceptance without a word. */
const ACCEPTED = Buffer.from([0x0a, 0x02, 0x0a, 0x00]);

/** Answers that every event is accepted, and decodes none: what is measured against it is the client. */
export async function startSink(): Promise<Sink> {
  const sessions = new Set<ServerHttp2Session>();
  let events = 0;
  const http1 = createHttp1Server(async (request, response) => {
    const body = await buffer(request);
    const count = countFields(request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body);
    events += count;
    response.writeHead(200, { 'content-type': 'application/proto' });
    response.end(Buffer.alloc(count * ACCEPTED.length, ACCEPTED));
  });
  const server = createServer();
  server.on('session', (session) => {
    sessions.add(session);
    session.on('close', () => sessions.delete(session));
  });
  server.on('stream', async (stream: ServerHttp2Stream, headers) => {
    stream.on('error', () => {});
    const isGrpc = headers['content-type']!.startsWith('application/grpc');
    const body = await buffer(stream);
    const encoding = isGrpc ? (body[0] === 1 ? 'gzip' : '') : headers['content-encoding'];
    const message = body.subarray(isGrpc ? GRPC_HEADER_BYTES : 0);
    const count = countFields(encoding === 'gzip' ? gunzipSync(message) : message);
    events += count;
    const results = Buffer.alloc(count * ACCEPTED.length, ACCEPTED);
    if (!isGrpc) {
      stream.respond({ ':status': 200, 'content-type': 'application/proto' });
      return void stream.end(results);
    }
    const header = Buffer.alloc(GRPC_HEADER_BYTES);
    header.writeUInt32BE(results.length, 1);
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
    stream.respond({ ':status': 200, 'content-type': headers['content-type'] }, { waitForTrailers: true });
    stream.end(Buffer.concat([header, results]));
  });
  for (const version of [server, http1]) {
    version.listen(0, '127.0.0.1');
    await once(version, 'listening');
  }
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    http1Url: `http://127.0.0.1:${(http1.address() as AddressInfo).port}`,
    events: () => events,
    async [Symbol.asyncDispose]() {
      for (const session of sessions) session.destroy();
      http1.close();
      http1.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** How many fields a message has that are all of a length: of an IngestBatchRequest, its events. */
function countFields(message: Buffer): number {
  let count = 0;
  for (let at = 0; at < message.length; count++) {
    let length = 0;
    let byte = 0;
    at++;
    for (let shift = 0; shift === 0 || byte > 0x7f; shift += 7) {
      byte = message[at++]!;
      length |= (byte & 0x7f) << shift;
    }
    at += length;
  }
  return count;
}
