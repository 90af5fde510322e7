import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { Client, credentials } from '@grpc/grpc-js';

/** Sends one request and resolves when it was acknowledged; rejects if it was not. */
export type Send = (body: Buffer) => Promise<void>;

/** A client that does as little as it can: it shares the machine with what it measures. */
export interface BenchClient extends Disposable {
  send: Send;
}

/** POSTs JSON, with headers of its own, over at most so many connections, which are kept. */
export function jsonClient(
  url: string,
  path: string,
  connections: number,
  also: Record<string, string> = {},
): BenchClient {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const target = new URL(path, url);
  const send = (body: Buffer) =>
    new Promise<void>((resolve, reject) => {
      const headers = { 'content-type': 'application/json', 'content-length': body.length, ...also };
      const call = request(target, { method: 'POST', agent, headers }, (response) => {
        response.resume();
        response.once('error', reject);
        response.once('end', () => {
          if (response.statusCode! < 300) resolve();
          else reject(new Error(`${path} answered ${response.statusCode}`));
        });
      });
      call.once('error', reject);
      call.end(body);
    });
  return { send, [Symbol.dispose]: () => agent.destroy() };
}

/** Unary gRPC calls by @grpc/grpc-js, with bodies already encoded, taking turns on the connections. */
export function grpcClient(url: string, method: string, connections: number): BenchClient {
  const channels = Array.from({ length: connections }, () => channel(url));
  let calls = 0;
  const send = (body: Buffer) =>
    new Promise<void>((resolve, reject) => {
      channels[calls++ % connections]!.makeUnaryRequest(method, asIs, asIs, body, (error) =>
        error ? reject(error) : resolve(),
      );
    });
  return { send, [Symbol.dispose]: () => channels.forEach((each) => void each.close()) };
}

export interface GrpcStream {
  /** Resolves when there is room for more. */
  write(message: Buffer): Promise<void>;
  /** Closes our side and resolves when the server has acknowledged everything. */
  finish(): Promise<void>;
}

/** One client-streaming call on a connection of its own. */
export function openGrpcStream(url: string, method: string): GrpcStream {
  const client = channel(url);
  const answer = Promise.withResolvers<void>();
  const call = client.makeClientStreamRequest(method, asIs, asIs, (error) =>
    error ? answer.reject(error) : answer.resolve(),
  );
  return {
    async write(message) {
      if (!call.write(message)) await Promise.race([once(call, 'drain'), answer.promise]);
    },
    async finish() {
      call.end();
      await answer.promise;
      client.close();
    },
  };
}

function channel(url: string): Client {
  return new Client(new URL(url).host, credentials.createInsecure(), { 'grpc.use_local_subchannel_pool': 1 });
}

function asIs(bytes: Buffer): Buffer {
  return bytes;
}
