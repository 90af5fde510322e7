import http2 from 'node:http2';
import type { AddressInfo } from 'node:net';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { connectNodeAdapter } from '@connectrpc/connect-node';
import { Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData } from '@grpc/grpc-js';
import pino from 'pino';
import { EventSchema } from '../../gen/ts/clickmesh/v1/event_pb.js';
import {
  type IngestRequest,
  IngestRequestSchema,
  type IngestResponse,
  IngestResponseSchema,
  IngestService,
} from '../../gen/ts/clickmesh/v1/ingest_service_pb.js';
import { appendEvents } from '../../services/gateway/append-events.ts';
import { type GatewayDeps, termsOf } from '../../services/gateway/deps.ts';
import { accept } from '../../services/gateway/event/accept.ts';
import { gatewayHttp, gatewayRoutes } from '../../services/gateway/routes.ts';
import { serve } from '../../services/http/server/server.ts';
import type { EventLog, RecordPosition } from '../../services/log/event-log.ts';

/**
 * `listener-child.ts LISTENER`: the gateway behind one of several listeners, over a log that takes everything at
 * once and keeps nothing. Tells its parent the port, and after each message from it the CPU used so far, in µs.
 */
const LISTENERS: Record<string, (deps: GatewayDeps) => Promise<number>> = {
  clickmesh: async (deps) => {
    const services = (router: Parameters<typeof gatewayRoutes>[0]) => gatewayRoutes(router, deps);
    return (await serve({ host: '127.0.0.1', port: 0, services, routes: gatewayHttp(deps), logger })).port;
  },
  'connect-node': (deps) => {
    const methods = { ingest: (request: IngestRequest) => ingest(request, deps) };
    const server = http2.createServer(
      connectNodeAdapter({ routes: (router) => router.service(IngestService, methods) }),
    );
    return new Promise((resolve) => {
      server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
    });
  },
  'grpc-js': (deps) => {
    const server = new Server();
    const method = {
      path: '/clickmesh.v1.IngestService/Ingest',
      requestStream: false as const,
      responseStream: false as const,
      requestSerialize: (request: IngestRequest) => Buffer.from(toBinary(IngestRequestSchema, request)),
      requestDeserialize: (bytes: Buffer) => fromBinary(IngestRequestSchema, bytes),
      responseSerialize: (response: IngestResponse) => Buffer.from(toBinary(IngestResponseSchema, response)),
      responseDeserialize: (bytes: Buffer) => fromBinary(IngestResponseSchema, bytes),
    };
    server.addService(
      { ingest: method },
      {
        ingest(call: ServerUnaryCall<IngestRequest, IngestResponse>, done: sendUnaryData<IngestResponse>) {
          ingest(call.request, deps).then((response) => done(null, response), done);
        },
      },
    );
    return new Promise((resolve, reject) => {
      server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) =>
        error ? reject(error) : resolve(port),
      );
    });
  },
};

/** The gateway's Ingest for listeners that decode requests and encode answers themselves. */
async function ingest({ event }: IngestRequest, deps: GatewayDeps): Promise<IngestResponse> {
  const outcome = accept(event ?? create(EventSchema), termsOf(deps));
  if (outcome.kind === 'rejected') throw new Error(outcome.rejection.message);
  const [{ partition, offset }] = (await appendEvents([outcome.event], deps.log)) as [RecordPosition];
  const { eventId } = outcome.event;
  return create(IngestResponseSchema, { acceptance: { eventId, partition, offset: BigInt(offset) } });
}

function logThatKeepsNothing(): EventLog {
  let offset = 0;
  const nothing = () => Promise.reject(new Error('nothing is kept'));
  return {
    append: async (records) => records.map(() => ({ partition: 0, offset: offset++ })),
    read: nothing,
    endSeen: () => 0,
    offsets: nothing,
    join: nothing,
    committed: nothing,
    close: async () => {},
  };
}

const deps = { log: logThatKeepsNothing(), now: Date.now, currency: 'USD' };
const logger = pino({ level: 'silent' });
process.send!(await LISTENERS[process.argv[2]!]!(deps));
process.on('message', () => process.send!(process.cpuUsage()));
process.on('disconnect', () => process.exit());
