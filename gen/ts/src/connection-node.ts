import * as http from 'node:http';
import type { ClientHttp2Stream } from 'node:http2';
import * as https from 'node:https';
import { promisify } from 'node:util';
import { constants, gzip } from 'node:zlib';
import type { Interceptor } from '@connectrpc/connect';
import {
  compressionGzip,
  createConnectTransport,
  createGrpcTransport,
  Http2SessionManager,
} from '@connectrpc/connect-node';
import { headersOf, type Settings } from './options.ts';
import type { Sender } from './sender.ts';
import { type Connection, ProtobufSender } from './sender-protobuf.ts';

/** A connection without requests for so long is looked at before the next one, in ms. */
const PING_INTERVAL_MS = 30_000;
const PING_TIMEOUT_MS = 5000;

/** As small as needed: the next level takes twice as long for a tenth. */
const fastGzip = {
  ...compressionGzip,
  compress: (bytes: Uint8Array) => promisify(gzip)(bytes, { level: constants.Z_BEST_SPEED }),
};

/** gRPC over HTTP/2, or Connect over HTTP/1.1, with gzip for what is worth it. */
export function connect(baseUrl: string, settings: Settings): Connection {
  const options = { baseUrl, sendCompression: fastGzip, interceptors: [withHeaders(settings)] };
  if (settings.protocol !== 'connect') {
    const sessionManager = new Sessions(baseUrl, {
      pingIntervalMs: PING_INTERVAL_MS,
      pingTimeoutMs: PING_TIMEOUT_MS,
    });
    const reset = () => sessionManager.abort();
    return { transport: createGrpcTransport({ ...options, sessionManager }), reset, close: reset };
  }
  const { Agent } = baseUrl.startsWith('https:') ? https : http;
  const agent = new Agent({ keepAlive: true });
  const transport = createConnectTransport({ ...options, httpVersion: '1.1', nodeOptions: { agent } });
  // A request that timed out has ended its connection itself.
  return { transport, reset() {}, close: () => agent.destroy() };
}

/**
 * A session that broke tells its error once its socket is closed. Connect no longer listens where another request has
 * opened a new session by then, and an error that nobody listens to ends the program (connectrpc/connect-es#1768).
 */
class Sessions extends Http2SessionManager {
  override async request(...request: Parameters<Http2SessionManager['request']>): Promise<ClientHttp2Stream> {
    const stream = await super.request(...request);
    const { session } = stream;
    if (session && !session.listeners('error').includes(passOver)) session.on('error', passOver);
    return stream;
  }
}

/** The streams of the session have failed with the same error. */
function passOver(): void {}

export function createSender(_url: string, _settings: Settings, connection: Connection): Sender {
  return new ProtobufSender(connection);
}

function withHeaders(settings: Settings): Interceptor {
  return (next) => async (request) => {
    for (const [name, text] of Object.entries(await headersOf(settings))) request.header.set(name, text);
    return next(request);
  };
}
