import { readFileSync } from 'node:fs';
import { create, createFileRegistry, fromBinary, toBinary } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import pino from 'pino';
import { serve } from '../../services/http/server/server.ts';
import { conformanceService } from './service.ts';

/**
 * `server-child.ts DESCRIPTORS`: the server that connectconformance tests, until it is told to end. What it shall be
 * like comes on standard input; where it listens goes to standard output; both after their length.
 */
const LENGTH_BYTES = 4;

const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, readFileSync(process.argv[2]!)));
const messageNamed = (name: string) => registry.getMessage(`connectrpc.conformance.v1.${name}`)!;

const wanted = fromBinary(messageNamed('ServerCompatRequest'), readFileSync(0).subarray(LENGTH_BYTES));
const { messageReceiveLimit } = wanted as unknown as { messageReceiveLimit: number };

const host = '127.0.0.1';
const { port } = await serve({
  host,
  port: 0,
  services: (router) => conformanceService(router, registry),
  routes: [],
  maxRequestBytes: messageReceiveLimit,
  logger: pino({ level: 'silent' }),
});

const where = messageNamed('ServerCompatResponse');
const answer = toBinary(where, create(where, { host, port }));
const length = Buffer.alloc(LENGTH_BYTES);
length.writeUInt32BE(answer.length);
process.stdout.write(Buffer.concat([length, answer]));
